//! Hubtel (Ghana): texts.
//!
//! A text is sent as JSON with Basic authentication, client id and client secret. A good answer has `status` 0 and a
//! `messageId`; what other figures mean is not known, so they are an explicit no. How Hubtel hands on what people send is
//! not known, so none is heard from it. What became of a text must be asked for, by its id; of the words it answers with
//! only `Delivered` is known, and any other leaves the text where it is.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    Capabilities, Heard, HookError, IncomingKind, Needs, OutgoingSms, ReportKind, SendError, SenderKind, Sent,
    SetupError, SmsGateway, SmsSettings, wire,
};
use crate::core::sms::{DeliveryState, Failure};
use crate::gateways::{ParseError, RawRequest};
use crate::providers::http::{Call, Client};

/// What it must be told.
pub const NEEDS: Needs = Needs {
    username: Some("the client id"),
    sender: true,
    base_url: Some("https://sms.hubtel.com"),
    public_url: false,
    signing_key: false,
    routes: &[],
};

/// Hubtel, as one account of ours uses it.
pub struct Hubtel {
    settings: SmsSettings,
    url: Url,
    username: String,
    client: Client,
}

impl fmt::Debug for Hubtel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hubtel")
    }
}

/// A send.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    /// The sender's name.
    from: &'a str,
    /// The number, without a plus.
    to: &'a str,
    /// The text.
    content: &'a str,
}

/// The answer to the question what became of a text.
#[derive(Deserialize)]
struct Became {
    /// Where it stands, in a word.
    status: String,
}

/// The answer to a send.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    /// 0 when it was taken.
    status: i64,
    /// What to ask after it by.
    message_id: Option<String>,
    /// The price, in the account's currency.
    rate: Option<Value>,
}

impl Hubtel {
    /// Sets it up.
    ///
    /// # Errors
    /// Without a client id.
    pub fn new(settings: SmsSettings, client: Client) -> Result<Self, SetupError> {
        let url = settings.base_url.at(&["v1", "messages", "send"]);
        Ok(Self {
            url: url.ok_or(SetupError::Missing("base_url"))?,
            username: settings.username.clone().ok_or(SetupError::Missing("username"))?,
            settings,
            client,
        })
    }
}

#[async_trait]
impl SmsGateway for Hubtel {
    fn name(&self) -> &'static str {
        "hubtel"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            most_parts: 6,
            senders: &[SenderKind::Name],
            reports: ReportKind::Asked,
            carries_reference: false,
            incoming: IncomingKind::Never,
        }
    }

    async fn send(&self, message: &OutgoingSms) -> Result<Sent, SendError> {
        let body = Body {
            from: message.from.as_deref().unwrap_or_default(),
            to: wire::digits(&message.to),
            content: message.text.expose(),
        };
        let call = Call::post(self.url.clone())
            .header("authorization", &wire::basic(&self.username, &self.settings.api_key))
            .json(wire::json(&body)?);
        let answer = wire::call(&self.client, &self.settings, call).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(wire::refused(&answer));
        }
        let answered: Answered = wire::read(&answer)?;
        if answered.status != 0 {
            return Err(SendError::Refused(Failure::Rejected));
        }
        let id = answered.message_id.as_deref().and_then(wire::id);
        Ok(Sent {
            message_id: id.ok_or(SendError::Unknown("the answer has no id"))?,
            cost: answered.rate.filter(Value::is_number).map(|rate| rate.to_string()),
        })
    }

    async fn ask(&self, message_id: &str) -> Option<DeliveryState> {
        let url = self.settings.base_url.at(&["v1", "messages", message_id])?;
        let call = Call::get(url).header("authorization", &wire::basic(&self.username, &self.settings.api_key));
        let answer = wire::call(&self.client, &self.settings, call).await.ok()?;
        let became: Became = (answer.status == 200).then(|| wire::read(&answer).ok()).flatten()?;
        became
            .status
            .trim()
            .eq_ignore_ascii_case("delivered")
            .then_some(DeliveryState::Delivered)
    }

    fn hear(&self, _: &RawRequest<'_>) -> Result<Vec<Heard>, HookError> {
        Err(ParseError::NotACallback.into())
    }
}
