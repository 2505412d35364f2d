//! Receives providers' webhooks.
//!
//! What an event leads to is written in the transaction that remembers it: one that was remembered but not acted on would be
//! lost, for the provider does not send it again, and one that was acted on and not remembered would be acted on twice.

use std::sync::Arc;

use async_trait::async_trait;

use super::effects::{EventEffects, EventSource};
use super::strangers::StrangerLimit;
use crate::core::ids::PartnerId;
use crate::providers::{Provider, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderRequest, WebhookError};
use crate::records::{IncomingProviderEvent, ProviderEventEffect};
use crate::service::callbacks::{ProviderWebhookOutcome, ProviderWebhooks};
use crate::service::deps::Deps;
use crate::service::providers::{ProviderCallError, Providers};

/// Whose keys authenticate a webhook whose path names nobody.
const OPERATOR: &str = "operator";

pub struct ProviderWebhookReceiver {
    effects: EventEffects,
    strangers: StrangerLimit,
}

#[async_trait]
impl ProviderWebhooks for ProviderWebhookReceiver {
    async fn receive(
        &self,
        provider: &str,
        owner: Option<&str>,
        request: &ProviderRequest<'_>,
    ) -> Option<ProviderWebhookOutcome> {
        let providers = &self.effects.providers;
        let api = providers.provider(provider)?;
        if request.method != "POST" && !api.verifies_by_get() {
            return None;
        }
        let owner = match owner {
            None | Some(OPERATOR) => providers.partner(),
            Some(partner) => PartnerId::parse(partner).ok()?,
        };
        let (api, keys) = match providers.with_keys(owner, provider).await {
            Ok(opened) => opened,
            // One who has no keys there is nobody.
            Err(ProviderCallError::NotSetUp) if owner != providers.partner() => return None,
            Err(_) => return Some(ProviderWebhookOutcome::Unavailable),
        };
        Some(self.receive_for(owner, api.as_ref(), &keys, request).await)
    }
}

impl ProviderWebhookReceiver {
    pub fn new(deps: Deps, providers: Arc<Providers>) -> Self {
        Self {
            effects: EventEffects { deps, providers },
            strangers: StrangerLimit::default(),
        }
    }

    fn deps(&self) -> &Deps {
        &self.effects.deps
    }

    async fn receive_for(
        &self,
        owner: PartnerId,
        provider: &dyn Provider,
        keys: &ProviderKeys,
        request: &ProviderRequest<'_>,
    ) -> ProviderWebhookOutcome {
        let answer = match provider.webhook(keys, request).await {
            Ok(answer) => answer,
            Err(WebhookError::Unavailable) => return ProviderWebhookOutcome::Unavailable,
            Err(WebhookError::Malformed) => return ProviderWebhookOutcome::Malformed,
            Err(WebhookError::Unauthentic) => {
                self.audit_stranger(owner, provider.name()).await;
                return ProviderWebhookOutcome::Unauthentic;
            }
        };
        let source = EventSource {
            owner,
            provider: provider.name(),
        };
        for event in &answer.events {
            if let Err(error) = self.apply(source, event).await {
                tracing::warn!(provider = source.provider, %error, "processing a provider webhook failed");
                return ProviderWebhookOutcome::Unavailable;
            }
        }
        ProviderWebhookOutcome::Accepted(answer.reply)
    }

    async fn audit_stranger(&self, owner: PartnerId, provider: &'static str) {
        let now = self.deps().clock.now();
        if self.strangers.may_audit(owner, provider, now) {
            let detail = provider.to_owned();
            self.deps().audit(owner, None, "webhook.unauthentic", detail).await;
        }
    }

    async fn apply(&self, source: EventSource, event: &ProviderEvent) -> Result<(), ProviderCallError> {
        let now = self.deps().clock.now();
        let effect = self.effects.of(source, event, now).await?;
        let jobs = ProviderEventEffect::Enqueue(&effect.jobs);
        let moves = effect.moves.iter().map(|(link, to)| ProviderEventEffect::MoveLink {
            link: *link,
            to: *to,
            jobs: &[],
        });
        let effects: Vec<_> = moves.chain([jobs]).collect();
        let incoming = IncomingProviderEvent {
            partner: source.owner,
            provider: source.provider,
            dedupe_key: &event.dedupe_key,
            subject: &effect.subject,
            at: event.at.filter(|_| effect.concerns && says_how_it_stands(event.kind)),
        };
        let outcome = self
            .deps()
            .records
            .apply_provider_event(&incoming, &effects, now)
            .await?;
        tracing::info!(provider = source.provider, kind = ?event.kind, ?outcome, "provider webhook processed");
        Ok(())
    }
}

/// Whether an event says how its subject stands, so that an older one must not overrule it. One that only says that there
/// are new data overrules nothing and is overruled by nothing.
fn says_how_it_stands(kind: ProviderEventKind) -> bool {
    match kind {
        ProviderEventKind::ReauthRequired | ProviderEventKind::Reauthorised | ProviderEventKind::Unlinked => true,
        ProviderEventKind::Connected | ProviderEventKind::Updated => false,
    }
}
