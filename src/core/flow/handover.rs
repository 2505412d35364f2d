//! What is texted to a person whose dialog was over before its answer came.
//!
//! A message is for somebody who does not know yet. So it is written only when nobody can be reading a screen any more,
//! and not when a later dial has told the answer already. It names no bank and no number: other people read messages.

use super::recovery::dial_string;
use super::requesters;
use super::state::{Dialog, ReplySlot, Subscriber};
use super::{Flow, StepContext};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::time::Timestamp;

/// What is to be texted about a submission.
#[derive(Debug, PartialEq, Eq)]
pub enum HandoverDecision {
    /// Nothing: it was told, there is no answer yet, or the person has moved on.
    Nothing,
    /// The dialog may still be on: look again then.
    Later(Timestamp),
    /// This.
    Send(String),
}

/// What somebody is to be told, as far as a message tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// An account is linked.
    Linked,
    /// Something is asked.
    Question,
    /// Nothing was linked.
    NotLinked,
    /// Another account was than the one that is expected, and it was undone.
    Mismatched,
}

impl Notification {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Linked, Self::Question, Self::NotLinked, Self::Mismatched];

    /// A stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Question => "question",
            Self::NotLinked => "not_linked",
            Self::Mismatched => "mismatched",
        }
    }

    /// The id of its message.
    fn message_id(self) -> &'static str {
        match self {
            Self::Linked => "sms-linked",
            Self::Question => "sms-question",
            Self::NotLinked => "sms-not-linked",
            Self::Mismatched => "sms-mismatched",
        }
    }

    /// What is to be told where a session stands so; nothing where there is no answer yet.
    fn for_stage(stage: Outcome) -> Option<Self> {
        match stage {
            Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed => Some(Self::Linked),
            Outcome::Ask | Outcome::AskChoice | Outcome::ChooseAccount => Some(Self::Question),
            Outcome::Refused
            | Outcome::Unavailable
            | Outcome::BankBusy
            | Outcome::BankDown
            | Outcome::Unconfirmed
            | Outcome::Unsuited
            | Outcome::RequestOver
            | Outcome::Blocked => Some(Self::NotLinked),
            Outcome::Mismatched => Some(Self::Mismatched),
            _ => None,
        }
    }
}

impl Flow {
    /// What a person still has to learn of a submission, on a screen or otherwise: `None` where there is no answer yet, a
    /// screen has told it, or the person has moved on.
    pub fn unseen_notification(state: &Subscriber, attempt: AttemptId) -> Option<Notification> {
        let session = state.session.as_ref().filter(|session| !session.shown)?;
        let tidings = Notification::for_stage(session.stage)?;
        (state.attempt_id() == Some(attempt)).then_some(tidings)
    }

    /// What is still to be texted to a person about their last submission, once no dialog is on.
    pub fn pending_notification(state: &Subscriber) -> Option<(AttemptId, Notification)> {
        let attempt = state.attempt_id()?;
        let texted = state.session.as_ref()?.sms_sent;
        Some((attempt, Self::unseen_notification(state, attempt).filter(|_| !texted)?))
    }

    /// Marks a dialog as over, as [`Self::close`] does. Somebody who `left` a screen that went on has most likely read it:
    /// the next dial tells it again, but no text does. Says whether anything has changed.
    pub fn close_dialog(state: &mut Subscriber, key: &[u8; 32], delivered: bool, left: bool) -> bool {
        let untold = Self::pending_notification(state).is_some();
        let ended =
            |dialog: &Dialog| dialog.key == *key && matches!(&dialog.reply, ReplySlot::Set(answer) if answer.end);
        let read = left && !untold && !state.dialogs.iter().any(ended);
        let changed = Self::mark_closed(state, key, delivered);
        if let Some(session) = state.session.as_mut().filter(|_| changed && read) {
            session.sms_sent = true;
        }
        changed
    }

    /// What is to be texted about a submission now. A message is sent once, and hands a code out where there is something
    /// to go on with.
    pub fn handover_sms(
        &self,
        state: &mut Subscriber,
        attempt: AttemptId,
        service_code: &str,
        context: &StepContext<'_>,
    ) -> HandoverDecision {
        let Some((_, tidings)) = Self::pending_notification(state).filter(|(owed, _)| *owed == attempt) else {
            return HandoverDecision::Nothing;
        };
        if state.in_dialog(context.now) {
            let ends_at = state.dialogs.first().map(|dialog| dialog.ends_at);
            return HandoverDecision::Later(ends_at.unwrap_or(context.now));
        }
        let dial = match tidings {
            Notification::Linked | Notification::Mismatched => service_code.to_owned(),
            Notification::Question | Notification::NotLinked => {
                dial_string(service_code, Self::issue_recovery_code(state, context))
            }
        };
        if let Some(session) = &mut state.session {
            session.sms_sent = true;
        }
        HandoverDecision::Send(self.notification_sms(tidings, state.locale, (&self.session_partner_name(state), &dial)))
    }

    /// What is texted about a link to somebody of whom nothing live is known any more.
    pub fn linked_sms(&self, locale: Locale, partner: &str, service_code: &str) -> String {
        self.notification_sms(
            Notification::Linked,
            locale,
            (&requesters::display_name(partner), service_code),
        )
    }

    /// What is texted to somebody who wanted to know when an institution is back.
    pub fn bank_back_sms(&self, locale: Locale, service_code: &str) -> String {
        self.sms_template(locale, "sms-bank-back", service_code)
    }

    /// What is texted to somebody whom this partner asks to link.
    pub fn invitation_sms(&self, locale: Locale, partner: &str, dial: &str) -> String {
        self.sms_template_for(locale, "sms-asked", &requesters::display_name(partner), dial)
    }

    fn notification_sms(&self, tidings: Notification, locale: Locale, (partner, dial): (&str, &str)) -> String {
        self.sms_template_for(locale, tidings.message_id(), partner, dial)
    }
}
