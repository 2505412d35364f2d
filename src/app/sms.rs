//! Puts together what sends and takes texts.

use std::sync::Arc;
use std::time::Duration;

use super::StartError;
use super::assemble::{Base, Tools};
use crate::config::{Config, ConfigSecret, SmsConfig};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::gateways::sms::SmsSettings;
use crate::gateways::sms_gateway;
use crate::http_client::base_url::parse_base_url;
use crate::http_client::{HttpClient, HttpClientOptions};
use crate::service::Channel;
use crate::service::bank_alerts::BankAlerts;
use crate::service::handover::{HandoverMessages, HandoverQueue};
use crate::service::sealing::Sealing;
use crate::service::session_updater::SessionUpdater;
use crate::service::sms::{SmsInbox, SmsOutbox, SmsResponder, SmsRoute, SmsRoutes};
use crate::service::turn::TurnRunner;
use crate::service::turn::sms::{service_code_for, sms_channel_name};

/// How long a gateway may take over one text. Much shorter than a job's lease, so that no other node thinks that this one
/// is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The gateways of the configuration.
pub(super) fn sms_routes(config: &mut Config) -> Result<SmsRoutes, StartError> {
    if config.sms.is_empty() {
        return Ok(SmsRoutes::default());
    }
    let client = HttpClient::new(&HttpClientOptions::default())?;
    let public_url = config.server.public_url.clone();
    let lines = std::mem::take(&mut config.sms).into_iter().map(|sms| {
        let callback = public_url.as_ref().map(|url| callback_url(url.as_str(), &sms));
        sms_route(sms, callback, client.clone()).map(Arc::new)
    });
    Ok(SmsRoutes::new(lines.collect::<Result<_, _>>()?))
}

fn callback_url(public_url: &str, sms: &SmsConfig) -> Secret {
    let (base, name) = (public_url.trim_end_matches('/'), &sms.name);
    Secret::new(format!("{base}/sms/{name}/{}", sms.secret.expose()))
}

fn sms_route(sms: SmsConfig, callback: Option<Secret>, client: HttpClient) -> Result<SmsRoute, StartError> {
    let settings = SmsSettings {
        base_url: parse_base_url(sms.base_url.as_str(), true)?,
        username: sms.username,
        api_key: sms.api_key.into_inner(),
        signing_key: sms.signing_key.map(ConfigSecret::into_inner),
        route: sms.route,
        callback,
        timeout: SEND_TIMEOUT,
    };
    let gateway = sms_gateway(&sms.gateway, settings, client);
    Ok(SmsRoute {
        gateway: gateway.map_err(|error| StartError::Sms(sms.name.clone(), error))?,
        name: sms.name,
        sender: sms.sender,
        secret: sms.secret.into_inner(),
        country: sms.country,
        daily_cap: sms.daily_cap,
    })
}

/// What sends texts.
pub(super) fn outbox(base: &Base, partner: PartnerId, lines: &SmsRoutes) -> Arc<SmsOutbox> {
    Arc::new(SmsOutbox::new(
        base.records.clone(),
        base.keyring.clone(),
        partner,
        lines.clone(),
        base.runtime.clone(),
    ))
}

/// Where texts are asked for; nowhere if none can be sent.
pub(super) fn handover_queue(base: &Base, partner: PartnerId, lines: &SmsRoutes) -> Option<HandoverQueue> {
    (!lines.is_empty()).then(|| HandoverQueue {
        records: base.records.clone(),
        partner,
        runtime: base.runtime.clone(),
    })
}

/// What writes texts about submissions.
pub(super) fn handover_messages(
    base: &Base,
    newsroom: &SessionUpdater,
    sealing: &Sealing,
    outbox: Arc<SmsOutbox>,
    channels: &[Arc<Channel>],
    lines: &SmsRoutes,
) -> HandoverMessages {
    HandoverMessages {
        records: base.records.clone(),
        newsroom: newsroom.clone(),
        sealing: sealing.clone(),
        outbox,
        service_codes: dial_codes(channels, lines),
    }
}

/// What is dialled on each channel, and in the country of each SMS gateway.
pub(super) fn dial_codes(channels: &[Arc<Channel>], lines: &SmsRoutes) -> Vec<(String, String)> {
    let code = |channel: &Arc<Channel>| (channel.name.clone(), channel.service_code.clone());
    let texted = |line: &Arc<SmsRoute>| {
        (
            sms_channel_name(&line.name),
            service_code_for(channels, &line.country).to_owned(),
        )
    };
    channels.iter().map(code).chain(lines.all().map(texted)).collect()
}

/// What texts people that a bank is back.
pub(super) fn bank_back_alerts(
    base: &Base,
    tools: &Tools,
    outbox: Arc<SmsOutbox>,
    channels: &[Arc<Channel>],
    lines: &SmsRoutes,
) -> BankAlerts {
    BankAlerts {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        catalogue: tools.catalogue.clone(),
        health: tools.health.clone(),
        newsroom: tools.newsroom.clone(),
        sealing: tools.sealing.clone(),
        outbox,
        service_codes: dial_codes(channels, lines),
    }
}

/// What takes texts.
pub(super) fn inbox(base: &Base, turns: &Arc<TurnRunner>, lines: SmsRoutes, outbox: Arc<SmsOutbox>) -> SmsInbox {
    SmsInbox {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        routes: lines,
        handler: Arc::new(SmsResponder(turns.clone())),
        outbox,
        runtime: base.runtime.clone(),
    }
}
