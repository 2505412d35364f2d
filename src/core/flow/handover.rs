//! What is texted to a person whose dialog was over before its answer came.
//!
//! A message is for somebody who does not know yet. So it is written only when nobody can be reading a screen any more,
//! and not when a later dial has told the answer already. It names no bank and no number: other people read messages.

use super::asking;
use super::recovery::dial_string;
use super::state::{Dialog, Slot, Subscriber};
use super::{Context, Flow};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::time::Timestamp;

/// What is to be texted about a submission.
#[derive(Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Nothing: it was told, there is no answer yet, or the person has moved on.
    Nothing,
    /// The dialog may still be on: look again then.
    Later(Timestamp),
    /// This.
    Text(String),
}

/// What somebody is to be told, as far as a message tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tidings {
    /// An account is linked.
    Linked,
    /// Something is asked.
    Question,
    /// Nothing was linked.
    NotLinked,
    /// Another account was than the one that is expected, and it was undone.
    Mismatched,
}

impl Tidings {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Linked, Self::Question, Self::NotLinked, Self::Mismatched];

    /// A stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Question => "question",
            Self::NotLinked => "not_linked",
            Self::Mismatched => "mismatched",
        }
    }

    /// The id of its message.
    fn message(self) -> &'static str {
        match self {
            Self::Linked => "sms-linked",
            Self::Question => "sms-question",
            Self::NotLinked => "sms-not-linked",
            Self::Mismatched => "sms-mismatched",
        }
    }

    /// What is to be told where a session stands so; nothing where there is no answer yet.
    fn of(stage: Outcome) -> Option<Self> {
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
    pub fn owes(state: &Subscriber, attempt: AttemptId) -> Option<Tidings> {
        let session = state.session.as_ref().filter(|session| !session.told)?;
        let tidings = Tidings::of(session.stage)?;
        (state.attempt() == Some(attempt)).then_some(tidings)
    }

    /// What is still to be texted to a person about their last submission, once no dialog is on.
    pub fn owed(state: &Subscriber) -> Option<(AttemptId, Tidings)> {
        let attempt = state.attempt()?;
        let texted = state.session.as_ref()?.texted;
        Some((attempt, Self::owes(state, attempt).filter(|_| !texted)?))
    }

    /// Marks a dialog as over, as [`Self::close`] does. Somebody who `left` a screen that went on has most likely read it:
    /// the next dial tells it again, but no text does. Says whether anything has changed.
    pub fn leave(state: &mut Subscriber, key: &[u8; 32], delivered: bool, left: bool) -> bool {
        let untold = Self::owed(state).is_some();
        let ended = |dialog: &Dialog| dialog.key == *key && matches!(&dialog.reply, Slot::Set(answer) if answer.end);
        let read = left && !untold && !state.dialogs.iter().any(ended);
        let changed = Self::close(state, key, delivered);
        if let Some(session) = state.session.as_mut().filter(|_| changed && read) {
            session.texted = true;
        }
        changed
    }

    /// What is to be texted about a submission now. A message is sent once, and hands a code out where there is something
    /// to go on with.
    pub fn hand_over(
        &self,
        state: &mut Subscriber,
        attempt: AttemptId,
        service_code: &str,
        context: &Context<'_>,
    ) -> HandOver {
        let Some((_, tidings)) = Self::owed(state).filter(|(owed, _)| *owed == attempt) else {
            return HandOver::Nothing;
        };
        if state.in_dialog(context.now) {
            let ends_at = state.dialogs.first().map(|dialog| dialog.ends_at);
            return HandOver::Later(ends_at.unwrap_or(context.now));
        }
        let dial = match tidings {
            Tidings::Linked | Tidings::Mismatched => service_code.to_owned(),
            Tidings::Question | Tidings::NotLinked => dial_string(service_code, Self::hand_out_code(state, context)),
        };
        if let Some(session) = &mut state.session {
            session.texted = true;
        }
        HandOver::Text(self.tidings(tidings, state.locale, (&self.partner_of(state), &dial)))
    }

    /// What is texted about a link to somebody of whom nothing live is known any more.
    pub fn tell_linked(&self, locale: Locale, partner: &str, service_code: &str) -> String {
        self.tidings(Tidings::Linked, locale, (&asking::shown(partner), service_code))
    }

    /// What is texted to somebody who wanted to know when an institution is back.
    pub fn tell_back(&self, locale: Locale, service_code: &str) -> String {
        self.say(locale, "sms-bank-back", service_code)
    }

    /// What is texted to somebody whom this partner asks to link.
    pub fn invite(&self, locale: Locale, partner: &str, dial: &str) -> String {
        self.say_of(locale, "sms-asked", &asking::shown(partner), dial)
    }

    fn tidings(&self, tidings: Tidings, locale: Locale, (partner, dial): (&str, &str)) -> String {
        self.say_of(locale, tidings.message(), partner, dial)
    }
}
