//! From a grant to a durable link, and from silence to the truth.
//!
//! Everything here may run twice: exchanging a grant again finds it used and looks the account up instead, a link is
//! written once per attempt, unlinking what is gone is done. "Linked" is said only after the row is there.

mod accounts;
mod foreign;
mod renewal;
mod search;
mod verifying;

use std::sync::Arc;
use std::time::Duration;

use super::deps::{CrashPoint, Deps};
use super::facts_reader::link_summary;
use super::jobs::JobOutcome;
use super::providers::{ProviderCallError, Providers};
use super::sealing::Sealing;
use super::session_updater::SessionUpdater;
use crate::core::flow::{AttemptResult, SessionEvent};
use crate::core::ids::{AttemptId, JobId, LinkId, PartnerId};
use crate::core::next_step::{Failure, FailureClass};
use crate::core::seal::SubscriberTag;
use crate::providers::{ProviderAccount, ProviderError};
use crate::records::{
    Attempt, AttemptState, AuditEntry, Job, JobKind, Link, LinkCompletion, LinkState, Records, RecordsError,
};
use crate::store::StoreError;

/// How long "linked" is held back for what an account says of itself.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes links.
pub struct Linking {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Providers with the partner's credentials.
    pub providers: Arc<Providers>,
    /// Seals and opens fields.
    pub sealing: Sealing,
    /// Tells people.
    pub newsroom: SessionUpdater,
    /// Clock, chance.
    pub runtime: Deps,
}

/// Whom accounts that came back are to belong to, and where they came from.
pub struct AccountOwner<'a> {
    partner: PartnerId,
    tag: &'a SubscriberTag,
    provider: &'a str,
}

impl<'a> From<&'a Attempt> for AccountOwner<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            partner: attempt.partner,
            tag: &attempt.tag,
            provider: &attempt.provider,
        }
    }
}

impl<'a> From<&'a Link> for AccountOwner<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            partner: link.partner,
            tag: &link.tag,
            provider: &link.provider,
        }
    }
}

/// Why something is to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The records are not available.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A provider call failed.
    #[error(transparent)]
    Call(#[from] ProviderCallError),
    /// The live store is not available.
    #[error(transparent)]
    Store(StoreError),
    /// Something sealed does not open.
    #[error("a sealed field does not open")]
    Sealed,
}

impl JobError {
    /// Whether the provider says that asking again will not help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Call(ProviderCallError::Provider(error)) if !error.retryable())
    }
}

impl From<ProviderError> for JobError {
    fn from(error: ProviderError) -> Self {
        Self::Call(ProviderCallError::Provider(error))
    }
}

impl Linking {
    /// Exchanges an attempt's grant and writes the link.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn redeem(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, grant)) = self.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let Some(sealed) = grant.filter(|_| attempt.state == AttemptState::Granted) else {
            return Ok(JobOutcome::Done);
        };
        // Redeemed, and not compared yet: whoever was at it may not have come to that.
        if let Some(link) = self.records.link_of_attempt(id).await?
            && link.state == LinkState::Verifying
        {
            return self.verify(&link).await;
        }
        let grant = self
            .sealing
            .open_grant(&attempt.tag, id, &sealed)
            .map_err(|_| JobError::Sealed)?;
        let (provider, credentials) = self
            .providers
            .with_credentials(attempt.partner, &attempt.provider)
            .await?;
        match provider.redeem(&credentials, &grant).await {
            // Exchanged for nothing; a renewal may well be.
            Ok(accounts) if accounts.is_empty() && attempt.renews.is_none() => self.search_or_lapse(attempt).await,
            Ok(accounts) => {
                self.runtime.crash_point(CrashPoint::Redeemed);
                self.complete(&attempt, accounts).await
            }
            // Used or over: perhaps by ourselves, with the answer lost.
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => self.search_or_lapse(attempt).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out what became of an attempt.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn settle(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let failed = |class| {
            AttemptResult::Failed(Failure {
                class,
                retry_after: None,
            })
        };
        let fate = match attempt.state {
            AttemptState::Open => return self.close_unsent(&attempt).await,
            AttemptState::Sending | AttemptState::Unknown => return self.search_or_lapse(attempt).await,
            AttemptState::Granted => return self.redeem(id).await,
            AttemptState::Linked => {
                self.notify_linked(id).await?;
                return Ok(JobOutcome::Done);
            }
            // What it asked for is not kept: the person starts at the first field again.
            AttemptState::Accepted => failed(FailureClass::SessionExpired),
            AttemptState::Refused => failed(FailureClass::Refused),
            AttemptState::WrongCode => failed(FailureClass::WrongCode),
            AttemptState::NotSent => AttemptResult::NotSent,
            AttemptState::Undone => self.undone_result(&attempt).await?,
            AttemptState::Lapsed => return self.search_once_more(attempt).await,
        };
        self.notify(&attempt, fate).await;
        Ok(JobOutcome::Done)
    }

    /// Tells again what became of an attempt, if that is known.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn notify_again(&self, id: AttemptId) -> Result<(), JobError> {
        match self.records.attempt(id).await? {
            // Whoever is at it tells.
            Some((attempt, _)) if attempt.state.is_pending() => Ok(()),
            Some(_) => self.settle(id).await.map(drop),
            None => Ok(()),
        }
    }

    /// Tells the person of the link that an attempt has made, if it has. Whoever made it may not have come to it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn notify_linked(&self, id: AttemptId) -> Result<(), RecordsError> {
        if let Some(link) = self.records.link_of_attempt(id).await? {
            let fate = AttemptResult::Linked(link_summary(&link, false));
            self.newsroom
                .apply(&link.tag, &SessionEvent::AttemptResolved { id, result: fate })
                .await;
        }
        Ok(())
    }

    /// Writes the link, or undoes what was linked behind the person's back.
    async fn complete(&self, attempt: &Attempt, accounts: Vec<ProviderAccount>) -> Result<JobOutcome, JobError> {
        if let Some(link) = attempt.renews {
            return self.complete_renewal(attempt, link, accounts).await;
        }
        let (accounts, foreign) = self.split_foreign(attempt, accounts).await?;
        self.reject_foreign(&attempt.into(), foreign).await?;
        if accounts.is_empty() {
            return self.discard(attempt).await;
        }
        let id = LinkId::generate(self.runtime.rng.as_ref());
        let expected = self.expects_account(attempt.consent).await?;
        let link = Link {
            state: if expected {
                LinkState::Verifying
            } else {
                LinkState::Active
            },
            ..self.new_link(id, attempt, &accounts)?
        };
        let read = self.read_job(&link);
        // By then whoever waits has been told.
        let text = self.linked_sms_job(attempt.id, read.due_at);
        let jobs: Vec<_> = [read].into_iter().chain(text.filter(|_| !expected)).collect();
        let id = match self.records.complete_link(&link, &jobs).await? {
            LinkCompletion::Written(id) => id,
            LinkCompletion::Superseded => return self.undo(attempt, accounts).await,
            LinkCompletion::IntentClosed => {
                let undone = self.undo(attempt, accounts).await?;
                self.notify(attempt, AttemptResult::RequestEnded).await;
                return Ok(undone);
            }
        };
        self.runtime.crash_point(CrashPoint::Linked);
        let Some(written) = self.records.link(id).await? else {
            return Ok(JobOutcome::Done);
        };
        if written.state == LinkState::Verifying {
            return self.verify(&written).await;
        }
        self.audit(&attempt.into(), "link.created", id.to_string()).await;
        let again = id == link.id && self.save_details(&link, &accounts).await;
        if let Some(link) = self.records.link(id).await? {
            self.notify(attempt, AttemptResult::Linked(link_summary(&link, again)))
                .await;
        }
        Ok(JobOutcome::Done)
    }

    /// The job that reads what a new link's accounts say of themselves.
    fn read_job(&self, link: &Link) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: link.partner,
            kind: JobKind::ReadAccounts(link.id),
            due_at: self.runtime.clock.now().plus(DETAILS_TIMEOUT),
            tries: 0,
            key: format!("read:{}", link.id),
        }
    }

    /// The person has begun anew since: nothing may stay open behind their back.
    async fn undo(&self, attempt: &Attempt, accounts: Vec<ProviderAccount>) -> Result<JobOutcome, JobError> {
        self.end_access(&attempt.into(), &accounts).await?;
        self.records
            .move_attempt(attempt.id, AttemptState::Undone, self.runtime.clock.now())
            .await?;
        self.audit(&attempt.into(), "link.undone", attempt.id.to_string()).await;
        Ok(JobOutcome::Done)
    }

    /// What came of an attempt was not theirs to have: the person is told that nothing was linked.
    async fn discard(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        self.records
            .move_attempt(attempt.id, AttemptState::Undone, self.runtime.clock.now())
            .await?;
        self.notify(attempt, AttemptResult::Lapsed).await;
        Ok(JobOutcome::Done)
    }

    /// Ends the access to accounts that are not linked here. One that is in use under a link is left to that link.
    async fn end_access(&self, owner: &AccountOwner<'_>, accounts: &[ProviderAccount]) -> Result<(), JobError> {
        let (api, credentials) = self.providers.with_credentials(owner.partner, owner.provider).await?;
        for account in accounts {
            let digest = self.sealing.account_digest(owner.provider, &account.id);
            if self
                .records
                .link_by_account(&digest)
                .await?
                .is_some_and(|link| link.owns_accounts())
            {
                continue;
            }
            match api.unlink(&credentials, &account.id).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tells the provider that a link is over.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn unlink(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        let (provider, credentials) = self.providers.with_credentials(link.partner, &link.provider).await?;
        for account in &link.accounts {
            let account = self
                .sealing
                .open_account(&link.tag, account.id, &account.account)
                .map_err(|_| JobError::Sealed)?;
            match provider.unlink(&credentials, &account).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.records
            .move_link(id, LinkState::Removed, &[], self.runtime.clock.now())
            .await?;
        Ok(JobOutcome::Done)
    }

    async fn notify(&self, attempt: &Attempt, fate: AttemptResult) {
        self.newsroom
            .apply(
                &attempt.tag,
                &SessionEvent::AttemptResolved {
                    id: attempt.id,
                    result: fate,
                },
            )
            .await;
    }

    async fn audit(&self, owner: &AccountOwner<'_>, kind: &'static str, detail: String) {
        let event = AuditEntry::new(owner.partner, kind, detail, self.runtime.clock.now()).about(*owner.tag);
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, kind, "a security event could not be kept");
        }
    }
}
