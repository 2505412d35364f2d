//! The connection between a phone and the callback.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::http_client::{HttpClient, HttpClientOptions, OutboundError, OutboundRequest};

/// The fields of a form, in the order in which they are sent.
pub type FormFields = Vec<(&'static str, String)>;

/// Sends forms to the callback. A form contains what a person typed, which never appears in an error.
#[async_trait]
pub trait CallbackClient: Send + Sync {
    /// Posts `form` to the callback's URL followed by `suffix` (`""` or `"/events"`); returns the status and the body.
    ///
    /// # Errors
    /// When there is no answer.
    async fn post(&self, suffix: &str, form: &FormFields) -> Result<(u16, String), CallbackError>;

    /// The SMS that this number has received, oldest first.
    ///
    /// # Errors
    /// When there is no answer or no SMS gateway.
    async fn inbox(&self, _number: &str) -> Result<Vec<String>, CallbackError> {
        Err(CallbackError::NoSms)
    }

    /// Sends an SMS from this number to the short code.
    ///
    /// # Errors
    /// Like [`Self::inbox`].
    async fn send_sms(&self, _number: &str, _text: &str) -> Result<(), CallbackError> {
        Err(CallbackError::NoSms)
    }

    /// Advances the sandbox's clock.
    ///
    /// # Errors
    /// When there is no answer or no such clock.
    async fn advance_clock(&self, _by: Duration) -> Result<(), CallbackError> {
        Err(CallbackError::NoClock)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    #[error("the address of the callback must be http:// on this machine, such as {DEFAULT_URL}")]
    Address,
    #[error("nobody answers at the callback: is the sandbox running? (start it with: kiungo)")]
    NotRunning,
    #[error("no texts can be sent or read here: they need the sandbox's own SMS gateway")]
    NoSms,
    #[error("the clock cannot be wound here: only the sandbox's own can")]
    NoClock,
    #[error("the answer did not arrive whole")]
    Broken,
}

/// The callback of a sandbox with default settings.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080/ussd/sandbox/sandbox";

/// Sends over HTTP, to this machine only because what is typed is not encrypted.
pub struct HttpCallbackClient {
    base: Url,
    client: HttpClient,
}

impl HttpCallbackClient {
    /// A client of the callback at `url`.
    ///
    /// # Errors
    /// When `url` is not plain HTTP on a loopback address.
    pub fn new(url: &str) -> Result<Self, CallbackError> {
        let base = Url::parse(url.trim_end_matches('/')).map_err(|_| CallbackError::Address)?;
        let loopback = match base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if base.scheme() != "http" || !loopback {
            return Err(CallbackError::Address);
        }
        let client = HttpClient::new(&HttpClientOptions::default()).map_err(|_| CallbackError::Broken)?;
        Ok(Self { base, client })
    }

    /// Calls another path of the sandbox; returns the body, or `None` when the path does not exist.
    async fn call_sandbox(
        &self,
        path: &str,
        query: Option<String>,
        body: Option<Value>,
    ) -> Result<Option<Vec<u8>>, CallbackError> {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(query.as_deref());
        let call = match body {
            Some(body) => OutboundRequest::post(url).json(Zeroizing::new(body.to_string().into_bytes())),
            None => OutboundRequest::get(url),
        };
        let answer = self.client.send(call).await.map_err(broken)?;
        match answer.status {
            200..=299 => Ok(Some(answer.body.to_vec())),
            404 => Ok(None),
            _ => Err(CallbackError::Broken),
        }
    }
}

fn broken(error: OutboundError) -> CallbackError {
    match error {
        OutboundError::NotSent(_) => CallbackError::NotRunning,
        OutboundError::Unknown(_) => CallbackError::Broken,
    }
}

#[derive(Deserialize)]
struct InboxMessage {
    text: String,
}

#[async_trait]
impl CallbackClient for HttpCallbackClient {
    async fn post(&self, suffix: &str, form: &FormFields) -> Result<(u16, String), CallbackError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{suffix}", self.base.path()));
        let answer = self
            .client
            .send(OutboundRequest::post(url).form(form))
            .await
            .map_err(broken)?;
        let text = std::str::from_utf8(&answer.body).map_err(|_| CallbackError::Broken)?;
        Ok((answer.status, text.to_owned()))
    }

    async fn inbox(&self, number: &str) -> Result<Vec<String>, CallbackError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("msisdn", number)
            .finish();
        let body = self.call_sandbox("/phone/texts.json", Some(query), None).await?;
        let texts: Vec<InboxMessage> =
            serde_json::from_slice(&body.ok_or(CallbackError::NoSms)?).map_err(|_| CallbackError::Broken)?;
        Ok(texts.into_iter().map(|text| text.text).collect())
    }

    async fn send_sms(&self, number: &str, text: &str) -> Result<(), CallbackError> {
        let body = json!({ "msisdn": number, "text": text });
        let taken = self.call_sandbox("/phone/texts", None, Some(body)).await?;
        taken.map(drop).ok_or(CallbackError::NoSms)
    }

    async fn advance_clock(&self, by: Duration) -> Result<(), CallbackError> {
        let body = json!({ "forward_s": by.as_secs() });
        let wound = self.call_sandbox("/phone/clock", None, Some(body)).await?;
        wound.map(drop).ok_or(CallbackError::NoClock)
    }
}
