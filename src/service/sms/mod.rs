//! Texts: sending them, and hearing what people and gateways say.
//!
//! A text is a row before it is anything else, written with the job that sends it in one transaction with the fact it
//! tells, or in one of its own. So nobody waits for a gateway: whoever wants something said writes it down and goes on.
//!
//! ```text
//!  QUEUED ─▶ SENDING ─▶ ACCEPTED ─▶ SENT ─▶ DELIVERED | FAILED        told by reports, in any order
//!    │  ▲       │ │ └──▶ FAILED       refused for good
//!    │  └───────┘ └────▶ UNKNOWN     no answer: it may have gone, so it is never sent again
//!    │   provably not sent
//!    └──▶ WITHHELD    they want none, had too many today, or it has come too late
//! ```
//!
//! SENDING is written before the first byte leaves. A server that dies there leaves a text that may have gone, and the
//! next one to look calls it UNKNOWN. A text too few is told again at the next dialog; a text too many costs money and
//! trust. Reports of a text that nobody knows yet are kept for a day: they may overtake the answer to the send.
//!
//! What people send is taken once, by the gateway's id of it, together with everything that follows from it.

mod answers;
mod inbox;
mod outbox;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::answers::SmsResponder;
pub use self::inbox::SmsInbox;
pub use self::outbox::{OutgoingMessage, SmsOutbox, SmsOutboxError};
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;
use crate::gateways::sms::{IncomingSms, SmsGateway};
use crate::records::RecordsError;

/// One SMS gateway as the configuration sets it up.
pub struct SmsRoute {
    /// Its name, as in the callback's path.
    pub name: String,
    /// The gateway.
    pub gateway: Arc<dyn SmsGateway>,
    /// What texts come from.
    pub sender: Option<String>,
    /// The secret segment of the callback's path.
    pub secret: Secret,
    /// ISO 3166-1 alpha-2, upper case: whose numbers it serves, and how national spellings are meant.
    pub country: String,
    /// The most texts one person gets from it in 24 hours, answers included.
    pub daily_cap: u32,
}

/// All of them.
#[derive(Clone, Default)]
pub struct SmsRoutes(Arc<[Arc<SmsRoute>]>);

impl SmsRoutes {
    /// These, in the order of the configuration.
    pub fn new(lines: Vec<Arc<SmsRoute>>) -> Self {
        Self(lines.into())
    }

    /// The one with this name.
    pub fn by_name(&self, name: &str) -> Option<&Arc<SmsRoute>> {
        self.0.iter().find(|line| line.name == name)
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = &Arc<SmsRoute>> {
        self.0.iter()
    }

    /// Whether there is none: nobody can be sent a text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that serves this number: the first of its country, else the first of all.
    pub fn for_number(&self, number: &Msisdn) -> Option<&Arc<SmsRoute>> {
        let country = number.country();
        let at_home = self.0.iter().find(|line| Some(line.country.as_str()) == country);
        at_home.or_else(|| self.0.first())
    }
}

/// Who sent a text, and how.
pub struct Sender<'a> {
    /// The gateway it came by.
    pub line: &'a SmsRoute,
    /// Who.
    pub tag: SubscriberTag,
    /// Since when they have wanted no texts from us, if they have said so.
    pub stopped: Option<Timestamp>,
}

/// What follows from a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SmsReaction {
    /// `true`: they want no texts any more; `false`: they want them again.
    pub stop: Option<bool>,
    /// What to answer.
    pub reply: Option<SmsReply>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsReply {
    /// The words.
    pub text: String,
    /// Whether it is a hint that nobody needs twice in an hour. What answers us by itself gets no further then.
    pub hint: bool,
}

/// What follows from a text cannot be found out now: it is to come again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RetryLater(pub String);

impl From<RecordsError> for RetryLater {
    fn from(error: RecordsError) -> Self {
        Self(error.to_string())
    }
}

/// Knows what to do with a text. It may be asked twice about the same one.
#[async_trait]
pub trait IncomingHandler: Send + Sync {
    /// What follows from this text.
    ///
    /// # Errors
    /// When that cannot be found out now: the text is to come again.
    async fn handle(&self, sms: &IncomingSms, from: &Sender<'_>) -> Result<SmsReaction, RetryLater>;
}
