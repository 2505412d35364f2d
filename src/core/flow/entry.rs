//! Where a dial begins.

use super::Flow;
use super::actions::Transition;
use super::state::Subscriber;
use crate::core::attempt;
use crate::core::menu::Outcome;

impl Flow {
    /// Where a dial begins: at the facts.
    pub(super) fn entry(state: &mut Subscriber) -> Transition {
        let Some(session) = &state.session else {
            return Outcome::Welcome.into();
        };
        if session.attempt.as_ref().is_some_and(attempt::LiveAttempt::in_flight) {
            return Outcome::Checking.into();
        }
        match (session.stage, session.shown) {
            (Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed, false) => Outcome::News.into(),
            (Outcome::Confirming, _) => Outcome::Confirming.into(),
            (
                stage @ (Outcome::Refused
                | Outcome::Unavailable
                | Outcome::BankDown
                | Outcome::BankBusy
                | Outcome::Unsuited
                | Outcome::Unconfirmed
                | Outcome::RequestOver
                | Outcome::Mismatched
                | Outcome::Blocked),
                false,
            ) => stage.into(),
            (
                Outcome::Linked
                | Outcome::LinkedTwice
                | Outcome::Renewed
                | Outcome::Blocked
                | Outcome::RequestOver
                | Outcome::Mismatched
                | Outcome::ChooseBank,
                _,
            ) => {
                state.session = None;
                Outcome::Welcome.into()
            }
            _ if session.institution.is_none() => {
                state.session = None;
                Outcome::Welcome.into()
            }
            _ => Outcome::Resume.into(),
        }
    }
}
