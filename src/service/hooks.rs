//! Takes providers' webhooks: what happened to an account behind our back.
//!
//! Everything an event leads to may be done twice, so it is done first and remembered after: an event that was
//! remembered but not acted on would be lost, for the provider does not send it again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::partner::{CallError, Providers};
use super::runtime::Runtime;
use super::sealing::Sealing;
use super::{HookOutcome, ProviderHooks};
use crate::core::ids::{JobId, PartnerId};
use crate::core::time::Timestamp;
use crate::providers::{ProviderError, ProviderEvent, ProviderEventKind, WebhookError, Which};
use crate::records::{Attempt, AuditEvent, Job, JobKind, LinkState, Records};

/// For how long an attempt that was given up may still turn out to have linked something.
const RECALLED_FOR: Duration = Duration::from_hours(7 * 24);

/// How many attempts that were given up a webhook is compared with, the last first. They are few: an answer must have
/// been lost, and the account not have shown within a quarter of an hour.
const RECALLED: u32 = 200;

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
    async fn apply(&self, provider: &str, event: &ProviderEvent) -> Result<(), CallError> {
        let now = self.runtime.clock.now();
        let digest = self.sealing.account_digest(provider, &event.account);
        match (self.records.link_by_account(&digest).await?, event.kind) {
            (Some(link), ProviderEventKind::Connected | ProviderEventKind::Updated) => {
                let key = format!("read:{}:{}", link.id, event.dedupe_key);
                let job = self.job(link.partner, JobKind::ReadAccounts(link.id), key, now);
                self.records.enqueue(&job).await?;
            }
            (Some(link), ProviderEventKind::ReauthRequired) => {
                let to = LinkState::ReauthRequired;
                self.records.move_link(link.id, to, &[], now).await?;
            }
            (Some(link), ProviderEventKind::Reauthorised) => {
                self.records.move_link(link.id, LinkState::Active, &[], now).await?;
            }
            (Some(link), ProviderEventKind::Unlinked) => {
                self.records.move_link(link.id, LinkState::Removed, &[], now).await?;
            }
            // An account nobody knows yet is found by the job that settles its attempt, unless that has ended.
            (None, ProviderEventKind::Connected | ProviderEventKind::Updated) => {
                self.recall(provider, event, now).await?;
            }
            (None, _) => {}
        }
        let first = self.records.first_sight(provider, &event.dedupe_key, now).await?;
        tracing::info!(provider, kind = ?event.kind, first, "webhook taken");
        Ok(())
    }

    /// Finds the attempt that was given up and has linked this account after all, and has it settled once more.
    async fn recall(&self, provider: &str, event: &ProviderEvent, now: Timestamp) -> Result<(), CallError> {
        let (partner, since) = (self.providers.partner(), now.minus(RECALLED_FOR));
        let lapsed = self.records.lapsed(partner, provider, since, RECALLED).await?;
        if lapsed.is_empty() {
            return Ok(());
        }
        let (api, credentials) = self.providers.with_credentials(partner, provider).await?;
        let accounts = match api.accounts(&credentials, Which::One(&event.account)).await {
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => return Ok(()),
            accounts => accounts?,
        };
        let sessions: Vec<_> = accounts.into_iter().filter_map(|account| account.session_id).collect();
        for attempt in lapsed.iter().filter(|attempt| self.is_of(attempt, &sessions)) {
            let key = format!("settle:{}:{}", attempt.id, event.dedupe_key);
            let job = self.job(partner, JobKind::Settle(attempt.id), key, now);
            self.records.enqueue(&job).await?;
        }
        Ok(())
    }

    /// Whether an attempt was made in one of these sessions of its provider.
    fn is_of(&self, attempt: &Attempt, sessions: &[String]) -> bool {
        self.sealing
            .open_session(&attempt.tag, attempt.id, &attempt.provider_session)
            .is_ok_and(|session| sessions.contains(&session.id))
    }

    fn job(&self, partner: PartnerId, kind: JobKind, key: String, due_at: Timestamp) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
            partner,
            kind,
            due_at,
            tries: 0,
            key,
        }
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
