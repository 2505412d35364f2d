//! Wakes the turns that wait in this process when something became of a subscriber. A missed wake costs a re-read
//! later, never an answer: waiting turns also look by themselves.

use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::core::seal::SubscriberTag;

/// Many more than turns ever wait at once for one wake.
const CAPACITY: usize = 1024;

/// Where wakes are rung and heard.
#[derive(Clone)]
pub struct Wakeups(broadcast::Sender<SubscriberTag>);

/// Somebody listening.
pub struct WakeupListener(broadcast::Receiver<SubscriberTag>);

impl Default for Wakeups {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Wakeups {
    /// Something became of this subscriber.
    pub fn notify(&self, tag: &SubscriberTag) {
        // Nobody listening is the usual case.
        let _ = self.0.send(*tag);
    }

    /// Hears what is rung from now on.
    pub fn subscribe(&self) -> WakeupListener {
        WakeupListener(self.0.subscribe())
    }
}

impl WakeupListener {
    /// Waits for something to become of this subscriber, at most `patience`.
    pub async fn wait(&mut self, tag: &SubscriberTag, patience: Duration) {
        let heard = async {
            loop {
                match self.0.recv().await {
                    Ok(rung) if rung != *tag => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Running out of patience is as good as a wake: the caller looks again.
        let _ = tokio::time::timeout(patience, heard).await;
    }
}
