//! A phone that others use too: screens that name an institution or an account are behind the person's own code, if they have
//! one.
//!
//! One gate serves all ways: whatever leads to a screen that tells something, a dial, a code, news or a key, goes through
//! [`Flow::go`], and where the person has not shown yet that they know the code, that is asked first and the screen shown
//! after it. What somebody has begun in the same dialog is theirs to see: they typed it a minute ago.
//!
//! A forgotten code cannot be recovered. A person who links the same account once more has shown the institution who they are,
//! and the code is deleted.

use std::time::Duration;

use super::effect::Effect;
use super::state::{ScreenNotice, Subscriber};
use super::step::{ActionInput, Step, Transition};
use crate::core::gsm7;
use crate::core::menu::{Outcome, Reveals, Role};
use crate::core::pin::{self, FREE_TRIES, Pin, SubscriberPin};
use crate::core::policy::SecretsOverUssd;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

const NOT_DIGITS: &str = "note-pin-digits";
const EASY: &str = "note-pin-easy";
const DIFFERS: &str = "note-pin-differs";

/// What is said of a code that is not taken.
const CODE_REFUSED: [&str; 3] = [NOT_DIGITS, EASY, DIFFERS];

/// For how long a login at a bank shows who has the phone.
const FRESH_LOGIN: Duration = Duration::from_mins(15);

impl Step<'_> {
    /// Where the way to an outcome leads: to the question for the code, where it tells more than this dialog may see.
    pub(super) fn pin_gate(&self, outcome: Outcome) -> Outcome {
        let locked = self.flow.settings.subscriber_pin != SubscriberPin::Off
            && self.state.pin.is_some()
            && self.state.dialogs.first().is_some_and(|dialog| !dialog.unlocked);
        let own = self.state.session.as_ref().and_then(|session| session.started_in);
        let theirs = own.is_some() && own == self.state.dialogs.first().map(|dialog| dialog.key);
        let gate = match outcome.reveals() {
            Reveals::Links => locked,
            Reveals::Session => locked && !theirs,
            Reveals::Nothing => false,
        };
        let waits = self
            .state
            .pin
            .as_ref()
            .is_some_and(|pin| pin.wait_left(self.context.now).is_some());
        match gate {
            // It would be asked for and not be taken.
            true if waits => Outcome::PinLocked,
            true => Outcome::EnterPin,
            false => outcome,
        }
    }

    /// A code was typed at the question for it.
    pub(super) fn enter_pin(&mut self, input: &ActionInput) -> Transition {
        let Some(then) = self.state.cursor.after_pin.take() else {
            return self.entry();
        };
        let ActionInput::Line(line) = input else {
            return Transition::stay("note-choice");
        };
        let Some(pin) = &mut self.state.pin else {
            return then.into();
        };
        let before = pin.clone();
        let code = Secret::new(gsm7::fold_digits(line.expose().trim()));
        let right = pin.try_code(&self.flow.keyring, &self.state.msisdn, &code, self.context.now);
        let (wrong, waits) = (pin.wrong_tries, pin.wait_left(self.context.now).is_some());
        if *pin != before {
            self.effects.push(Effect::SavePin(pin.clone()));
        }
        if right {
            if let Some(dialog) = self.state.dialogs.first_mut() {
                dialog.unlocked = true;
            }
            // What is under way may have ended meanwhile.
            return if then.is(Role::InProgress) {
                self.check_progress()
            } else {
                then.into()
            };
        }
        self.state.cursor.after_pin = Some(then);
        if waits {
            return Outcome::PinLocked.into();
        }
        let left = FREE_TRIES.saturating_sub(wrong);
        Transition::Stay(Some(ScreenNotice::with_number("note-pin", left.into())))
    }

    /// Whether it is known that this is the person whose accounts a code would lock: they know the present one, or a bank has
    /// just let them in. Nobody else, who has the phone or the number, may lock the owner out.
    fn may_choose_pin(&self) -> bool {
        let recent = |at: Timestamp| self.context.now.since(at) < FRESH_LOGIN;
        self.state.pin.is_some() || self.state.fresh_login.is_some_and(recent)
    }

    /// Whether somebody who chooses a code must be told that the channel is not private: no bank has been picked yet, whose
    /// rule might be another. Once: asked again, the page has room for why, and for what the code must not be.
    pub(super) fn own_code_wants_warning(&self) -> bool {
        let policy = &self.flow.settings.policy;
        let notice = self.state.cursor.notice.as_ref();
        let asked_again = notice.is_some_and(|notice| CODE_REFUSED.contains(&notice.id.as_str()));
        !asked_again && policy.ussd_rule(self.context.country, "", "") != SecretsOverUssd::Allow
    }

    /// Asks for a new code, where people may have one.
    pub(super) fn protect(&self) -> Transition {
        match self.flow.settings.subscriber_pin {
            SubscriberPin::Off => Transition::stay("note-pin-off"),
            _ if !self.may_choose_pin() => Transition::stay("note-pin-login"),
            SubscriberPin::Optional | SubscriberPin::Required => Outcome::ChoosePin.into(),
        }
    }

    /// A code was typed that is to be the person's own: the first time it is asked for again, the second time it is set.
    pub(super) fn choose_pin(&mut self, input: &ActionInput) -> Transition {
        let ActionInput::Line(line) = input else {
            return Transition::stay("note-choice");
        };
        let code = Secret::new(gsm7::fold_digits(line.expose().trim()));
        if !pin::is_well_formed(code.expose()) {
            return Transition::stay(NOT_DIGITS);
        }
        if !pin::is_hard_to_guess(code.expose()) {
            return Transition::stay(EASY);
        }
        let Some(first) = self.state.cursor.new_pin.take() else {
            let first = Pin::new(&self.flow.keyring, &self.state.msisdn, &code, self.context.now);
            self.state.cursor.new_pin = Some(first);
            return Transition::Stay(None);
        };
        if !first.is_code(&self.flow.keyring, &self.state.msisdn, &code) {
            return Transition::stay(DIFFERS);
        }
        self.take_links_along();
        let pin = Pin::new(&self.flow.keyring, &self.state.msisdn, &code, self.context.now);
        self.set_pin(pin);
        self.notice("note-pin-set");
        if self.is_to_choose_bank() {
            self.show_institutions()
        } else {
            self.show_links()
        }
    }

    fn set_pin(&mut self, pin: Pin) {
        self.effects.push(Effect::SavePin(pin.clone()));
        self.state.pin = Some(pin);
        self.state.pin_unsaved = true;
        if let Some(dialog) = self.state.dialogs.first_mut() {
            dialog.unlocked = true;
        }
    }

    /// Whether the code is chosen on the way to a bank, and not for what is linked.
    fn is_to_choose_bank(&self) -> bool {
        let session = self.state.session.as_ref();
        session.is_some_and(|session| session.institution.is_none() && !session.stage.is(Role::Success))
    }

    /// Back from choosing a code: what was typed is forgotten, and nothing else.
    pub(super) fn back_from_pin(&mut self) -> Transition {
        if self.state.cursor.new_pin.take().is_some() {
            return Transition::Stay(None);
        }
        if self.is_to_choose_bank() {
            // What was agreed to leads nowhere without a code: it is asked again.
            self.leave_session();
            self.entry()
        } else {
            self.show_links()
        }
    }

    /// A code speaks for what was in use when it was chosen. Where the one before it was typed, what that spoke for is in use.
    fn take_links_along(&mut self) {
        if !self.knows_pin() {
            return;
        }
        let now = self.context.now;
        let links = self.state.links.iter_mut().map(|link| {
            link.used_at = now;
            link.id
        });
        let links: Vec<_> = links.collect();
        if !links.is_empty() {
            self.effects.push(Effect::NoteUse(links));
        }
    }

    /// Whether the person has a code, and has shown in this dialog that they know it.
    fn knows_pin(&self) -> bool {
        self.state.pin.is_some() && self.state.dialogs.first().is_some_and(|dialog| dialog.unlocked)
    }

    /// Takes up what the records know of the code. What only the store knows of is not forgotten: later wrong tries, and a
    /// code that was chosen so lately that it is still being written down.
    pub(super) fn reconcile_pin(&mut self, known: Option<&Pin>) {
        self.state.pin = match (self.state.pin.take(), known) {
            (live, None) => live.filter(|_| self.state.pin_unsaved),
            (Some(live), Some(known)) if live.is_newer_than(known) => Some(live),
            (_, Some(known)) => Some(known.clone()),
        };
        let unkept = |pin: &Pin| known.is_none_or(|known| known.chosen_at < pin.chosen_at);
        self.state.pin_unsaved &= self.state.pin.as_ref().is_some_and(unkept);
    }

    /// Whether a code must be chosen before anything is linked. Where something is linked, a code would lock that away, and is
    /// chosen after a login. Where nothing is, one that somebody else has left protects nothing: it is chosen again.
    pub(super) fn pin_required(&self) -> bool {
        self.flow.settings.subscriber_pin == SubscriberPin::Required && self.state.links.is_empty() && !self.knows_pin()
    }
}

impl Subscriber {
    /// The records have this code by now. Returns whether that was not known.
    pub fn mark_pin_saved(&mut self, kept: &Pin) -> Option<()> {
        let is_it = self.pin.as_ref().is_some_and(|pin| pin.chosen_at <= kept.chosen_at);
        (self.pin_unsaved && is_it).then(|| self.pin_unsaved = false)
    }
}
