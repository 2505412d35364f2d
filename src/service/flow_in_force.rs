//! The rules and words of the conversation that are in force. A reload puts others in their place as a whole: a turn takes
//! them once and says all of its reply in the same words.

use std::sync::{Arc, PoisonError, RwLock};

use crate::core::flow::Flow;

/// Shared by all who speak to people.
#[derive(Clone)]
pub struct FlowInForce(Arc<RwLock<Arc<Flow>>>);

impl FlowInForce {
    pub fn new(flow: Flow) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(flow))))
    }

    pub fn get(&self) -> Arc<Flow> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, flow: Flow) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(flow);
    }
}
