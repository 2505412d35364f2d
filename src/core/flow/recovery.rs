//! Codes that lead straight back in.
//!
//! A redial from the same number finds the connect session without any code; a code only saves the question whether to
//! go on, and gives a message something to say. So it opens nothing that the number alone does not: dialled on another
//! phone it is one of the wrong ones.

use std::time::Duration;

use super::act::Move;
use super::asking::Coded;
use super::state::{Recovery, Subscriber};
use super::{Context, Effect, Flow};
use crate::core::dial_code::DialCode;
use crate::core::menu::Outcome;

/// How long a code works.
pub const CODE_LASTS: Duration = Duration::from_mins(15);

/// How many wrong codes end the right one.
const WRONG_CODES: u8 = 5;

/// How the way back is dialled: `*384*96#` and 482913507 make `*384*96*482913507#`.
pub(crate) fn dial_string(service_code: &str, code: DialCode) -> String {
    format!("{}*{code}#", service_code.trim_end_matches('#'))
}

impl Flow {
    /// Hands a code out; every message has its own, and only the last one works.
    pub(super) fn hand_out_code(state: &mut Subscriber, context: &Context<'_>) -> DialCode {
        let code = context.fresh.code;
        state.recovery = Some(Recovery {
            code,
            until: context.now.plus(CODE_LASTS),
            wrong: 0,
        });
        code
    }

    /// A code was dialled: to the request behind it, straight to where the person was, or the usual beginning with a
    /// sentence above it.
    pub(super) fn recover(
        &self,
        state: &mut Subscriber,
        code: DialCode,
        coded: Option<&Coded>,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        if let Some(Coded::Request(terms)) = coded {
            return self.answer_request(state, terms.as_ref().clone(), context, effects);
        }
        state.recovery = state.recovery.take().filter(|known| context.now < known.until);
        match &mut state.recovery {
            Some(recovery) if recovery.code == code => state.recovery = None,
            recovery => {
                if let Some(known) = recovery {
                    known.wrong += 1;
                }
                state.recovery = state.recovery.take().filter(|known| known.wrong < WRONG_CODES);
                return Self::wrong_code_dialled(state, context.now);
            }
        }
        // A waiting turn already looks at what is under way.
        match Self::home(state) {
            Move::To(Outcome::Resume) => self.look(state, context, effects),
            home => home,
        }
    }
}
