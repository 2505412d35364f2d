//! Takes providers' webhooks: what happened to an account behind our back.
//!
//! Everything an event leads to may be done twice, so it is done first and remembered after: an event that was
//! remembered but not acted on would be lost, for the provider does not send it again.

use std::sync::Arc;

use async_trait::async_trait;

use super::partner::Providers;
use super::runtime::Runtime;
use super::sealing::Sealing;
use super::{HookOutcome, ProviderHooks};
use crate::core::ids::JobId;
use crate::providers::{ProviderEvent, ProviderEventKind, WebhookError};
use crate::records::{AuditEvent, Job, JobKind, LinkState, Records, RecordsError};

/// Takes webhooks.
pub struct Hooks {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Understands them.
    pub providers: Arc<Providers>,
    /// Recognises accounts.
    pub sealing: Sealing,
    /// Clock, chance.
    pub runtime: Runtime,
}

#[async_trait]
impl ProviderHooks for Hooks {
    async fn take(&self, provider: &str, headers: &[(String, Vec<u8>)], body: &[u8]) -> Option<HookOutcome> {
        let event = match self.providers.provider(provider)?.webhook(headers, body) {
            Ok(Some(event)) => event,
            Ok(None) => return Some(HookOutcome::Taken),
            Err(WebhookError::Garbled) => return Some(HookOutcome::Garbled),
            Err(WebhookError::Unauthentic) => {
                self.audit_forgery(provider).await;
                return Some(HookOutcome::Unauthentic);
            }
        };
        Some(match self.apply(provider, &event).await {
            Ok(()) => HookOutcome::Taken,
            Err(error) => {
                tracing::warn!(provider, %error, "a webhook could not be taken now");
                HookOutcome::Unavailable
            }
        })
    }
}

impl Hooks {
    async fn apply(&self, provider: &str, event: &ProviderEvent) -> Result<(), RecordsError> {
        let now = self.runtime.clock.now();
        let digest = self.sealing.account_digest(provider, &event.account);
        // An account nobody knows yet is found by the job that settles its attempt.
        if let Some(link) = self.records.link_by_account(&digest).await? {
            match event.kind {
                ProviderEventKind::Connected | ProviderEventKind::Updated => {
                    let job = Job {
                        id: JobId::draw(self.runtime.entropy.as_ref()),
                        partner: link.partner,
                        kind: JobKind::ReadAccounts(link.id),
                        due_at: now,
                        tries: 0,
                        key: format!("read:{}:{}", link.id, event.dedupe_key),
                    };
                    self.records.enqueue(&job).await?;
                }
                ProviderEventKind::ReauthRequired => {
                    self.records
                        .move_link(link.id, LinkState::ReauthRequired, &[], now)
                        .await?;
                }
                ProviderEventKind::Reauthorised => {
                    self.records.move_link(link.id, LinkState::Active, &[], now).await?;
                }
                ProviderEventKind::Unlinked => {
                    self.records.move_link(link.id, LinkState::Removed, &[], now).await?;
                }
            }
        }
        let first = self.records.first_sight(provider, &event.dedupe_key, now).await?;
        tracing::info!(provider, kind = ?event.kind, first, "webhook taken");
        Ok(())
    }

    async fn audit_forgery(&self, provider: &str) {
        let event = AuditEvent {
            partner: self.providers.partner(),
            tag: None,
            kind: "webhook.unauthentic",
            detail: provider.to_owned(),
            at: self.runtime.clock.now(),
        };
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, "a security event could not be kept");
        }
    }
}
