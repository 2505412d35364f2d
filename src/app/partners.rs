//! Builds the partner API, and stores the sandbox's well-known keys.

use std::sync::Arc;

use super::assemble::Services;
use super::{StartError, webhooks};
use crate::config::sandbox::{API_PUBLISHABLE_KEY, API_SECRET_KEY};
use crate::config::{Config, Mode};
use crate::core::api_key::{ApiEnvironment, ApiKeyKind};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::http::partner::PartnerApi;
use crate::records::RecordsError;
use crate::service::deps::Deps;
use crate::service::partners::account_api::{AccountApi, ApiSettings};
use crate::service::partners::linking_api::LinkingApi;
use crate::service::partners::partner_buckets::PartnerBuckets;
use crate::service::partners::provisioning::store_key;
use crate::service::partners::subscribers::{DATA_SUBJECT_RATE, SubscriberApi};
use crate::service::turn::TurnRunner;

pub(crate) fn api_environment(mode: Mode) -> ApiEnvironment {
    match mode {
        Mode::Sandbox => ApiEnvironment::Sandbox,
        Mode::Production => ApiEnvironment::Live,
    }
}

pub(super) async fn build_partner_api(
    config: &Config,
    deps: &Deps,
    services: &Services,
    turns: &Arc<TurnRunner>,
) -> Result<PartnerApi, StartError> {
    store_sandbox_keys(config, deps, services.shared.providers.partner()).await?;
    let settings = ApiSettings {
        environment: api_environment(config.mode),
        token_lifetime: config.api.token_lifetime(),
        rate: config.api.rate(),
    };
    Ok(PartnerApi {
        accounts: Arc::new(AccountApi::new(
            deps.records.clone(),
            services.shared.providers.clone(),
            services.shared.catalogue.clone(),
            deps.sealing.keyring.clone(),
            deps.clone(),
            settings,
        )),
        linking: Arc::new(LinkingApi {
            records: deps.records.clone(),
            sealing: deps.sealing.clone(),
            turns: turns.clone(),
            session_updater: services.shared.updater.clone(),
            intent_limits: config.api.intent_limits(),
            outbox: services.shared.outbox.clone(),
            deps: deps.clone(),
        }),
        subscribers: Arc::new(SubscriberApi {
            records: deps.records.clone(),
            sealing: deps.sealing.clone(),
            deps: deps.clone(),
            rate: PartnerBuckets::new(DATA_SUBJECT_RATE),
        }),
        webhook_endpoints: Arc::new(webhooks::webhook_endpoints(deps, config.mode)?),
        rng: deps.rng.clone(),
        public_url: config.server.public_url.clone(),
    })
}

/// Gives the sandbox's partner its well-known keys: they protect nothing.
async fn store_sandbox_keys(config: &Config, deps: &Deps, partner: PartnerId) -> Result<(), RecordsError> {
    if config.mode != Mode::Sandbox {
        return Ok(());
    }
    for (kind, key) in [
        (ApiKeyKind::Secret, API_SECRET_KEY),
        (ApiKeyKind::Publishable, API_PUBLISHABLE_KEY),
    ] {
        let (records, clock) = (deps.records.as_ref(), deps.clock.as_ref());
        store_key(records, clock, partner, kind, &Secret::new(key)).await?;
    }
    Ok(())
}
