//! Codes that lead straight back in.
//!
//! A redial from the same number finds the connect session without any code; a code only saves the question whether to
//! go on, and gives a message something to say. So it opens nothing that the number alone does not: dialled on another
//! phone it counts as a wrong one.

use std::time::Duration;

use super::state::RecoveryCode;
use super::step::{Step, Transition};
use super::terms::DialedCode;
use super::turn_context::fold_choice;
use crate::core::dial_code::DialCode;
use crate::core::menu::Outcome;
use crate::core::secret::Secret;

/// How long a code works.
pub const RECOVERY_CODE_TTL: Duration = Duration::from_mins(15);

/// How many wrong codes end the right one.
const MAX_WRONG_TRIES: u8 = 5;

/// How the way back is dialled: `*384*96#` and 482913507 make `*384*96*482913507#`.
pub(crate) fn dial_string(service_code: &str, code: DialCode) -> String {
    format!("{}*{code}#", service_code.trim_end_matches('#'))
}

impl Step<'_> {
    /// Issues a code; every SMS has its own, and only the last one works.
    pub(super) fn issue_recovery_code(&mut self) -> DialCode {
        let code = self.context.ids.code;
        self.state.recovery = Some(RecoveryCode {
            code,
            until: self.context.now.plus(RECOVERY_CODE_TTL),
            wrong_tries: 0,
        });
        code
    }

    /// The code that the person has, for as long as a new one would work; a new one where they have none. SMS come late and
    /// in any order: the code in an earlier one works as well.
    pub(super) fn renew_recovery_code(&mut self) -> DialCode {
        let now = self.context.now;
        match &mut self.state.recovery {
            Some(known) if now < known.until => {
                known.until = now.plus(RECOVERY_CODE_TTL);
                known.code
            }
            _ => self.issue_recovery_code(),
        }
    }

    /// A code that we have texted was dialled by somebody who has agreed and had picked no bank yet: what they have agreed to
    /// stands, and the banks come next. `None` for anybody else.
    pub(super) fn straight_to_banks(&mut self, segments: &[Secret]) -> Option<Transition> {
        let code = DialCode::parse(&fold_choice(segments.first()?.expose()))?;
        let known = self.state.recovery.as_ref()?;
        let session = self.state.session.as_ref()?;
        let agreed = session.stage == Outcome::ChooseBank && session.consent.is_some();
        let agreed = agreed && session.terms.as_ref().is_some_and(|terms| self.still_asks(terms));
        if known.code != code || self.context.now >= known.until || !agreed {
            return None;
        }
        self.state.recovery = None;
        Some(self.back_at_banks())
    }

    /// A code was dialled: it leads to the intent behind it, straight to where the person was, or to the usual beginning with
    /// a notice above it.
    pub(super) fn apply_dialed_code(&mut self, code: DialCode, looked_up: Option<&DialedCode>) -> Transition {
        if let Some(DialedCode::Request(terms)) = looked_up {
            return self.open_request(terms.as_ref().clone());
        }
        let recovery = self.state.recovery.take();
        let recovery = recovery.filter(|known| self.context.now < known.until);
        if recovery.as_ref().is_none_or(|known| known.code != code) {
            self.state.recovery = recovery.and_then(|known| {
                let wrong_tries = known.wrong_tries + 1;
                (wrong_tries < MAX_WRONG_TRIES).then_some(RecoveryCode { wrong_tries, ..known })
            });
            return self.count_wrong_code();
        }
        self.collect_notices();
        // A waiting turn already looks at what is under way.
        match self.entry() {
            Transition::Outcome(Outcome::Resume) => self.check_progress(),
            home => home,
        }
    }
}
