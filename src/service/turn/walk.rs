//! One turn on its way, and how long it has.

use crate::core::budget::{self, Deadlines};
use crate::core::flow::state::{Dialog, Subscriber};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::gateways::UssdLimits;

/// One turn on its way.
pub(super) struct Walk<'a> {
    pub(super) tag: &'a SubscriberTag,
    /// Digest of the dialog's name.
    pub(super) key: [u8; 32],
    /// The channel's country, ISO 3166-1 alpha-2.
    pub(super) country: &'a str,
    pub(super) limits: &'a UssdLimits,
    pub(super) started: Timestamp,
}

impl Walk<'_> {
    fn deadlines(&self) -> Deadlines {
        Deadlines::from(self.limits)
    }

    /// The dialog of this turn, while it is remembered.
    pub(super) fn dialog<'s>(&self, state: &'s Subscriber) -> Option<&'s Dialog> {
        state.dialogs.iter().find(|dialog| dialog.key == self.key)
    }

    fn dialog_start(&self, state: &Subscriber) -> Timestamp {
        self.dialog(state).map_or(self.started, |dialog| dialog.started_at)
    }

    /// When this turn must be answered.
    pub(super) fn answer_by(&self, state: &Subscriber) -> Timestamp {
        budget::answer_by(self.deadlines(), self.dialog_start(state), self.started)
    }

    /// Whether the dialog has no room for another round: then we end it, for an end that we send is read.
    pub(super) fn last_round(&self, state: &Subscriber, now: Timestamp) -> bool {
        let deadlines = self.deadlines();
        budget::dialog_left(deadlines, self.dialog_start(state), now) < budget::round_time(deadlines)
    }
}
