//! What every step of linking uses.

use std::sync::Arc;
use std::time::Duration;

use crate::core::flow::{AttemptResult, SessionEvent};
use crate::core::ids::PartnerId;
use crate::core::seal::SubscriberTag;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::providers::{Access, AccessBlob, EndScope, EndTarget, ProviderAccount, ProviderError, WithAccess};
use crate::records::{Attempt, AttemptState, Link, RecordsError};
use crate::service::deps::Deps;
use crate::service::facts_reader::{FactsReader, link_summary};
use crate::service::job::JobError;
use crate::service::page_links::PageLinks;
use crate::service::providers::{ProviderCallError, Providers};
use crate::service::session_updater::SessionUpdater;

/// How long "linked" is held back for what an account says of itself.
pub(super) const DETAILS_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Linking {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub updater: SessionUpdater,
    pub pages: Arc<PageLinks>,
    pub facts: FactsReader,
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

/// What a provider gave for a grant, or what was found of it.
pub(super) struct Obtained {
    pub accounts: Vec<ProviderAccount>,
    /// The provider's id of the whole, if it has one.
    pub handle: Option<Secret>,
    /// When the provider ends its access by itself, if it says.
    pub expires_at: Option<Timestamp>,
    /// What it wants to see again.
    pub access: Option<AccessBlob>,
}

impl From<Vec<ProviderAccount>> for Obtained {
    fn from(accounts: Vec<ProviderAccount>) -> Self {
        Self {
            accounts,
            handle: None,
            expires_at: None,
            access: None,
        }
    }
}

impl Linking {
    /// Ends the access to what is not linked here. An account that is in use under a link is left to that link; where only
    /// whole links can be ended, so is what comes without one.
    pub(super) async fn end_access(&self, owner: &AccountOwner<'_>, obtained: &Obtained) -> Result<(), JobError> {
        let api = self
            .providers
            .provider(owner.provider)
            .ok_or(ProviderCallError::NotSetUp)?;
        if api.facts().ends == EndScope::Link {
            return match &obtained.handle {
                Some(handle) => self.end(owner, EndTarget::Link(handle), obtained.access.as_ref()).await,
                None => Ok(()),
            };
        }
        for account in &obtained.accounts {
            let digest = self.deps.sealing.account_digest(owner.provider, &account.id);
            let link = self.deps.records.link_by_account(&digest).await?;
            if link.is_some_and(|link| link.owns_accounts()) {
                continue;
            }
            self.end(owner, EndTarget::Account(&account.id), obtained.access.as_ref())
                .await?;
        }
        Ok(())
    }

    async fn end(
        &self,
        owner: &AccountOwner<'_>,
        target: EndTarget<'_>,
        access: Option<&AccessBlob>,
    ) -> Result<(), JobError> {
        let client = self
            .providers
            .for_person(owner.partner, owner.provider, owner.tag)
            .await?;
        let ended = client
            .api
            .end(
                Access {
                    link: access,
                    ..client.access()
                },
                target,
            )
            .await;
        match self.providers.keep(client, ended.map(WithAccess::from)).await {
            Ok(_) | Err(ProviderError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
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

/// The link that an attempt has made or renewed, while it is in use.
///
/// # Errors
/// When the records are not available.
pub async fn link_of(deps: &Deps, attempt: &Attempt) -> Result<Option<Link>, RecordsError> {
    if attempt.state != AttemptState::Linked {
        return Ok(None);
    }
    let link = match attempt.renews {
        Some(renewed) => deps.records.link(renewed).await?,
        None => deps.records.link_of_attempt(attempt.id).await?,
    };
    Ok(link.filter(|link| link.in_use_at(deps.clock.now())))
}

/// Tells the person of the link that an attempt has made or renewed, if it has: the node that did it may have died before.
/// Says whether there is one.
///
/// # Errors
/// When the records are not available.
pub async fn notify_linked(deps: &Deps, updater: &SessionUpdater, attempt: &Attempt) -> Result<bool, RecordsError> {
    let Some(link) = link_of(deps, attempt).await? else {
        return Ok(false);
    };
    let (id, result) = (attempt.id, AttemptResult::Linked(link_summary(&link, false)));
    let event = SessionEvent::AttemptResolved { id, result };
    updater.apply(&attempt.tag, &event).await;
    Ok(true)
}
