//! Takes providers' webhooks: what happened to an account behind our back.
//!
//! Everything an event leads to may be done twice, so it is done first and remembered after: an event that was
//! remembered but not acted on would be lost, for the provider does not send it again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::deps::Deps;
use super::providers::{ProviderCallError, Providers};
use super::sealing::Sealing;
use super::{ProviderWebhookOutcome, ProviderWebhooks};
use crate::core::ids::{JobId, PartnerId};
use crate::core::time::Timestamp;
use crate::providers::{AccountsQuery, ProviderError, ProviderEvent, ProviderEventKind, WebhookError};
use crate::records::{Attempt, AuditEntry, Job, JobKind, LinkState, Records};

/// For how long an attempt that was given up may still turn out to have linked something.
const REOPEN_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How many attempts that were given up a webhook is compared with, the last first. They are few: an answer must have
/// been lost, and the account not have shown within a quarter of an hour.
const MAX_REOPENED: u32 = 200;

/// Takes webhooks.
pub struct ProviderWebhookReceiver {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Understands them.
    pub providers: Arc<Providers>,
    /// Recognises accounts.
    pub sealing: Sealing,
    /// Clock, chance.
    pub runtime: Deps,
}

#[async_trait]
impl ProviderWebhooks for ProviderWebhookReceiver {
    async fn receive(
        &self,
        provider: &str,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> Option<ProviderWebhookOutcome> {
        let event = match self.providers.provider(provider)?.parse_webhook(headers, body) {
            Ok(Some(event)) => event,
            Ok(None) => return Some(ProviderWebhookOutcome::Accepted),
            Err(WebhookError::Malformed) => return Some(ProviderWebhookOutcome::Malformed),
            Err(WebhookError::Unauthentic) => {
                self.audit_unauthentic(provider).await;
                return Some(ProviderWebhookOutcome::Unauthentic);
            }
        };
        Some(match self.apply(provider, &event).await {
            Ok(()) => ProviderWebhookOutcome::Accepted,
            Err(error) => {
                tracing::warn!(provider, %error, "a webhook could not be taken now");
                ProviderWebhookOutcome::Unavailable
            }
        })
    }
}

impl ProviderWebhookReceiver {
    async fn apply(&self, provider: &str, event: &ProviderEvent) -> Result<(), ProviderCallError> {
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
                self.reopen_lapsed(provider, event, now).await?;
            }
            (None, _) => {}
        }
        let first = self
            .records
            .record_provider_event(provider, &event.dedupe_key, now)
            .await?;
        tracing::info!(provider, kind = ?event.kind, first, "webhook taken");
        Ok(())
    }

    /// Finds the attempt that was given up and has linked this account after all, and has it settled once more.
    async fn reopen_lapsed(
        &self,
        provider: &str,
        event: &ProviderEvent,
        now: Timestamp,
    ) -> Result<(), ProviderCallError> {
        let (partner, since) = (self.providers.partner(), now.minus(REOPEN_WITHIN));
        let lapsed = self.records.lapsed(partner, provider, since, MAX_REOPENED).await?;
        if lapsed.is_empty() {
            return Ok(());
        }
        let (api, credentials) = self.providers.with_credentials(partner, provider).await?;
        let accounts = match api.accounts(&credentials, AccountsQuery::One(&event.account)).await {
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => return Ok(()),
            accounts => accounts?,
        };
        let sessions: Vec<_> = accounts.into_iter().filter_map(|account| account.session_id).collect();
        for attempt in lapsed.iter().filter(|attempt| self.opened_in(attempt, &sessions)) {
            let key = format!("settle:{}:{}", attempt.id, event.dedupe_key);
            let job = self.job(partner, JobKind::Settle(attempt.id), key, now);
            self.records.enqueue(&job).await?;
        }
        Ok(())
    }

    /// Whether an attempt was made in one of these sessions of its provider.
    fn opened_in(&self, attempt: &Attempt, sessions: &[String]) -> bool {
        self.sealing
            .open_session(&attempt.tag, attempt.id, &attempt.provider_session)
            .is_ok_and(|session| sessions.contains(&session.id))
    }

    fn job(&self, partner: PartnerId, kind: JobKind, key: String, due_at: Timestamp) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner,
            kind,
            due_at,
            tries: 0,
            key,
        }
    }

    async fn audit_unauthentic(&self, provider: &str) {
        let event = AuditEntry::new(
            self.providers.partner(),
            "webhook.unauthentic",
            provider.to_owned(),
            self.runtime.clock.now(),
        );
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, "a security event could not be kept");
        }
    }
}
