//! Twilio: SMS.
//!
//! A message is sent as a form with Basic authentication, account SID and auth token; a successful response is 201 with a
//! `sid`. The sender is a number, or a messaging service if it is a service's SID (`MG…`). Throttling (429, or error 20429)
//! happens before anything is sent; error 21610 says that the person told Twilio to stop.
//!
//! Both callbacks are forms, in the body of a POST or the query of a GET, as the number is set up there. They are signed
//! with the auth token: HMAC-SHA-1, in base64, over the exact URL that is called and every parameter of a POST's body,
//! sorted by name, name and value joined without a separator. Twilio may add parameters without notice, so the signature
//! covers all those received. The URL is built from the configuration, never from what a proxy or a caller says; of a URL
//! with a port Twilio signs now the one spelling and now the other, so the port may be there or not (its own libraries try
//! both), and so may a slash at the end of the path. Ours carries our own message id in its query, so that a report
//! identifies a message whose response was lost.
//!
//! With advanced opt-out Twilio recognizes STOP, START and HELP by itself, answers them, and says so in `OptOutType`.
//!
//! Twilio waits up to 15 s for an answer and does not retry by itself. It expects `TwiML`; an empty document sends nothing
//! to the person, since replies are sent as messages of their own.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use url::Url;

use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::form::{self, DecodedForm};
use crate::gateways::sms::{
    CallbackOutcome, DeliveryReport, HandledKeyword, IncomingSms, OutgoingSms, REPORTS_PATH, ReportMode, SentSms,
    SmsCallback, SmsCallbackError, SmsCapabilities, SmsGateway, SmsRequirements, SmsSendError, SmsSettings,
    SmsSetupError,
};
use crate::gateways::sms_wire::{self as wire, ReportWord};
use crate::gateways::{ParseError, RawRequest, WireReply};
use crate::http_client::{HttpClient, OutboundRequest, OutboundResponse};

pub const REQUIREMENTS: SmsRequirements = SmsRequirements {
    username: Some("the account SID"),
    sender: true,
    base_url: Some("https://api.twilio.com"),
    public_url: true,
    signing_key: false,
    routes: &[],
    callback_paths: &["", REPORTS_PATH],
    settings: &[],
};

const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// The query parameter with our own message id.
const REFERENCE_PARAMETER: &str = "ref";
const RECIPIENT_OPTED_OUT: i64 = 21610;
const THROTTLED: i64 = 20429;

pub struct TwilioSms {
    settings: SmsSettings,
    url: Url,
    username: String,
    /// The callback, and the other spelling of it: with the port of its scheme, or without its port.
    callbacks: [Secret; 2],
    client: HttpClient,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendRequest<'a> {
    to: &'a str,
    /// A pool of numbers that Twilio picks the sender from; then there is no `from`.
    messaging_service_sid: Option<&'a str>,
    from: Option<&'a str>,
    body: &'a str,
    status_callback: &'a str,
}

/// The response to a send, successful or not.
#[derive(Default, Deserialize)]
struct SendResponse {
    sid: Option<String>,
    /// The error code.
    code: Option<i64>,
}

impl TwilioSms {
    /// # Errors
    /// Without an account SID or our own public URL.
    pub fn new(mut settings: SmsSettings, client: HttpClient) -> Result<Self, SmsSetupError> {
        let username = settings.username.clone().ok_or(SmsSetupError::Missing("username"))?;
        let url = settings
            .base_url
            .join(&["2010-04-01", "Accounts", &username, "Messages.json"]);
        let callback = settings.callback.take().ok_or(SmsSetupError::Missing("public_url"))?;
        Ok(Self {
            url: url.ok_or(SmsSetupError::Missing("base_url"))?,
            username,
            callbacks: [Secret::new(other_port_spelling(callback.expose())), callback],
            settings,
            client,
        })
    }

    fn callback(&self) -> &str {
        self.callbacks[1].expose()
    }

    /// Verifies the signature over the URL that was called and the body's parameters.
    fn check_signature(&self, request: &RawRequest<'_>) -> Result<(), SmsCallbackError> {
        let mut given = request.headers.iter().filter(|(name, _)| name == SIGNATURE_HEADER);
        let (Some((_, signature)), None) = (given.next(), given.next()) else {
            return Err(SmsCallbackError::Unauthentic);
        };
        let signature = STANDARD.decode(signature).map_err(|_| SmsCallbackError::Unauthentic)?;
        let token = self.settings.api_key.expose().as_bytes();
        let keyed = Hmac::<Sha1>::new_from_slice(token).map_err(|_| SmsCallbackError::Unauthentic)?;
        let [_, body] = signed_parts(request);
        let mut pairs = form::pairs(body)?;
        pairs.sort_by(|a, b| (a.0.as_slice(), a.1.as_slice()).cmp(&(b.0.as_slice(), b.1.as_slice())));
        let spellings = self
            .callbacks
            .iter()
            .flat_map(|callback| [&b""[..], b"/"].map(|end| (callback, end)));
        for (callback, end) in spellings {
            let mut mac = keyed.clone();
            mac.update(callback.expose().as_bytes());
            for (before, more) in [("/", request.tail.as_bytes()), ("", end), ("?", request.query)] {
                if !more.is_empty() {
                    mac.update(before.as_bytes());
                    mac.update(more);
                }
            }
            for (name, value) in &pairs {
                mac.update(name);
                mac.update(value);
            }
            if mac.verify_slice(&signature).is_ok() {
                return Ok(());
            }
        }
        Err(SmsCallbackError::Unauthentic)
    }
}

#[async_trait]
impl SmsGateway for TwilioSms {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 10,
            reports: ReportMode::Pushed,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        let sender = message.from.as_deref().unwrap_or_default();
        let is_service = sender.starts_with("MG");
        let reports = format!(
            "{}/{REPORTS_PATH}?{REFERENCE_PARAMETER}={}",
            self.callback(),
            message.reference
        );
        let call = OutboundRequest::post(self.url.clone())
            .header(
                "authorization",
                &wire::basic_auth(&self.username, &self.settings.api_key),
            )
            .form(&SendRequest {
                to: message.to.as_str(),
                messaging_service_sid: is_service.then_some(sender),
                from: (!is_service).then_some(sender),
                body: message.text.expose(),
                status_callback: &reports,
            });
        let answer = wire::send(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(send_error(&answer));
        }
        let answered: SendResponse = wire::parse_response(&answer)?;
        let id = answered.sid.as_deref().and_then(wire::valid_id);
        Ok(SentSms {
            message_id: id.ok_or(SmsSendError::Unknown("the answer has no id"))?,
            cost: None,
        })
    }

    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        self.check_signature(request)?;
        match request.tail {
            "" => Ok(vec![wire::entry(parse_incoming(request))]),
            REPORTS_PATH => {
                let report = parse_report(request).transpose();
                Ok(report.map(wire::entry).into_iter().collect())
            }
            _ => Err(ParseError::NotACallback.into()),
        }
    }

    fn render_answer(&self, answer: CallbackOutcome) -> WireReply {
        WireReply {
            content_type: "text/xml; charset=utf-8",
            body: b"<Response/>".to_vec(),
            ..wire::empty_reply(match answer {
                CallbackOutcome::Accepted => 200,
                CallbackOutcome::Unauthentic => 403,
                CallbackOutcome::Malformed => 400,
                CallbackOutcome::Unavailable => 503,
            })
        }
    }
}

fn send_error(answer: &OutboundResponse) -> SmsSendError {
    let code = serde_json::from_slice::<SendResponse>(&answer.body)
        .unwrap_or_default()
        .code;
    match (answer.status, code) {
        (400..=499, Some(RECIPIENT_OPTED_OUT)) => SmsSendError::Refused(SmsFailureReason::OptedOut),
        (400..=499, Some(THROTTLED)) => SmsSendError::NotSent("the gateway wants us to wait", answer.retry_after),
        _ => wire::error_from_status(answer),
    }
}

/// The URL with its port left out, or with that of its scheme where it has none.
fn other_port_spelling(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()));
    let default = if scheme == "http" { 80 } else { 443 };
    match port {
        Some((host, _)) => format!("{scheme}://{host}{path}"),
        None => format!("{scheme}://{authority}:{default}{path}"),
    }
}

/// The query and the body, as far as they are signed: of a GET Twilio signs the URL alone, so a body beside it is nobody's.
fn signed_parts<'a>(request: &RawRequest<'a>) -> [&'a [u8]; 2] {
    [request.query, if request.method == "GET" { &[] } else { request.body }]
}

fn parse_incoming(request: &RawRequest<'_>) -> Result<SmsCallback, ParseError> {
    let form = DecodedForm::find(
        &signed_parts(request),
        ["MessageSid", "From", "To", "Body", "OptOutType"],
    );
    let from = form.required("From", wire::MAX_NUMBER_BYTES)?;
    let handled = form.optional_token("OptOutType", wire::MAX_ID_BYTES)?;
    let handled = handled.and_then(|word| match word.to_ascii_uppercase().as_str() {
        "STOP" => Some(HandledKeyword::Stop),
        "START" => Some(HandledKeyword::Start),
        "HELP" => Some(HandledKeyword::Help),
        _ => None,
    });
    let body = form.lossy("Body", wire::MAX_TEXT_BYTES).and_then(wire::incoming_text);
    Ok(SmsCallback::Incoming(IncomingSms {
        message_id: form.token("MessageSid", wire::MAX_ID_BYTES)?,
        from: Msisdn::parse(&from, request.country).map_err(|_| ParseError::Msisdn)?,
        to: form
            .optional_token("To", wire::MAX_NUMBER_BYTES)
            .ok()
            .flatten()
            .unwrap_or_default(),
        // What Twilio has handled says all that is wanted, whatever the text was.
        text: if handled.is_some() {
            body.unwrap_or_else(|_| Secret::new(String::new()))
        } else {
            body?
        },
        handled,
        part: None,
        received_at: None,
    }))
}

/// `None` for a state that says nothing new.
fn parse_report(request: &RawRequest<'_>) -> Result<Option<SmsCallback>, ParseError> {
    let names = ["MessageSid", "MessageStatus", "ErrorCode", REFERENCE_PARAMETER];
    let form = DecodedForm::find(&signed_parts(request), names);
    let message_id = form.token("MessageSid", wire::MAX_ID_BYTES)?;
    let code = form.optional_token("ErrorCode", wire::MAX_ID_BYTES)?;
    let stopped = code.and_then(|code| code.parse().ok()) == Some(RECIPIENT_OPTED_OUT);
    let state = match form.token("MessageStatus", wire::MAX_ID_BYTES)?.as_str() {
        "queued" => SmsDeliveryState::Accepted,
        "undelivered" | "failed" if stopped => SmsDeliveryState::Failed(SmsFailureReason::OptedOut),
        "failed" => SmsDeliveryState::Failed(SmsFailureReason::Rejected),
        word => match wire::report_word(word) {
            ReportWord::State(state) => state,
            ReportWord::NothingNew => return Ok(None),
            ReportWord::Unknown => return Err(ParseError::Field("MessageStatus")),
        },
    };
    Ok(Some(SmsCallback::Report(DeliveryReport {
        message_id,
        reference: form.optional_token(REFERENCE_PARAMETER, wire::MAX_ID_BYTES)?,
        state,
    })))
}
