//! The SMS that the service would send to somebody, when it would.

use std::time::Duration;

use crate::core::flow::handover::{HandoverDecision, Notification};
use crate::core::flow::reminder::REMIND_AFTER;
use crate::core::flow::tests::phone::Phone;
use crate::core::flow::{Effect, ReminderSubject};
use crate::core::time::Timestamp;

const SERVICE_CODE: &str = "*384*96#";

/// What waits to be sent.
#[derive(Default)]
pub struct PendingSms {
    reminders: Vec<(ReminderSubject, Timestamp)>,
    handover: Option<(Notification, Timestamp)>,
}

impl PendingSms {
    /// Takes the effects that schedule a text.
    pub fn schedule(&mut self, effects: &[Effect], now: Timestamp) {
        let reminders = effects.iter().filter_map(|effect| match effect {
            Effect::Remind(subject) => Some((*subject, now.plus(REMIND_AFTER))),
            _ => None,
        });
        self.reminders.extend(reminders);
    }

    /// When something is next to be decided.
    pub fn due(&mut self, phone: &Phone) -> Option<Timestamp> {
        let pending = phone.state.pending_notification().map(|(_, pending)| pending);
        if self.handover.map(|(known, _)| known) != pending {
            self.handover = pending.map(|pending| (pending, phone.now));
        }
        let reminders = self.reminders.iter().map(|(_, due)| *due);
        reminders.chain(self.handover.map(|(_, due)| due)).min()
    }

    /// Decides what is due now; the text, if one is sent.
    pub fn decide(&mut self, phone: &mut Phone) -> Option<String> {
        let now = phone.now;
        if let Some((notification, _)) = self.handover.filter(|(_, due)| *due <= now) {
            let (attempt, _) = phone.state.pending_notification()?;
            return match phone.step(|flow, state, context| flow.handover_sms(state, attempt, SERVICE_CODE, context)) {
                HandoverDecision::Send(text) => Some(text),
                HandoverDecision::Later(at) => {
                    self.handover = Some((notification, at.max(now.plus(Duration::from_secs(1)))));
                    None
                }
                HandoverDecision::Nothing => {
                    self.handover = Some((notification, now.plus(Duration::from_hours(24))));
                    None
                }
            };
        }
        let at = self.reminders.iter().position(|(_, due)| *due <= now)?;
        let (subject, _) = self.reminders.swap_remove(at);
        match phone.step(|flow, state, context| flow.reminder_sms(state, subject, SERVICE_CODE, context)) {
            HandoverDecision::Send(text) => Some(text),
            HandoverDecision::Later(due) => {
                self.reminders.push((subject, due));
                None
            }
            HandoverDecision::Nothing => None,
        }
    }
}
