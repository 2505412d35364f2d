//! The SMS to a person who went away in the middle: once, when they have not come back by themselves.
//!
//! Most who are cut dial again at once, so nothing is sent before [`REMIND_AFTER`]. It is for two kinds of people: those who
//! have agreed and have not logged in yet, who get a code that leads straight to where they were; and those whom a partner's
//! own SMS has asked, and who were cut before they had said yes or no. Leaving by a key is a no, and nothing follows it. What
//! a bank asks after a login does not wait for this, see `handover.rs`.

use std::time::Duration;

use super::context::StepContext;
use super::effect::{Effect, ReminderSubject};
use super::handover::HandoverDecision;
use super::recovery::dial_string;
use super::rules::Flow;
use super::state::{Dialog, ReplySlot, Subscriber};
use super::step::Step;
use crate::core::ids::ConsentId;
use crate::core::menu::Outcome;
use crate::core::time::Timestamp;

/// How long after the last dialog somebody who has not come back is reminded.
pub const REMIND_AFTER: Duration = Duration::from_mins(10);

/// Somebody who agrees again and again is reminded no more often than this.
const REMIND_EVERY: Duration = Duration::from_hours(24);

impl Subscriber {
    /// The last dialog is over by now: it ends now, and not when its network would cut it.
    pub fn note_dialog_end(&mut self, now: Timestamp) {
        for dialog in self.dialogs.iter_mut().filter(|dialog| dialog.closed) {
            dialog.ends_at = dialog.ends_at.min(now);
        }
    }

    /// Whether this was left in the middle, and the person may still come back to it.
    fn has_left(&self, subject: ReminderSubject) -> bool {
        // What was said by SMS is in their inbox.
        let by_phone = self.dialogs.first().is_some_and(|dialog| dialog.sms.is_none());
        let session = self.session.as_ref();
        by_phone
            && match subject {
                ReminderSubject::Agreed(id) => session.is_some_and(|session| {
                    let own = session.consent.as_ref().is_some_and(|consent| consent.id == id);
                    own && session.awaits_login()
                }),
                ReminderSubject::Asked(id) => {
                    let asked = self.terms.as_ref().is_some_and(|terms| terms.intent == Some(id));
                    session.is_none() && asked && self.dialogs.first().is_some_and(Dialog::was_cut)
                }
            }
    }

    fn reminded_lately(&self, now: Timestamp) -> bool {
        self.reminded.is_some_and(|at| now.since(at) < REMIND_EVERY)
    }

    /// Whether a reminder that was written would come too late: the person is back, or has got further.
    pub fn came_back(&self, subject: ReminderSubject, now: Timestamp) -> bool {
        self.in_dialog(now) || !self.has_left(subject)
    }
}

impl Dialog {
    /// Whether it ended otherwise than by an answer of ours, as far as is known.
    fn was_cut(&self) -> bool {
        !matches!(&self.reply, ReplySlot::Set(reply) if reply.end)
    }
}

impl Flow {
    /// Whether somebody is to be reminded now. Those who have agreed are given a code.
    pub fn reminder_sms(
        &self,
        state: &mut Subscriber,
        subject: ReminderSubject,
        service_code: &str,
        context: &StepContext<'_>,
    ) -> HandoverDecision {
        let now = context.now;
        if !state.has_left(subject) {
            return HandoverDecision::Nothing;
        }
        let over = state.dialogs.first().map_or(now, |dialog| dialog.ends_at);
        let due = over.plus(REMIND_AFTER);
        if now < due {
            return HandoverDecision::Later(due);
        }
        let partner = self.terms(state).name.clone();
        if matches!(subject, ReminderSubject::Asked(_)) {
            return HandoverDecision::Send(self.sms_template_for(
                state.locale,
                "sms-asked-again",
                &partner,
                service_code,
            ));
        }
        if state.reminded_lately(now) {
            return HandoverDecision::Nothing;
        }
        let code = self.step(state, context).issue_recovery_code();
        state.reminded = Some(now);
        let dial = dial_string(service_code, code);
        HandoverDecision::Send(self.sms_template_for(state.locale, "sms-go-on", &partner, &dial))
    }
}

impl Step<'_> {
    /// The person has just agreed: they are reminded if they go away now.
    pub(super) fn remind_of_consent(&mut self, consent: ConsentId) {
        if !self.state.reminded_lately(self.context.now) {
            self.remind(ReminderSubject::Agreed(consent));
        }
    }

    /// A dialog begins with what an intent asks of this very person: they are reminded if they are cut there.
    pub(super) fn remind_of_request(&mut self) {
        let asking = [Outcome::Welcome, Outcome::AskedAgain].map(|outcome| self.flow.menu.outcome(outcome));
        let asked = asking.contains(&self.state.cursor.screen.as_str()) && self.state.sms_dialog().is_none();
        // What everybody may answer has asked nobody by SMS.
        let own = self.state.terms.as_ref().filter(|terms| !terms.reusable);
        if let Some(intent) = own.and_then(|terms| terms.intent).filter(|_| asked) {
            self.remind(ReminderSubject::Asked(intent));
        }
    }

    fn remind(&mut self, subject: ReminderSubject) {
        if self.is_texted() {
            self.effects.push(Effect::Remind(subject));
        }
    }
}
