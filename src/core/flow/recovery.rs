//! Codes that lead straight back in.
//!
//! A redial from the same number finds the connect session without any code; a code only saves the question whether to
//! go on, and gives a message something to say. So it opens nothing that the number alone does not: dialled on another
//! phone it is one of the wrong ones.

use std::time::Duration;

use super::actions::Transition;
use super::requesters::DialedCode;
use super::state::{RecoveryCode, Subscriber};
use super::{Effect, Flow, StepContext};
use crate::core::dial_code::DialCode;
use crate::core::menu::Outcome;

/// How long a code works.
pub const RECOVERY_CODE_TTL: Duration = Duration::from_mins(15);

/// How many wrong codes end the right one.
const MAX_WRONG_TRIES: u8 = 5;

/// How the way back is dialled: `*384*96#` and 482913507 make `*384*96*482913507#`.
pub(crate) fn dial_string(service_code: &str, code: DialCode) -> String {
    format!("{}*{code}#", service_code.trim_end_matches('#'))
}

impl Flow {
    /// Hands a code out; every message has its own, and only the last one works.
    pub(super) fn issue_recovery_code(state: &mut Subscriber, context: &StepContext<'_>) -> DialCode {
        let code = context.ids.code;
        state.recovery = Some(RecoveryCode {
            code,
            until: context.now.plus(RECOVERY_CODE_TTL),
            wrong_tries: 0,
        });
        code
    }

    /// A code was dialled: to the request behind it, straight to where the person was, or the usual beginning with a
    /// sentence above it.
    pub(super) fn apply_dialed_code(
        &self,
        state: &mut Subscriber,
        code: DialCode,
        coded: Option<&DialedCode>,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        if let Some(DialedCode::Request(terms)) = coded {
            return self.open_request(state, terms.as_ref().clone(), context, effects);
        }
        state.recovery = state.recovery.take().filter(|known| context.now < known.until);
        match &mut state.recovery {
            Some(recovery) if recovery.code == code => state.recovery = None,
            recovery => {
                if let Some(known) = recovery {
                    known.wrong_tries += 1;
                }
                state.recovery = state
                    .recovery
                    .take()
                    .filter(|known| known.wrong_tries < MAX_WRONG_TRIES);
                return Self::count_wrong_code(state, context.now);
            }
        }
        // A waiting turn already looks at what is under way.
        match Self::entry(state) {
            Transition::Outcome(Outcome::Resume) => self.check_progress(state, context, effects),
            home => home,
        }
    }
}
