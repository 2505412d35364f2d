//! The wire between a phone and the callback.

use async_trait::async_trait;
use url::{Host, Url};

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
}

#[async_trait]
impl Line for HttpLine {
    async fn post(&self, suffix: &str, form: &Form) -> Result<(u16, String), LineError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{suffix}", self.base.path()));
        let answer = self
            .client
            .send(Call::post(url).form(form))
            .await
            .map_err(|error| match error {
                SendError::NotSent(_) => LineError::NotRunning,
                SendError::Unknown(_) => LineError::Broken,
            })?;
        let text = std::str::from_utf8(&answer.body).map_err(|_| LineError::Broken)?;
        Ok((answer.status, text.to_owned()))
    }
}
