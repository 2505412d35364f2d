//! The wire between a phone and the callback.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::http_client::{HttpClient, HttpClientOptions, OutboundError, OutboundRequest};

/// Fields of a form, in the order they are sent.
pub type FormFields = Vec<(&'static str, String)>;

/// Carries forms to the callback. What a form holds was typed by a person: it never appears in an error.
#[async_trait]
pub trait CallbackClient: Send + Sync {
    /// Posts `form` to the callback's URL with `suffix` behind it (`""` or `"/events"`); status and body of the answer.
    ///
    /// # Errors
    /// When no answer came.
    async fn post(&self, suffix: &str, form: &FormFields) -> Result<(u16, String), CallbackError>;

    /// The texts that this number has got, oldest first.
    ///
    /// # Errors
    /// When no answer came, or there are none here.
    async fn inbox(&self, _number: &str) -> Result<Vec<String>, CallbackError> {
        Err(CallbackError::NoSms)
    }

    /// Sends a text from this number to the short code.
    ///
    /// # Errors
    /// As [`Self::inbox`].
    async fn send_sms(&self, _number: &str, _text: &str) -> Result<(), CallbackError> {
        Err(CallbackError::NoSms)
    }

    /// Winds the sandbox's clock forward.
    ///
    /// # Errors
    /// When no answer came, or there is no such clock.
    async fn advance_clock(&self, _by: Duration) -> Result<(), CallbackError> {
        Err(CallbackError::NoClock)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    #[error("the address of the callback must be http:// on this machine, such as {DEFAULT_URL}")]
    Address,
    /// Nobody listens there.
    #[error("nobody answers at the callback: is the sandbox running? (start it with: kiungo)")]
    NotRunning,
    /// No SMS gateway of the sandbox is behind this line.
    #[error("no texts can be sent or read here: they need the sandbox's own SMS gateway")]
    NoSms,
    /// The clock behind this line cannot be wound.
    #[error("the clock cannot be wound here: only the sandbox's own can")]
    NoClock,
    #[error("the answer did not arrive whole")]
    Broken,
}

/// Where the sandbox listens when nothing else is said.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080/ussd/sandbox/sandbox";

/// A line over HTTP to this machine only: what is typed goes over it in clear.
pub struct HttpCallbackClient {
    base: Url,
    client: HttpClient,
}

impl HttpCallbackClient {
    /// A line to the callback at `url`.
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

    /// Calls the sandbox beside the callback; the body of a good answer, `None` when it has nothing there.
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

/// A text of an inbox, as far as it matters here.
#[derive(Deserialize)]
struct Text {
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
        let texts: Vec<Text> =
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
