//! What the sandbox runs beside the server: stand-ins for the services that it calls, which call it back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::StartError;
use crate::config::sandbox::{MONO_KEY, MONO_URL, SMS_KEY, SMS_NAME, SMS_NUMBER, SMS_SECRET, SMS_URL, WEBHOOK_SECRET};
use crate::config::{Config, Mode, ProviderConfig, SmsConfig};
use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng};
use crate::sandbox::bank::guide::GuideRow;
use crate::sandbox::bank::{self, ProviderStandIn};
use crate::sandbox::clock::SandboxClock;
use crate::sandbox::{SandboxState, mono, sms};
use crate::service::database_clock::DatabaseClock;

/// A provider's stand-in, if it was started.
type Started = io::Result<Option<Box<dyn ProviderStandIn>>>;

/// Starts a stand-in if the configuration points at it, and replaces the base URL by the real address.
type Start = fn(&mut Config, Arc<dyn Clock>, Arc<dyn Rng>) -> Started;

/// How a provider's stand-in is started.
struct Dialect {
    /// The provider's name, as in the path of its webhooks.
    name: &'static str,
    guide: fn() -> Vec<GuideRow>,
    start: Start,
}

const DIALECTS: &[Dialect] = &[Dialect {
    name: "mono",
    guide: mono::guide,
    start: start_mono,
}];

/// The running stand-ins and their clock. Dropping them stops them.
pub(super) struct StandIns {
    base: Arc<DatabaseClock>,
    clock: Option<Arc<SandboxClock>>,
    providers: Vec<(&'static str, Box<dyn ProviderStandIn>)>,
    sms: Option<sms::RunningSms>,
}

impl StandIns {
    /// Starts those that the configuration points at, and replaces their base URLs by the real addresses.
    pub(super) fn start(
        config: &mut Config,
        base: &Arc<DatabaseClock>,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        if config.mode != Mode::Sandbox {
            return Ok(Self {
                base: base.clone(),
                clock: None,
                providers: Vec::new(),
                sms: None,
            });
        }
        let file = config.keys.dir.with_file_name("sandbox-clock");
        let wound = Arc::new(SandboxClock::load(base.clone(), file));
        let clock: Arc<dyn Clock> = wound.clone();
        let mut providers = Vec::new();
        for Dialect { name, start, .. } in DIALECTS {
            let running = start(config, clock.clone(), rng.clone());
            let running = running.map_err(|error| StartError::ProviderStandIn(name, error))?;
            providers.extend(running.map(|running| (*name, running)));
        }
        Ok(Self {
            base: base.clone(),
            providers,
            sms: start_sms(config, &clock, rng)?,
            clock: Some(wound),
        })
    }

    /// The adjustable clock in the sandbox, otherwise the one under it.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        match &self.clock {
            Some(wound) => wound.clone(),
            None => self.base.clone(),
        }
    }

    /// Where each provider's stand-in listens, by the provider's name.
    pub(super) fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let running = self.providers.iter();
        running.map(|(name, stand_in)| (*name, stand_in.address())).collect()
    }

    /// What the phone page works with; `None` outside the sandbox.
    pub(super) fn beside(&self) -> Option<SandboxState> {
        Some(SandboxState {
            clock: self.clock.clone()?,
            sms: self.sms.as_ref().map(|sms| sms.state.clone()),
            guide: DIALECTS.iter().flat_map(|dialect| (dialect.guide)()).collect(),
        })
    }

    /// Tells them where the server listens, so that they can call it.
    pub(super) fn set_server_url(&self, url: &str) {
        for (name, stand_in) in &self.providers {
            stand_in.send_webhooks_to(&format!("{url}/hooks/{name}"));
        }
        if let Some(texts) = &self.sms {
            texts.state.call_back_at(&format!("{url}/sms/{SMS_NAME}/{SMS_SECRET}"));
        }
    }
}

fn start_mono(config: &mut Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Started {
    let built_in = |provider: &&mut ProviderConfig| provider.setup.base_url.as_str().trim_end_matches('/') == MONO_URL;
    let Some(provider) = config.providers.get_mut("mono").filter(built_in) else {
        return Ok(None);
    };
    let dialect = mono::MonoDialect {
        keys: vec![Secret::new(MONO_KEY)],
        webhook_secret: Secret::new(WEBHOOK_SECRET),
    };
    let settings = mono::MonoStandInSettings {
        dialect,
        ..mono::MonoStandInSettings::default()
    };
    let running = bank::start(settings, clock, rng)?;
    if let Ok(url) = running.url().parse() {
        provider.setup.base_url = url;
    }
    Ok(Some(Box::new(running)))
}

fn start_sms(
    config: &mut Config,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> Result<Option<sms::RunningSms>, StartError> {
    let built_in = |texts: &&mut SmsConfig| texts.base_url.as_str().trim_end_matches('/') == SMS_URL;
    let Some(texts) = config.sms.iter_mut().find(built_in) else {
        return Ok(None);
    };
    let settings = sms::SmsStandInSettings {
        username: SMS_NAME.to_owned(),
        key: Secret::new(SMS_KEY),
        number: SMS_NUMBER.to_owned(),
    };
    let running =
        sms::SmsStandIn::start(settings, clock.clone(), rng.clone()).map_err(StartError::SmsGatewayStandIn)?;
    if let Ok(url) = running.url().parse() {
        texts.base_url = url;
    }
    Ok(Some(running))
}
