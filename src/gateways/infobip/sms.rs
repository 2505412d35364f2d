//! Infobip: SMS, version 3 of its API.
//!
//! A message is sent as JSON with `Authorization: App KEY`, to a host that Infobip assigns to each account. It carries our
//! own id as `messageId`, which comes back in reports, and the URL that reports go to. Whether a second message with the
//! same id is refused is not known, so that is not relied on. The first field of a message is `from` in what was seen to
//! work, and perhaps `sender` in newer documents: `route` says which.
//!
//! Incoming messages come as a list, which is acknowledged as a whole or not at all. Their times have an offset without a
//! colon. Signatures are an option of the account about which nothing is known: the secret in the path authenticates the
//! caller.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::sms::{
    DeliveryReport, IncomingSms, OutgoingSms, REPORTS_PATH, ReportMode, SentSms, SmsCallback, SmsCallbackError,
    SmsCapabilities, SmsGateway, SmsRequirements, SmsSendError, SmsSettings, SmsSetupError,
};
use crate::gateways::sms_wire as wire;
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
/// The most results of one callback; more would not fit the body that is read.
const MAX_RESULTS: usize = 500;

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
    /// 1 is pending and 3 delivered: both are accepted. 2 is undeliverable, 4 expired, 5 rejected.
    group_id: Option<i64>,
    /// The same, as a word in capital letters.
    group_name: Option<String>,
}

#[derive(Deserialize)]
struct IncomingMessages {
    results: Vec<IncomingMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncomingMessage {
    message_id: String,
    /// Without a plus.
    from: String,
    to: String,
    /// The whole text, keyword included.
    text: Secret,
    received_at: Option<String>,
}

#[derive(Deserialize)]
struct DeliveryReportList {
    results: Vec<ReportEntry>,
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
                let incoming: IncomingMessages = wire::parse_body(request.body)?;
                let results = bounded(incoming.results)?;
                let heard = results.into_iter().map(|one| incoming_sms(one, request.country));
                Ok(heard.collect::<Result<_, _>>()?)
            }
            REPORTS_PATH => {
                let reports: DeliveryReportList = wire::parse_body(request.body)?;
                let reports = bounded(reports.results)?;
                Ok(reports.iter().map(delivery_report).collect::<Result<_, _>>()?)
            }
            _ => Err(ParseError::NotACallback.into()),
        }
    }
}

fn bounded<T>(results: Vec<T>) -> Result<Vec<T>, ParseError> {
    if results.len() > MAX_RESULTS {
        return Err(ParseError::TooLong);
    }
    Ok(results)
}

fn incoming_sms(one: IncomingMessage, country: &str) -> Result<SmsCallback, ParseError> {
    if one.text.expose().len() > wire::MAX_TEXT_BYTES {
        return Err(ParseError::TooLong);
    }
    Ok(SmsCallback::Incoming(IncomingSms {
        message_id: wire::valid_id(&one.message_id).ok_or(ParseError::Field("messageId"))?,
        from: Msisdn::parse(&format!("+{}", one.from.trim_start_matches('+')), country)
            .map_err(|_| ParseError::Msisdn)?,
        to: wire::valid_id(&one.to).ok_or(ParseError::Field("to"))?,
        text: one.text,
        part: None,
        received_at: one.received_at.and_then(|at| wire::parse_time(&at, DATES)),
    }))
}

fn delivery_report(one: &ReportEntry) -> Result<SmsCallback, ParseError> {
    let message_id = wire::valid_id(&one.message_id).ok_or(ParseError::Field("messageId"))?;
    let state = match one.status.group_name.as_deref().unwrap_or_default() {
        "PENDING" => SmsDeliveryState::Accepted,
        "DELIVERED" => SmsDeliveryState::Delivered,
        "EXPIRED" => SmsDeliveryState::Failed(SmsFailureReason::Expired),
        "REJECTED" => SmsDeliveryState::Failed(SmsFailureReason::Rejected),
        "UNDELIVERABLE" => SmsDeliveryState::Failed(SmsFailureReason::Undelivered),
        _ => return Err(ParseError::Field("groupName")),
    };
    Ok(SmsCallback::Report(DeliveryReport {
        reference: Some(message_id.clone()),
        message_id,
        state,
    }))
}
