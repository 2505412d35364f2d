//! Asks for handover SMS: what became of an attempt, for a person who has not seen it on a screen.

use super::deps::Deps;
use crate::core::flow::handover::Notification;
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::time::Timestamp;
use crate::records::{Job, JobType};

/// Sends an SMS about what became of an attempt, to a person who has not seen it.
pub struct HandOver;

impl JobType for HandOver {
    const NAME: &'static str = "hand_over";
    type Subject = AttemptId;
}

/// The same about a question that is on a screen: not every network says that it has cut a dialog.
pub struct HandOverLeft;

impl JobType for HandOverLeft {
    const NAME: &'static str = "hand_over_left";
    type Subject = AttemptId;
}

#[derive(Clone)]
pub struct HandoverQueue {
    pub deps: Deps,
    /// On whose behalf.
    pub partner: PartnerId,
}

impl HandoverQueue {
    /// The job that sends this SMS, if the person has still not seen the answer then.
    pub fn job(&self, attempt: AttemptId, notification: Notification, due_at: Timestamp) -> Job {
        HandOver::job(self.partner, attempt, due_at).on_occasion(notification.as_str())
    }

    /// Asks for this SMS. Asked for twice on the same occasion it is asked for once; an occasion of its own is a dialog, by
    /// the digest of its name, that was closed before its answer was seen.
    pub async fn enqueue(&self, attempt: AttemptId, notification: Notification, closed: Option<&[u8; 32]>) {
        let mut job = self.job(attempt, notification, self.deps.clock.now());
        if let Some(dialog) = closed {
            let dialog = dialog.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
            job = job.on_occasion(format_args!("{dialog:016x}"));
        }
        self.add(&job).await;
    }

    /// Looks, once the dialog is over in which a question is asked, whether it was left unanswered.
    pub async fn look_later(&self, attempt: AttemptId, dialog_ends_at: Timestamp) {
        self.add(&HandOverLeft::job(self.partner, attempt, dialog_ends_at))
            .await;
    }

    async fn add(&self, job: &Job) {
        if let Err(error) = self.deps.records.enqueue(job).await {
            tracing::warn!(%error, "enqueueing a handover SMS failed");
        }
    }
}
