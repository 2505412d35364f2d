//! Erases a person at a partner.
//!
//! An erasure is durable before anybody is told of it, and every step of it may be done twice: ending links at their
//! providers, blanking the rows, removing what is live, closing. A server that dies in between leaves a job that another
//! takes up. Nothing is blanked that is still needed to end something: an account at the provider is found by what the
//! rows say, so the rows go last. An erasure that has to wait, for a provider that does not take the end of a link or for
//! a bank's answer, goes on asking for as long as it takes, and says in its row what it waits for.
//!
//! What the person does meanwhile is erased with the rest; what they do once their rows are blank is somebody new's.

use std::sync::Arc;
use std::time::Duration;

use super::super::jobs::Verdict;
use super::super::linking::{Linking, Trouble};
use super::super::live::Live;
use super::super::runtime::Runtime;
use crate::core::ids::{ErasureId, JobId, LinkId, PartnerId};
use crate::core::seal::Tag;
use crate::core::time::{Clock, Entropy, Timestamp};
use crate::records::{
    AttemptState, AuditEvent, Blanking, Erasure, ErasureState, Job, JobKind, LinkState, PeopleRecords, Records,
    RecordsError, Waits,
};

/// For how long an attempt that was given up may still turn out to have linked something: it is looked for once more
/// before nothing is left to look for it with.
const RECALLED_FOR: Duration = Duration::from_hours(7 * 24);

/// Erases people.
pub struct Erasing {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Live values.
    pub live: Live,
    /// Clock, chance.
    pub runtime: Runtime,
}

/// Asks for the erasure of a person at a partner. Whoever asks again while it is under way is told of the same one.
///
/// # Errors
/// When the records are not available.
pub async fn begin_erasure(
    records: &dyn PeopleRecords,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    partner: PartnerId,
    tag: &Tag,
) -> Result<ErasureId, RecordsError> {
    let (id, now) = (ErasureId::draw(entropy), clock.now());
    let mut pseudonym = [0; 32];
    entropy.fill(&mut pseudonym);
    let erasure = Erasure {
        id,
        partner,
        tag: Some(*tag),
        pseudonym: Tag::from_bytes(pseudonym),
        state: ErasureState::Begun,
        waits: None,
        begun_at: now,
        moved_at: now,
    };
    let job = Job {
        id: JobId::draw(entropy),
        partner,
        kind: JobKind::Erase(id),
        due_at: now,
        tries: 0,
        key: format!("erase:{id}"),
    };
    records.begin_erasure(&erasure, &job).await
}

impl Erasing {
    /// Goes on with an erasure as far as it can be gone on with now.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn erase(&self, id: ErasureId, linking: &Linking) -> Result<Verdict, Trouble> {
        let Some(erasure) = self.records.erasure(id).await? else {
            return Ok(Verdict::GiveUp("no such erasure"));
        };
        let Some(tag) = erasure.tag else {
            return Ok(Verdict::Done);
        };
        if erasure.state == ErasureState::Begun {
            self.end_links(&erasure, &tag).await?;
            self.look_once_more(&erasure, &tag, linking).await?;
            if let Blanking::Waits(waits) = self.records.blank(&erasure, self.runtime.clock.now()).await? {
                return self.wait(&erasure, waits).await;
            }
        }
        if let Err(error) = self.live.remove(&tag).await {
            tracing::warn!(erasure = %id, %error, "a live value could not be removed");
            return self.wait(&erasure, Waits::Store).await;
        }
        if !self.records.scrub().await? {
            return self.wait(&erasure, Waits::Readers).await;
        }
        let fact = AuditEvent {
            partner: erasure.partner,
            tag: Some(erasure.pseudonym),
            kind: "subscriber.erased",
            detail: id.to_string(),
            at: self.runtime.clock.now(),
        };
        if self.records.finish_erasure(id, &fact).await? {
            tracing::info!(erasure = %id, "a person was erased");
            // Whom it was about is wiped only now. It leads to nobody without the keys: nothing to wait for.
            let _ = self.records.scrub().await?;
        }
        Ok(Verdict::Done)
    }

    /// Has every link ended at its provider. One of which that was given up is tried anew, however often.
    async fn end_links(&self, erasure: &Erasure, tag: &Tag) -> Result<(), RecordsError> {
        let now = self.runtime.clock.now();
        for (link, state) in self.records.unremoved(erasure.partner, tag).await? {
            let unlink = self.unlink(erasure.partner, link, now);
            if state == LinkState::Removing {
                self.records.revive(&unlink.key, now).await?;
            } else {
                let to = LinkState::Removing;
                self.records.move_link(link, to, &[unlink], now).await?;
            }
        }
        Ok(())
    }

    fn unlink(&self, partner: PartnerId, link: LinkId, due_at: Timestamp) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
            partner,
            kind: JobKind::Unlink(link),
            due_at,
            tries: 0,
            key: format!("unlink:{link}"),
        }
    }

    /// Looks for what attempts that were given up lately may have linked after all: later it would not be recognised, and
    /// would stay open at the provider. What is found is linked, and ended like any link.
    async fn look_once_more(&self, erasure: &Erasure, tag: &Tag, linking: &Linking) -> Result<(), Trouble> {
        let since = self.runtime.clock.now().minus(RECALLED_FOR);
        for held in self.records.held(erasure.partner, tag).await?.attempts {
            if held.attempt.state != AttemptState::Lapsed || held.moved_at < since {
                continue;
            }
            match linking.settle(held.attempt.id).await {
                // It does not let us look, and will not.
                Err(trouble) if trouble.refused() => {}
                settled => drop(settled?),
            }
        }
        Ok(())
    }

    async fn wait(&self, erasure: &Erasure, waits: Waits) -> Result<Verdict, Trouble> {
        self.records.erasure_waits(erasure.id, waits).await?;
        // The first look is always too early: the links were handed to their own jobs a moment ago.
        if erasure.waits == Some(Waits::Links) && waits == Waits::Links {
            tracing::warn!(erasure = %erasure.id, "an erasure waits for a provider to end a link");
        }
        Ok(Verdict::Again(waits.name()))
    }
}
