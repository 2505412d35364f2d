//! Whether the session's institution may be tried now: checked before a person types anything in vain, and above all before a
//! secret.

use super::session::ConnectSession;
use super::step::{Step, Transition};
use crate::core::health::Health;
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::next_step::{FieldKind, Form};
use crate::core::time::Timestamp;

impl Step<'_> {
    /// The stage of a session whose institution does not answer, or asks us to pause; `None` while it may be tried.
    pub(super) fn institution_unavailable(&mut self) -> Option<Transition> {
        let session = self.state.session.as_mut()?;
        let bank = session.institution.as_ref()?;
        let stage = match self
            .context
            .health
            .get(&bank.provider, &bank.id)
            .refusal_for(session.id)?
        {
            Health::Busy(shut) => session.set_busy(shut.until),
            _ => Outcome::BankDown,
        };
        session.shown = false;
        Some(self.set_stage(stage))
    }

    /// Asks what is to be typed next, as long as it would not be typed in vain. Before the first secret, or the last answer
    /// where none is a secret, the provider's session is there, and with it what it asks: one that is still being opened is
    /// waited for, one that could not be opened or is over is opened again.
    pub(super) fn ask_if_available(&mut self) -> Transition {
        if !self.state.session.as_ref().is_some_and(ConnectSession::at_first_secret) {
            return self.ask_next_field();
        }
        if let Some(unavailable) = self.institution_unavailable() {
            return unavailable;
        }
        if self.form_may_differ() {
            return self.open_session_and_wait();
        }
        self.ask_next_field()
    }

    /// Whether a secret is to be typed into a form that the provider's session may not have.
    pub(super) fn form_may_differ(&self) -> bool {
        let now = self.context.now;
        let session = self.state.session.as_ref();
        session.is_some_and(|session| session.at_first_secret() && session.lacks_provider_session(now))
    }

    /// A code or a choice for which the institution was too busy is asked for again: nothing was tried, and its session
    /// stands.
    pub(super) fn retry_after_pause(&mut self) -> Option<Transition> {
        let session = self.state.session.as_mut()?;
        if session.stage != Outcome::BankBusy || session.step == SubmissionStep::Login {
            return None;
        }
        let bank = session.institution.as_ref()?;
        if let Health::Busy(_) = self.context.health.get(&bank.provider, &bank.id) {
            return self.institution_unavailable();
        }
        if session.step == SubmissionStep::Choose {
            return Some(self.ask_account());
        }
        session.forget_answers();
        Some(self.ask_next_field())
    }
}

impl ConnectSession {
    /// The stage of a session whose institution asks us to pause until then.
    pub(super) fn set_busy(&mut self, until: Timestamp) -> Outcome {
        self.busy_until = Some(until);
        Outcome::BankBusy
    }

    /// Whether a login's first secret is what is to be typed next, or its last answer where none is a secret.
    pub(super) fn at_first_secret(&self) -> bool {
        let secrets = |count: usize| {
            let fields = (0..=count).filter_map(|at| self.field_at(at));
            fields.filter(|field| field.kind == FieldKind::Secret).count()
        };
        let Some(next) = self.current_field().filter(|_| self.step == SubmissionStep::Login) else {
            return false;
        };
        let mut asked = self.form.iter().flat_map(Form::asked);
        let none = asked.all(|field| field.kind != FieldKind::Secret);
        (next.kind == FieldKind::Secret && secrets(self.fields_answered) == 1) || (none && self.is_last())
    }
}
