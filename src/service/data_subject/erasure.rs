//! Erases a person at a partner.
//!
//! An erasure is durable before anybody is told of it, and every step of it may be done twice: ending links at their
//! providers, blanking the rows, removing what is live of this partner, closing. A server that dies in between leaves a job that another
//! takes up. Nothing is blanked that is still needed to end something: an account at the provider is found by what the
//! rows say, so the rows go last. An erasure that has to wait, for a provider that does not take the end of a link or for
//! a bank's answer, goes on asking for as long as it takes, and says in its row what it waits for.
//!
//! What the person does meanwhile is erased with the rest; what they do once their rows are blank is somebody new's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::core::flow::state::Subscriber;
use crate::core::ids::{ErasureId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::{Clock, Rng};
use crate::records::{
    AttemptState, AuditEntry, DataSubjectRecords, Erasure, ErasureBlocker, ErasureState, JobType, LinkState,
    RecordsError, Redaction,
};
use crate::service::deps::Deps;
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::linking::linker::Linking;
use crate::service::linking::unlink::Unlink;

/// For how long an attempt that was given up may still turn out to have linked something: it is looked for once more
/// before nothing is left to look for it with.
const LAPSED_RECHECK_WINDOW: Duration = Duration::from_hours(7 * 24);

/// Erases a person at a partner.
pub struct Erase;

impl JobType for Erase {
    const NAME: &'static str = "erase";
    type Subject = ErasureId;
}

pub struct Eraser {
    deps: Deps,
    linking: Arc<Linking>,
}

impl Eraser {
    pub fn new(deps: &Deps, linking: &Arc<Linking>) -> Arc<Self> {
        Arc::new(Self {
            deps: deps.clone(),
            linking: linking.clone(),
        })
    }
}

/// Asks for the erasure of a person at a partner. Who asks again while it is under way is told of the same one.
///
/// # Errors
/// When the records are not available.
pub async fn begin_erasure(
    records: &dyn DataSubjectRecords,
    clock: &dyn Clock,
    rng: &dyn Rng,
    partner: PartnerId,
    tag: &SubscriberTag,
) -> Result<ErasureId, RecordsError> {
    let (id, now) = (ErasureId::generate(rng), clock.now());
    let mut pseudonym = [0; 32];
    rng.fill(&mut pseudonym);
    let erasure = Erasure {
        id,
        partner,
        tag: Some(*tag),
        pseudonym: SubscriberTag::from_bytes(pseudonym),
        state: ErasureState::Begun,
        blocked_by: None,
        begun_at: now,
        moved_at: now,
    };
    records.begin_erasure(&erasure, &Erase::job(partner, id, now)).await
}

#[async_trait]
impl JobHandler<Erase> for Eraser {
    /// The person has a right to it.
    const ENDLESS: bool = true;

    /// Goes on with an erasure as far as it can be gone on with now.
    async fn run(&self, id: ErasureId) -> Result<JobOutcome, JobError> {
        let Some(erasure) = self.deps.records.erasure(id).await? else {
            return Ok(JobOutcome::GiveUp("no such erasure"));
        };
        let Some(tag) = erasure.tag else {
            return Ok(JobOutcome::Done);
        };
        if erasure.state == ErasureState::Begun {
            self.end_links(&erasure, &tag).await?;
            self.settle_lapsed_attempts(&erasure, &tag).await?;
            if let Redaction::BlockedBy(waits) = self.deps.records.redact(&erasure, self.deps.clock.now()).await? {
                return self.postpone(&erasure, waits).await;
            }
        }
        let (updater, now) = (&self.linking.updater, self.deps.clock.now());
        let prune = |state: &mut Subscriber| updater.flow.get().forget_partner(state, erasure.partner, now);
        if let Err(error) = updater.live.prune(&tag, prune).await {
            tracing::warn!(erasure = %id, %error, "what is live could not be removed");
            return self.postpone(&erasure, ErasureBlocker::Store).await;
        }
        if !self.deps.records.scrub_files().await? {
            return self.postpone(&erasure, ErasureBlocker::Readers).await;
        }
        let now = self.deps.clock.now();
        let fact = AuditEntry::new(erasure.partner, "subscriber.erased", id.to_string(), now).about(erasure.pseudonym);
        if self.deps.records.finish_erasure(id, &fact).await? {
            tracing::info!(erasure = %id, "a person was erased");
            // Whom it was about is wiped only now. It leads to nobody without the keys: nothing to wait for.
            let _ = self.deps.records.scrub_files().await?;
        }
        Ok(JobOutcome::Done)
    }
}

impl Eraser {
    /// Has every link ended at its provider. One of which that was given up is tried again, however often.
    async fn end_links(&self, erasure: &Erasure, tag: &SubscriberTag) -> Result<(), RecordsError> {
        let now = self.deps.clock.now();
        for (link, state) in self.deps.records.unremoved_links(erasure.partner, tag).await? {
            let unlink = Unlink::job(erasure.partner, link, now);
            if matches!(state, LinkState::Removing | LinkState::Expired) {
                self.deps.records.reopen(&unlink.key, now).await?;
            } else {
                let to = LinkState::Removing;
                self.deps.records.move_link(link, to, &[unlink], now).await?;
            }
        }
        Ok(())
    }

    /// Looks for what attempts that were given up lately may have linked after all: later it would not be recognised, and
    /// would stay open at the provider. What is found is linked, and ended like any link.
    async fn settle_lapsed_attempts(&self, erasure: &Erasure, tag: &SubscriberTag) -> Result<(), JobError> {
        let since = self.deps.clock.now().minus(LAPSED_RECHECK_WINDOW);
        for held in self.deps.records.export(erasure.partner, tag).await?.attempts {
            if held.attempt.state != AttemptState::Lapsed || held.moved_at < since {
                continue;
            }
            match self.linking.settle(held.attempt.id).await {
                // It does not let us look, and will not.
                Err(error) if error.is_permanent() => {}
                settled => drop(settled?),
            }
        }
        Ok(())
    }

    async fn postpone(&self, erasure: &Erasure, waits: ErasureBlocker) -> Result<JobOutcome, JobError> {
        self.deps.records.set_erasure_blocker(erasure.id, waits).await?;
        // The first look is always too early: the links were handed to their own jobs a moment ago.
        if erasure.blocked_by == Some(ErasureBlocker::Links) && waits == ErasureBlocker::Links {
            tracing::warn!(erasure = %erasure.id, "an erasure waits for a provider to end a link");
        }
        Ok(JobOutcome::Retry(waits.as_str()))
    }
}
