//! Sets up webhooks to partners.

use std::sync::Arc;

use super::StartError;
use crate::config::{Config, Mode};
use crate::core::public_address::PublicAddressPolicy;
use crate::core::webhook::WebhookTiming;
use crate::http_client::HttpClientOptions;
use crate::http_client::ssrf_safe::{SsrfSafeClient, SystemResolver};
use crate::service::deps::Deps;
use crate::service::partners::webhook_endpoints::WebhookEndpointApi;
use crate::service::webhooks::deliveries::WebhookDeliveries;

/// What may be called: receivers on the public internet; in the sandbox, on this machine too.
pub(super) fn public_address_policy(mode: Mode) -> PublicAddressPolicy {
    PublicAddressPolicy {
        allow_loopback: mode == Mode::Sandbox,
    }
}

fn ssrf_safe_client(mode: Mode) -> Result<Arc<SsrfSafeClient>, StartError> {
    let client = SsrfSafeClient::new(
        &HttpClientOptions::default(),
        public_address_policy(mode),
        Arc::new(SystemResolver),
    )?;
    Ok(Arc::new(client))
}

/// What sends webhooks.
pub(super) fn deliveries(deps: &Deps, config: &Config) -> Result<WebhookDeliveries, StartError> {
    Ok(WebhookDeliveries {
        deps: deps.clone(),
        sender: ssrf_safe_client(config.mode)?,
        timing: timing(config),
    })
}

#[cfg(feature = "sandbox")]
fn timing(config: &Config) -> WebhookTiming {
    config.sandbox.webhooks
}

#[cfg(not(feature = "sandbox"))]
fn timing(_: &Config) -> WebhookTiming {
    WebhookTiming::default()
}

/// What keeps the addresses they are sent to.
pub(super) fn webhook_endpoints(deps: &Deps, mode: Mode) -> Result<WebhookEndpointApi, StartError> {
    Ok(WebhookEndpointApi {
        records: deps.records.clone(),
        keyring: deps.sealing.keyring.clone(),
        outside: public_address_policy(mode),
        client: ssrf_safe_client(mode)?,
        deps: deps.clone(),
    })
}
