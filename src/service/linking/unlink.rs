//! Tells a provider that a link has ended.

use async_trait::async_trait;

use super::linker::Linking;
use crate::core::ids::LinkId;
use crate::providers::{Access, EndTarget, ProviderError};
use crate::records::{JobType, LinkState};
use crate::service::job::{JobError, JobHandler, JobOutcome};

/// Tells the provider that a link has ended.
pub struct Unlink;

impl JobType for Unlink {
    const NAME: &'static str = "unlink";
    type Subject = LinkId;
}

#[async_trait]
impl JobHandler<Unlink> for Linking {
    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        let (provider, keys) = self.providers.with_keys(link.partner, &link.provider).await?;
        for account in &link.accounts {
            let account = self
                .deps
                .sealing
                .open_account(&link.tag, account.id, &account.account)?;
            match provider.end(Access::keys(&keys), EndTarget::Account(&account)).await {
                Ok(()) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let now = self.deps.clock.now();
        self.deps.records.move_link(id, LinkState::Removed, &[], now).await?;
        Ok(JobOutcome::Done)
    }
}
