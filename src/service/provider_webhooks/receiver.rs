//! Receives providers' webhooks.
//!
//! What an event leads to is written in the transaction that remembers it: one that was remembered but not acted on would be
//! lost, for the provider does not send it again, and one that was acted on and not remembered would be acted on twice.

use std::sync::Arc;

use async_trait::async_trait;

use super::effects::{EventEffects, EventSource};
use crate::core::ids::PartnerId;
use crate::core::json::{self, JsonError};
use crate::providers::{Provider, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderRequest, WebhookError};
use crate::records::{IncomingProviderEvent, ProviderEventEffect};
use crate::service::callbacks::{
    ProviderWebhookOutcome, ProviderWebhooks, WebhookAdmission, WebhookDestination, WebhookSender,
};
use crate::service::deps::Deps;
use crate::service::providers::{ProviderCallError, Providers};
use crate::service::strangers::StrangerKind;

/// Whose keys authenticate a webhook whose path names nobody.
const OPERATOR: &str = "operator";

const UNREADABLE: (ProviderWebhookOutcome, Option<&str>) = (ProviderWebhookOutcome::Malformed, Some("unreadable"));

pub struct ProviderWebhookReceiver {
    effects: Arc<EventEffects>,
}

/// Whose webhook it is, and what authenticates it.
struct Destination {
    effects: Arc<EventEffects>,
    owner: PartnerId,
    api: Arc<dyn Provider>,
    keys: ProviderKeys,
}

#[async_trait]
impl ProviderWebhooks for ProviderWebhookReceiver {
    async fn admit(&self, provider: &str, owner: Option<&str>, head: &ProviderRequest<'_>) -> WebhookAdmission {
        let to = match self.destination(provider, owner, head).await {
            Ok(to) => to,
            Err(outcome) => return WebhookAdmission::Refused(outcome),
        };
        let by = match to.api.authenticates_by_head(&to.keys, head) {
            None => WebhookSender::Unproven,
            Some(true) if to.owner == self.effects.providers.partner() => WebhookSender::Operators,
            Some(true) => WebhookSender::Partners(to.owner),
            Some(false) => return WebhookAdmission::Refused(Some(to.unauthentic())),
        };
        WebhookAdmission::Admitted { by, to: Box::new(to) }
    }
}

impl ProviderWebhookReceiver {
    pub fn new(deps: Deps, providers: Arc<Providers>) -> Self {
        Self {
            effects: Arc::new(EventEffects { deps, providers }),
        }
    }

    /// Whose webhook this is, or what it is answered with; `None` as if nobody were there.
    async fn destination(
        &self,
        provider: &str,
        owner: Option<&str>,
        head: &ProviderRequest<'_>,
    ) -> Result<Destination, Option<ProviderWebhookOutcome>> {
        let providers = &self.effects.providers;
        let api = providers.provider(provider).ok_or(None)?;
        if head.method != "POST" && !api.verifies_by_get() {
            return Err(None);
        }
        let owner = match owner {
            None | Some(OPERATOR) => providers.partner(),
            Some(partner) => PartnerId::parse(partner).map_err(|_| None)?,
        };
        match providers.with_keys(owner, provider).await {
            Ok((api, keys)) => Ok(Destination {
                effects: self.effects.clone(),
                owner,
                api,
                keys,
            }),
            // One who has no keys there is nobody.
            Err(ProviderCallError::NotSetUp) if owner != providers.partner() => Err(None),
            Err(_) => Err(Some(ProviderWebhookOutcome::Unavailable)),
        }
    }
}

#[async_trait]
impl WebhookDestination for Destination {
    async fn receive(&self, request: &ProviderRequest<'_>) -> ProviderWebhookOutcome {
        let (outcome, word) = self.process(request).await;
        if let Some(word) = word {
            let metrics = &self.effects.deps.metrics;
            metrics.provider_webhook(self.effects.providers.metric_label(self.api.name()), word);
        }
        outcome
    }
}

impl Destination {
    /// What became of a webhook, and the word it is counted under if it is the provider's.
    async fn process(&self, request: &ProviderRequest<'_>) -> (ProviderWebhookOutcome, Option<&'static str>) {
        let (owner, provider) = (self.owner, self.api.as_ref());
        let answer = match provider.webhook(&self.keys, request).await {
            Ok(answer) => answer,
            Err(WebhookError::Unavailable) => return (ProviderWebhookOutcome::Unavailable, None),
            Err(WebhookError::Malformed) => {
                tracing::warn!(provider = provider.name(), "a webhook that nobody can read");
                return UNREADABLE;
            }
            Err(WebhookError::Unauthentic) => return (self.unauthentic(), None),
        };
        // Which of two members with one name a provider meant, nobody can tell.
        if matches!(json::parse(request.body), Err(JsonError::Duplicate(_))) {
            tracing::warn!(provider = provider.name(), "a webhook has a member twice");
            return UNREADABLE;
        }
        let source = EventSource {
            owner,
            provider: provider.name(),
        };
        for event in &answer.events {
            if let Err(error) = self.apply(source, event).await {
                tracing::warn!(provider = source.provider, %error, "processing a provider webhook failed");
                return (ProviderWebhookOutcome::Unavailable, Some("postponed"));
            }
        }
        let word = if answer.events.is_empty() {
            "ignored"
        } else {
            "processed"
        };
        (ProviderWebhookOutcome::Accepted(answer.reply), Some(word))
    }

    fn unauthentic(&self) -> ProviderWebhookOutcome {
        let strangers = &self.effects.deps.strangers;
        strangers.count_at(StrangerKind::Webhook, self.owner);
        ProviderWebhookOutcome::Unauthentic
    }

    async fn apply(&self, source: EventSource, event: &ProviderEvent) -> Result<(), ProviderCallError> {
        let deps = &self.effects.deps;
        let now = deps.clock.now();
        let effect = self.effects.of(source, event, now).await?;
        let jobs = ProviderEventEffect::Enqueue(&effect.jobs);
        let moves = effect.moves.iter().map(|(link, to)| ProviderEventEffect::MoveLink {
            link: *link,
            to: *to,
            jobs: &[],
        });
        let renewed = effect
            .renewed
            .iter()
            .map(|&(link, ask_first)| ProviderEventEffect::RenewLink { link, ask_first });
        let effects: Vec<_> = moves.chain(renewed).chain([jobs]).collect();
        let incoming = IncomingProviderEvent {
            partner: source.owner,
            provider: source.provider,
            dedupe_key: &event.dedupe_key,
            subject: &effect.subject,
            // One that is dated ahead must not silence what comes after it.
            at: event
                .at
                .map(|at| at.min(now))
                .filter(|_| effect.concerns && says_how_it_stands(event.kind)),
        };
        let outcome = deps.records.apply_provider_event(&incoming, &effects, now).await?;
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
