//! Termii (Nigeria): SMS.
//!
//! A message is sent as JSON with the key in the body, to a host that Termii assigns to each account. `route` is what
//! Termii calls the channel: `dnd` reaches everybody, `generic` not those on the do-not-disturb list, and not MTN at night.
//! The format of the response to a send is not known for certain: its `message_id` is read if there is one, as text or
//! number, and without one it is unknown whether the message was sent. All events of an account come to one address,
//! whichever path of ours that is: `type` distinguishes them. For incoming messages the field names of a report are assumed.
//!
//! Events are signed with HMAC-SHA-512 over the body. It is assumed that the body is signed as received, and the signature
//! written in hexadecimal. So the signature is verified only if a signing key is set; without one, the secret in the path
//! alone authenticates the caller.

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha512;
use url::Url;

use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::sms::{
    DeliveryReport, IncomingSms, OutgoingSms, ReportMode, SentSms, SmsCallback, SmsCallbackError, SmsCapabilities,
    SmsGateway, SmsRequirements, SmsSendError, SmsSettings, SmsSetupError,
};
use crate::gateways::sms_wire::{self as wire, ReportWord};
use crate::gateways::{ParseError, RawRequest};
use crate::http_client::{HttpClient, OutboundRequest};

pub const REQUIREMENTS: SmsRequirements = SmsRequirements {
    username: None,
    sender: true,
    base_url: None,
    public_url: false,
    signing_key: true,
    routes: &["dnd", "generic"],
    callback_paths: &[""],
    settings: &[],
};

const SIGNATURE: &str = "x-termii-signature";
/// How times are written. The time zone is not documented; UTC is assumed.
const DATES: &[&str] = &["%Y-%m-%d %H:%M:%S"];

pub struct TermiiSms {
    settings: SmsSettings,
    url: Url,
    client: HttpClient,
}

#[derive(Serialize)]
struct SendRequest<'a> {
    api_key: &'a str,
    /// Without a plus.
    to: &'a str,
    /// A registered sender name, 3 to 11 characters.
    from: &'a str,
    sms: &'a str,
    /// `plain`, for text in common alphabets.
    r#type: &'static str,
    channel: &'a str,
}

/// What every event says, whatever else is in it.
#[derive(Deserialize)]
struct EventType {
    /// `outbound` for a report, `inbound` for a message from a person.
    r#type: String,
}

/// An event, as far as it is read.
#[derive(Deserialize)]
struct TermiiEvent {
    /// The id from the response to the send.
    message_id: Value,
    /// Who received it.
    #[serde(default, deserialize_with = "wire::lenient")]
    receiver: Option<String>,
    /// Who sent it.
    #[serde(default, deserialize_with = "wire::lenient")]
    sender: Option<String>,
    message: Option<Secret>,
    #[serde(default, deserialize_with = "wire::lenient")]
    sent_at: Option<String>,
    #[serde(default, deserialize_with = "wire::lenient")]
    status: Option<String>,
}

impl TermiiSms {
    /// # Errors
    /// When its base URL cannot be used.
    pub fn new(settings: SmsSettings, client: HttpClient) -> Result<Self, SmsSetupError> {
        let url = settings.base_url.join(&["api", "sms", "send"]);
        Ok(Self {
            url: url.ok_or(SmsSetupError::Missing("base_url"))?,
            settings,
            client,
        })
    }

    fn check_signature(&self, request: &RawRequest<'_>) -> Result<(), SmsCallbackError> {
        let Some(key) = &self.settings.signing_key else {
            return Ok(());
        };
        let mut given = request.headers.iter().filter(|(name, _)| name == SIGNATURE);
        let (Some((_, signature)), None) = (given.next(), given.next()) else {
            return Err(SmsCallbackError::Unauthentic);
        };
        let signature = wire::decode_hex(signature).ok_or(SmsCallbackError::Unauthentic)?;
        let mut mac =
            Hmac::<Sha512>::new_from_slice(key.expose().as_bytes()).map_err(|_| SmsCallbackError::Unauthentic)?;
        mac.update(request.body);
        mac.verify_slice(&signature).map_err(|_| SmsCallbackError::Unauthentic)
    }
}

#[async_trait]
impl SmsGateway for TermiiSms {
    fn name(&self) -> &'static str {
        "termii"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 6,
            reports: ReportMode::Pushed,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        let body = SendRequest {
            api_key: self.settings.api_key.expose(),
            to: wire::without_plus(&message.to),
            from: message.from.as_deref().unwrap_or_default(),
            sms: message.text.expose(),
            r#type: "plain",
            channel: self.settings.route.as_deref().unwrap_or(REQUIREMENTS.routes[0]),
        };
        let call = OutboundRequest::post(self.url.clone()).json(wire::json_body(&body)?);
        let answer = wire::send(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::error_from_status(&answer));
        }
        let answered: Value = wire::parse_response(&answer)?;
        let id = answered.get("message_id").and_then(parse_id);
        Ok(SentSms {
            message_id: id.ok_or(SmsSendError::Unknown("the answer has no id"))?,
            cost: None,
        })
    }

    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        self.check_signature(request)?;
        let body = wire::readable_json(request.body);
        let event: EventType = serde_json::from_str(&body).map_err(|_| wire::NOT_THE_JSON)?;
        let read = match event.r#type.to_ascii_lowercase().as_str() {
            "outbound" => parse_report(&body).transpose(),
            "inbound" => Some(parse_incoming(&body, request.country)),
            // Termii may add other types at any time; they do not concern us.
            _ => None,
        };
        Ok(read.map(wire::entry).into_iter().collect())
    }
}

/// An id, as text or as a number.
fn parse_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => wire::valid_id(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn parse_event(body: &str) -> Result<(String, TermiiEvent), ParseError> {
    let event: TermiiEvent = serde_json::from_str(body).map_err(|_| ParseError::Field("event"))?;
    let message_id = parse_id(&event.message_id).ok_or(ParseError::Field("message_id"))?;
    Ok((message_id, event))
}

/// `None` for a status that says nothing new.
fn parse_report(body: &str) -> Result<Option<SmsCallback>, ParseError> {
    let (message_id, event) = parse_event(body)?;
    let state = parse_state(event.status.as_deref().unwrap_or_default())?;
    Ok(state.map(|state| {
        SmsCallback::Report(DeliveryReport {
            message_id,
            reference: None,
            state,
        })
    }))
}

/// A status is a word, a sentence, or a word with a sentence after a vertical bar. `None` for one that says nothing new.
fn parse_state(status: &str) -> Result<Option<SmsDeliveryState>, ParseError> {
    let word = status.split('|').next().unwrap_or_default().trim();
    // On the network's do-not-disturb list, which another route may still reach.
    if word.eq_ignore_ascii_case("dnd active on phone number") {
        return Ok(Some(SmsDeliveryState::Failed(SmsFailureReason::Rejected)));
    }
    match wire::report_word(word) {
        ReportWord::State(state) => Ok(Some(state)),
        ReportWord::NothingNew => Ok(None),
        ReportWord::Unknown => Err(ParseError::Field("status")),
    }
}

fn parse_incoming(body: &str, country: &str) -> Result<SmsCallback, ParseError> {
    let (message_id, event) = parse_event(body)?;
    let from = event.sender.ok_or(ParseError::Field("sender"))?;
    Ok(SmsCallback::Incoming(IncomingSms {
        message_id,
        from: wire::sender(&from, country)?,
        to: event.receiver.and_then(|to| wire::valid_id(&to)).unwrap_or_default(),
        text: wire::incoming_text(event.message.ok_or(ParseError::Field("message"))?)?,
        handled: None,
        part: None,
        received_at: event.sent_at.and_then(|at| wire::parse_time(&at, DATES)),
    }))
}
