//! Tells a subscriber's live value what came from elsewhere, and wakes the turn that waits for it.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::deps::Deps;
use super::handover::HandoverQueue;
use super::live::{LiveValues, LoadedValue};
use super::wakeups::Wakeups;
use crate::core::flow::handover::Notification;
use crate::core::flow::{Flow, SessionEvent};
use crate::core::ids::AttemptId;
use crate::core::seal::SubscriberTag;

/// Tells news.
#[derive(Clone)]
pub struct SessionUpdater {
    /// The conversation.
    pub flow: Arc<Flow>,
    /// Live values.
    pub live: LiveValues,
    /// Wakes waiting turns.
    pub wakes: Wakeups,
    /// Asks for texts to people who do not wait; `None` where texts cannot be sent.
    pub handovers: Option<HandoverQueue>,
    /// Clock.
    pub runtime: Deps,
}

impl SessionUpdater {
    /// Tells one piece of news. A store that is away for a moment is waited for; one that stays away loses nothing, for
    /// the records have it and the next dialog reads them. What no screen shows is texted. Says whether it concerned what
    /// is going on.
    pub async fn apply(&self, tag: &SubscriberTag, news: &SessionEvent) -> bool {
        let told = (|| {
            self.live.update(tag, |state| {
                let context = self.runtime.context(self.runtime.clock.now(), None, "");
                self.flow
                    .apply(state, news, &context)
                    .then(|| Flow::pending_notification(state))
            })
        })
        .retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_times(7),
        )
        .await;
        self.wakes.notify(tag);
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
    async fn look(&self, tag: &SubscriberTag) -> Option<(AttemptId, Notification)> {
        self.handovers.as_ref()?;
        match self.live.load(tag).await.ok()?.value {
            LoadedValue::Subscriber(state) => Flow::pending_notification(&state),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => None,
        }
    }

    /// Asks for the text that is owed, if the news are about that.
    async fn ask_for_text(&self, news: &SessionEvent, owed: Option<(AttemptId, Notification)>) {
        if let (Some(desk), SessionEvent::AttemptResolved { id, .. }, Some((attempt, tidings))) =
            (&self.handovers, news, owed)
            && *id == attempt
        {
            desk.enqueue(attempt, tidings, None).await;
        }
    }
}
