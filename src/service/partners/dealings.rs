//! What partners ask people for, and what came of it: requests, links, connect sessions.

mod asking;
mod intents;
mod links;
mod sessions;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::asking::{NewExpected, NewIntent};
pub use self::intents::{IntentView, PublicIntent, WhichIntents};
pub use self::links::{AccountView, ConsentView, EndedView, LinkView, WhichLinks};
pub use self::sessions::SessionView;
use super::{ApiError, Asked, List};
use crate::core::ids::{ConnectSessionId, IntentId, LinkId, PartnerId};
use crate::core::page::Page;
use crate::core::time::Timestamp;
use crate::records::Records;
use crate::service::messages::Outbox;
use crate::service::news::Newsroom;
use crate::service::runtime::Runtime;
use crate::service::sealing::Sealing;
use crate::service::turn::Turns;

/// Requests that somebody links.
#[async_trait]
pub trait Intents: Send + Sync {
    /// Makes one.
    async fn add_intent(&self, asked: &Asked, new: NewIntent) -> Result<IntentView, ApiError>;
    /// A page of them, newest first.
    async fn intents(&self, asked: &Asked, which: WhichIntents, page: Page) -> Result<List<IntentView>, ApiError>;
    /// One of them.
    async fn intent(&self, asked: &Asked, id: IntentId) -> Result<IntentView, ApiError>;
    /// Ends an open one: nobody can begin it any more.
    async fn cancel_intent(&self, asked: &Asked, id: IntentId) -> Result<IntentView, ApiError>;
    /// What anybody may see of one who knows its id and the partner's publishable key.
    async fn public_intent(&self, partner: PartnerId, id: IntentId) -> Result<PublicIntent, ApiError>;
}

/// What was linked.
#[async_trait]
pub trait Links: Send + Sync {
    /// A page of links, newest first.
    async fn links(&self, asked: &Asked, which: WhichLinks, page: Page) -> Result<List<LinkView>, ApiError>;
    /// One of them.
    async fn link(&self, asked: &Asked, id: LinkId) -> Result<LinkView, ApiError>;
    /// Puts one out of use; the provider is told. One that is out of use already stays so.
    async fn end_link(&self, asked: &Asked, id: LinkId) -> Result<EndedView, ApiError>;
    /// Asks whose link it is to log in to it again.
    async fn renew_link(&self, asked: &Asked, id: LinkId) -> Result<IntentView, ApiError>;
}

/// Tries at linking.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// A page of them, newest first; those for one request only, if it is named.
    async fn sessions(
        &self,
        asked: &Asked,
        intent: Option<IntentId>,
        page: Page,
    ) -> Result<List<SessionView>, ApiError>;
    /// One of them.
    async fn session(&self, asked: &Asked, id: ConnectSessionId) -> Result<SessionView, ApiError>;
}

/// Answers partners about what they ask people for.
pub struct Dealings {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Seals and opens.
    pub sealing: Sealing,
    /// The conversation: its words, languages, channels and institutions.
    pub turns: Arc<Turns>,
    /// Tells people.
    pub newsroom: Newsroom,
    /// Takes texts.
    pub outbox: Arc<Outbox>,
    /// Clock.
    pub runtime: Runtime,
}

impl Dealings {
    fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }
}

/// Something sealed does not open, or cannot be sealed: that is no fault of whoever asks.
fn unsealed(error: crate::core::seal::SealError) -> ApiError {
    tracing::error!(%error, "something that a partner asks for does not open");
    ApiError::Unavailable
}
