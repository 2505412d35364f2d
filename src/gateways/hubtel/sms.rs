//! Hubtel (Ghana): SMS.
//!
//! A message is sent as JSON with Basic authentication, client id and client secret. A successful response has `status` 0
//! and a `messageId`; what other numbers mean is not known, so they are refusals. How Hubtel forwards incoming messages is
//! not known, so none is accepted. The delivery state of a message must be queried, by its id; of the words it answers
//! with only `Delivered` is documented. Others are read by what such words have in common, and one that says nothing
//! leaves the message's state unchanged.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::gateways::sms::{
    OutgoingSms, ReportMode, SentSms, SmsCallback, SmsCallbackError, SmsCapabilities, SmsGateway, SmsRequirements,
    SmsSendError, SmsSettings, SmsSetupError,
};
use crate::gateways::sms_wire::{self as wire, ReportWord};
use crate::gateways::{ParseError, RawRequest};
use crate::http_client::{HttpClient, OutboundRequest};

pub const REQUIREMENTS: SmsRequirements = SmsRequirements {
    username: Some("the client id"),
    sender: true,
    base_url: Some("https://sms.hubtel.com"),
    public_url: false,
    signing_key: false,
    routes: &[],
    callback_paths: &[],
    settings: &[],
};

pub struct HubtelSms {
    settings: SmsSettings,
    url: Url,
    username: String,
    client: HttpClient,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendRequest<'a> {
    from: &'a str,
    /// Without a plus.
    to: &'a str,
    content: &'a str,
}

#[derive(Deserialize)]
struct StatusResponse {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SendResponse {
    /// 0 if it was accepted.
    status: i64,
    /// The id to query its state by.
    message_id: Option<String>,
    /// The price, in the account's currency.
    rate: Option<Value>,
}

impl HubtelSms {
    /// # Errors
    /// Without a client id.
    pub fn new(settings: SmsSettings, client: HttpClient) -> Result<Self, SmsSetupError> {
        let url = settings.base_url.join(&["v1", "messages", "send"]);
        Ok(Self {
            url: url.ok_or(SmsSetupError::Missing("base_url"))?,
            username: settings.username.clone().ok_or(SmsSetupError::Missing("username"))?,
            settings,
            client,
        })
    }
}

#[async_trait]
impl SmsGateway for HubtelSms {
    fn name(&self) -> &'static str {
        "hubtel"
    }

    fn capabilities(&self) -> SmsCapabilities {
        SmsCapabilities {
            max_parts: 6,
            reports: ReportMode::Polled,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<SentSms, SmsSendError> {
        let body = SendRequest {
            from: message.from.as_deref().unwrap_or_default(),
            to: wire::without_plus(&message.to),
            content: message.text.expose(),
        };
        let call = OutboundRequest::post(self.url.clone())
            .header(
                "authorization",
                &wire::basic_auth(&self.username, &self.settings.api_key),
            )
            .json(wire::json_body(&body)?);
        let answer = wire::send(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::error_from_status(&answer));
        }
        let answered: SendResponse = wire::parse_response(&answer)?;
        if answered.status != 0 {
            return Err(SmsSendError::Refused(SmsFailureReason::Rejected));
        }
        let id = answered.message_id.as_deref().and_then(wire::valid_id);
        Ok(SentSms {
            message_id: id.ok_or(SmsSendError::Unknown("the answer has no id"))?,
            cost: answered.rate.filter(Value::is_number).map(|rate| rate.to_string()),
        })
    }

    async fn query_delivery(&self, message_id: &str) -> Option<SmsDeliveryState> {
        let url = self.settings.base_url.join(&["v1", "messages", message_id])?;
        let call = OutboundRequest::get(url).header(
            "authorization",
            &wire::basic_auth(&self.username, &self.settings.api_key),
        );
        let answer = wire::send(&self.client, &self.settings, call).await.ok()?;
        let became: StatusResponse = (answer.status == 200)
            .then(|| wire::parse_response(&answer).ok())
            .flatten()?;
        match wire::report_word(&became.status) {
            ReportWord::State(state) => Some(state),
            ReportWord::NothingNew | ReportWord::Unknown => None,
        }
    }

    fn parse_callback(&self, _: &RawRequest<'_>) -> Result<Vec<SmsCallback>, SmsCallbackError> {
        Err(ParseError::NotACallback.into())
    }
}
