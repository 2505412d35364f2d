//! What binds a person by SMS: that it was they who agreed.
//!
//! The sender of an SMS can be forged, and who forges it never sees our answers. So the option that binds has no key by
//! SMS: it is chosen by a number of six digits that is drawn for each SMS of ours and stands in that SMS only.
//!
//! It cannot be guessed, either. Wrong numbers are counted in the records, for a person, over all their dialogs, gateways and
//! nodes: nothing that is texted sets that back, no restart, and no loss of the live value. After [`MAX_WRONG`] of them in
//! [`WINDOW`] what binds is for the phone only, and the SMS says so. A try is written down before what it led to, in one
//! transaction with the count, so that no number of guesses at once is more than those few. One try in 900,000 is right;
//! somebody who forges three a day for a year has a chance of one in 820. And where our SMS was withheld nobody can know
//! the number: then none is right.
//!
//! Agreeing is all that binds by SMS. To unlink, to keep sharing, to agree to a new login and to type one's own code are for the
//! phone, see `sms_screens.rs`.

use std::time::Duration;

use super::rules::Flow;
use super::state::{Confirmation, ScreenNotice, Subscriber};
use super::step::{Step, Transition};
use super::turn_context::{Input, fold_choice};
use crate::core::menu::{Action, MenuOption, OptionTarget, Screen};

/// So many wrong numbers within [`WINDOW`], and what binds is for the phone only.
pub const MAX_WRONG: u32 = 3;

pub const WINDOW: Duration = Duration::from_hours(24);

/// The numbers are those of six digits.
const FIRST: u32 = 100_000;
const COUNT: u32 = 900_000;

/// Digits of the shortest text that is taken for a mistyped number and not for a key.
const SHORTEST: usize = 3;

impl Flow {
    /// Whether this is a try at the number in our last SMS, and if so whether it is right. It counts only once the records have
    /// let it, see [`Subscriber::judge_proof`].
    pub fn sms_proof(&self, state: &Subscriber, input: &Input) -> Option<bool> {
        let Input::Line(line) = input else { return None };
        let asked = state.sms_dialog().is_some() && !state.cursor.stale && state.cursor.confirmation.is_some();
        let screen = self.menu.screen(&state.cursor.screen).filter(|_| asked)?;
        binding_option(screen)?;
        let typed = fold_choice(line.expose());
        looks_like_number(&typed).then(|| state.is_confirmed_by(&typed))
    }
}

impl Subscriber {
    /// The id of the SMS that the SMS with the number answered.
    pub fn sms_question(&self) -> Option<&str> {
        let confirmation = self.cursor.confirmation.as_ref();
        confirmation.map(|confirmation| confirmation.reply_to.as_str())
    }

    /// What the records say of a try: a number that they do not accept chooses nothing.
    pub fn judge_proof(&mut self, accepted: bool, left: u32) {
        if !accepted {
            self.cursor.confirmation = None;
        }
        let dialog = self.dialogs.first_mut().and_then(|dialog| dialog.sms.as_mut());
        if let Some(dialog) = dialog {
            dialog.proofs_left = left;
        }
    }

    pub(super) fn is_confirmed_by(&self, typed: &str) -> bool {
        let confirmation = self.cursor.confirmation.as_ref();
        confirmation.is_some_and(|confirmation| confirmation.number.to_string() == typed)
    }
}

impl Step<'_> {
    /// The key by SMS of the screen's binding option.
    pub(super) fn draw_confirmation_number(&mut self, screen: &Screen) -> Option<(char, u32)> {
        self.state.cursor.confirmation = None;
        let reply_to = self.state.sms_dialog()?.answered.clone();
        let (choice, _) = binding_option(screen)?;
        if self.sms_replacement(screen).is_some() {
            return None;
        }
        let number = FIRST + self.context.ids.code.below(COUNT);
        self.state.cursor.confirmation = Some(Confirmation { number, reply_to });
        Some((choice.key, number))
    }

    /// A number that was not in our last SMS. With the last one that may be wrong the screen itself says that.
    pub(super) fn wrong_number(&self) -> Transition {
        match self.state.sms_dialog().map_or(0, |dialog| dialog.proofs_left) {
            0 => Transition::Stay(None),
            left => Transition::Stay(Some(ScreenNotice::with_number("note-wrong-code", left.into()))),
        }
    }
}

/// Whether a text can be a number of ours, or one that was mistyped.
pub(super) fn looks_like_number(typed: &str) -> bool {
    typed.len() >= SHORTEST && typed.bytes().all(|digit| digit.is_ascii_digit())
}

/// The choice of a screen that binds the person.
pub(super) fn binding_option(screen: &Screen) -> Option<(&MenuOption, Action)> {
    screen.options.iter().find_map(|option| match option.target {
        OptionTarget::Action(action @ Action::Consent) => Some((option, action)),
        _ => None,
    })
}
