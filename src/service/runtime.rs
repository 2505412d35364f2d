//! What every service takes from its process: the clock, chance, the node's id, and where its tasks live.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::core::dial_code::DialCode;
use crate::core::flow::{Context, Fresh, Offer};
use crate::core::health::Healths;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, NodeId};
use crate::core::time::{Clock, Entropy, Timestamp};

/// A moment at which a crash matters. Tests end the process there to see that nothing is lost or done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
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

impl Edge {
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
    pub fn word(self) -> &'static str {
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

/// Told at every [`Edge`]; does nothing in production.
pub type Tripwire = Arc<dyn Fn(Edge) + Send + Sync>;

/// What every service takes from its process.
#[derive(Clone)]
pub struct Runtime {
    /// The present moment.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// This server process.
    pub node: NodeId,
    /// The main runtime: a task spawned on an HTTP worker's own would die with it.
    pub handle: Handle,
    /// Everything under way, waited for at the end.
    pub tasks: TaskTracker,
    /// Told at every edge.
    pub tripwire: Tripwire,
}

impl Runtime {
    /// Runs work to its end, whatever becomes of the caller.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.handle);
    }

    /// Passes an edge.
    pub fn pass(&self, edge: Edge) {
        (self.tripwire)(edge);
    }

    /// What surrounds one step of the conversation now.
    pub fn context<'a>(&self, answer_by: Timestamp, banks: Option<&'a [Offer]>, country: &'a str) -> Context<'a> {
        let entropy = self.entropy.as_ref();
        Context {
            now: self.clock.now(),
            answer_by,
            node: self.node,
            fresh: Fresh {
                session: ConnectSessionId::draw(entropy),
                consent: ConsentId::draw(entropy),
                intent: IntentId::draw(entropy),
                attempt: AttemptId::draw(entropy),
                code: DialCode::draw(entropy),
            },
            banks,
            health: Healths::well(),
            country,
        }
    }
}
