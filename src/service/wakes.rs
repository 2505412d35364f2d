//! Wakes the turns that wait in this process when something became of a subscriber. A missed wake costs a re-read
//! later, never an answer: waiting turns also look by themselves.

use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::core::seal::Tag;

/// Many more than turns ever wait at once for one wake.
const ROOM: usize = 1024;

/// Where wakes are rung and heard.
#[derive(Clone)]
pub struct Wakes(broadcast::Sender<Tag>);

/// Somebody listening.
pub struct Listener(broadcast::Receiver<Tag>);

impl Default for Wakes {
    fn default() -> Self {
        Self(broadcast::channel(ROOM).0)
    }
}

impl Wakes {
    /// Something became of this subscriber.
    pub fn ring(&self, tag: &Tag) {
        // Nobody listening is the usual case.
        let _ = self.0.send(*tag);
    }

    /// Hears what is rung from now on.
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits for something to become of this subscriber, at most `patience`.
    pub async fn wait(&mut self, tag: &Tag, patience: Duration) {
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
