//! Where a dial begins.

use super::step::{Step, Transition};
use crate::core::attempt::LiveAttemptState;
use crate::core::menu::{Outcome, Role};

impl Step<'_> {
    /// Where a dial begins: at the facts. Where nothing was begun, what is to be told comes first.
    pub(super) fn entry(&mut self) -> Transition {
        match self.where_session_stands() {
            Transition::Outcome(Outcome::Welcome) => self.next_notice().unwrap_or(Outcome::Welcome.into()),
            begun => begun,
        }
    }

    pub(super) fn where_session_stands(&mut self) -> Transition {
        let Some(session) = &self.state.session else {
            return Outcome::Welcome.into();
        };
        match session.attempt.as_ref().filter(|attempt| attempt.in_flight()) {
            Some(attempt) if attempt.state == LiveAttemptState::Waiting => return session.stage.into(),
            Some(_) => return Outcome::Checking.into(),
            None => {}
        }
        let (stage, shown) = (session.stage, session.shown);
        if stage == Outcome::Confirming || (stage.is(Role::Failure) && !shown) {
            return stage.into();
        }
        if stage.is(Role::Success) && !shown {
            return Outcome::NewLink.into();
        }
        if stage.is(Role::Final) || stage == Outcome::ChooseBank || session.institution.is_none() {
            self.state.replace_session(None);
            return Outcome::Welcome.into();
        }
        Outcome::Resume.into()
    }

    /// Where a person stands who dials, or begins by SMS.
    pub(super) fn begin_dialog(&mut self) -> Transition {
        match self.entry() {
            // What is under way may end while the person waits.
            Transition::Outcome(outcome) if outcome.is(Role::InProgress) => self.check_progress(),
            home => home,
        }
    }

    /// The same, without the question whether to go on.
    pub(super) fn continue_session(&mut self) -> Transition {
        match self.entry() {
            Transition::Outcome(outcome) if outcome.is(Role::InProgress) || outcome == Outcome::Resume => {
                self.check_progress()
            }
            home => home,
        }
    }
}
