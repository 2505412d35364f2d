//! What every step of linking uses.

use std::sync::Arc;
use std::time::Duration;

use crate::core::flow::{AttemptResult, SessionEvent};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::providers::{Access, EndTarget, ProviderAccount, ProviderError};
use crate::records::{Attempt, AttemptState, Link, RecordsError};
use crate::service::deps::Deps;
use crate::service::facts_reader::link_summary;
use crate::service::job::{JobError, JobOutcome};
use crate::service::providers::Providers;
use crate::service::session_updater::SessionUpdater;

/// How long "linked" is held back for what an account says of itself.
pub(super) const DETAILS_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Linking {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub updater: SessionUpdater,
}

/// Who accounts that came back belong to, and where they came from.
pub(super) struct AccountOwner<'a> {
    pub partner: PartnerId,
    pub tag: &'a SubscriberTag,
    pub provider: &'a str,
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

impl Linking {
    /// What came of an attempt was not theirs to have: the person is told that nothing was linked.
    pub(super) async fn discard(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        self.deps
            .records
            .move_attempt(attempt.id, AttemptState::Undone, now)
            .await?;
        self.notify(attempt, AttemptResult::Lapsed).await;
        Ok(JobOutcome::Done)
    }

    /// Ends the access to accounts that are not linked here. One that is in use under a link is left to that link.
    pub(super) async fn end_access(
        &self,
        owner: &AccountOwner<'_>,
        accounts: &[ProviderAccount],
    ) -> Result<(), JobError> {
        let (api, keys) = self.providers.with_keys(owner.partner, owner.provider).await?;
        for account in accounts {
            let digest = self.deps.sealing.account_digest(owner.provider, &account.id);
            let link = self.deps.records.link_by_account(&digest).await?;
            if link.is_some_and(|link| link.owns_accounts()) {
                continue;
            }
            match api.end(Access::keys(&keys), EndTarget::Account(&account.id)).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(super) async fn notify(&self, attempt: &Attempt, result: AttemptResult) {
        let event = SessionEvent::AttemptResolved { id: attempt.id, result };
        self.updater.apply(&attempt.tag, &event).await;
    }

    /// Tells a link's person what became of the attempt that made it.
    pub(super) async fn notify_of(&self, link: &Link, result: AttemptResult) {
        let event = SessionEvent::AttemptResolved {
            id: link.attempt,
            result,
        };
        self.updater.apply(&link.tag, &event).await;
    }

    pub(super) async fn audit(&self, owner: &AccountOwner<'_>, kind: &'static str, detail: impl ToString) {
        let detail = detail.to_string();
        self.deps.audit(owner.partner, Some(*owner.tag), kind, detail).await;
    }
}

/// Tells the person of the link that an attempt has made, if it has: the node that made it may have died before.
///
/// # Errors
/// When the records are not available.
pub async fn notify_linked(deps: &Deps, updater: &SessionUpdater, id: AttemptId) -> Result<(), RecordsError> {
    if let Some(link) = deps.records.link_of_attempt(id).await? {
        let result = AttemptResult::Linked(link_summary(&link, false));
        let event = SessionEvent::AttemptResolved { id, result };
        updater.apply(&link.tag, &event).await;
    }
    Ok(())
}
