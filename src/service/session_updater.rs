//! Applies events to subscribers' live values, and wakes the turns that wait for them.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::deps::Deps;
use super::flow_in_force::FlowInForce;
use super::handover_queue::HandoverQueue;
use super::live::{LiveValues, LoadedValue};
use super::told::ToldChange;
use super::wakeups::Wakeups;
use crate::core::flow::handover::Notification;
use crate::core::flow::state::Subscriber;
use crate::core::flow::{OpenResult, SessionEvent};
use crate::core::ids::AttemptId;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

#[derive(Clone)]
pub struct SessionUpdater {
    pub flow: FlowInForce,
    pub live: LiveValues,
    pub wakes: Wakeups,
    /// Queues SMS to people who do not wait; `None` where SMS cannot be sent.
    pub handovers: Option<HandoverQueue>,
    pub runtime: Deps,
}

impl SessionUpdater {
    /// Applies one event. A store that is away for a moment is waited for; one that stays away loses nothing, since the records
    /// have it and the next dialog reads them. What no screen shows is sent by SMS. Returns whether the event was about the
    /// present session.
    pub async fn apply(&self, tag: &SubscriberTag, event: &SessionEvent) -> bool {
        let applied = (|| {
            self.live.update(tag, |state| {
                let context = self.runtime.context(self.runtime.clock.now(), None, "");
                let told = state.told();
                self.flow
                    .get()
                    .apply(state, event, &context)
                    .then(|| (self.owed(state), ToldChange::said(told, state)))
            })
        })
        .retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_times(7),
        )
        .await;
        self.wakes.notify(tag);
        match applied {
            Ok(applied) => {
                let taken = applied.is_some();
                let owed = match applied {
                    Some((owed, said)) => {
                        self.runtime.save_told(said);
                        owed
                    }
                    None => self.still_owed(tag).await,
                };
                self.queue_sms(event, owed).await;
                taken
            }
            Err(error) => {
                tracing::warn!(?tag, %error, "event could not be applied; the next dialog reads the records");
                false
            }
        }
    }

    fn owed(&self, state: &Subscriber) -> Option<OwedSms> {
        let (attempt, notification) = state.pending_notification()?;
        let asked_until = state.asked_until(self.runtime.clock.now());
        Some(OwedSms {
            attempt,
            notification,
            asked_until,
        })
    }

    /// What an earlier event still owes: the process that applied it may have ended before it queued the SMS.
    async fn still_owed(&self, tag: &SubscriberTag) -> Option<OwedSms> {
        self.handovers.as_ref()?;
        match self.live.load(tag).await.ok()?.value {
            LoadedValue::Subscriber(state) => self.owed(&state),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => None,
        }
    }

    /// Queues the SMS that is owed, if the event is about that.
    async fn queue_sms(&self, event: &SessionEvent, owed: Option<OwedSms>) {
        let (Some(handovers), Some(owed)) = (&self.handovers, owed) else {
            return;
        };
        match owed.asked_until {
            _ if attempt_of(event) != Some(owed.attempt) => {}
            Some(until) => handovers.look_later(owed.attempt, until).await,
            None => handovers.enqueue(owed.attempt, owed.notification, None).await,
        }
    }
}

/// An SMS that is still to be sent about an attempt.
struct OwedSms {
    attempt: AttemptId,
    notification: Notification,
    /// It is a question that is on a screen: until when at the latest.
    asked_until: Option<Timestamp>,
}

/// The attempt that an event tells of.
fn attempt_of(event: &SessionEvent) -> Option<AttemptId> {
    match event {
        SessionEvent::AttemptResolved { id, .. } | SessionEvent::LinkUndone { attempt: id, .. } => Some(*id),
        SessionEvent::AttemptRefused { standing, .. } => Some(standing.attempt.id),
        SessionEvent::ProviderSessionOpened {
            result: OpenResult::Waiting { attempt, .. } | OpenResult::Granted { attempt, .. },
            ..
        } => Some(*attempt),
        _ => None,
    }
}
