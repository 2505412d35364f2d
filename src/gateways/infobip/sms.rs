//! Infobip: SMS, version 3 of its API.
//!
//! A message is sent as JSON with `Authorization: App KEY`, to a host that Infobip assigns to each account. It carries our
//! own id as `messageId`, which comes back in reports, and the URL that reports go to. Whether a second message with the
//! same id is refused is not known, so that is not relied on. The first field of a message is `from` in what was seen to
//! work, and perhaps `sender` in newer documents: `route` says which.
//!
//! Incoming messages and reports come as lists, which are acknowledged as a whole or not at all: an entry that cannot be
//! read is dropped by itself, since it never can be. Times have an offset without a colon. Signatures are an option of the account about which nothing is known: the secret in the path authenticates the
//! caller.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::sms::{
    DeliveryReport, IncomingSms, OutgoingSms, REPORTS_PATH, ReportMode, SentSms, SmsCallback, SmsCallbackError,
    SmsCapabilities, SmsGateway, SmsRequirements, SmsSendError, SmsSettings, SmsSetupError,
};
use crate::gateways::sms_wire::{self as wire, ReportWord};
use crate::gateways::{ParseError, RawRequest};
use crate::http_client::{HttpClient, OutboundRequest};

pub const REQUIREMENTS: SmsRequirements = SmsRequirements {
    username: None,
    sender: true,
    base_url: None,
    public_url: false,
    signing_key: false,
    routes: &["from", "sender"],
    callback_paths: &["", REPORTS_PATH],
    settings: &[],
};

/// `2026-10-06T09:28:39.220+0000`
const DATES: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f%z"];

pub struct InfobipSms {
    settings: SmsSettings,
    url: Url,
    client: HttpClient,
}

#[derive(Deserialize)]
struct SendResponse {
    messages: Vec<SentMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMessage {
    /// Our own, unless Infobip chose another.
    message_id: Option<String>,
    status: MessageStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStatus {
    /// 0 is accepted, 1 pending and 3 delivered. 2 is undeliverable, 4 expired, 5 rejected.
    group_id: Option<i64>,
    /// The same, as a word in capital letters.
    group_name: Option<String>,
}

/// A list, each entry as it was written.
#[derive(Deserialize)]
struct ResultList<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncomingMessage {
    #[serde(default, deserialize_with = "wire::lenient")]
    message_id: Option<String>,
    /// Without a plus.
    #[serde(default, deserialize_with = "wire::lenient")]
    from: Option<String>,
    #[serde(default, deserialize_with = "wire::lenient")]
    to: Option<String>,
    /// The whole text, keyword included; none where a picture or binary data was sent.
    text: Option<Secret>,
    #[serde(default, deserialize_with = "wire::lenient")]
    received_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportEntry {
    message_id: String,
    status: MessageStatus,
}

impl InfobipSms {
    /// # Errors
    /// When its base URL cannot be used.
    pub fn new(settings: SmsSettings, client: HttpClient) -> Result<Self, SmsSetupError> {
        let url = settings.base_url.join(&["sms", "3", "messages"]);
        Ok(Self {
            url: url.ok_or(SmsSetupError::Missing("base_url"))?,
            settings,
            client,
        })
    }

    fn body(&self, message: &OutgoingSms) -> serde_json::Value {
        let mut one = json!({
            "destinations": [{ "to": wire::without_plus(&message.to), "messageId": message.reference }],
            "content": { "text": message.text.expose() },
        });
        let sender = self.settings.route.as_deref().unwrap_or(REQUIREMENTS.routes[0]);
        if let Some(from) = &message.from {
            one[sender] = from.as_str().into();
        }
        if let Some(callback) = &self.settings.callback {
            one["webhooks"] = json!({ "delivery": {
                "url": format!("{}/{REPORTS_PATH}", callback.expose()),
                "intermediateReport": true,
                "contentType": "application/json",
            }});
        }
        json!({ "messages": [one] })
    }
}

#[async_trait]
impl SmsGateway for InfobipSms {
    fn name(&self) -> &'static str {
        "infobip"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 10,
            reports: ReportMode::Pushed,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        let call = OutboundRequest::post(self.url.clone())
            .header("authorization", &format!("App {}", self.settings.api_key.expose()))
            .json(wire::json_body(&self.body(message))?);
        let answer = wire::send(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::error_from_status(&answer));
        }
        let answered: SendResponse = wire::parse_response(&answer)?;
        let Some(taken) = answered.messages.into_iter().next() else {
            return Err(SmsSendError::Unknown("the answer names no text"));
        };
        match taken.status.group_id {
            Some(1 | 3) => {}
            Some(2) => return Err(SmsSendError::Refused(SmsFailureReason::Undelivered)),
            Some(4) => return Err(SmsSendError::Refused(SmsFailureReason::Expired)),
            Some(5) => return Err(SmsSendError::Refused(SmsFailureReason::Rejected)),
            _ => return Err(SmsSendError::Unknown("a status that is not known here")),
        }
        let id = taken.message_id.as_deref().and_then(wire::valid_id);
        Ok(SentSms {
            message_id: id.ok_or(SmsSendError::Unknown("the answer has no id"))?,
            cost: None,
        })
    }

    fn parse_callback(&self, request: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        match request.tail {
            "" => {
                let body = wire::readable_json(request.body);
                let results = entries(&body)?.into_iter();
                Ok(results
                    .map(|entry| wire::entry(incoming_sms(entry, request.country)))
                    .collect())
            }
            REPORTS_PATH => {
                let body = wire::readable_json(request.body);
                let results = entries(&body)?.into_iter();
                let reports = results.filter_map(|entry| delivery_report(entry).transpose());
                Ok(reports.map(wire::entry).collect())
            }
            _ => Err(ParseError::NotACallback.into()),
        }
    }
}

/// The entries of a callback. There can be no more than fit the body that is read.
fn entries(body: &str) -> Result<Vec<&RawValue>, SmsCallbackError> {
    let list: ResultList<'_> = serde_json::from_str(body).map_err(|_| wire::NOT_THE_JSON)?;
    Ok(list.results)
}

fn incoming_sms(entry: &RawValue, country: &str) -> Result<SmsCallback, ParseError> {
    let one: IncomingMessage = serde_json::from_str(entry.get()).map_err(|_| ParseError::Field("results"))?;
    let id = one.message_id.and_then(|id| wire::valid_id(&id));
    Ok(SmsCallback::Incoming(IncomingSms {
        message_id: id.ok_or(ParseError::Field("messageId"))?,
        from: wire::sender(&one.from.ok_or(ParseError::Field("from"))?, country)?,
        to: one.to.and_then(|to| wire::valid_id(&to)).unwrap_or_default(),
        text: wire::incoming_text(one.text.ok_or(ParseError::Field("text"))?)?,
        handled: None,
        part: None,
        received_at: one.received_at.and_then(|at| wire::parse_time(&at, DATES)),
    }))
}

/// `None` for a state that says nothing new.
fn delivery_report(entry: &RawValue) -> Result<Option<SmsCallback>, ParseError> {
    let one: ReportEntry = serde_json::from_str(entry.get()).map_err(|_| ParseError::Field("results"))?;
    let message_id = wire::valid_id(&one.message_id).ok_or(ParseError::Field("messageId"))?;
    let state = match (one.status.group_name.as_deref(), one.status.group_id) {
        (Some("ACCEPTED" | "PENDING"), _) | (None, Some(0 | 1)) => SmsDeliveryState::Accepted,
        (None, Some(2)) => SmsDeliveryState::Failed(SmsFailureReason::Undelivered),
        (None, Some(3)) => SmsDeliveryState::Delivered,
        (None, Some(4)) => SmsDeliveryState::Failed(SmsFailureReason::Expired),
        (None, Some(5)) => SmsDeliveryState::Failed(SmsFailureReason::Rejected),
        (name, _) => match wire::report_word(name.unwrap_or_default()) {
            ReportWord::State(state) => state,
            ReportWord::NothingNew => return Ok(None),
            ReportWord::Unknown => return Err(ParseError::Field("groupName")),
        },
    };
    Ok(Some(SmsCallback::Report(DeliveryReport {
        reference: Some(message_id.clone()),
        message_id,
        state,
    })))
}
