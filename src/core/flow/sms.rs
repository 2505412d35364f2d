//! A conversation by SMS: is this SMS the beginning of one, an answer to what we said last, or neither?
//!
//! A dialog of SMS is a dialog as any other, under the same value and with the same screens, each of which is one SMS. What
//! differs is that nobody is there. An answer may come hours later, twice, or in the wrong order, and no network says when it
//! is over. So:
//!
//! * Only who asks for it begins: LINK, CONTINUE, or a language. A number or a name never begins anything.
//! * It answers the screen we sent last if it comes within [`REPLY_WINDOW`] and was not sent before the SMS that led to that
//!   screen. Otherwise the present screen is sent again, and nothing is chosen.
//! * The dialog begun last is in charge. While somebody is on the phone, an SMS that begins nothing, or was sent before they
//!   dialled, changes nothing.
//! * The sender of an SMS can be forged. What binds a person has no key of its own by SMS, see [`super::sms_proof`].
//! * Other people read SMS. What must not be sent by SMS is not asked for by SMS, and what tells of somebody's bank or account
//!   is not shown: the person is told what to dial, see `sms_screens.rs`.

use std::time::Duration;

use super::dialogs::DialogDecision;
use super::sms_proof::{binding_option, looks_like_number};
use super::state::{Dialog, ReplySlot, SmsDialog, Subscriber, TurnReply};
use super::step::{ActionInput, Step, Transition};
use super::turn_context::{Input, ReceivedSms, TurnContext};
use crate::core::attempt::LiveAttemptState;
use crate::core::menu::{BACK_KEY, Outcome, Screen};
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::core::sms_keywords::{self, Keyword};
use crate::core::time::Timestamp;

/// Within this an SMS answers the screen that was sent last.
pub const REPLY_WINDOW: Duration = Duration::from_hours(1);

/// Within this an SMS that answers nothing is shown where the person stands: for as long as the live value is kept.
pub const SESSION_WINDOW: Duration = Duration::from_hours(24);

/// After so many SMS in a row that choose nothing a dialog is over: people ask for help then, and machines give up.
const MAX_INVALID: u8 = 4;

/// The most characters of an answer, as on the phone.
const MAX_SMS_ANSWER_LEN: usize = 180;

impl Subscriber {
    /// The dialog in charge, if it is one of SMS.
    pub(super) fn sms_dialog(&self) -> Option<&SmsDialog> {
        self.dialogs.first()?.sms.as_ref()
    }

    /// Decides what an SMS is, and takes it into the dialogs if it is to be stepped with. [`DialogDecision::Over`] is an SMS
    /// that neither begins nor answers anything; [`DialogDecision::Elsewhere`] one of somebody who is on the phone.
    pub(super) fn admit_sms(&mut self, turn: &TurnContext<'_>, sms: &ReceivedSms, now: Timestamp) -> DialogDecision {
        let known = self.dialogs.iter().position(|dialog| turn.is_of(dialog));
        if let Some(dialog) = known.map(|at| &self.dialogs[at])
            && turn.turn_id.is_some_and(|id| dialog.turn_ids.contains(&id))
        {
            return DialogDecision::Repeat(dialog.reply.clone());
        }
        let begins = sms.keyword != Keyword::Other;
        let on_phone = self.dialogs.first().filter(|_| self.in_dialog(now));
        if on_phone.is_some_and(|dialog| !begins || sms.sent_at < dialog.started_at) {
            return DialogDecision::Elsewhere;
        }
        let opted_out_at = turn.sms.and_then(|sms| sms.opted_out_at);
        let open = known.filter(|&at| self.dialogs[at].is_open(opted_out_at, now));
        let answerable = open.filter(|&at| at == 0 && self.dialogs[at].shown_within(REPLY_WINDOW, now));
        let input = match (sms.keyword, open, answerable) {
            (Keyword::Language(locale), _, Some(_)) => Input::Language(locale),
            (Keyword::Other, _, Some(_)) => self.sms_answer(sms),
            (Keyword::Other, None, None) => return DialogDecision::Over,
            (Keyword::Language(_), None, None) if opted_out_at.is_some() => return DialogDecision::Over,
            (keyword, _, _) => {
                self.begin_sms(turn, now);
                match keyword {
                    Keyword::Language(locale) => Input::Language(locale),
                    Keyword::Continue => Input::Continue,
                    _ => Input::Begin(Vec::new()),
                }
            }
        };
        self.take_sms(turn, sms.sent_at, now);
        DialogDecision::Step(input)
    }

    /// The answer in an SMS, unless it was sent before the screen's time or is not here as a whole.
    fn sms_answer(&self, sms: &ReceivedSms) -> Input {
        let late = self.sms_dialog().is_some_and(|dialog| sms.sent_at < dialog.received_at);
        match sms.text.as_ref().filter(|_| !late) {
            // A blank at an end is the phone's, which puts one behind every word it knows.
            Some(line) => Input::Line(Secret::new(line.expose().trim())),
            None => Input::Redisplay,
        }
    }

    /// A new dialog of SMS. What was taken in the one before is still known.
    fn begin_sms(&mut self, turn: &TurnContext<'_>, now: Timestamp) {
        let before = self.dialogs.iter().position(|dialog| turn.is_of(dialog));
        let before = before.map(|at| self.dialogs.remove(at));
        let received_at = before
            .as_ref()
            .and_then(|dialog| Some(dialog.sms.as_ref()?.received_at));
        self.insert_dialog(Dialog {
            // No dialled one before it goes on: this is not another session for the same dial.
            used: true,
            turn_ids: before.map(|dialog| dialog.turn_ids).unwrap_or_default(),
            sms: Some(SmsDialog {
                dial: String::new(),
                received_at: received_at.unwrap_or(Timestamp::from_millis(0)),
                shown_at: now,
                invalid_in_a_row: 0,
                answered: String::new(),
                proofs_left: 0,
                opted_out: false,
            }),
            ..Dialog::new(turn, now)
        });
    }

    /// Takes an SMS into the dialog in charge.
    fn take_sms(&mut self, turn: &TurnContext<'_>, sent_at: Timestamp, now: Timestamp) {
        let (Some(dialog), Some(sms)) = (self.dialogs.first_mut(), turn.sms) else {
            return;
        };
        dialog.remember_turn_id(turn.turn_id);
        if let Some(own) = &mut dialog.sms {
            sms.dial.clone_into(&mut own.dial);
            own.received_at = own.received_at.max(sent_at);
            own.shown_at = now;
            own.opted_out = sms.opted_out_at.is_some();
            sms.id.clone_into(&mut own.answered);
            own.proofs_left = sms.proofs_left;
        }
    }

    /// Whether the result of a submission is still to come.
    pub(super) fn awaits_result(&self) -> bool {
        let attempt = self.live_attempt();
        attempt.is_some_and(|attempt| attempt.in_flight() || attempt.state == LiveAttemptState::Unknown)
    }
}

impl Dialog {
    fn is_open(&self, opted_out_at: Option<Timestamp>, now: Timestamp) -> bool {
        let wanted = opted_out_at.is_none_or(|since| self.started_at > since);
        !self.closed && wanted && self.shown_within(SESSION_WINDOW, now)
    }

    /// Whether its last screen was sent by SMS not longer ago than this.
    fn shown_within(&self, window: Duration, now: Timestamp) -> bool {
        self.sms.as_ref().is_some_and(|sms| now.since(sms.shown_at) < window)
    }
}

impl Step<'_> {
    /// A person asked for a language by its name: the same screen in it, or where a dial begins if there is none.
    pub(super) fn set_language(&mut self, locale: Locale) -> Transition {
        self.choose_language(locale);
        if self.state.cursor.screen.is_empty() {
            return self.begin_dialog();
        }
        Transition::Stay(None)
    }

    /// What a line by SMS does that would do something else on the phone; `None` where it does the same.
    pub(super) fn sms_line(&mut self, screen: &Screen, typed: &str) -> Option<Transition> {
        self.state.sms_dialog()?;
        if typed.chars().count() > MAX_SMS_ANSWER_LEN {
            return Some(Transition::stay("note-too-long"));
        }
        let own = screen.options.iter().find(|choice| choice.key.to_string() == typed);
        match (binding_option(screen), own) {
            (Some((_, action)), _) if self.state.is_confirmed_by(typed) => Some(self.act(action, ActionInput::Nothing)),
            (Some(_), None) if looks_like_number(typed) => Some(self.wrong_number()),
            // What most people answer with: the same screen says once more what to reply, and nothing was missed.
            (Some((binding, _)), own)
                if own.is_some_and(|own| own.key == binding.key) || sms_keywords::is_yes_or_no(typed) =>
            {
                Some(Transition::Stay(None))
            }
            // Whatever it was, it is not kept; only going back is a key.
            (_, own) if own.is_none_or(|own| own.key != BACK_KEY) && self.sms_replacement(screen).is_some() => {
                Some(Transition::stay("note-choice"))
            }
            _ => None,
        }
    }

    /// Counts SMS in a row that chose nothing, and ends the dialog when there are too many.
    pub(super) fn count_invalid_sms(&mut self, missed: bool) -> bool {
        let dialog = self.state.dialogs.first_mut();
        let Some(dialog) = dialog.and_then(|dialog| dialog.sms.as_mut()) else {
            return false;
        };
        dialog.invalid_in_a_row = if missed {
            dialog.invalid_in_a_row.saturating_add(1)
        } else {
            0
        };
        if dialog.invalid_in_a_row < MAX_INVALID {
            return false;
        }
        let dial = dialog.dial.clone();
        let text = self.flow.sms_template(self.state.locale, "sms-lost", &dial);
        self.state.set_reply(ReplySlot::Set(TurnReply::end(text)));
        true
    }

    /// Where a turn by SMS goes that would wait: nobody waits for what is under way, its answer is an SMS of its own.
    pub(super) fn instead_of_waiting(&self) -> Option<Outcome> {
        self.state.sms_dialog()?;
        let session = self.state.session.as_ref()?;
        let attempt = session.attempt.as_ref();
        if attempt.is_some_and(|attempt| attempt.state == LiveAttemptState::Waiting) {
            // What is to be done meanwhile is on its screen.
            return Some(session.stage);
        }
        self.state.awaits_result().then_some(Outcome::LeftChecking)
    }
}
