//! Puts together what sends and takes texts.

use std::sync::Arc;
use std::time::Duration;

use super::StartError;
use super::assemble::{Base, Tools};
use crate::config::{Config, SmsConfig};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::providers::base_url::validate_base_url;
use crate::providers::http::{Client, ClientOptions};
use crate::service::Channel;
use crate::service::bank_back::BankBacks;
use crate::service::handover::{Desk, HandOvers};
use crate::service::messages::{Answers, Inbox, Line, Lines, Outbox};
use crate::service::news::Newsroom;
use crate::service::sealing::Sealing;
use crate::service::turn::Turns;
use crate::service::turn::texts::{channel_of, dialled_in};
use crate::sms::{self, SmsSettings};

/// How long a gateway may take over one text. Much shorter than a job's lease, so that no other node thinks that this one
/// is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The gateways of the configuration.
pub(super) fn lines(config: &mut Config) -> Result<Lines, StartError> {
    if config.sms.is_empty() {
        return Ok(Lines::default());
    }
    let client = Client::new(&ClientOptions::default())?;
    let public_url = config.server.public_url.clone();
    let lines = std::mem::take(&mut config.sms).into_iter().map(|sms| {
        let callback = public_url.as_ref().map(|url| callback(url.as_str(), &sms));
        line(sms, callback, client.clone()).map(Arc::new)
    });
    Ok(Lines::new(lines.collect::<Result<_, _>>()?))
}

fn callback(public_url: &str, sms: &SmsConfig) -> Secret {
    let (base, name) = (public_url.trim_end_matches('/'), &sms.name);
    Secret::new(format!("{base}/sms/{name}/{}", sms.secret.expose()))
}

fn line(sms: SmsConfig, callback: Option<Secret>, client: Client) -> Result<Line, StartError> {
    let settings = SmsSettings {
        base_url: validate_base_url(sms.base_url.as_str(), true)?,
        username: sms.username,
        api_key: sms.api_key,
        signing_key: sms.signing_key,
        route: sms.route,
        callback,
        timeout: SEND_TIMEOUT,
    };
    let gateway = sms::by_name(&sms.gateway, settings, client);
    Ok(Line {
        gateway: gateway.map_err(|error| StartError::Sms(sms.name.clone(), error))?,
        name: sms.name,
        sender: sms.sender,
        secret: sms.secret,
        country: sms.country,
        daily_cap: sms.daily_cap,
    })
}

/// What sends texts.
pub(super) fn outbox(base: &Base, partner: PartnerId, lines: &Lines) -> Arc<Outbox> {
    Arc::new(Outbox::new(
        base.records.clone(),
        base.keyring.clone(),
        partner,
        lines.clone(),
        base.runtime.clone(),
    ))
}

/// Where texts are asked for; nowhere if none can be sent.
pub(super) fn desk(base: &Base, partner: PartnerId, lines: &Lines) -> Option<Desk> {
    (!lines.is_empty()).then(|| Desk {
        records: base.records.clone(),
        partner,
        runtime: base.runtime.clone(),
    })
}

/// What writes texts about submissions.
pub(super) fn hand_overs(
    base: &Base,
    newsroom: &Newsroom,
    sealing: &Sealing,
    outbox: Arc<Outbox>,
    channels: &[Arc<Channel>],
    lines: &Lines,
) -> HandOvers {
    HandOvers {
        records: base.records.clone(),
        newsroom: newsroom.clone(),
        sealing: sealing.clone(),
        outbox,
        codes: codes(channels, lines),
    }
}

/// What is dialled on each channel, and in the country of each SMS gateway.
pub(super) fn codes(channels: &[Arc<Channel>], lines: &Lines) -> Vec<(String, String)> {
    let code = |channel: &Arc<Channel>| (channel.name.clone(), channel.service_code.clone());
    let texted = |line: &Arc<Line>| (channel_of(&line.name), dialled_in(channels, &line.country).to_owned());
    channels.iter().map(code).chain(lines.all().map(texted)).collect()
}

/// What texts people that a bank is back.
pub(super) fn bank_backs(
    base: &Base,
    tools: &Tools,
    outbox: Arc<Outbox>,
    channels: &[Arc<Channel>],
    lines: &Lines,
) -> BankBacks {
    BankBacks {
        records: base.records.clone(),
        providers: tools.providers.clone(),
        catalogue: tools.catalogue.clone(),
        health: tools.health.clone(),
        newsroom: tools.newsroom.clone(),
        sealing: tools.sealing.clone(),
        outbox,
        codes: codes(channels, lines),
    }
}

/// What takes texts.
pub(super) fn inbox(base: &Base, turns: &Arc<Turns>, lines: Lines, outbox: Arc<Outbox>) -> Inbox {
    Inbox {
        records: base.records.clone(),
        keyring: base.keyring.clone(),
        lines,
        handler: Arc::new(Answers(turns.clone())),
        outbox,
        runtime: base.runtime.clone(),
    }
}
