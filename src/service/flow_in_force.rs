//! The rules and words of the conversation that are in force. A reload puts others in their place as a whole: a turn takes
//! them once and says all of its reply in the same words.

use std::sync::Arc;

use tokio::sync::watch;

use crate::core::flow::Flow;

/// Shared by all who speak to people.
#[derive(Clone)]
pub struct FlowInForce(watch::Sender<Arc<Flow>>);

impl FlowInForce {
    pub fn new(flow: Flow) -> Self {
        Self(watch::Sender::new(Arc::new(flow)))
    }

    pub fn get(&self) -> Arc<Flow> {
        self.0.borrow().clone()
    }

    pub fn replace(&self, flow: Flow) {
        self.0.send_replace(Arc::new(flow));
    }

    /// Changes when others are put in force.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Flow>> {
        self.0.subscribe()
    }
}
