//! Asking a form field by field, and submitting it with the last answer.

use super::act::{Given, Move, another_bank, opening, stand};
use super::state::{ConnectSession, Kept, Subscriber};
use super::turn::{stay, stay_with};
use super::{Context, Effect, Flow, Submit};
use crate::core::attempt::{Attempt, State};
use crate::core::gsm7;
use crate::core::linking::Step;
use crate::core::menu::Outcome;
use crate::core::next_step::{Field, FieldKind, Form};
use crate::core::secret::Secret;

/// The order to ask in: what is secret comes last, so that typing it and submitting it are one turn and it need not be
/// kept. The provider gets the answers by name, so the order is ours.
fn order(form: &Form) -> Vec<&Field> {
    let (secret, open): (Vec<_>, Vec<_>) = form.fields.iter().partition(|field| field.kind == FieldKind::Secret);
    open.into_iter().chain(secret).collect()
}

impl ConnectSession {
    /// The field to be typed now.
    pub(super) fn field(&self) -> Option<&Field> {
        self.field_at(self.asked)
    }

    /// The field that is typed after so many others.
    pub(super) fn field_at(&self, asked: usize) -> Option<&Field> {
        order(self.form.as_ref()?).into_iter().nth(asked)
    }

    /// Whether all of the form may be asked here: what a keypad cannot answer or the policy forbids is found out before the
    /// first question, whoever the form comes from.
    fn may_ask(&self) -> bool {
        let denied = self.step == Step::Login && self.bank.as_ref().is_some_and(|bank| bank.deny);
        self.form.as_ref().is_some_and(|form| {
            form.fits_keypad() && !(denied && form.fields.iter().any(|field| field.kind == FieldKind::Secret))
        })
    }

    fn is_last(&self) -> bool {
        self.form
            .as_ref()
            .is_some_and(|form| self.asked + 1 >= form.fields.len())
    }
}

impl Flow {
    /// Stands at the question to be answered now.
    pub(super) fn ask(state: &mut Subscriber) -> Move {
        let field = state
            .session
            .as_ref()
            .filter(|session| session.may_ask())
            .and_then(ConnectSession::field);
        let stage = match field.map(|field| &field.kind) {
            Some(FieldKind::OneOf(_)) => Outcome::AskChoice,
            Some(_) => Outcome::Ask,
            None => Outcome::Unsuited,
        };
        stand(state, stage)
    }

    /// Takes the answer to a field: keeps it and asks the next one, or submits with the last.
    pub(super) fn take_answer(
        &self,
        state: &mut Subscriber,
        given: Given,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        if session.stage == Outcome::Blocked {
            return Outcome::Blocked.into();
        }
        let Some(field) = session.field() else {
            return Outcome::Unsuited.into();
        };
        let name = field.name.clone();
        let answer = match (given, &field.kind) {
            (Given::Key(key), FieldKind::OneOf(_)) => Secret::new(key),
            (Given::Line(line), _) => match check(&line, field) {
                Ok(answer) => answer,
                Err(note) => return note,
            },
            _ => return stay("note-choice"),
        };
        if !session.is_last() {
            session.answers.push((name, Kept::new(answer.expose())));
            session.asked += 1;
            return Self::ask_if_open(state, context, effects);
        }
        self.submit(state, (name, answer), context, effects)
    }

    /// Picks one of the accounts that the provider found.
    pub(super) fn pick_account(
        &self,
        state: &mut Subscriber,
        key: String,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        if !session.accounts.iter().any(|account| account.key == key) {
            return stay("note-choice");
        }
        session.step = Step::Choose;
        session.answers.clear();
        self.submit(state, (String::new(), Secret::new(key)), context, effects)
    }

    /// Begins an attempt. The last answer goes into the effect, which stays in this process; the state gets none of it.
    fn submit(
        &self,
        state: &mut Subscriber,
        last: (String, Secret),
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let step = state.session.as_ref().map(|session| session.step);
        if step == Some(Step::Login)
            && let Some(wait) = Self::limited(state, context).or_else(|| Self::closed(state, context))
        {
            return wait;
        }
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        let (Some(open), Some(bank)) = (opening(session), &session.bank) else {
            return Outcome::Welcome.into();
        };
        let timeout = self.timeout(bank);
        let lease_until = context.now.plus(timeout).plus(self.settings.lease_margin);
        session.attempt = Some(Attempt {
            id: context.fresh.attempt,
            step: session.step,
            state: State::Pending,
            owner: context.node,
            begun_at: context.now,
            lease_until,
        });
        session.stage = Outcome::Checking;
        session.told = false;
        let mut answers: Vec<_> = session
            .answers
            .iter()
            .map(|(name, kept)| (name.clone(), Secret::new(kept.expose())))
            .collect();
        answers.push(last);
        effects.push(Effect::Submit(Box::new(Submit {
            attempt: context.fresh.attempt,
            begun_at: context.now,
            lease_until,
            provider_session: session.provider_session.clone(),
            open,
            step: session.step,
            answers,
            consent: session.consent.clone(),
            timeout,
        })));
        Move::Wait
    }

    /// Back to the field before; from the first one to the institutions, and from a code out of the dialog.
    pub(super) fn previous(state: &mut Subscriber, context: &Context<'_>) -> Move {
        let Some(session) = &mut state.session else {
            return Outcome::Welcome.into();
        };
        if session.asked > 0 {
            session.asked -= 1;
            session.answers.truncate(session.asked);
            return Self::ask(state);
        }
        match session.step {
            Step::Login => another_bank(state, context),
            Step::Code | Step::Choose => Outcome::Left.into(),
        }
    }
}

/// Checks what was typed against the field. Letters and spaces of a secret are left as they are: altering a password
/// would be a wrong password.
fn check(line: &Secret, field: &Field) -> Result<Secret, Move> {
    let typed = line.expose();
    let answer = match field.kind {
        FieldKind::Secret => Secret::new(typed),
        FieldKind::Digits => Secret::new(gsm7::fold_digits(typed.trim())),
        _ => Secret::new(typed.trim()),
    };
    let length = answer.expose().chars().count();
    if length == 0 {
        return Err(stay("note-empty"));
    }
    if field.kind == FieldKind::Digits && !answer.expose().chars().all(|c| c.is_ascii_digit()) {
        return Err(stay("note-digits"));
    }
    if let Some(exact) = field.exact_len.filter(|&exact| usize::from(exact) != length) {
        return Err(stay_with("note-length", i64::from(exact)));
    }
    if length > usize::from(field.max_len.unwrap_or(LONGEST)) {
        return Err(stay("note-too-long"));
    }
    Ok(answer)
}

/// Longer than any answer a phone can type.
const LONGEST: u16 = 180;
