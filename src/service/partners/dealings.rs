//! What partners ask people for, and what came of it: requests, links, connect sessions.

mod asking;
mod intents;
mod links;
mod sessions;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::asking::{NewExpected, NewIntent};
pub use self::intents::{IntentListQuery, IntentView, PublicIntent};
pub use self::links::{AccountView, ConsentView, EndedLinkView, LinkListQuery, LinkView};
pub use self::sessions::SessionView;
use super::{ApiError, List, RequestContext};
use crate::core::ids::{ConnectSessionId, IntentId, LinkId, PartnerId};
use crate::core::page::PageRequest;
use crate::core::time::Timestamp;
use crate::records::Records;
use crate::service::deps::Deps;
use crate::service::sealing::Sealing;
use crate::service::session_updater::SessionUpdater;
use crate::service::sms::SmsOutbox;
use crate::service::turn::TurnRunner;

/// Requests that somebody links.
#[async_trait]
pub trait Intents: Send + Sync {
    /// Makes one.
    async fn create_intent(&self, asked: &RequestContext, new: NewIntent) -> Result<IntentView, ApiError>;
    /// A page of them, newest first.
    async fn list_intents(
        &self,
        asked: &RequestContext,
        which: IntentListQuery,
        page: PageRequest,
    ) -> Result<List<IntentView>, ApiError>;
    /// One of them.
    async fn get_intent(&self, asked: &RequestContext, id: IntentId) -> Result<IntentView, ApiError>;
    /// Ends an open one: nobody can begin it any more.
    async fn cancel_intent(&self, asked: &RequestContext, id: IntentId) -> Result<IntentView, ApiError>;
    /// What anybody may see of one who knows its id and the partner's publishable key.
    async fn get_public_intent(&self, partner: PartnerId, id: IntentId) -> Result<PublicIntent, ApiError>;
}

/// What was linked.
#[async_trait]
pub trait Links: Send + Sync {
    /// A page of links, newest first.
    async fn list_links(
        &self,
        asked: &RequestContext,
        which: LinkListQuery,
        page: PageRequest,
    ) -> Result<List<LinkView>, ApiError>;
    /// One of them.
    async fn get_link(&self, asked: &RequestContext, id: LinkId) -> Result<LinkView, ApiError>;
    /// Puts one out of use; the provider is told. One that is out of use already stays so.
    async fn delete_link(&self, asked: &RequestContext, id: LinkId) -> Result<EndedLinkView, ApiError>;
    /// Asks whose link it is to log in to it again.
    async fn reauthorise_link(&self, asked: &RequestContext, id: LinkId) -> Result<IntentView, ApiError>;
}

/// Tries at linking.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// A page of them, newest first; those for one request only, if it is named.
    async fn list_sessions(
        &self,
        asked: &RequestContext,
        intent: Option<IntentId>,
        page: PageRequest,
    ) -> Result<List<SessionView>, ApiError>;
    /// One of them.
    async fn get_session(&self, asked: &RequestContext, id: ConnectSessionId) -> Result<SessionView, ApiError>;
}

/// Answers partners about what they ask people for.
pub struct LinkingApi {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Seals and opens.
    pub sealing: Sealing,
    /// The conversation: its words, languages, channels and institutions.
    pub turns: Arc<TurnRunner>,
    /// Tells people.
    pub newsroom: SessionUpdater,
    /// Takes texts.
    pub outbox: Arc<SmsOutbox>,
    /// Clock.
    pub runtime: Deps,
}

impl LinkingApi {
    fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }
}

/// Something sealed does not open, or cannot be sealed: that is no fault of whoever asks.
fn seal_failure(error: crate::core::seal::SealError) -> ApiError {
    tracing::error!(%error, "something that a partner asks for does not open");
    ApiError::Unavailable
}
