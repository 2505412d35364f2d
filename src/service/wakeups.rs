//! Wakes the turns that wait in this process when a subscriber's value has changed. A missed wakeup costs a later re-read,
//! never a reply: waiting turns also look by themselves.

use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::core::seal::SubscriberTag;

/// Many more than turns ever wait at once for one wakeup.
const CAPACITY: usize = 1024;

/// The channel of wakeups.
#[derive(Clone)]
pub struct Wakeups(broadcast::Sender<SubscriberTag>);

pub struct WakeupListener(broadcast::Receiver<SubscriberTag>);

impl Default for Wakeups {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Wakeups {
    /// This subscriber's value has changed.
    pub fn notify(&self, tag: &SubscriberTag) {
        // No subscriber to the channel is the usual case.
        let _ = self.0.send(*tag);
    }

    /// Receives the wakeups from now on.
    pub fn subscribe(&self) -> WakeupListener {
        WakeupListener(self.0.subscribe())
    }
}

impl WakeupListener {
    /// Waits until this subscriber's value has changed, at most for `timeout`.
    pub async fn wait(&mut self, tag: &SubscriberTag, timeout: Duration) {
        let woken = async {
            loop {
                match self.0.recv().await {
                    Ok(changed) if changed != *tag => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // A timeout is as good as a wakeup: the caller looks again.
        let _ = tokio::time::timeout(timeout, woken).await;
    }
}
