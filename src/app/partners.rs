//! Sets up the partners' side: who answers them, and the keys that the sandbox gives away.

use std::sync::Arc;

use super::assemble::{Base, Tools};
use super::{StartError, webhooks};
use crate::config::sandbox::{API_PUBLISHABLE_KEY, API_SECRET_KEY};
use crate::config::{Config, Mode};
use crate::core::api_key::{ApiEnvironment, ApiKeyKind};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::http::partner::PartnerApi;
use crate::records::RecordsError;
use crate::service::partners::account_api::store_key;
use crate::service::partners::{AccountApi, ApiSettings, LinkingApi, SubscriberApi};
use crate::service::sms::SmsOutbox;
use crate::service::turn::TurnRunner;

/// Which keys are ours.
pub(crate) fn side(mode: Mode) -> ApiEnvironment {
    match mode {
        Mode::Sandbox => ApiEnvironment::Sandbox,
        Mode::Production => ApiEnvironment::Live,
    }
}

/// Who answers partners.
pub(super) async fn build_partner_api(
    config: &Config,
    base: &Base,
    tools: &Tools,
    turns: &Arc<TurnRunner>,
    outbox: &Arc<SmsOutbox>,
) -> Result<PartnerApi, StartError> {
    store_sandbox_keys(config, base, tools.providers.partner()).await?;
    let settings = ApiSettings {
        side: side(config.mode),
        token_lifetime: config.api.token_lifetime(),
        rate: config.api.rate(),
    };
    let office = Arc::new(AccountApi::new(
        base.records.clone(),
        tools.providers.clone(),
        base.keyring.clone(),
        base.runtime.clone(),
        settings,
    ));
    let dealings = Arc::new(LinkingApi {
        records: base.records.clone(),
        sealing: tools.sealing.clone(),
        turns: turns.clone(),
        newsroom: tools.newsroom.clone(),
        outbox: outbox.clone(),
        runtime: base.runtime.clone(),
    });
    Ok(PartnerApi {
        access: office.clone(),
        repeats: office.clone(),
        profile: office.clone(),
        roles: office.clone(),
        entities: office.clone(),
        users: office.clone(),
        events: office,
        endpoints: Arc::new(webhooks::webhook_endpoints(base, config.mode)?),
        subscribers: Arc::new(SubscriberApi {
            records: base.records.clone(),
            sealing: tools.sealing.clone(),
            runtime: base.runtime.clone(),
        }),
        intents: dealings.clone(),
        links: dealings.clone(),
        sessions: dealings,
        entropy: base.runtime.rng.clone(),
    })
}

/// Gives the sandbox's partner the keys that everybody knows: nothing is behind them.
async fn store_sandbox_keys(config: &Config, base: &Base, partner: PartnerId) -> Result<(), RecordsError> {
    if config.mode != Mode::Sandbox {
        return Ok(());
    }
    for (kind, key) in [
        (ApiKeyKind::Secret, API_SECRET_KEY),
        (ApiKeyKind::Publishable, API_PUBLISHABLE_KEY),
    ] {
        let (records, clock) = (base.records.as_ref(), base.runtime.clock.as_ref());
        store_key(records, clock, partner, kind, &Secret::new(key)).await?;
    }
    Ok(())
}
