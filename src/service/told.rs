//! What screens have told people of their attempts, as the records know it.
//!
//! It is written beside the turns, on any node, and tried again for a while: the revision of the live value says which of two
//! writes tells more lately.

use backon::Retryable as _;

use super::deps::{Deps, write_backoff};
use crate::core::attempt::ToldOutcome;
use crate::core::flow::state::Subscriber;
use crate::core::ids::AttemptId;

/// A change of what a person was told of an attempt.
pub struct ToldChange {
    attempt: AttemptId,
    /// `None`: nothing.
    outcome: Option<ToldOutcome>,
    revision: u64,
}

impl ToldChange {
    /// What a screen tells now that was not told before. That it tells nothing any more undoes nothing.
    pub fn said(before: Option<(AttemptId, ToldOutcome)>, state: &Subscriber) -> Option<Self> {
        let (attempt, outcome) = state.told().filter(|told| Some(*told) != before)?;
        Some(Self {
            attempt,
            outcome: Some(outcome),
            revision: state.revision,
        })
    }

    /// What was on a screen that was not delivered: it has told nothing.
    pub fn unsaid(before: Option<(AttemptId, ToldOutcome)>, state: &Subscriber) -> Option<Self> {
        let (attempt, _) = before.filter(|_| state.told().is_none())?;
        Some(Self {
            attempt,
            outcome: None,
            revision: state.revision,
        })
    }
}

impl Deps {
    /// Writes what a person was told, once the live value with it is written. What cannot be written is told once more if
    /// the live value is lost.
    pub fn save_told(&self, change: Option<ToldChange>) {
        let Some(change) = change else { return };
        let records = self.records.clone();
        self.spawn(async move {
            let saving = || records.save_told(change.attempt, change.outcome, change.revision);
            if let Err(error) = saving.retry(write_backoff()).await {
                tracing::warn!(%error, "writing what a person was told failed");
            }
        });
    }
}
