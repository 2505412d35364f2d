//! What the web server calls. Its tests play the other side of each of these traits.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::channel::Channel;
use super::sms::routes::SmsRoute;
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::gateways::WireReply;
use crate::providers::{ProviderReply, ProviderRequest};

/// Shown if a turn panicked: the person must still get a screen.
pub const TURN_FAILED_TEXT: &str = "Sorry, something went wrong. Please dial again.";

/// A callback as the web server received it, owned because the turn outlives the handler. What may hold typed text is wiped
/// when dropped.
pub struct IncomingRequest {
    /// The HTTP method, upper case.
    pub method: String,
    /// What follows the secret path segment, without the leading slash.
    pub tail: String,
    /// The raw query string.
    pub query: Zeroizing<Vec<u8>>,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw body; `None` when it was too long or came too slowly, which is answered in the dialect all the same.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// Answers callbacks of USSD gateways: always in the dialect, always inside the deadline.
#[async_trait]
pub trait UssdCallbacks: Send + Sync {
    /// The channel with this name, if this is its secret, compared in constant time, and `caller` is in its sources. The
    /// caller is `None` where it cannot be told.
    fn admit(&self, name: &str, secret: &str, caller: Option<IpAddr>) -> Option<Arc<Channel>>;

    /// Answers one callback; the work goes on if the caller goes away. `None` when it is not from the channel's gateway,
    /// which is answered as if the channel did not exist.
    async fn answer(&self, channel: Arc<Channel>, request: IncomingRequest) -> Option<WireReply>;
}

/// What became of a provider's webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderWebhookOutcome {
    /// Processed, now or before; this is what its sender wants to hear.
    Accepted(ProviderReply),
    /// Not from the provider.
    Unauthentic,
    /// From the provider, and never to be understood. It is dropped and counted: sent again it would be the same.
    Malformed,
    /// It cannot be processed now: the provider must send it again.
    Unavailable,
}

/// What the head of a webhook says, before its body is read.
pub enum WebhookAdmission {
    /// The body is to be read, and then received there.
    Admitted {
        by: WebhookSender,
        to: Box<dyn WebhookDestination>,
    },
    /// The answer; `None` as if nobody were there.
    Refused(Option<ProviderWebhookOutcome>),
}

/// Who sends a webhook, as far as its head shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookSender {
    /// A provider that has shown a secret of the operator's.
    Operators,
    /// A provider that has shown a secret of this partner's.
    Partners(PartnerId),
    /// The body decides, by its signature.
    Unproven,
}

#[async_trait]
pub trait ProviderWebhooks: Send + Sync {
    /// Whether a webhook of the provider with this name is read, for the owner of the keys that authenticate it: a partner's
    /// id, or `operator`, as when nobody is named. `head` is the request without its body. Nobody is there when there is no
    /// such provider, or no such owner of keys there.
    async fn admit(&self, provider: &str, owner: Option<&str>, head: &ProviderRequest<'_>) -> WebhookAdmission;
}

/// Where an admitted webhook goes.
#[async_trait]
pub trait WebhookDestination: Send + Sync {
    /// Processes the whole of it.
    async fn receive(&self, request: &ProviderRequest<'_>) -> ProviderWebhookOutcome;
}

/// A page for a person in a browser. It names nobody and nothing of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonPage {
    /// HTTP status.
    pub status: u16,
    pub locale: Locale,
    pub title: String,
    pub text: String,
    /// What stands on the button that opens the bank's page, if there is one.
    pub button: Option<String>,
    /// Whether the bank's page may be without TLS: in the sandbox only.
    pub plain_http: bool,
}

/// What follows when a person presses the button.
#[derive(Debug)]
pub enum OpenedPage {
    /// The bank's page. Anyone who has its URL may go on for the person.
    Redirect(Secret),
    Page(PersonPage),
}

/// Pages for people in browsers. `locale` is what the browser asks for, where it is not known who the person is.
#[async_trait]
pub trait PersonPages: Send + Sync {
    /// The page that a link in an SMS shows. To look at it changes nothing.
    async fn show(&self, token: &Secret, locale: Locale) -> PersonPage;

    /// The button on it was pressed.
    async fn open(&self, token: &Secret, locale: Locale) -> OpenedPage;

    /// A browser came back from a page of the provider with this name; `None` when there is no such provider.
    async fn returned(&self, provider: &str, request: &ProviderRequest<'_>, locale: Locale) -> Option<PersonPage>;

    /// What stands on the page that looks for what came back behind the URL's `#`, where only the browser sees it; `None`
    /// when there is no such provider.
    fn returned_empty(&self, provider: &str, locale: Locale) -> Option<PersonPage>;
}

/// Receives what SMS gateways call us with.
#[async_trait]
pub trait SmsCallbacks: Send + Sync {
    /// The route with this name, if this is its secret. Compared in constant time.
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<SmsRoute>>;

    /// Processes one callback, an SMS from a person or a delivery report, and answers in the gateway's dialect.
    async fn receive(&self, route: Arc<SmsRoute>, request: IncomingRequest) -> WireReply;
}

/// How a part is that this node needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    Good,
    /// It works, and somebody should look at it.
    Note(String),
    Fault(String),
}

impl PartState {
    pub fn of<E: std::fmt::Display>(done: Result<(), E>) -> Self {
        done.map_or_else(|error| Self::Fault(error.to_string()), |()| Self::Good)
    }
}

/// Whether this node can serve.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Each part with how it is; the node is ready when there is no fault.
    async fn checks(&self) -> Vec<(&'static str, PartState)>;
}
