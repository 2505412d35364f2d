//! What happens: turns, attempts, jobs, linking. Names traits, never an implementation.

pub mod admission;
pub mod bank_alerts;
pub mod catalogue;
pub mod data_subject;
pub mod deps;
pub mod effects;
pub mod facts_reader;
pub mod handover;
pub mod institution_health;
pub mod jobs;
pub mod linking;
pub mod live;
pub mod metrics;
pub mod networks;
pub mod partners;
pub mod provider_webhooks;
pub mod providers;
pub mod readiness;
pub mod resealing;
pub mod retention;
pub mod sealing;
pub mod session_updater;
pub mod sms;
pub mod turn;
pub mod wakeups;
pub mod webhooks;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use self::networks::Networks;
use self::sms::SmsRoute;
use crate::core::secret::Secret;
use crate::gateways::limit_overrides::ChannelLimitOverrides;
use crate::gateways::{UssdGateway, UssdLimits, WireReply};

/// One short code on one gateway, from the configuration.
pub struct Channel {
    /// Its name, as in the callback's path.
    pub name: String,
    /// The dialect it speaks.
    pub gateway: Box<dyn UssdGateway>,
    /// The code people dial, such as `*384*96#`.
    pub service_code: String,
    /// The secret segment of the callback's path.
    pub secret: Secret,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// Where its gateway calls from; none means from anywhere.
    pub sources: Networks,
    /// What holds in place of the gateway's own limits.
    pub agreement: ChannelLimitOverrides,
}

impl Channel {
    /// Deadlines and sizes on a network.
    pub fn limits(&self, network: Option<&str>) -> UssdLimits {
        self.agreement.apply_to(self.gateway.limits(network), network)
    }
}

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

/// Answers callbacks of gateways. Always an answer in the dialect, always inside the deadline.
#[async_trait]
pub trait UssdCallbacks: Send + Sync {
    /// The channel with this name, if this is its secret, compared in constant time, and `caller` is in its sources. The
    /// caller is `None` where it cannot be told.
    fn admit(&self, name: &str, secret: &str, caller: Option<IpAddr>) -> Option<Arc<Channel>>;

    /// Answers one callback; the work goes on if the caller goes away.
    async fn answer(&self, channel: Arc<Channel>, request: IncomingRequest) -> WireReply;
}

/// What became of a provider's webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderWebhookOutcome {
    /// Taken, now or before.
    Accepted,
    /// Not from the provider.
    Unauthentic,
    /// Not understood.
    Malformed,
    /// We cannot take it now: it must come again.
    Unavailable,
}

/// Takes providers' webhooks.
#[async_trait]
pub trait ProviderWebhooks: Send + Sync {
    /// Takes one webhook of the provider with this name; `None` when there is no such provider.
    async fn receive(
        &self,
        provider: &str,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> Option<ProviderWebhookOutcome>;
}

/// Takes what SMS gateways call us with.
#[async_trait]
pub trait SmsCallbacks: Send + Sync {
    /// The gateway with this name, if this is its secret. Compared in constant time.
    fn admit(&self, name: &str, secret: &str) -> Option<Arc<SmsRoute>>;

    /// Takes one call, a text from a person or a delivery report, and answers in the gateway's dialect.
    async fn receive(&self, line: Arc<SmsRoute>, request: IncomingRequest) -> WireReply;
}

/// Whether we can serve.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Each part with what is wrong with it, if anything; all well when every second half is `None`.
    async fn checks(&self) -> Vec<(&'static str, Option<String>)>;
}
