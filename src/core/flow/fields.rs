//! Asking a form field by field, and submitting it with the last answer.

use super::effect::{Effect, OpenSession, Submit};
use super::field_value::{AnswerFor, field_value, is_short_secret};
use super::partial_answer::PartialAnswer;
use super::session::ConnectSession;
use super::step::{ActionInput, Step, Transition};
use crate::core::attempt::{LiveAttempt, LiveAttemptState};
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::next_step::{Field, FieldKind, Form};
use crate::core::secret::Secret;

/// The order to ask in: what is secret comes last, so that typing it and submitting it are one turn and it need not be
/// kept. The provider gets the answers by name, so the order is ours.
fn asking_order(form: &Form) -> Vec<&Field> {
    let (secret, open): (Vec<_>, Vec<_>) = form.asked().partition(|field| field.kind == FieldKind::Secret);
    open.into_iter().chain(secret).collect()
}

impl ConnectSession {
    /// The field to be typed now.
    pub(super) fn current_field(&self) -> Option<&Field> {
        self.field_at(self.fields_answered)
    }

    /// The field that is typed after so many others.
    pub(super) fn field_at(&self, asked: usize) -> Option<&Field> {
        asking_order(self.form.as_ref()?).into_iter().nth(asked)
    }

    /// Whether all of the form may be asked here: what a keypad cannot answer or the policy forbids is found out before the
    /// first question, wherever the form comes from.
    fn may_ask(&self) -> bool {
        let denied = self.institution.as_ref().is_some_and(|institution| institution.deny);
        self.form
            .as_ref()
            .is_some_and(|form| form.fits_keypad() && !(denied && form.asks_secret()))
    }

    /// Whether another form asks for the same, and what was answered already in the same words.
    pub(super) fn answers_fit(&self, other: &Form) -> bool {
        let Some(form) = self.form.as_ref().filter(|form| form.asks_same_fields(other)) else {
            return false;
        };
        let pairs = asking_order(form).into_iter().zip(asking_order(other));
        pairs.take(self.fields_answered).all(|(old, new)| old.reads_like(new))
    }

    /// Whether a code is asked now that the person was sent after the login, or is shown on a device.
    pub(super) fn asks_later_code(&self) -> bool {
        let only = self.form.as_ref().filter(|form| form.fields.len() == 1);
        let title = only.and_then(|form| form.title.as_deref());
        self.step == SubmissionStep::Code && self.current_field().is_some_and(|field| field.asks_code(title))
    }

    /// What is typed now, by where it goes and what it is.
    fn answer_for(&self) -> AnswerFor {
        let one_time = self.current_field().is_some_and(|field| field.one_time);
        match self.step {
            _ if one_time || self.asks_later_code() => AnswerFor::Code,
            SubmissionStep::Login => AnswerFor::Login,
            SubmissionStep::Code | SubmissionStep::Choose => AnswerFor::Question,
        }
    }

    pub(super) fn is_last(&self) -> bool {
        self.form
            .as_ref()
            .is_some_and(|form| self.fields_answered + 1 >= form.asked().count())
    }
}

impl Step<'_> {
    /// Stands at the question to be answered now.
    pub(super) fn ask_next_field(&mut self) -> Transition {
        let field = self
            .state
            .session
            .as_ref()
            .filter(|session| session.may_ask())
            .and_then(ConnectSession::current_field);
        let stage = match field.map(|field| &field.kind) {
            Some(FieldKind::OneOf(_)) => Outcome::AskChoice,
            Some(_) => Outcome::Ask,
            None => Outcome::Unsuited,
        };
        self.set_stage(stage)
    }

    /// Takes the answer to a field: keeps it and asks the next one, or submits with the last.
    pub(super) fn answer_field(&mut self, input: ActionInput) -> Transition {
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        if session.stage == Outcome::Blocked {
            return Outcome::Blocked.into();
        }
        let typed = matches!(input, ActionInput::Line(_));
        if let Some(institution) = session.institution.as_mut().filter(|_| typed) {
            // What they typed at has told them.
            institution.warn = false;
        }
        let Some(field) = session.current_field() else {
            return Outcome::Unsuited.into();
        };
        let name = field.name.clone();
        let answer = match (input, &field.kind) {
            (ActionInput::Key(key), FieldKind::OneOf(_)) => Secret::new(key),
            (ActionInput::Line(line), _) => match field_value(&line, field, session.answer_for()) {
                Ok(answer) => {
                    let short = is_short_secret(&answer, field);
                    if let Some(again) = self.asks_again(&line, short) {
                        return Transition::stay(again);
                    }
                    answer
                }
                Err(notice) => return Transition::Stay(Some(notice)),
            },
            _ => return Transition::stay("note-choice"),
        };
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        if !session.is_last() {
            session.answers.push((name, PartialAnswer::new(answer.expose())));
            session.fields_answered += 1;
            session.short_asked = false;
            session.cuts = 0;
            return self.ask_if_available();
        }
        self.submit(vec![(name, answer)])
    }

    /// What to say where a line is asked for once more before it is taken: it may be two lines, or a key that was pressed
    /// where a secret was wanted.
    fn asks_again(&mut self, line: &Secret, short: bool) -> Option<&'static str> {
        if self.may_be_two_lines(line) {
            return Some("note-star");
        }
        let session = self.state.session.as_mut()?;
        let first = short && !session.short_asked;
        session.short_asked = first;
        first.then_some("note-short-again")
    }

    /// Whether a line may be two: a gateway that joins all lines puts a star between them, and the live value may have lost
    /// the first. Typed once more it is one line, with a star of its own.
    fn may_be_two_lines(&mut self, line: &Secret) -> bool {
        let joined = self.state.dialogs.first().is_some_and(|dialog| dialog.joins_lines) && line.expose().contains('*');
        let Some(session) = &mut self.state.session else {
            return false;
        };
        let parts = [session.series.as_bytes().as_slice(), line.expose().as_bytes()];
        let digest = joined.then(|| self.flow.keyring.digest("doubtful line", &parts));
        let doubtful = digest.is_some() && session.doubtful_line != digest;
        session.doubtful_line = digest.filter(|_| doubtful);
        doubtful
    }

    /// Begins an attempt. The last answers go into the effect, which stays in this process; the state gets none of them.
    pub(super) fn submit(&mut self, last: Vec<(String, Secret)>) -> Transition {
        let step = self.state.session.as_ref().map(|session| session.step);
        if step == Some(SubmissionStep::Login)
            && let Some(obstacle) = self.login_obstacle()
        {
            return obstacle;
        }
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        let (Some(open), Some(institution)) = (OpenSession::for_session(session), &session.institution) else {
            return Outcome::Welcome.into();
        };
        let timeout = institution
            .timeout
            .unwrap_or_default()
            .max(self.flow.settings.provider_timeout(&institution.provider));
        let lease_until = self.context.now.plus(timeout).plus(self.flow.settings.lease_margin);
        session.submissions += 1;
        let accepted = |attempt: &LiveAttempt| attempt.state == LiveAttemptState::Accepted;
        let follows = session.attempt.take().filter(accepted).map(|attempt| attempt.id);
        session.attempt = Some(LiveAttempt {
            id: self.context.ids.attempt,
            step: session.step,
            state: LiveAttemptState::Pending,
            owner: self.context.node,
            begun_at: self.context.now,
            lease_until,
        });
        session.stage = Outcome::Checking;
        session.shown = false;
        let mut answers: Vec<_> = session
            .answers
            .iter()
            .map(|(name, kept)| (name.clone(), Secret::new(kept.expose())))
            .collect();
        answers.extend(last);
        self.effects.push(Effect::Submit(Box::new(Submit {
            attempt: self.context.ids.attempt,
            ordinal: session.submissions,
            follows,
            begun_at: self.context.now,
            lease_until,
            provider_session: session.provider_session.clone(),
            open,
            step: session.step,
            form: session.form.clone(),
            answers,
            timeout,
        })));
        Transition::Wait
    }

    /// Back to the field before; from the first one to the institutions, from the ways to log in to what was asked, and from a
    /// code out of the dialog.
    pub(super) fn previous_field(&mut self) -> Transition {
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        if session.stage == Outcome::ChooseMethod {
            return match session.form {
                Some(_) => self.ask_if_available(),
                None => self.another_institution(),
            };
        }
        session.cuts = 0;
        if session.fields_answered > 0 {
            session.fields_answered -= 1;
            session.answers.truncate(session.fields_answered);
            return self.ask_next_field();
        }
        match session.step {
            SubmissionStep::Login => self.another_institution(),
            SubmissionStep::Code | SubmissionStep::Choose => Outcome::Left.into(),
        }
    }
}
