//! Links and accounts as rows: new ones, and what reading an account adds.

use super::linker::{Linking, Obtained};
use crate::core::consent;
use crate::core::ids::{LinkId, LinkedAccountId};
use crate::core::seal::SealError;
use crate::core::secret::Secret;
use crate::providers::{AccountDetails, ProviderAccount};
use crate::records::{AccountReading, Attempt, Consent, Link, LinkAccess, LinkState, LinkedAccount};
use crate::service::job::JobError;

impl Linking {
    pub(super) fn new_link(
        &self,
        id: LinkId,
        (attempt, given): (&Attempt, &Consent),
        obtained: &Obtained,
    ) -> Result<Link, SealError> {
        let until = given.access_until(obtained.expires_at);
        let accounts = obtained
            .accounts
            .iter()
            .map(|account| self.new_account(attempt, &account.id));
        let now = self.deps.clock.now();
        Ok(Link {
            id,
            partner: attempt.partner,
            tag: attempt.tag,
            consent: attempt.consent,
            attempt: attempt.id,
            provider: attempt.provider.clone(),
            institution: attempt.institution.clone(),
            provider_institution: attempt.provider_institution.clone(),
            institution_name: attempt.institution_name.clone(),
            state: LinkState::Active,
            until,
            notice_from: consent::notice_from(given.agreed_at, until),
            access_until: obtained.expires_at,
            created_at: now,
            used_at: now,
            access: self.link_access(id, attempt, obtained)?,
            accounts: accounts.collect::<Result<_, _>>()?,
        })
    }

    fn link_access(&self, id: LinkId, attempt: &Attempt, obtained: &Obtained) -> Result<LinkAccess, SealError> {
        let (sealing, tag) = (&self.deps.sealing, &attempt.tag);
        let handle = obtained.handle.as_ref();
        let access = obtained.access.as_ref();
        Ok(LinkAccess {
            handle_digest: handle.map(|handle| sealing.link_handle_digest(&attempt.provider, handle)),
            handle: handle
                .map(|handle| sealing.seal_link_handle(tag, id, handle))
                .transpose()?,
            sealed: access.map(|blob| sealing.seal_link_access(tag, id, blob)).transpose()?,
            version: 0,
        })
    }

    fn new_account(&self, attempt: &Attempt, provider_id: &Secret) -> Result<LinkedAccount, SealError> {
        let id = LinkedAccountId::generate(self.deps.rng.as_ref());
        let sealing = &self.deps.sealing;
        Ok(LinkedAccount {
            id,
            account: sealing.seal_account(&attempt.tag, id, provider_id)?,
            account_digest: sealing.account_digest(&attempt.provider, provider_id),
            masked: None,
            number_digest: None,
            holder: None,
            kind: None,
            currency: None,
        })
    }

    /// Saves the details that came with a link's new accounts; those that did not come are read by the link's job. Says
    /// whether one of the accounts is a duplicate of one the person has linked before.
    pub(super) async fn save_details(&self, link: &Link, accounts: &[ProviderAccount]) -> bool {
        let mut duplicate = false;
        for (row, account) in link.accounts.iter().zip(accounts) {
            let Some(details) = &account.details else { continue };
            match self.save_reading(link, row, details).await {
                Ok(one) => duplicate |= one,
                Err(error) => tracing::info!(%error, "saving account details failed, to be read again"),
            }
        }
        duplicate
    }

    /// Saves what an account says of itself. Says whether the person has linked it before.
    pub(super) async fn save_reading(
        &self,
        link: &Link,
        account: &LinkedAccount,
        details: &AccountDetails,
    ) -> Result<bool, JobError> {
        let sealing = &self.deps.sealing;
        let holder = details.holder.as_ref();
        let holder = holder.map(|name| sealing.seal_holder(&link.tag, account.id, name));
        let reading = AccountReading {
            masked: last_four(&details.number),
            number_digest: sealing.number_digest(&link.institution, &details.number),
            holder: holder.transpose()?,
            kind: details.kind.clone(),
            currency: details.currency.clone(),
        };
        for other in self.deps.records.store_account_reading(account.id, &reading).await? {
            let other = self.deps.records.link(other).await?;
            // Another person, such as a second holder, may have linked it too: this person must not learn of it.
            if other.is_some_and(|other| other.tag == link.tag) {
                self.end_pin(link).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A person who links an account again that they had linked before has shown to the bank who they are. So they no
    /// longer need a PIN, which they may have forgotten.
    async fn end_pin(&self, link: &Link) -> Result<(), JobError> {
        let partner = self.providers.partner();
        if self.deps.records.delete_pin(partner, &link.tag).await? {
            self.audit(&link.into(), "pin.ended", link.id).await;
        }
        Ok(())
    }
}

/// All that is ever shown of an account number.
fn last_four(number: &Secret) -> String {
    let digits: Vec<char> = number.expose().chars().filter(char::is_ascii_alphanumeric).collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}
