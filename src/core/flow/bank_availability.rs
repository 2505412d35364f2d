//! Whether anybody is to be sent to the session's institution now: asked before a person has typed anything for nothing,
//! and above all before a secret.

use super::actions::{Transition, open_session_request, set_stage};
use super::state::{ConnectSession, Subscriber};
use super::{Effect, Flow, StepContext};
use crate::core::health::Health;
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::next_step::FieldKind;
use crate::core::time::Timestamp;

impl Flow {
    /// Where a person stands whose institution does not answer, or asks to be left alone; `None` while it may be tried.
    pub(super) fn institution_unavailable(state: &mut Subscriber, context: &StepContext<'_>) -> Option<Transition> {
        let session = state.session.as_mut()?;
        let bank = session.institution.as_ref()?;
        let stage = match context.health.get(&bank.provider, &bank.id).refusal_for(session.id)? {
            Health::Busy(shut) => session.set_busy(shut.until),
            _ => Outcome::BankDown,
        };
        session.shown = false;
        Some(set_stage(state, stage))
    }

    /// Asks what is to be typed next, as long as it would not be typed for nothing. A session that could not be opened
    /// while less was typed is opened before the first secret, and waited for.
    pub(super) fn ask_if_available(
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        if !state.session.as_ref().is_some_and(ConnectSession::at_first_secret) {
            return Self::ask_next_field(state);
        }
        if let Some(closed) = Self::institution_unavailable(state, context) {
            return closed;
        }
        match state.session.as_mut().filter(|session| session.open_failed) {
            Some(session) => {
                session.open_failed = false;
                session.stage = Outcome::Checking;
                effects.extend(open_session_request(session).map(|open| Effect::OpenSession(Box::new(open))));
                Transition::Wait
            }
            None => Self::ask_next_field(state),
        }
    }

    /// A code or a choice for which the institution was too busy is asked for again: nothing was tried, and its session
    /// stands.
    pub(super) fn retry_after_pause(state: &mut Subscriber, context: &StepContext<'_>) -> Option<Transition> {
        let session = state.session.as_mut()?;
        if session.stage != Outcome::BankBusy || session.step == SubmissionStep::Login {
            return None;
        }
        let bank = session.institution.as_ref()?;
        if let Health::Busy(_) = context.health.get(&bank.provider, &bank.id) {
            return Self::institution_unavailable(state, context);
        }
        if session.step == SubmissionStep::Choose {
            return Some(set_stage(state, Outcome::ChooseAccount));
        }
        session.fields_answered = 0;
        session.answers.clear();
        Some(Self::ask_next_field(state))
    }
}

impl ConnectSession {
    /// Where a session stands whose institution asks to be left alone until then.
    pub(super) fn set_busy(&mut self, until: Timestamp) -> Outcome {
        self.busy_until = Some(until);
        Outcome::BankBusy
    }

    /// Whether a login's first secret is what is to be typed next.
    fn at_first_secret(&self) -> bool {
        let secrets = |count: usize| {
            let fields = (0..=count).filter_map(|at| self.field_at(at));
            fields.filter(|field| field.kind == FieldKind::Secret).count()
        };
        let next = self
            .current_field()
            .is_some_and(|field| field.kind == FieldKind::Secret);
        self.step == SubmissionStep::Login && next && secrets(self.fields_answered) == 1
    }
}
