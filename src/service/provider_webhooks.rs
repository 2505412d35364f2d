//! Receives providers' webhooks: what happened to an account behind our back.
//!
//! What an event leads to is written in the transaction that remembers it: one that was remembered but not acted on would be
//! lost, for the provider does not send it again, and one that was acted on and not remembered would be acted on twice.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::callbacks::{ProviderWebhookOutcome, ProviderWebhooks};
use super::deps::Deps;
use super::linking::read_accounts::ReadAccounts;
use super::linking::settle::Settle;
use super::providers::{ProviderCallError, Providers};
use crate::core::time::Timestamp;
use crate::providers::{
    Access, AccountsQuery, ProviderError, ProviderEvent, ProviderEventKind, ProviderRequest, WebhookError,
};
use crate::records::{Attempt, IncomingProviderEvent, Job, JobType, LinkState, ProviderEventEffect};

/// How long after an attempt was given up it may still turn out to have linked something.
const REOPEN_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How many attempts that were given up a webhook is compared with, the newest first. There are few: an answer must have
/// been lost, and the account must not have shown within a quarter of an hour.
const MAX_REOPENED: u32 = 200;

pub struct ProviderWebhookReceiver {
    pub deps: Deps,
    pub providers: Arc<Providers>,
}

#[async_trait]
impl ProviderWebhooks for ProviderWebhookReceiver {
    async fn receive(&self, provider: &str, request: &ProviderRequest<'_>) -> Option<ProviderWebhookOutcome> {
        self.providers.provider(provider)?;
        let Ok((api, keys)) = self.providers.with_keys(self.providers.partner(), provider).await else {
            return Some(ProviderWebhookOutcome::Unavailable);
        };
        let answer = match api.webhook(&keys, request).await {
            Ok(answer) => answer,
            Err(WebhookError::Unavailable) => return Some(ProviderWebhookOutcome::Unavailable),
            Err(WebhookError::Malformed) => return Some(ProviderWebhookOutcome::Malformed),
            Err(WebhookError::Unauthentic) => {
                let partner = self.providers.partner();
                let detail = provider.to_owned();
                self.deps.audit(partner, None, "webhook.unauthentic", detail).await;
                return Some(ProviderWebhookOutcome::Unauthentic);
            }
        };
        for event in &answer.events {
            if let Err(error) = self.apply(provider, event).await {
                tracing::warn!(provider, %error, "processing a provider webhook failed");
                return Some(ProviderWebhookOutcome::Unavailable);
            }
        }
        Some(ProviderWebhookOutcome::Accepted(answer.reply))
    }
}

impl ProviderWebhookReceiver {
    async fn apply(&self, provider: &str, event: &ProviderEvent) -> Result<(), ProviderCallError> {
        let now = self.deps.clock.now();
        let digest = self.deps.sealing.account_digest(provider, event.about.id());
        let link = self.deps.records.link_by_account(&digest).await?;
        let to = match event.kind {
            ProviderEventKind::Connected | ProviderEventKind::Updated => None,
            ProviderEventKind::ReauthRequired => Some(LinkState::ReauthRequired),
            ProviderEventKind::Reauthorised => Some(LinkState::Active),
            ProviderEventKind::Unlinked => Some(LinkState::Removed),
        };
        let jobs = match (&link, to) {
            (Some(link), None) => {
                vec![ReadAccounts::job(link.partner, link.id, now).on_occasion(&event.dedupe_key)]
            }
            // An account nobody knows yet is found by the job that settles its attempt, unless that has ended.
            (None, None) => self.settle_lapsed(provider, event, now).await?,
            (_, Some(_)) => Vec::new(),
        };
        let effect = match (link, to) {
            (Some(link), Some(to)) => ProviderEventEffect::MoveLink {
                link: link.id,
                to,
                jobs: &[],
            },
            _ => ProviderEventEffect::Enqueue(&jobs),
        };
        let event_row = IncomingProviderEvent {
            provider,
            dedupe_key: &event.dedupe_key,
            subject: &digest,
            at: event.at,
        };
        let outcome = self
            .deps
            .records
            .apply_provider_event(&event_row, &[effect], now)
            .await?;
        tracing::info!(provider, kind = ?event.kind, ?outcome, "provider webhook processed");
        Ok(())
    }

    /// Finds the attempt that was given up and has linked this account after all: the jobs that settle it once more.
    async fn settle_lapsed(
        &self,
        provider: &str,
        event: &ProviderEvent,
        now: Timestamp,
    ) -> Result<Vec<Job>, ProviderCallError> {
        let (partner, since) = (self.providers.partner(), now.minus(REOPEN_WITHIN));
        let lapsed = self.deps.records.lapsed(partner, provider, since, MAX_REOPENED).await?;
        if lapsed.is_empty() {
            return Ok(Vec::new());
        }
        let (api, keys) = self.providers.with_keys(partner, provider).await?;
        let query = AccountsQuery::One(event.about.id());
        let accounts = match api.accounts(Access::keys(&keys), query).await {
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => return Ok(Vec::new()),
            accounts => accounts?.value,
        };
        let sessions: Vec<_> = accounts.into_iter().filter_map(|account| account.session_id).collect();
        let opened = lapsed.iter().filter(|attempt| self.opened_in(attempt, &sessions));
        let settling = opened.map(|attempt| Settle::job(partner, attempt.id, now).on_occasion(&event.dedupe_key));
        Ok(settling.collect())
    }

    /// Whether an attempt was made in one of these sessions of its provider.
    fn opened_in(&self, attempt: &Attempt, sessions: &[String]) -> bool {
        self.deps
            .sealing
            .open_session(&attempt.tag, attempt.id, &attempt.provider_session)
            .is_ok_and(|session| sessions.contains(&session.id))
    }
}
