//! Looks whether a provider has ended its access to an account, as it says: the link is over then, and not before.

use async_trait::async_trait;

use super::linker::Linking;
use super::unlink::Unlink;
use crate::core::ids::LinkId;
use crate::providers::{AccountsQuery, ProviderError};
use crate::records::{JobType, LinkState};
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::providers::ProviderCallError;

/// Looks whether a link's accounts are still there. Written when its provider says that they are not.
pub struct ConfirmUnlinked;

impl JobType for ConfirmUnlinked {
    const NAME: &'static str = "confirm_unlinked";
    type Subject = LinkId;
}

#[async_trait]
impl JobHandler<ConfirmUnlinked> for Linking {
    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        // Of one that has ended there is nothing to be found out.
        if matches!(
            link.state_at(self.deps.clock.now()),
            LinkState::Removed | LinkState::Expired
        ) {
            return Ok(JobOutcome::Done);
        }
        for account in &link.accounts {
            let account = self
                .deps
                .sealing
                .open_account(&link.tag, account.id, &account.account)?;
            let query = AccountsQuery::One(&account);
            match self.accounts_of_link(&link, query).await {
                Ok(_) => {}
                Err(ProviderCallError::Provider(ProviderError::NotFound)) => {
                    // The provider is told all the same: of several accounts the others may still be open, and what we
                    // have not ended ourselves nobody has seen end.
                    let now = self.deps.clock.now();
                    let unlink = Unlink::job(link.partner, id, now);
                    let records = &self.deps.records;
                    records.move_link(id, LinkState::Removing, &[unlink], now).await?;
                    return Ok(JobOutcome::Done);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(JobOutcome::Done)
    }
}
