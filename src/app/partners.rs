//! Sets up the partners' side: who answers them, and the keys that the sandbox gives away.

use std::sync::Arc;

use super::assemble::{Base, Tools};
use super::{StartError, webhooks};
use crate::config::sandbox::{API_PUBLISHABLE_KEY, API_SECRET_KEY};
use crate::config::{Config, Mode};
use crate::core::api_key::{KeyKind, Side};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::http::partner::PartnerApi;
use crate::records::RecordsError;
use crate::service::messages::Outbox;
use crate::service::partners::office::enrol_key;
use crate::service::partners::{Dealings, Office, Registry, Settings};
use crate::service::turn::Turns;

/// Which keys are ours.
pub(crate) fn side(mode: Mode) -> Side {
    match mode {
        Mode::Sandbox => Side::Sandbox,
        Mode::Production => Side::Live,
    }
}

/// Who answers partners.
pub(super) async fn api(
    config: &Config,
    base: &Base,
    tools: &Tools,
    turns: &Arc<Turns>,
    outbox: &Arc<Outbox>,
) -> Result<PartnerApi, StartError> {
    hand_out(config, base, tools.providers.partner()).await?;
    let settings = Settings {
        side: side(config.mode),
        token_lifetime: config.api.token_lifetime,
        rate: config.api.rate,
    };
    let office = Arc::new(Office::new(
        base.records.clone(),
        tools.providers.clone(),
        base.keyring.clone(),
        base.runtime.clone(),
        settings,
    ));
    let dealings = Arc::new(Dealings {
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
        endpoints: Arc::new(webhooks::receivers(base, config.mode)?),
        subscribers: Arc::new(Registry {
            records: base.records.clone(),
            sealing: tools.sealing.clone(),
            runtime: base.runtime.clone(),
        }),
        intents: dealings.clone(),
        links: dealings.clone(),
        sessions: dealings,
        entropy: base.runtime.entropy.clone(),
    })
}

/// Gives the sandbox's partner the keys that everybody knows: nothing is behind them.
async fn hand_out(config: &Config, base: &Base, partner: PartnerId) -> Result<(), RecordsError> {
    if config.mode != Mode::Sandbox {
        return Ok(());
    }
    for (kind, key) in [
        (KeyKind::Secret, API_SECRET_KEY),
        (KeyKind::Publishable, API_PUBLISHABLE_KEY),
    ] {
        let (records, clock) = (base.records.as_ref(), base.runtime.clock.as_ref());
        enrol_key(records, clock, partner, kind, &Secret::new(key)).await?;
    }
    Ok(())
}
