//! Tells a subscriber's live value what came from elsewhere, and wakes the turn that waits for it.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::handover::Desk;
use super::live::{Found, Live};
use super::runtime::Runtime;
use super::wakes::Wakes;
use crate::core::flow::handover::Tidings;
use crate::core::flow::{Flow, News};
use crate::core::ids::AttemptId;
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
    /// Asks for texts to people who do not wait; `None` where texts cannot be sent.
    pub desk: Option<Desk>,
    /// Clock.
    pub runtime: Runtime,
}

impl Newsroom {
    /// Tells one piece of news. A store that is away for a moment is waited for; one that stays away loses nothing, for
    /// the records have it and the next dialog reads them. What no screen shows is texted. Says whether it concerned what
    /// is going on.
    pub async fn tell(&self, tag: &Tag, news: &News) -> bool {
        let told = (|| {
            self.live.change(tag, |state| {
                let context = self.runtime.context(self.runtime.clock.now(), None, "");
                self.flow.hear(state, news, &context).then(|| Flow::owed(state))
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
            Ok(told) => {
                let taken = told.is_some();
                let owed = match told {
                    Some(owed) => owed,
                    None => self.look(tag).await,
                };
                self.ask_for_text(news, owed).await;
                taken
            }
            Err(error) => {
                tracing::warn!(?tag, %error, "news could not be told; the next dialog reads the records");
                false
            }
        }
    }

    /// What is still owed by something that was told before: whoever told it may not have come to asking for the text.
    async fn look(&self, tag: &Tag) -> Option<(AttemptId, Tidings)> {
        self.desk.as_ref()?;
        match self.live.load(tag).await.ok()?.found {
            Found::Subscriber(state) => Flow::owed(&state),
            Found::Nothing | Found::Broken(_) => None,
        }
    }

    /// Asks for the text that is owed, if the news are about that.
    async fn ask_for_text(&self, news: &News, owed: Option<(AttemptId, Tidings)>) {
        if let (Some(desk), News::Attempt { id, .. }, Some((attempt, tidings))) = (&self.desk, news, owed)
            && *id == attempt
        {
            desk.ask(attempt, tidings, None).await;
        }
    }
}
