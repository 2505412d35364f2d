//! Whether anybody is to be sent to the session's institution now: asked before a person has typed anything for nothing,
//! and above all before a secret.

use super::act::{Move, opening, stand};
use super::state::{ConnectSession, Subscriber};
use super::{Context, Effect, Flow};
use crate::core::health::Health;
use crate::core::linking::Step;
use crate::core::menu::Outcome;
use crate::core::next_step::FieldKind;
use crate::core::time::Timestamp;

impl Flow {
    /// Where a person stands whose institution does not answer, or asks to be left alone; `None` while it may be tried.
    pub(super) fn closed(state: &mut Subscriber, context: &Context<'_>) -> Option<Move> {
        let session = state.session.as_mut()?;
        let bank = session.bank.as_ref()?;
        let stage = match context.health.of(&bank.provider, &bank.id).shut_for(session.id)? {
            Health::Busy(shut) => session.busy(shut.until),
            _ => Outcome::BankDown,
        };
        session.told = false;
        Some(stand(state, stage))
    }

    /// Asks what is to be typed next, as long as it would not be typed for nothing. A session that could not be opened
    /// while less was typed is opened before the first secret, and waited for.
    pub(super) fn ask_if_open(state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        if !state.session.as_ref().is_some_and(ConnectSession::at_first_secret) {
            return Self::ask(state);
        }
        if let Some(closed) = Self::closed(state, context) {
            return closed;
        }
        match state.session.as_mut().filter(|session| session.unopened) {
            Some(session) => {
                session.unopened = false;
                session.stage = Outcome::Checking;
                effects.extend(opening(session).map(|open| Effect::OpenSession(Box::new(open))));
                Move::Wait
            }
            None => Self::ask(state),
        }
    }

    /// A code or a choice for which the institution was too busy is asked for again: nothing was tried, and its session
    /// stands.
    pub(super) fn after_pause(state: &mut Subscriber, context: &Context<'_>) -> Option<Move> {
        let session = state.session.as_mut()?;
        if session.stage != Outcome::BankBusy || session.step == Step::Login {
            return None;
        }
        let bank = session.bank.as_ref()?;
        if let Health::Busy(_) = context.health.of(&bank.provider, &bank.id) {
            return Self::closed(state, context);
        }
        if session.step == Step::Choose {
            return Some(stand(state, Outcome::ChooseAccount));
        }
        session.asked = 0;
        session.answers.clear();
        Some(Self::ask(state))
    }
}

impl ConnectSession {
    /// Where a session stands whose institution asks to be left alone until then.
    pub(super) fn busy(&mut self, until: Timestamp) -> Outcome {
        self.busy_until = Some(until);
        Outcome::BankBusy
    }

    /// Whether a login's first secret is what is to be typed next.
    fn at_first_secret(&self) -> bool {
        let secrets = |count: usize| {
            let fields = (0..=count).filter_map(|at| self.field_at(at));
            fields.filter(|field| field.kind == FieldKind::Secret).count()
        };
        let next = self.field().is_some_and(|field| field.kind == FieldKind::Secret);
        self.step == Step::Login && next && secrets(self.asked) == 1
    }
}
