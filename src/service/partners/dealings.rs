//! What partners ask people for, and what came of it: requests, links, connect sessions.

mod asking;
mod intents;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::asking::{NewExpected, NewIntent};
pub use self::intents::{IntentView, PublicIntent, WhichIntents};
use super::{ApiError, Asked, List};
use crate::core::ids::{IntentId, PartnerId};
use crate::core::page::Page;
use crate::core::time::Timestamp;
use crate::records::Records;
use crate::service::messages::Outbox;
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

/// Answers partners about what they ask people for.
pub struct Dealings {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Seals and opens.
    pub sealing: Sealing,
    /// The conversation: its words, languages, channels and institutions.
    pub turns: Arc<Turns>,
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
    tracing::error!(%error, "something of a partner's request does not open");
    ApiError::Unavailable
}
