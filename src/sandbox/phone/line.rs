//! The wire between a phone and the callback.

use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::providers::http::{Call, Client, ClientOptions, SendError};

/// Fields of a form, in the order they are sent.
pub type Form = Vec<(&'static str, String)>;

/// Carries forms to the callback. What a form holds was typed by a person: it never appears in an error.
#[async_trait]
pub trait Line: Send + Sync {
    /// Posts `form` to the callback's URL with `suffix` behind it (`""` or `"/events"`); status and body of the answer.
    ///
    /// # Errors
    /// When no answer came.
    async fn post(&self, suffix: &str, form: &Form) -> Result<(u16, String), LineError>;

    /// The texts that this number has got, oldest first.
    ///
    /// # Errors
    /// When no answer came, or there are none here.
    async fn inbox(&self, _number: &str) -> Result<Vec<String>, LineError> {
        Err(LineError::NoTexts)
    }

    /// Sends a text from this number to the short code.
    ///
    /// # Errors
    /// As [`Self::inbox`].
    async fn text(&self, _number: &str, _text: &str) -> Result<(), LineError> {
        Err(LineError::NoTexts)
    }

    /// Winds the sandbox's clock forward.
    ///
    /// # Errors
    /// When no answer came, or there is no such clock.
    async fn wind(&self, _by: Duration) -> Result<(), LineError> {
        Err(LineError::NoClock)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The address cannot be used.
    #[error("the address of the callback must be http:// on this machine, such as {DEFAULT_URL}")]
    Address,
    /// Nobody listens there.
    #[error("nobody answers at the callback: is the sandbox running? (start it with: kiungo)")]
    NotRunning,
    /// No SMS gateway of the sandbox is behind this line.
    #[error("no texts can be sent or read here: they need the sandbox's own SMS gateway")]
    NoTexts,
    /// The clock behind this line cannot be wound.
    #[error("the clock cannot be wound here: only the sandbox's own can")]
    NoClock,
    /// It broke on the way.
    #[error("the answer did not arrive whole")]
    Broken,
}

/// Where the sandbox listens when nothing else is said.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080/ussd/sandbox/sandbox";

/// A line over HTTP to this machine only: what is typed goes over it in clear.
pub struct HttpLine {
    base: Url,
    client: Client,
}

impl HttpLine {
    /// A line to the callback at `url`.
    ///
    /// # Errors
    /// When `url` is not plain HTTP on a loopback address.
    pub fn new(url: &str) -> Result<Self, LineError> {
        let base = Url::parse(url.trim_end_matches('/')).map_err(|_| LineError::Address)?;
        let loopback = match base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if base.scheme() != "http" || !loopback {
            return Err(LineError::Address);
        }
        let client = Client::new(&ClientOptions::default()).map_err(|_| LineError::Broken)?;
        Ok(Self { base, client })
    }

    /// Calls the sandbox beside the callback; the body of a good answer, `None` when it has nothing there.
    async fn beside(
        &self,
        path: &str,
        query: Option<String>,
        body: Option<Value>,
    ) -> Result<Option<Vec<u8>>, LineError> {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(query.as_deref());
        let call = match body {
            Some(body) => Call::post(url).json(Zeroizing::new(body.to_string().into_bytes())),
            None => Call::get(url),
        };
        let answer = self.client.send(call).await.map_err(broken)?;
        match answer.status {
            200..=299 => Ok(Some(answer.body.to_vec())),
            404 => Ok(None),
            _ => Err(LineError::Broken),
        }
    }
}

fn broken(error: SendError) -> LineError {
    match error {
        SendError::NotSent(_) => LineError::NotRunning,
        SendError::Unknown(_) => LineError::Broken,
    }
}

/// A text of an inbox, as far as it matters here.
#[derive(Deserialize)]
struct Text {
    text: String,
}

#[async_trait]
impl Line for HttpLine {
    async fn post(&self, suffix: &str, form: &Form) -> Result<(u16, String), LineError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{suffix}", self.base.path()));
        let answer = self.client.send(Call::post(url).form(form)).await.map_err(broken)?;
        let text = std::str::from_utf8(&answer.body).map_err(|_| LineError::Broken)?;
        Ok((answer.status, text.to_owned()))
    }

    async fn inbox(&self, number: &str) -> Result<Vec<String>, LineError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("msisdn", number)
            .finish();
        let body = self.beside("/phone/texts.json", Some(query), None).await?;
        let texts: Vec<Text> =
            serde_json::from_slice(&body.ok_or(LineError::NoTexts)?).map_err(|_| LineError::Broken)?;
        Ok(texts.into_iter().map(|text| text.text).collect())
    }

    async fn text(&self, number: &str, text: &str) -> Result<(), LineError> {
        let body = json!({ "msisdn": number, "text": text });
        let taken = self.beside("/phone/texts", None, Some(body)).await?;
        taken.map(drop).ok_or(LineError::NoTexts)
    }

    async fn wind(&self, by: Duration) -> Result<(), LineError> {
        let body = json!({ "forward_s": by.as_secs() });
        let wound = self.beside("/phone/clock", None, Some(body)).await?;
        wound.map(drop).ok_or(LineError::NoClock)
    }
}
