//! Infobip: texts, version 3 of its API.
//!
//! A text is sent as JSON with `Authorization: App KEY`, to a host that Infobip names to each account. It carries our own
//! id as `messageId`, which comes back in reports, and the URL that reports go to. Whether a second text with the same id
//! is refused is not known, so it is not relied on. The first field of a message is `from` in what was seen to work, and
//! perhaps `sender` in newer documents: `route` says which.
//!
//! What people send comes as a list, and is acknowledged whole or not at all. Its moments have an offset without a colon.
//! Signatures are an option of the account about which nothing is known: the secret in the path proves the caller.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{
    Capabilities, DeliveryReport, Heard, HookError, IncomingKind, IncomingSms, Needs, OutgoingSms, REPORTS, ReportKind,
    SendError, SenderKind, Sent, SetupError, SmsGateway, SmsSettings, wire,
};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{DeliveryState, Failure};
use crate::gateways::{ParseError, RawRequest};
use crate::providers::http::{Call, Client};

/// What it must be told.
pub const NEEDS: Needs = Needs {
    username: None,
    sender: true,
    base_url: None,
    public_url: false,
    signing_key: false,
    routes: &["from", "sender"],
};

/// `2026-10-06T09:28:39.220+0000`
const DATES: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f%z"];
/// The most results of one call; more would not fit the body that is read.
const MOST_RESULTS: usize = 500;

/// Infobip, as one account of ours uses it.
pub struct Infobip {
    settings: SmsSettings,
    url: Url,
    client: Client,
}

impl fmt::Debug for Infobip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Infobip")
    }
}

/// The answer to a send.
#[derive(Deserialize)]
struct Answered {
    /// One for each number.
    messages: Vec<Taken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    /// Ours, unless it chose another.
    message_id: Option<String>,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    /// 1 is pending and 3 delivered: both are a yes. 2 undeliverable, 4 expired, 5 rejected.
    group_id: Option<i64>,
    /// The same in capital letters.
    group_name: Option<String>,
}

/// What people sent.
#[derive(Deserialize)]
struct Incoming {
    results: Vec<Piece>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    message_id: String,
    /// The person, without a plus.
    from: String,
    /// Our number.
    to: String,
    /// All of the text, keyword included.
    text: Secret,
    received_at: Option<String>,
}

/// What became of texts.
#[derive(Deserialize)]
struct Reports {
    results: Vec<Told>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    message_id: String,
    status: Status,
}

impl Infobip {
    /// Sets it up.
    ///
    /// # Errors
    /// When its address cannot be used.
    pub fn new(settings: SmsSettings, client: Client) -> Result<Self, SetupError> {
        let url = settings.base_url.at(&["sms", "3", "messages"]);
        Ok(Self {
            url: url.ok_or(SetupError::Missing("base_url"))?,
            settings,
            client,
        })
    }

    fn body(&self, message: &OutgoingSms) -> serde_json::Value {
        let mut one = json!({
            "destinations": [{ "to": wire::digits(&message.to), "messageId": message.reference }],
            "content": { "text": message.text.expose() },
        });
        let sender = self.settings.route.as_deref().unwrap_or(NEEDS.routes[0]);
        if let Some(from) = &message.from {
            one[sender] = from.as_str().into();
        }
        if let Some(callback) = &self.settings.callback {
            one["webhooks"] = json!({ "delivery": {
                "url": format!("{}/{REPORTS}", callback.expose()),
                "intermediateReport": true,
                "contentType": "application/json",
            }});
        }
        json!({ "messages": [one] })
    }
}

#[async_trait]
impl SmsGateway for Infobip {
    fn name(&self) -> &'static str {
        "infobip"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            most_parts: 10,
            senders: &[SenderKind::Number, SenderKind::Name],
            reports: ReportKind::Called,
            carries_reference: true,
            incoming: IncomingKind::Batches,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<Sent, SendError> {
        let call = Call::post(self.url.clone())
            .header("authorization", &format!("App {}", self.settings.api_key.expose()))
            .json(wire::json(&self.body(message))?);
        let answer = wire::call(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::refused(&answer));
        }
        let answered: Answered = wire::read(&answer)?;
        let Some(taken) = answered.messages.into_iter().next() else {
            return Err(SendError::Unknown("the answer names no text"));
        };
        match taken.status.group_id {
            Some(1 | 3) => {}
            Some(2) => return Err(SendError::Refused(Failure::Undelivered)),
            Some(4) => return Err(SendError::Refused(Failure::Expired)),
            Some(5) => return Err(SendError::Refused(Failure::Rejected)),
            _ => return Err(SendError::Unknown("a status that is not known here")),
        }
        let id = taken.message_id.as_deref().and_then(wire::id);
        Ok(Sent {
            message_id: id.ok_or(SendError::Unknown("the answer has no id"))?,
            cost: None,
        })
    }

    fn hear(&self, request: &RawRequest<'_>) -> Result<Vec<Heard>, HookError> {
        match request.tail {
            "" => {
                let incoming: Incoming = wire::parse(request.body)?;
                let results = bounded(incoming.results)?;
                let heard = results.into_iter().map(|one| received(one, request.country));
                Ok(heard.collect::<Result<_, _>>()?)
            }
            REPORTS => {
                let reports: Reports = wire::parse(request.body)?;
                let reports = bounded(reports.results)?;
                Ok(reports.iter().map(told).collect::<Result<_, _>>()?)
            }
            _ => Err(ParseError::NotACallback.into()),
        }
    }
}

fn bounded<T>(results: Vec<T>) -> Result<Vec<T>, ParseError> {
    if results.len() > MOST_RESULTS {
        return Err(ParseError::TooLong);
    }
    Ok(results)
}

fn received(one: Piece, country: &str) -> Result<Heard, ParseError> {
    if one.text.expose().len() > wire::LONGEST_TEXT {
        return Err(ParseError::TooLong);
    }
    Ok(Heard::Incoming(IncomingSms {
        message_id: wire::id(&one.message_id).ok_or(ParseError::Field("messageId"))?,
        from: Msisdn::parse(&format!("+{}", one.from.trim_start_matches('+')), country)
            .map_err(|_| ParseError::Msisdn)?,
        to: wire::id(&one.to).ok_or(ParseError::Field("to"))?,
        text: one.text,
        part: None,
        received_at: one.received_at.and_then(|at| wire::moment(&at, DATES)),
    }))
}

fn told(one: &Told) -> Result<Heard, ParseError> {
    let message_id = wire::id(&one.message_id).ok_or(ParseError::Field("messageId"))?;
    let state = match one.status.group_name.as_deref().unwrap_or_default() {
        "PENDING" => DeliveryState::Accepted,
        "DELIVERED" => DeliveryState::Delivered,
        "EXPIRED" => DeliveryState::Failed(Failure::Expired),
        "REJECTED" => DeliveryState::Failed(Failure::Rejected),
        "UNDELIVERABLE" => DeliveryState::Failed(Failure::Undelivered),
        _ => return Err(ParseError::Field("groupName")),
    };
    Ok(Heard::Report(DeliveryReport {
        reference: Some(message_id.clone()),
        message_id,
        state,
    }))
}
