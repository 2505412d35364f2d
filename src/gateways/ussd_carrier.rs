//! What a USSD gateway does besides answering requests: screens that travel in a call of ours, a connection that we keep
//! open, set-up calls, and dialogs that begin with us.
//!
//! A carrier does one thing once and says how it went. When to do it, whether to try again and which node does it are the
//! service's business.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::WireReply;
use super::ussd::{Echo, UssdReply, UssdRequest};
use crate::core::msisdn::Msisdn;
use crate::http_client::HttpClient;

/// What a carrier can do; what it cannot is never called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarrierAbilities {
    /// Screens travel in a call of ours; the answer to the callback only says that it was taken.
    pub delivers: bool,
    /// Requests come over a connection that we keep open, on one node at a time.
    pub binds: bool,
    /// What it calls us with is subscribed to by calls of ours.
    pub subscribes: bool,
    /// Whether we can begin a dialog, and how.
    pub push: Option<PushMode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushMode {
    /// The push carries the first screen, in a dialog that we name.
    FirstScreen,
    /// The push asks the gateway to begin a dialog; it then calls us as if the person had dialed.
    Invitation,
}

/// Why a carrier did not do what it was asked. Carries fixed text, never what the gateway wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    #[error("this gateway cannot do that")]
    NotPossible,
    /// The gateway says no: asking again would change nothing.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// It may work when tried again.
    #[error("failed: {0}")]
    Failed(&'static str),
}

/// Set-up calls, see `kiungo channels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionCommand<'a> {
    /// What is subscribed now.
    List,
    /// Have the channel's callbacks sent to us.
    Subscribe,
    /// No longer; by the gateway's id of the subscription.
    Unsubscribe(&'a str),
}

/// One subscription at the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The gateway's id of it.
    pub id: String,
    /// The service code that it is for.
    pub service_code: String,
}

/// Serves requests that come over a connection that we keep open.
#[async_trait]
pub trait BoundTurns: Send + Sync {
    /// Answers as the web server does; `None` when the request is not the gateway's.
    async fn answer(&self, request: UssdRequest) -> Option<WireReply>;
}

#[async_trait]
pub trait UssdCarrier: Send + Sync {
    fn abilities(&self) -> CarrierAbilities;

    /// Sends a screen to where the callback with this echo came from, once. The next callback of the dialog may come before
    /// this returns.
    ///
    /// # Errors
    /// When it did not arrive, or may not have.
    async fn deliver(&self, _http: &HttpClient, _reply: &UssdReply<'_>, _to: &Echo) -> Result<(), CarrierError> {
        Err(CarrierError::NotPossible)
    }

    /// Keeps the connection open and answers what comes over it, until `stop` is cancelled; then lets what is under way
    /// finish, for as long as that takes. A connection that breaks is made again, with pauses.
    async fn run(&self, _turns: Arc<dyn BoundTurns>, stop: CancellationToken) {
        stop.cancelled().await;
    }

    /// Makes a set-up call, and returns the subscriptions that it was about.
    ///
    /// # Errors
    /// When the gateway did not do it, or may not have.
    async fn subscriptions(
        &self,
        _http: &HttpClient,
        _command: SubscriptionCommand<'_>,
    ) -> Result<Vec<Subscription>, CarrierError> {
        Err(CarrierError::NotPossible)
    }

    /// A name for a dialog that begins with us, in the gateway's spelling, from random bits.
    fn name_dialog(&self, random: u128) -> String {
        format!("{random:032x}")
    }

    /// Begins a dialog with this person. With [`PushMode::FirstScreen`], `dialog` is our own name for it, by which its
    /// callbacks will name it, and `reply` its first screen; with [`PushMode::Invitation`] there is neither.
    ///
    /// # Errors
    /// When the gateway did not begin it, or may not have.
    async fn push(
        &self,
        _http: &HttpClient,
        _to: &Msisdn,
        _first: Option<(&str, &UssdReply<'_>)>,
    ) -> Result<(), CarrierError> {
        Err(CarrierError::NotPossible)
    }
}
