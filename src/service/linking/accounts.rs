//! Links and accounts as rows: new ones, and what reading an account adds.

use super::{Linking, Trouble};
use crate::core::ids::{LinkId, LinkedAccountId};
use crate::core::secret::Secret;
use crate::providers::{ProviderAccount, ProviderError, Which};
use crate::records::{AccountReading, Attempt, Link, LinkState, LinkedAccount};

impl Linking {
    pub(super) fn new_link(
        &self,
        id: LinkId,
        attempt: &Attempt,
        accounts: &[ProviderAccount],
    ) -> Result<Link, Trouble> {
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

    fn new_account(&self, attempt: &Attempt, provider_id: &Secret) -> Result<LinkedAccount, Trouble> {
        let id = LinkedAccountId::draw(self.runtime.entropy.as_ref());
        Ok(LinkedAccount {
            id,
            account: self
                .sealing
                .account(&attempt.tag, id, provider_id)
                .map_err(|_| Trouble::Sealed)?,
            account_digest: self.sealing.account_digest(&attempt.provider, provider_id),
            masked: None,
            number_digest: None,
            holder: None,
            kind: None,
            currency: None,
        })
    }

    /// Reads the details of a link's accounts. Says whether one of them is linked elsewhere too.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn read(&self, id: LinkId) -> Result<bool, Trouble> {
        let Some(link) = self.records.link(id).await? else {
            return Ok(false);
        };
        let (provider, credentials) = self.providers.with_credentials(&link.provider).await?;
        let mut again = false;
        for account in &link.accounts {
            let id = self
                .sealing
                .open_account(&link.tag, account.id, &account.account)
                .map_err(|_| Trouble::Sealed)?;
            let read = provider.accounts(&credentials, Which::One(&id)).await?;
            let Some(details) = read.into_iter().find_map(|read| read.details) else {
                return Err(ProviderError::Unavailable("no details yet", None).into());
            };
            let holder = details
                .holder
                .as_ref()
                .map(|name| self.sealing.holder(&link.tag, account.id, name))
                .transpose();
            let reading = AccountReading {
                masked: last_four(&details.number),
                number_digest: self.sealing.number_digest(&link.institution, &details.number),
                holder: holder.map_err(|_| Trouble::Sealed)?,
                kind: details.kind,
                currency: details.currency,
            };
            again |= !self.records.read_account(account.id, &reading).await?.is_empty();
        }
        Ok(again)
    }
}

/// All that is ever shown of an account number.
fn last_four(number: &Secret) -> String {
    let digits: Vec<char> = number.expose().chars().filter(char::is_ascii_alphanumeric).collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}
