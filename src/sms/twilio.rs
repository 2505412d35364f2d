//! Twilio: texts.
//!
//! A text is sent as a form with Basic authentication, account SID and auth token; a good answer is 201 with a `sid`. It
//! comes from a number, or from a messaging service when the sender is one's SID (`MG…`). Throttling (429, or error 20429)
//! is before anything is sent; error 21610 says that the person told Twilio to stop.
//!
//! Both callbacks are forms, signed with the auth token: HMAC-SHA-1, in base 64, over the exact public URL and every
//! parameter of the body, sorted by name, name and value joined without anything between. Parameters are added without
//! notice, so all of those received are signed over. The URL is built from the configuration, never from what a proxy or a
//! caller says. Ours carries the text's own id in its query, so that a report tells of a text whose answer was lost.
//!
//! Twilio waits for an answer up to 15 s and does not come again by itself. It wants `TwiML`; the empty one says nothing to
//! the person, for replies are sent as texts of their own.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use url::Url;

use super::{
    Capabilities, DeliveryReport, Heard, HookAnswer, HookError, IncomingKind, IncomingSms, Needs, OutgoingSms, REPORTS,
    ReportKind, SendError, SenderKind, Sent, SetupError, SmsGateway, SmsSettings, wire,
};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{DeliveryState, Failure};
use crate::gateways::form::{self, Form};
use crate::gateways::{ParseError, RawRequest, WireReply};
use crate::providers::http::{Answer, Call, Client};

/// What it must be told.
pub const NEEDS: Needs = Needs {
    username: Some("the account SID"),
    sender: true,
    base_url: Some("https://api.twilio.com"),
    public_url: true,
    signing_key: false,
    routes: &[],
};

/// The header of the signature.
const SIGNATURE: &str = "x-twilio-signature";
/// The query's name for our own id of a text.
const REFERENCE: &str = "ref";
/// The error of somebody who told Twilio to stop.
const STOPPED: i64 = 21610;
/// The error of being asked to wait.
const THROTTLED: i64 = 20429;

/// Twilio, as one account of ours uses it.
pub struct Twilio {
    settings: SmsSettings,
    url: Url,
    username: String,
    callback: Secret,
    client: Client,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twilio")
    }
}

/// The answer to a send, good or bad.
#[derive(Default, Deserialize)]
struct Answered {
    /// The id of the text.
    sid: Option<String>,
    /// The error's number.
    code: Option<i64>,
}

impl Twilio {
    /// Sets it up.
    ///
    /// # Errors
    /// Without an account SID or our own public URL.
    pub fn new(mut settings: SmsSettings, client: Client) -> Result<Self, SetupError> {
        let username = settings.username.clone().ok_or(SetupError::Missing("username"))?;
        let url = settings
            .base_url
            .at(&["2010-04-01", "Accounts", &username, "Messages.json"]);
        Ok(Self {
            url: url.ok_or(SetupError::Missing("base_url"))?,
            username,
            callback: settings.callback.take().ok_or(SetupError::Missing("public_url"))?,
            settings,
            client,
        })
    }

    /// What was signed: the URL that was called, then the body's parameters.
    fn check(&self, request: &RawRequest<'_>) -> Result<(), HookError> {
        let mut given = request.headers.iter().filter(|(name, _)| name == SIGNATURE);
        let (Some((_, signature)), None) = (given.next(), given.next()) else {
            return Err(HookError::Unauthentic);
        };
        let signature = STANDARD.decode(signature).map_err(|_| HookError::Unauthentic)?;
        let token = self.settings.api_key.expose().as_bytes();
        let mut mac = Hmac::<Sha1>::new_from_slice(token).map_err(|_| HookError::Unauthentic)?;
        mac.update(self.callback.expose().as_bytes());
        for (before, more) in [("/", request.tail.as_bytes()), ("?", request.query)] {
            if !more.is_empty() {
                mac.update(before.as_bytes());
                mac.update(more);
            }
        }
        let mut pairs = form::pairs(request.body)?;
        pairs.sort_by(|a, b| (a.0.as_slice(), a.1.as_slice()).cmp(&(b.0.as_slice(), b.1.as_slice())));
        for (name, value) in &pairs {
            mac.update(name);
            mac.update(value);
        }
        // In constant time.
        mac.verify_slice(&signature).map_err(|_| HookError::Unauthentic)
    }
}

#[async_trait]
impl SmsGateway for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            most_parts: 10,
            senders: &[SenderKind::Number, SenderKind::Name, SenderKind::Pool],
            reports: ReportKind::Called,
            carries_reference: true,
            incoming: IncomingKind::Whole,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<Sent, SendError> {
        let from = message.from.clone().unwrap_or_default();
        let sender = if from.starts_with("MG") {
            "MessagingServiceSid"
        } else {
            "From"
        };
        let reports = format!("{}/{REPORTS}?{REFERENCE}={}", self.callback.expose(), message.reference);
        let call = Call::post(self.url.clone())
            .header("authorization", &wire::basic(&self.username, &self.settings.api_key))
            .form(&[
                ("To", message.to.as_str().to_owned()),
                (sender, from),
                ("Body", message.text.expose().to_owned()),
                ("StatusCallback", reports),
            ]);
        let answer = wire::call(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(refused(&answer));
        }
        let answered: Answered = wire::read(&answer)?;
        let id = answered.sid.as_deref().and_then(wire::id);
        Ok(Sent {
            message_id: id.ok_or(SendError::Unknown("the answer has no id"))?,
            cost: None,
        })
    }

    fn hear(&self, request: &RawRequest<'_>) -> Result<Vec<Heard>, HookError> {
        self.check(request)?;
        match request.tail {
            "" => Ok(vec![Heard::Incoming(incoming(request)?)]),
            REPORTS => Ok(report(request)?.map(Heard::Report).into_iter().collect()),
            _ => Err(ParseError::NotACallback.into()),
        }
    }

    fn answer(&self, answer: HookAnswer) -> WireReply {
        WireReply {
            content_type: "text/xml; charset=utf-8",
            body: b"<Response/>".to_vec(),
            ..wire::empty(match answer {
                HookAnswer::Taken => 200,
                HookAnswer::Unauthentic => 403,
                HookAnswer::Garbled => 400,
                HookAnswer::Unavailable => 503,
            })
        }
    }
}

fn refused(answer: &Answer) -> SendError {
    let code = serde_json::from_slice::<Answered>(&answer.body)
        .unwrap_or_default()
        .code;
    match (answer.status, code) {
        (400..=499, Some(STOPPED)) => SendError::Refused(Failure::OptedOut),
        (400..=499, Some(THROTTLED)) => SendError::NotSent("the gateway wants us to wait", answer.retry_after),
        _ => wire::refused(answer),
    }
}

fn incoming(request: &RawRequest<'_>) -> Result<IncomingSms, ParseError> {
    let form = Form::read(&[request.body], ["MessageSid", "From", "To", "Body"]);
    let message_id = form.token("MessageSid", wire::LONGEST_ID)?;
    let from = form.required("From", wire::LONGEST_NUMBER)?;
    Ok(IncomingSms {
        message_id,
        from: Msisdn::parse(&from, request.country).map_err(|_| ParseError::Msisdn)?,
        to: form.token("To", wire::LONGEST_NUMBER)?,
        text: Secret::new(form.required("Body", wire::LONGEST_TEXT)?),
        part: None,
        received_at: None,
    })
}

/// A state that is not known here is none: more of them exist than are documented together.
fn report(request: &RawRequest<'_>) -> Result<Option<DeliveryReport>, ParseError> {
    let form = Form::read(&[request.body], ["MessageSid", "MessageStatus", "ErrorCode"]);
    let message_id = form.token("MessageSid", wire::LONGEST_ID)?;
    let code = form.optional_token("ErrorCode", wire::LONGEST_ID)?;
    let stopped = code.and_then(|code| code.parse().ok()) == Some(STOPPED);
    let state = match form.token("MessageStatus", wire::LONGEST_ID)?.as_str() {
        "queued" => DeliveryState::Accepted,
        "sent" => DeliveryState::Sent,
        "delivered" | "read" => DeliveryState::Delivered,
        "undelivered" | "failed" if stopped => DeliveryState::Failed(Failure::OptedOut),
        "undelivered" => DeliveryState::Failed(Failure::Undelivered),
        "failed" => DeliveryState::Failed(Failure::Rejected),
        _ => return Ok(None),
    };
    let reference = Form::read(&[request.query], [REFERENCE]).optional_token(REFERENCE, wire::LONGEST_ID)?;
    Ok(Some(DeliveryReport {
        message_id,
        reference,
        state,
    }))
}
