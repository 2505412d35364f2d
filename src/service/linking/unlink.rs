//! Tells a provider that a link has ended.

use async_trait::async_trait;

use super::linker::Linking;
use crate::core::ids::LinkId;
use crate::providers::{EndScope, EndTarget, ProviderError, WithAccess};
use crate::records::{JobType, Link};
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::provider_access::ProviderClient;

/// Tells the provider that a link has ended.
pub struct Unlink;

impl JobType for Unlink {
    const NAME: &'static str = "unlink";
    type Subject = LinkId;
}

#[async_trait]
impl JobHandler<Unlink> for Linking {
    /// The person has a right to it.
    const ENDLESS: bool = true;

    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let Some(link) = self.deps.records.link(id).await? else {
            return Ok(JobOutcome::GiveUp("no such link"));
        };
        let client = self.providers.of_any_link(&link).await?;
        let ended = self.end_all(&link, &client).await;
        self.providers.keep(client, ended.map(WithAccess::from)).await?;
        let now = self.deps.clock.now();
        self.deps.records.access_ended(id, now).await?;
        Ok(JobOutcome::Done)
    }
}

impl Linking {
    /// Ends a link as its provider does: as a whole, or account by account.
    async fn end_all(&self, link: &Link, client: &ProviderClient) -> Result<(), JobError> {
        if client.api.facts().ends == EndScope::Link
            && let Some(handle) = client.link_handle()
        {
            return ended(client.api.end(client.access(), EndTarget::Link(handle)).await);
        }
        for account in &link.accounts {
            let sealing = &self.deps.sealing;
            let account = sealing.open_account(&link.tag, account.id, &account.account)?;
            ended(client.api.end(client.access(), EndTarget::Account(&account)).await)?;
        }
        Ok(())
    }
}

/// What is gone already has ended.
fn ended(answer: Result<(), ProviderError>) -> Result<(), JobError> {
    match answer {
        Ok(()) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
