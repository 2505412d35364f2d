//! A provider's webhook, as the web server hands it on.

use kiungo::providers::ProviderRequest;
use kiungo::service::callbacks::{ProviderWebhookOutcome, ProviderWebhooks as _, WebhookAdmission};
use kiungo::service::provider_webhooks::receiver::ProviderWebhookReceiver;

/// What becomes of a webhook: its head is looked at first, as the web server does. `None`: nobody is there.
pub async fn receive(
    hooks: &ProviderWebhookReceiver,
    provider: &str,
    owner: Option<&str>,
    request: &ProviderRequest<'_>,
) -> Option<ProviderWebhookOutcome> {
    let head = ProviderRequest { body: b"", ..*request };
    match hooks.admit(provider, owner, &head).await {
        WebhookAdmission::Admitted { to, .. } => Some(to.receive(request).await),
        WebhookAdmission::Refused(outcome) => outcome,
    }
}
