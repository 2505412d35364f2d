//! Africa's Talking: SMS.
//!
//! A message is sent as a form with the key in the header `apikey`. A successful response is 201 (200 is accepted, too) and
//! holds one recipient with `status`, `statusCode` and `messageId`. The values of `status` other than `Success` are not
//! listed together anywhere: those known from delivery reports are understood, and any other leaves it unknown whether the
//! message was sent, so that it is never sent twice. Each callback is a form: incoming messages come to the callback itself,
//! delivery reports and opt-outs to `…/reports`, as the operator registers them. An incoming message is retried until it is
//! answered with 200, for up to twelve hours, so one that cannot be parsed is answered with 200 as well: it never will be.
//! Of the states in reports `Sent`, `Submitted` and `Buffered` are on the way; more ends are seen than are documented
//! (`Expired`, `AbsentSubscriber`), so a state that is not known is an end, too. A delivery told after it still counts.
//!
//! Nothing is signed; the secret in the path authenticates the caller. Longer messages arrive joined.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::core::msisdn::Msisdn;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::form::DecodedForm;
use crate::gateways::sms::{
    CallbackOutcome, DeliveryReport, IncomingSms, OutgoingSms, REPORTS_PATH, ReportMode, SentSms, SmsCallback,
    SmsCallbackError, SmsCapabilities, SmsGateway, SmsRequirements, SmsSendError, SmsSettings, SmsSetupError,
};
use crate::gateways::sms_wire::{self as wire, ReportWord};
use crate::gateways::{ParseError, RawRequest, WireReply};
use crate::http_client::{HttpClient, OutboundRequest};

pub const REQUIREMENTS: SmsRequirements = SmsRequirements {
    username: Some("the name of your app there"),
    sender: false,
    base_url: Some("https://api.africastalking.com"),
    public_url: false,
    signing_key: false,
    routes: &[],
    callback_paths: &["", REPORTS_PATH],
    settings: &[],
};

/// `2026-05-03T06:04:45Z` and `2026-05-03 06:04:45` have both been seen.
const DATES: &[&str] = &["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"];

pub struct AfricasTalkingSms {
    settings: SmsSettings,
    url: Url,
    username: String,
    client: HttpClient,
}

#[derive(Serialize)]
struct SendRequest<'a> {
    username: &'a str,
    to: &'a str,
    message: &'a str,
    /// Always 1: the sender pays.
    #[serde(rename = "bulkSMSMode")]
    bulk_sms_mode: u8,
    from: Option<&'a str>,
}

#[derive(Deserialize)]
struct SendResponse {
    #[serde(rename = "SMSMessageData")]
    data: SmsMessageData,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SmsMessageData {
    /// One for each number; none if nothing was sent to anybody.
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    /// `Success`, or why not.
    status: String,
    /// The id in delivery reports; `None`, as text, if it was not sent.
    message_id: Option<String>,
    /// Currency and amount: `KES 0.8000`.
    cost: Option<String>,
}

impl AfricasTalkingSms {
    /// # Errors
    /// Without a username.
    pub fn new(settings: SmsSettings, client: HttpClient) -> Result<Self, SmsSetupError> {
        Ok(Self {
            url: settings
                .base_url
                .join(&["version1", "messaging"])
                .ok_or(SmsSetupError::Missing("base_url"))?,
            username: settings.username.clone().ok_or(SmsSetupError::Missing("username"))?,
            settings,
            client,
        })
    }
}

#[async_trait]
impl SmsGateway for AfricasTalkingSms {
    fn name(&self) -> &'static str {
        "africastalking"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 10,
            reports: ReportMode::Pushed,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        let form = SendRequest {
            username: &self.username,
            to: message.to.as_str(),
            message: message.text.expose(),
            bulk_sms_mode: 1,
            from: message.from.as_deref(),
        };
        let call = OutboundRequest::post(self.url.clone())
            .header("apikey", self.settings.api_key.expose())
            .form(&form);
        let answer = wire::send(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::error_from_status(&answer));
        }
        let answered: SendResponse = wire::parse_response(&answer)?;
        let recipient = answered.data.recipients.into_iter().next();
        // The summary then says why in prose, for instance that the sender's name is not ours. It would again.
        sent_sms(recipient.ok_or(SmsSendError::Refused(SmsFailureReason::Rejected))?)
    }

    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        match request.tail {
            "" => Ok(vec![parse_incoming(request)?]),
            REPORTS_PATH => Ok(parse_report(request)?.into_iter().collect()),
            _ => Err(ParseError::NotACallback.into()),
        }
    }

    fn render_answer(&self, answer: CallbackOutcome) -> WireReply {
        wire::empty_reply(match answer {
            CallbackOutcome::Accepted | CallbackOutcome::Malformed => 200,
            CallbackOutcome::Unauthentic => 403,
            CallbackOutcome::Unavailable => 503,
        })
    }
}

fn sent_sms(recipient: Recipient) -> Result<SentSms, SmsSendError> {
    match recipient.status.as_str() {
        "Success" => {
            let id = recipient.message_id.as_deref().filter(|id| *id != "None");
            Ok(SentSms {
                message_id: id
                    .and_then(wire::valid_id)
                    .ok_or(SmsSendError::Unknown("the answer has no id"))?,
                cost: recipient.cost,
            })
        }
        "InsufficientBalance" | "InsufficientCredit" => Err(SmsSendError::NotSent("the account has no credit", None)),
        "InvalidPhoneNumber" | "UnsupportedNumberType" => Err(SmsSendError::Refused(SmsFailureReason::InvalidNumber)),
        "InvalidSenderId" | "RiskHold" => Err(SmsSendError::Refused(SmsFailureReason::Rejected)),
        word => match failure_reason(word) {
            SmsFailureReason::Undelivered => Err(SmsSendError::Unknown("a status that is not known here")),
            why => Err(SmsSendError::Refused(why)),
        },
    }
}

/// The values of `failureReason`. Those of a send's `status` that mean the same differ in letter case only.
fn failure_reason(word: &str) -> SmsFailureReason {
    match word.to_ascii_lowercase().as_str() {
        "userinblacklist" | "donotdisturbrejection" => SmsFailureReason::OptedOut,
        "userdoesnotexist" | "notnetworksubscriber" | "userisinactive" | "useraccountsuspended" => {
            SmsFailureReason::InvalidNumber
        }
        "insufficientcredit" | "invalidlinkid" | "usernotsubscribedtoproduct" => SmsFailureReason::Rejected,
        _ => SmsFailureReason::Undelivered,
    }
}

fn parse_incoming(request: &RawRequest<'_>) -> Result<SmsCallback, ParseError> {
    let form = DecodedForm::find(&[request.query, request.body], ["id", "from", "to", "text", "date"]);
    let message_id = form.token("id", wire::MAX_ID_BYTES)?;
    let read = || -> Result<_, ParseError> {
        let from = form.required("from", wire::MAX_NUMBER_BYTES)?;
        // Neither says what is wanted: one that cannot be read spoils nothing.
        let date = form.optional_token("date", wire::MAX_NUMBER_BYTES).ok().flatten();
        let to = form.optional_token("to", wire::MAX_NUMBER_BYTES).ok().flatten();
        Ok(SmsCallback::Incoming(IncomingSms {
            message_id,
            from: Msisdn::parse(&from, request.country).map_err(|_| ParseError::Msisdn)?,
            to: to.unwrap_or_default(),
            text: wire::incoming_text(form.lossy("text", wire::MAX_TEXT_BYTES)?)?,
            handled: None,
            part: None,
            received_at: date.and_then(|date| wire::parse_time(&date, DATES)),
        }))
    };
    Ok(wire::entry(read()))
}

/// `None` for a state that says nothing new.
fn parse_report(request: &RawRequest<'_>) -> Result<Option<SmsCallback>, ParseError> {
    let form = DecodedForm::find(
        &[request.query, request.body],
        ["id", "status", "failureReason", "senderId", "phoneNumber"],
    );
    if form.optional_token("senderId", wire::MAX_ID_BYTES)?.is_some()
        && form.optional("id", wire::MAX_ID_BYTES)?.is_none()
    {
        let number = form.required("phoneNumber", wire::MAX_NUMBER_BYTES)?;
        let number = Msisdn::parse(&number, request.country).map_err(|_| ParseError::Msisdn);
        return Ok(Some(wire::entry(number.map(SmsCallback::OptedOut))));
    }
    let message_id = form.token("id", wire::MAX_ID_BYTES)?;
    let read = || -> Result<_, ParseError> {
        let status = form.token("status", wire::MAX_ID_BYTES)?;
        let why = form.optional_token("failureReason", wire::MAX_ID_BYTES)?;
        let state = delivery_state(&status, why.as_deref());
        Ok(state.map(|state| DeliveryReport {
            message_id,
            reference: None,
            state,
        }))
    };
    Ok(match read() {
        Ok(report) => report.map(SmsCallback::Report),
        Err(error) => Some(wire::entry(Err(error))),
    })
}

/// `None` for one that says nothing new.
fn delivery_state(status: &str, why: Option<&str>) -> Option<SmsDeliveryState> {
    let why = why.map(failure_reason);
    Some(match status {
        "Sent" | "Submitted" | "Buffered" => SmsDeliveryState::Sent,
        "Success" => SmsDeliveryState::Delivered,
        "Failed" => SmsDeliveryState::Failed(why.unwrap_or(SmsFailureReason::Undelivered)),
        word => match wire::report_word(word) {
            ReportWord::NothingNew => return None,
            ReportWord::Unknown => SmsDeliveryState::Failed(why.unwrap_or(SmsFailureReason::Undelivered)),
            ReportWord::State(SmsDeliveryState::Failed(said)) => {
                // The reason says more than the word, where it says anything.
                SmsDeliveryState::Failed(why.filter(|why| *why != SmsFailureReason::Undelivered).unwrap_or(said))
            }
            ReportWord::State(state) => state,
        },
    })
}
