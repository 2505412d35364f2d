//! Tells a subscriber's live value what came from elsewhere, and wakes the turn that waits for it.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::live::Live;
use super::runtime::Runtime;
use super::wakes::Wakes;
use crate::core::flow::{Flow, News};
use crate::core::seal::Tag;

/// Tells news.
#[derive(Clone)]
pub struct Newsroom {
    /// The conversation.
    pub flow: Arc<Flow>,
    /// Live values.
    pub live: Live,
    /// Wakes waiting turns.
    pub wakes: Wakes,
    /// Clock.
    pub runtime: Runtime,
}

impl Newsroom {
    /// Tells one piece of news. A store that is away for a moment is waited for; one that stays away loses nothing, for
    /// the records have it and the next dialog reads them. Says whether it concerned what is going on.
    pub async fn tell(&self, tag: &Tag, news: &News) -> bool {
        let told = (|| {
            self.live.change(tag, |state| {
                let context = self.runtime.context(self.runtime.clock.now(), None, "");
                self.flow.hear(state, news, &context).then_some(())
            })
        })
        .retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_times(7),
        )
        .await;
        self.wakes.ring(tag);
        match told {
            Ok(told) => told.is_some(),
            Err(error) => {
                tracing::warn!(?tag, %error, "news could not be told; the next dialog reads the records");
                false
            }
        }
    }
}
