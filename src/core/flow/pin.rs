//! A phone that others use too: what names a bank or an account stands behind the person's own code, if they have one.
//!
//! One gate serves all ways: whatever leads to a screen that tells something, a dial, a code, news or a key, goes through
//! [`Flow::go`], and where the person has not shown yet that they know the code, that is asked first and the screen shown
//! after it. What somebody has begun in the same dialog is theirs to see: they typed it a minute ago.
//!
//! A forgotten code is not handed out again by anybody. Whoever links the same account once more has shown to the bank who
//! they are, and the code is gone.

use super::actions::{ActionInput, Transition};
use super::links::show_links;
use super::state::Subscriber;
use super::turn::{stay, stay_with};
use super::{Effect, Flow, StepContext};
use crate::core::gsm7;
use crate::core::menu::Outcome;
use crate::core::pin::{self, FREE_TRIES, Pin, SubscriberPin};
use crate::core::secret::Secret;

impl Flow {
    /// Where the way to an outcome leads: to the question for the code, where it tells more than this dialog may see.
    pub(super) fn pin_gate(&self, state: &Subscriber, outcome: Outcome) -> Outcome {
        let locked = self.settings.subscriber_pin != SubscriberPin::Off
            && state.pin.is_some()
            && state.dialogs.first().is_some_and(|dialog| !dialog.unlocked);
        let own = state.session.as_ref().and_then(|session| session.started_in);
        let theirs = own.is_some() && own == state.dialogs.first().map(|dialog| dialog.key);
        match reach(outcome) {
            Reach::Links if locked => Outcome::EnterPin,
            Reach::Session if locked && !theirs => Outcome::EnterPin,
            _ => outcome,
        }
    }

    /// A code was typed at the question for it.
    pub(super) fn enter_pin(
        &self,
        state: &mut Subscriber,
        given: ActionInput,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let Some(then) = state.cursor.after_pin.take() else {
            return Self::entry(state);
        };
        let ActionInput::Line(line) = given else {
            return stay("note-choice");
        };
        let Some(pin) = &mut state.pin else {
            return then.into();
        };
        let before = pin.clone();
        let code = Secret::new(gsm7::fold_digits(line.expose().trim()));
        let right = pin.try_code(&self.keyring, &state.msisdn, &code, context.now);
        let (wrong, waits) = (pin.wrong_tries, pin.wait_left(context.now).is_some());
        if *pin != before {
            effects.push(Effect::SavePin(pin.clone()));
        }
        if right {
            if let Some(dialog) = state.dialogs.first_mut() {
                dialog.unlocked = true;
            }
            return match then {
                // What is under way may have ended meanwhile.
                Outcome::Checking | Outcome::Confirming => self.check_progress(state, context, effects),
                then => then.into(),
            };
        }
        state.cursor.after_pin = Some(then);
        if waits {
            return Outcome::PinLocked.into();
        }
        stay_with("note-pin", i64::from(FREE_TRIES.saturating_sub(wrong)))
    }

    /// Asks for a new code, where people may have one.
    pub(super) fn protect(&self) -> Transition {
        match self.settings.subscriber_pin {
            SubscriberPin::Off => stay("note-pin-off"),
            SubscriberPin::Optional | SubscriberPin::Required => Outcome::ChoosePin.into(),
        }
    }

    /// A code was chosen.
    pub(super) fn choose_pin(
        &self,
        state: &mut Subscriber,
        given: ActionInput,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let ActionInput::Line(line) = given else {
            return stay("note-choice");
        };
        let code = Secret::new(gsm7::fold_digits(line.expose().trim()));
        if !pin::is_well_formed(code.expose()) {
            return stay("note-pin-digits");
        }
        if !pin::is_hard_to_guess(code.expose()) {
            return stay("note-pin-easy");
        }
        let pin = Pin::new(&self.keyring, &state.msisdn, &code, context.now);
        effects.push(Effect::SavePin(pin.clone()));
        state.pin = Some(pin);
        state.pin_unsaved = true;
        if let Some(dialog) = state.dialogs.first_mut() {
            dialog.unlocked = true;
        }
        let linking = state
            .session
            .as_ref()
            .is_some_and(|session| session.institution.is_none());
        if linking {
            self.show_institutions(state, context, effects)
        } else {
            show_links(state)
        }
    }

    /// Takes up what the records know of the code. What only the store knows of is not forgotten: later wrong tries, and a
    /// code that was chosen so lately that it is still being written down.
    pub(super) fn reconcile_pin(state: &mut Subscriber, known: Option<&Pin>) {
        state.pin = match (state.pin.take(), known) {
            (live, None) => live.filter(|_| state.pin_unsaved),
            (Some(live), Some(known)) if live.is_newer_than(known) => Some(live),
            (_, Some(known)) => Some(known.clone()),
        };
        let unkept = |pin: &Pin| known.is_none_or(|known| known.chosen_at < pin.chosen_at);
        state.pin_unsaved &= state.pin.as_ref().is_some_and(unkept);
    }

    /// The records have this code by now. Says whether that was not known.
    pub fn mark_pin_saved(state: &mut Subscriber, kept: &Pin) -> Option<()> {
        let is_it = state.pin.as_ref().is_some_and(|pin| pin.chosen_at <= kept.chosen_at);
        (state.pin_unsaved && is_it).then(|| state.pin_unsaved = false)
    }

    /// Whether a code must be chosen before anything is linked.
    pub(super) fn pin_required(&self, state: &Subscriber) -> bool {
        self.settings.subscriber_pin == SubscriberPin::Required && state.pin.is_none()
    }

    /// The code is forgotten: only linking the same account again ends it.
    pub(super) fn forgot_pin(state: &mut Subscriber) -> Transition {
        state.session = None;
        Outcome::Welcome.into()
    }
}

/// What a screen tells.
enum Reach {
    /// Nothing about the person.
    Nothing,
    /// Where a connect session stands, with the bank's name.
    Session,
    /// What is linked.
    Links,
}

fn reach(outcome: Outcome) -> Reach {
    match outcome {
        Outcome::Welcome
        | Outcome::ChoosePartner
        | Outcome::NoPartner
        | Outcome::ChooseBank
        | Outcome::NoBanks
        | Outcome::NoLinks
        | Outcome::Left
        | Outcome::WillText
        | Outcome::TextsStopped
        | Outcome::EnterPin
        | Outcome::ChoosePin
        | Outcome::PinLocked => Reach::Nothing,
        Outcome::Links | Outcome::Link | Outcome::Unlinked | Outcome::AskedAgain => Reach::Links,
        Outcome::ChooseMethod
        | Outcome::Warn
        | Outcome::Ask
        | Outcome::AskChoice
        | Outcome::ChooseAccount
        | Outcome::Checking
        | Outcome::Confirming
        | Outcome::Unconfirmed
        | Outcome::RequestOver
        | Outcome::Mismatched
        | Outcome::Refused
        | Outcome::Unavailable
        | Outcome::Unsuited
        | Outcome::Limited
        | Outcome::Blocked
        | Outcome::BankDown
        | Outcome::BankBusy
        | Outcome::Resume
        | Outcome::News
        | Outcome::Linked
        | Outcome::LinkedTwice
        | Outcome::Renewed
        | Outcome::LeftChecking => Reach::Session,
    }
}
