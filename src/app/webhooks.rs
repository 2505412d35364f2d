//! Sets up what tells partners.

use std::sync::Arc;

use super::StartError;
use super::assemble::Base;
use crate::config::{Config, Mode};
use crate::core::public_address::PublicAddressPolicy;
use crate::core::webhook::WebhookTiming;
use crate::http_client::HttpClientOptions;
use crate::http_client::ssrf_safe::{SsrfSafeClient, SystemResolver};
use crate::service::partners::webhook_endpoints::WebhookEndpointApi;
use crate::service::webhooks::WebhookDeliveries;

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
pub(super) fn webhooks(base: &Base, config: &Config) -> Result<WebhookDeliveries, StartError> {
    Ok(WebhookDeliveries {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        sender: ssrf_safe_client(config.mode)?,
        pace: pace(config),
        runtime: base.runtime.clone(),
    })
}

#[cfg(feature = "sandbox")]
fn pace(config: &Config) -> WebhookTiming {
    config.sandbox.webhooks
}

#[cfg(not(feature = "sandbox"))]
fn pace(_: &Config) -> WebhookTiming {
    WebhookTiming::default()
}

/// What keeps the addresses they are sent to.
pub(super) fn webhook_endpoints(base: &Base, mode: Mode) -> Result<WebhookEndpointApi, StartError> {
    Ok(WebhookEndpointApi {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        outside: public_address_policy(mode),
        client: ssrf_safe_client(mode)?,
        deps: base.runtime.clone(),
    })
}
