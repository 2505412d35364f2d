//! Exchanges a grant for accounts, and writes the link.

use async_trait::async_trait;

use super::linker::{DETAILS_TIMEOUT, Linking};
use super::read_accounts::ReadAccounts;
use crate::core::flow::AttemptResult;
use crate::core::ids::{AttemptId, LinkId};
use crate::providers::{Access, ProviderAccount, ProviderError};
use crate::records::{Attempt, AttemptState, JobType, Link, LinkCompletion, LinkState, RecordsError};
use crate::service::deps::CrashPoint;
use crate::service::facts_reader::link_summary;
use crate::service::job::{JobError, JobHandler, JobOutcome};

/// Exchanges the grant of an attempt for accounts.
pub struct Redeem;

impl JobType for Redeem {
    const NAME: &'static str = "redeem";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<Redeem> for Linking {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.redeem(attempt).await
    }

    async fn on_given_up(&self, attempt: AttemptId) -> Result<(), RecordsError> {
        self.give_up_attempt(attempt).await
    }
}

impl Linking {
    pub(super) async fn redeem(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, grant)) = self.deps.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let Some(sealed) = grant.filter(|_| attempt.state == AttemptState::Granted) else {
            return Ok(JobOutcome::Done);
        };
        // Redeemed, and not compared yet: the node that was at it may have died before.
        if let Some(link) = self.deps.records.link_of_attempt(id).await?
            && link.state == LinkState::Verifying
        {
            return self.verify(&link).await;
        }
        let grant = self.deps.sealing.open_grant(&attempt.tag, id, &sealed)?;
        let providers = &self.providers;
        let (provider, keys) = providers.with_keys(attempt.partner, &attempt.provider).await?;
        match provider
            .redeem(Access::keys(&keys), &grant)
            .await
            .map(|redeemed| redeemed.value.accounts)
        {
            // Exchanged for nothing, as only a renewal may be.
            Ok(accounts) if accounts.is_empty() && attempt.renews.is_none() => self.search_or_lapse(attempt).await,
            Ok(accounts) => {
                self.deps.crash_point(CrashPoint::Redeemed);
                self.complete(&attempt, accounts).await
            }
            // Used or expired: perhaps used by us, with the answer lost.
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => self.search_or_lapse(attempt).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the link, or undoes what was linked behind the person's back.
    pub(super) async fn complete(
        &self,
        attempt: &Attempt,
        accounts: Vec<ProviderAccount>,
    ) -> Result<JobOutcome, JobError> {
        if let Some(link) = attempt.renews {
            return self.complete_renewal(attempt, link, accounts).await;
        }
        let (accounts, foreign) = self.split_foreign(attempt, accounts).await?;
        self.reject_foreign(&attempt.into(), foreign).await?;
        if accounts.is_empty() {
            return self.discard(attempt).await;
        }
        let id = LinkId::generate(self.deps.rng.as_ref());
        let expected = self.expects_account(attempt.consent).await?;
        let link = Link {
            state: if expected {
                LinkState::Verifying
            } else {
                LinkState::Active
            },
            ..self.new_link(id, attempt, &accounts)?
        };
        let read_at = self.deps.clock.now().plus(DETAILS_TIMEOUT);
        let read = ReadAccounts::job(link.partner, link.id, read_at);
        // By then a person who waits has been told.
        let sms = self.linked_sms_job(attempt.id, read_at);
        let jobs: Vec<_> = [read].into_iter().chain(sms.filter(|_| !expected)).collect();
        let id = match self.deps.records.complete_link(&link, &jobs).await? {
            LinkCompletion::Written(id) => id,
            LinkCompletion::Superseded => return self.undo(attempt, accounts).await,
            LinkCompletion::IntentClosed => {
                let undone = self.undo(attempt, accounts).await?;
                self.notify(attempt, AttemptResult::RequestEnded).await;
                return Ok(undone);
            }
        };
        self.deps.crash_point(CrashPoint::Linked);
        let Some(written) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::Done);
        };
        if written.state == LinkState::Verifying {
            return self.verify(&written).await;
        }
        self.audit(&attempt.into(), "link.created", id).await;
        let duplicate = id == link.id && self.save_details(&link, &accounts).await;
        if let Some(link) = self.deps.records.link(id).await? {
            let summary = link_summary(&link, duplicate);
            self.notify(attempt, AttemptResult::Linked(summary)).await;
        }
        Ok(JobOutcome::Done)
    }

    /// The person has begun again since: nothing may stay open behind their back.
    async fn undo(&self, attempt: &Attempt, accounts: Vec<ProviderAccount>) -> Result<JobOutcome, JobError> {
        self.end_access(&attempt.into(), &accounts).await?;
        let now = self.deps.clock.now();
        self.deps
            .records
            .move_attempt(attempt.id, AttemptState::Undone, now)
            .await?;
        self.audit(&attempt.into(), "link.undone", attempt.id).await;
        Ok(JobOutcome::Done)
    }
}
