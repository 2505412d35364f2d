//! What every service takes from its process: the clock, chance, the node's id, and where its tasks live.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::core::dial_code::DialCode;
use crate::core::flow::{FreshIds, Offer, StepContext};
use crate::core::health::HealthMap;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, NodeId};
use crate::core::time::{Clock, Rng, Timestamp};

/// A moment at which a crash matters. Tests end the process there to see that nothing is lost or done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The attempt is in the store, nothing else has happened.
    Pending,
    /// Consent and attempt are durable.
    Begun,
    /// The attempt is marked as sent in the store, and not yet in the records.
    Marked,
    /// The attempt is marked as sent; nothing has left.
    Sent,
    /// The provider has answered; nobody else knows.
    Answered,
    /// The grant is durable.
    Granted,
    /// The grant was exchanged; nobody else knows.
    Redeemed,
    /// The link is durable; the person does not know.
    Linked,
}

impl CrashPoint {
    /// All edges, in order.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Begun,
        Self::Marked,
        Self::Sent,
        Self::Answered,
        Self::Granted,
        Self::Redeemed,
        Self::Linked,
    ];

    /// The edge's name in the sandbox's configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Begun => "begun",
            Self::Marked => "marked",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Granted => "granted",
            Self::Redeemed => "redeemed",
            Self::Linked => "linked",
        }
    }
}

/// Told at every [`CrashPoint`]; does nothing in production.
pub type CrashHook = Arc<dyn Fn(CrashPoint) + Send + Sync>;

/// What every service takes from its process.
#[derive(Clone)]
pub struct Deps {
    /// The present moment.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// This server process.
    pub node: NodeId,
    /// The main runtime: a task spawned on an HTTP worker's own would die with it.
    pub handle: Handle,
    /// Everything under way, waited for at the end.
    pub tasks: TaskTracker,
    /// Told at every edge.
    pub crash_hook: CrashHook,
}

impl Deps {
    /// Runs work to its end, whatever becomes of the caller.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.handle);
    }

    /// Passes an edge.
    pub fn crash_point(&self, edge: CrashPoint) {
        (self.crash_hook)(edge);
    }

    /// What surrounds one step of the conversation now.
    pub fn context<'a>(&self, answer_by: Timestamp, banks: Option<&'a [Offer]>, country: &'a str) -> StepContext<'a> {
        let entropy = self.rng.as_ref();
        StepContext {
            now: self.clock.now(),
            answer_by,
            node: self.node,
            ids: FreshIds {
                session: ConnectSessionId::generate(entropy),
                consent: ConsentId::generate(entropy),
                intent: IntentId::generate(entropy),
                attempt: AttemptId::generate(entropy),
                code: DialCode::generate(entropy),
            },
            offers: banks,
            health: HealthMap::healthy(),
            country,
        }
    }
}
