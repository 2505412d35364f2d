//! Reads what a link's accounts say of themselves.

use async_trait::async_trait;

use super::linker::Linking;
use crate::core::ids::LinkId;
use crate::providers::{AccountDetails, AccountsQuery, ProviderAccount, ProviderError};
use crate::records::{JobType, Link, LinkState, LinkedAccount, RecordsError};
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::providers::ProviderCallError;

/// Reads the details of a link's accounts. A link whose account turns out to be another person's, or another
/// than the one that was chosen, is ended.
pub struct ReadAccounts;

impl JobType for ReadAccounts {
    const NAME: &'static str = "read_accounts";
    type Subject = LinkId;
}

#[async_trait]
impl JobHandler<ReadAccounts> for Linking {
    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        match link.state_at(self.deps.clock.now()) {
            LinkState::Removed | LinkState::Expired => return Ok(JobOutcome::Done),
            LinkState::Verifying => return self.verify(&link).await,
            LinkState::Active | LinkState::ReauthRequired | LinkState::Removing => {}
        }
        for account in &link.accounts {
            let (session, details) = self.read_account(&link, account).await?;
            if account.masked.is_none()
                && let Some(why) = self.late_rejection(&link, session.as_deref(), &details).await?
            {
                return self.undo_link(&link, why).await;
            }
            self.save_reading(&link, account, &details).await?;
        }
        Ok(JobOutcome::Done)
    }

    async fn on_given_up(&self, id: LinkId) -> Result<(), RecordsError> {
        self.give_up_verification(id).await
    }
}

impl Linking {
    /// In which session an account says that it was linked, and what else it says of itself.
    pub(super) async fn read_account(
        &self,
        link: &Link,
        account: &LinkedAccount,
    ) -> Result<(Option<String>, AccountDetails), JobError> {
        let id = self
            .deps
            .sealing
            .open_account(&link.tag, account.id, &account.account)?;
        let read = self.accounts_of_link(link, AccountsQuery::One(&id)).await?;
        read.into_iter()
            .find_map(|read| Some((read.session_id, read.details?)))
            .ok_or_else(|| ProviderError::Unavailable("no details yet", None).into())
    }

    /// Accounts as their link's provider shows them.
    pub(super) async fn accounts_of_link(
        &self,
        link: &Link,
        which: AccountsQuery<'_>,
    ) -> Result<Vec<ProviderAccount>, ProviderCallError> {
        let client = self.providers.of_link(link).await?;
        let read = client.api.accounts(client.access(), which).await;
        Ok(self.providers.keep(client, read).await?.0)
    }
}
