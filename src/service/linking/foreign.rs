//! Accounts that came back and are not this person's: a mix-up at the provider, or an account other than expected.
//!
//! What can be known is little. An account says in which session it was linked, and ours is known; and an account that
//! another person has linked here is recognised by its id. Names and numbers are compared with nothing: nobody told us
//! what the bank calls the person, and the provider's own customer was made from a pattern of ours. A provider that says
//! no session, or cannot be read in time, is believed.

use super::{AccountOwner, DETAILS_TIMEOUT, JobError, Linking};
use crate::providers::{AccountsQuery, ProviderAccount};
use crate::records::{Attempt, Link};

impl Linking {
    /// Reads what came back for an attempt, and tells the person's accounts from those that cannot be theirs.
    pub(super) async fn split_foreign(
        &self,
        attempt: &Attempt,
        accounts: Vec<ProviderAccount>,
    ) -> Result<(Vec<ProviderAccount>, Vec<ProviderAccount>), JobError> {
        let session = self.session_of(attempt)?;
        let (mut own, mut foreign) = (Vec::new(), Vec::new());
        let by = tokio::time::Instant::now() + DETAILS_TIMEOUT;
        for mut account in accounts {
            if let Ok(Some(read)) = tokio::time::timeout_at(by, self.read_details(attempt, &account)).await {
                account.details = read.details;
                account.session_id = read.session_id.or(account.session_id);
            }
            let elsewhere = account.session_id.as_deref().is_some_and(|said| said != session);
            let digest = self.sealing.account_digest(&attempt.provider, &account.id);
            let holder = self.records.link_by_account(&digest).await?;
            let anothers = holder.is_some_and(|link| link.owns_accounts() && link.tag != attempt.tag);
            if elsewhere || anothers {
                foreign.push(account);
            } else {
                own.push(account);
            }
        }
        Ok((own, foreign))
    }

    /// What an account says of itself, if it can be read now.
    async fn read_details(&self, attempt: &Attempt, account: &ProviderAccount) -> Option<ProviderAccount> {
        let from = self
            .providers
            .with_credentials(attempt.partner, &attempt.provider)
            .await;
        let (api, credentials) = from.ok()?;
        let read = api.accounts(&credentials, AccountsQuery::One(&account.id)).await.ok()?;
        read.into_iter().next()
    }

    /// Ends the access to accounts that are not this person's, and keeps that they came.
    pub(super) async fn reject_foreign(
        &self,
        owner: &AccountOwner<'_>,
        foreign: Vec<ProviderAccount>,
    ) -> Result<(), JobError> {
        if foreign.is_empty() {
            return Ok(());
        }
        tracing::error!(
            provider = owner.provider,
            "an account came back that is not this person's; it is not linked (of every link? see account_names_session)"
        );
        self.end_access(owner, &foreign).await?;
        self.audit(owner, "account.foreign", owner.provider.to_owned()).await;
        Ok(())
    }

    /// Whether an account that is read for the first time, after it was linked, says that it was linked in another session
    /// than the link's. Later it may name the session in which the link was renewed.
    pub(super) async fn linked_elsewhere(&self, link: &Link, said: Option<&str>) -> Result<bool, JobError> {
        let (Some(said), Some((attempt, _))) = (said, self.records.attempt(link.attempt).await?) else {
            return Ok(false);
        };
        Ok(self.session_of(&attempt)? != said)
    }

    /// The id of an attempt's session at its provider.
    pub(super) fn session_of(&self, attempt: &Attempt) -> Result<String, JobError> {
        self.sealing
            .open_session(&attempt.tag, attempt.id, &attempt.provider_session)
            .map(|session| session.id)
            .map_err(|_| JobError::Sealed)
    }
}
