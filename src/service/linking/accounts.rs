//! Links and accounts as rows: new ones, and what reading an account adds.

use super::super::jobs::JobOutcome;
use super::{JobError, Linking};
use crate::core::flow::{AttemptResult, SessionEvent};
use crate::core::ids::{LinkId, LinkedAccountId};
use crate::core::secret::Secret;
use crate::providers::{AccountDetails, ProviderAccount};
use crate::records::{AccountReading, Attempt, Link, LinkState, LinkedAccount};

impl Linking {
    pub(super) fn new_link(
        &self,
        id: LinkId,
        attempt: &Attempt,
        accounts: &[ProviderAccount],
    ) -> Result<Link, JobError> {
        let accounts = accounts
            .iter()
            .map(|account| self.new_account(attempt, &account.id))
            .collect::<Result<_, _>>()?;
        Ok(Link {
            id,
            partner: attempt.partner,
            tag: attempt.tag,
            consent: attempt.consent,
            attempt: attempt.id,
            provider: attempt.provider.clone(),
            institution: attempt.institution.clone(),
            institution_name: attempt.institution_name.clone(),
            state: LinkState::Active,
            created_at: self.runtime.clock.now(),
            accounts,
        })
    }

    fn new_account(&self, attempt: &Attempt, provider_id: &Secret) -> Result<LinkedAccount, JobError> {
        let id = LinkedAccountId::generate(self.runtime.rng.as_ref());
        Ok(LinkedAccount {
            id,
            account: self
                .sealing
                .seal_account(&attempt.tag, id, provider_id)
                .map_err(|_| JobError::Sealed)?,
            account_digest: self.sealing.account_digest(&attempt.provider, provider_id),
            masked: None,
            number_digest: None,
            holder: None,
            kind: None,
            currency: None,
        })
    }

    /// Reads the details of a link's accounts. A link whose account turns out to be another person's is ended.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn read_accounts(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        match link.state {
            LinkState::Removed => return Ok(JobOutcome::Done),
            LinkState::Verifying => return self.verify(&link).await,
            LinkState::Active | LinkState::ReauthRequired | LinkState::Removing => {}
        }
        for account in &link.accounts {
            let (session, details) = self.read_account(&link, account).await?;
            if account.masked.is_none() && self.linked_elsewhere(&link, session.as_deref()).await? {
                return self.unlink_foreign(&link).await;
            }
            self.save_reading(&link, account, &details).await?;
        }
        Ok(JobOutcome::Done)
    }

    /// Keeps the details that came with a link's new accounts; those that did not come are read by the link's job. Says
    /// whether one of the accounts is linked elsewhere too.
    pub(super) async fn save_details(&self, link: &Link, accounts: &[ProviderAccount]) -> bool {
        let mut again = false;
        for (row, account) in link.accounts.iter().zip(accounts) {
            let Some(details) = &account.details else { continue };
            match self.save_reading(link, row, details).await {
                Ok(also) => again |= also,
                Err(error) => tracing::info!(%error, "an account's details are to be read again"),
            }
        }
        again
    }

    pub(super) async fn save_reading(
        &self,
        link: &Link,
        account: &LinkedAccount,
        details: &AccountDetails,
    ) -> Result<bool, JobError> {
        let holder = details
            .holder
            .as_ref()
            .map(|name| self.sealing.seal_holder(&link.tag, account.id, name))
            .transpose();
        let reading = AccountReading {
            masked: last_four(&details.number),
            number_digest: self.sealing.number_digest(&link.institution, &details.number),
            holder: holder.map_err(|_| JobError::Sealed)?,
            kind: details.kind.clone(),
            currency: details.currency.clone(),
        };
        let others = self.records.store_account_reading(account.id, &reading).await?;
        for other in others {
            // Somebody else may have linked it, too, such as a second holder: that is not this person's to see.
            if self
                .records
                .link(other)
                .await?
                .is_some_and(|other| other.tag == link.tag)
            {
                self.end_pin(link).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whoever links an account again that they had linked before has shown to the bank who they are: a code of their own,
    /// which they may have forgotten, has done its service.
    async fn end_pin(&self, link: &Link) -> Result<(), JobError> {
        if self.records.delete_pin(self.providers.partner(), &link.tag).await? {
            self.audit(&link.into(), "pin.ended", link.id.to_string()).await;
        }
        Ok(())
    }

    /// Ends a link whose account is not this person's.
    pub(super) async fn unlink_foreign(&self, link: &Link) -> Result<JobOutcome, JobError> {
        let now = self.runtime.clock.now();
        let unlink = self.unlink_job(link, now);
        let to = LinkState::Removing;
        if self.records.move_link(link.id, to, &[unlink], now).await? {
            tracing::error!(
                provider = link.provider,
                "a link was to an account that is not this person's; it is ended"
            );
            self.audit(&link.into(), "account.foreign", link.id.to_string()).await;
            if link.state == LinkState::Verifying {
                self.notify_of(link, AttemptResult::Lapsed).await;
            } else {
                self.newsroom.apply(&link.tag, &SessionEvent::Unlinked(link.id)).await;
            }
        }
        Ok(JobOutcome::Done)
    }
}

/// All that is ever shown of an account number.
fn last_four(number: &Secret) -> String {
    let digits: Vec<char> = number.expose().chars().filter(char::is_ascii_alphanumeric).collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}
