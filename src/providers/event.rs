//! What a provider tells us by itself: webhooks, and people who come back from its pages.

use std::fmt;

use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// A request of a provider, or of a browser that comes back from its page. Never logged: it carries secrets.
#[derive(Clone, Copy)]
pub struct ProviderRequest<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The whole path as it came, still percent-encoded: some providers sign it.
    pub path: &'a str,
    /// What stands in the path behind the owner, without a leading slash.
    pub tail: &'a str,
    /// Still percent-encoded.
    pub query: &'a str,
    /// Header names (lower case) and values.
    pub headers: &'a [(String, Vec<u8>)],
    pub body: &'a [u8],
}

impl ProviderRequest<'_> {
    /// The first header with this name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_slice())
    }
}

/// An answer to a provider or a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReply {
    /// HTTP status.
    pub status: u16,
    pub content_type: Option<&'static str>,
    pub body: Vec<u8>,
}

impl ProviderReply {
    /// An empty 200.
    pub fn ok() -> Self {
        Self {
            status: 200,
            content_type: None,
            body: Vec::new(),
        }
    }
}

/// A webhook that was understood: what it tells, and what its sender wants to hear once that is stored.
#[derive(Debug)]
pub struct WebhookAnswer {
    pub events: Vec<ProviderEvent>,
    pub reply: ProviderReply,
}

/// One thing that happened at a provider.
#[derive(Debug)]
pub struct ProviderEvent {
    /// The same if the event is delivered twice. Short and printable.
    pub dedupe_key: String,
    /// When it happened, if the provider says: an older event never overrules a newer one about the same.
    pub at: Option<Timestamp>,
    pub about: EventSubject,
    pub kind: ProviderEventKind,
}

/// What an event is about, by the provider's own id of it.
#[derive(Debug)]
pub enum EventSubject {
    Account(Secret),
    /// A session that links an account.
    Session(Secret),
    /// The whole link: a connection, a consent.
    Link(Secret),
    /// The person, with all that they have linked.
    Person(Secret),
}

impl EventSubject {
    pub fn id(&self) -> &Secret {
        match self {
            Self::Account(id) | Self::Session(id) | Self::Link(id) | Self::Person(id) => id,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEventKind {
    Connected,
    /// Its data has been fetched.
    Updated,
    ReauthRequired,
    Reauthorised,
    Unlinked,
}

/// A browser that came back.
pub struct Returned {
    /// The `state` that the page was made with: it finds the attempt, once.
    pub state: Secret,
    /// What the provider needs of it to go on, in its own words; sealed wherever it is kept.
    pub data: Secret,
}

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned(..)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the request does not prove that it is the provider's")]
    Unauthentic,
    #[error("the request was not understood")]
    Malformed,
    /// What proves it cannot be had now: the provider must send it again.
    #[error("the request cannot be checked now")]
    Unavailable,
}
