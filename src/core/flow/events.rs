//! Something came from a provider, the records or the clock. It changes where the session stands; what is on a screen
//! changes only for a turn that is still waiting, for nobody can be shown what they did not ask for.

use super::actions::set_stage;
use super::state::{ConnectSession, LinkSummary, PartnerRef, ReplySlot, ScreenNotice, Subscriber};
use super::{AttemptResult, Effect, Flow, MAX_ROUNDS, OpenResult, SessionEvent, StepContext};
use crate::core::attempt::{AttemptEvent, LiveAttemptState, Refusal, WRONG_CODES};
use crate::core::ids::{AttemptId, ConnectSessionId, LinkId};
use crate::core::linking::{ProviderSession, SubmissionStep};
use crate::core::menu::Outcome;
use crate::core::next_step::{AccountChoice, Failure, FailureClass, Field, Form};
use crate::core::time::Timestamp;

impl Flow {
    /// Takes news in. A turn that waits for it gets its screen. Says whether it concerned the present session and was a
    /// legal move; if not, nothing changed.
    pub fn apply(&self, state: &mut Subscriber, news: &SessionEvent, context: &StepContext<'_>) -> bool {
        let before = self.current_question(state);
        let stage = state.session.as_ref().map(|session| session.stage);
        let (taken, resolved) = match news.clone() {
            SessionEvent::ProviderSessionOpened { session, result } => {
                Self::apply_opened(state, session, result, context.now)
            }
            SessionEvent::AttemptResolved { id, result: fate } => Self::apply_attempt_result(state, id, fate, context),
            SessionEvent::Unlinked(id) => {
                self.apply_unlinked(state, id, context);
                return true;
            }
            SessionEvent::BankAlertAnswered {
                session,
                answer: promise,
            } => return self.apply_bank_alert_answer(state, session, promise, context),
        };
        if let Some(session) = state.session.as_mut().filter(|session| Some(session.stage) != stage) {
            // That the screen before has been seen says nothing of this one.
            session.shown = false;
            session.sms_sent = false;
        }
        if taken && resolved && state.awaits_reply() {
            if let Some(stage) = state.session.as_ref().map(|session| session.stage) {
                self.show_outcome(state, stage);
            }
            self.set_reply_screen(state, context);
        } else if before.is_some() && before != self.current_question(state) {
            state.cursor.stale = true;
        }
        taken
    }

    /// A link was ended. The turn that asked for it is told, before the link is forgotten: the screen names it.
    fn apply_unlinked(&self, state: &mut Subscriber, id: LinkId, context: &StepContext<'_>) {
        if state.awaits_reply() && state.cursor.link == Some(id) {
            self.menu
                .outcome(Outcome::Unlinked)
                .clone_into(&mut state.cursor.screen);
            self.set_reply_screen(state, context);
        }
        state.links.retain(|link| link.id != id);
        forget_result(state, id);
    }

    /// What the person is being asked on the screen: the field, or an account; `None` on every other screen.
    fn current_question(&self, state: &Subscriber) -> Option<(Outcome, Option<Field>)> {
        let session = state.session.as_ref()?;
        let asks = matches!(
            session.stage,
            Outcome::Ask | Outcome::AskChoice | Outcome::ChooseAccount
        ) && state.cursor.screen == self.menu.outcome(session.stage);
        asks.then(|| (session.stage, session.current_field().cloned()))
    }

    /// Gives a waiting turn the screen that the cursor is on.
    fn set_reply_screen(&self, state: &mut Subscriber, context: &StepContext<'_>) {
        if state.awaits_reply() {
            let answer = self.render_reply(state, context);
            Self::set_reply(state, ReplySlot::Set(answer));
        }
    }

    /// Moves an attempt whose lease is over: never sent is asked again, perhaps sent is found out.
    pub(super) fn expire_lease(&self, state: &mut Subscriber, context: &StepContext<'_>) -> Vec<Effect> {
        let Some(session) = &mut state.session else {
            return Vec::new();
        };
        let Some(attempt) = &mut session.attempt else {
            return Vec::new();
        };
        let (before, id, step, begun_at) = (attempt.state, attempt.id, attempt.step, attempt.begun_at);
        match attempt.apply(AttemptEvent::Tick, context.now) {
            Ok(LiveAttemptState::Expired) if before != LiveAttemptState::Expired => {
                state.cursor.notice = Some(note("note-ask-again", None));
                if step == SubmissionStep::Choose {
                    set_stage(state, Outcome::ChooseAccount);
                } else {
                    Self::ask_next_field(state);
                }
                if let Some(stage) = state.session.as_ref().map(|session| session.stage) {
                    self.show_outcome(state, stage);
                }
                state.cursor.stale = true;
                Vec::new()
            }
            Ok(LiveAttemptState::Unknown) if before == LiveAttemptState::Sent => {
                Self::count_login(state, step, begun_at, true);
                set_stage(state, Outcome::Confirming);
                vec![Effect::ResolveAttempt(id)]
            }
            _ => Vec::new(),
        }
    }

    fn apply_opened(state: &mut Subscriber, id: ConnectSessionId, result: OpenResult, now: Timestamp) -> (bool, bool) {
        let waiting = state.awaits_reply();
        let Some(session) = state
            .session
            .as_mut()
            .filter(|session| session.id == id && session.attempt.is_none())
        else {
            return (false, false);
        };
        match result {
            OpenResult::Open(opened) => {
                let changed = opened
                    .form
                    .as_ref()
                    .is_some_and(|form| session.form.as_ref().is_none_or(|old| !asks_same_fields(old, form)));
                let first = session.form.is_none();
                if changed {
                    session.fields_answered = 0;
                    session.answers.clear();
                    session.form.clone_from(&opened.form);
                }
                session.provider_session = Some(opened);
                session.open_failed = false;
                if session.form.is_none() {
                    session.stage = Outcome::Unsuited;
                    return (true, waiting);
                }
                let warn = session.institution.as_ref().is_some_and(|bank| bank.warn) && first;
                let warned = session.stage != Outcome::Warn;
                if warn {
                    set_stage(state, Outcome::Warn);
                } else if changed && warned {
                    Self::ask_anew(state, !first);
                } else if session.stage == Outcome::Checking {
                    // It was waited for before a secret.
                    Self::ask_next_field(state);
                }
            }
            OpenResult::Renewed => {
                session.stage = Outcome::Renewed;
                let renewed = session.renews;
                session.result = state.links.iter().find(|link| Some(link.id) == renewed).cloned();
            }
            OpenResult::Unavailable(Some(pause)) if waiting || session.stage == Outcome::Checking => {
                session.stage = session.set_busy(now.plus(pause));
            }
            OpenResult::Unavailable(None) if waiting || session.stage == Outcome::Checking => {
                session.stage = Outcome::Unavailable;
            }
            OpenResult::Unavailable(_) => session.open_failed = true,
            OpenResult::Blocked => session.stage = Outcome::Blocked,
        }
        (true, waiting)
    }

    fn apply_attempt_result(
        state: &mut Subscriber,
        id: AttemptId,
        fate: AttemptResult,
        context: &StepContext<'_>,
    ) -> (bool, bool) {
        let event = match &fate {
            AttemptResult::Prompt(_) | AttemptResult::ChooseAccount(_) => AttemptEvent::Accept,
            AttemptResult::Granted => AttemptEvent::Grant,
            AttemptResult::Linked(_) => AttemptEvent::Link,
            AttemptResult::Failed(_) | AttemptResult::NotSent | AttemptResult::FormChanged(_) => AttemptEvent::Refuse,
            AttemptResult::Unknown => AttemptEvent::NoAnswer,
            AttemptResult::Lapsed | AttemptResult::Mismatched => AttemptEvent::Lapse,
            // Before it was sent it is over like one that was never sent, after that like one of which nothing came.
            AttemptResult::RequestEnded => match state.attempt_mut(id).map(|attempt| attempt.state) {
                Some(LiveAttemptState::Pending) => AttemptEvent::Refuse,
                _ => AttemptEvent::Lapse,
            },
        };
        let Some(attempt) = state.attempt_mut(id) else {
            return (false, false);
        };
        let (step, begun_at) = (attempt.step, attempt.begun_at);
        if attempt.apply(event, context.now).is_err() {
            return (false, false);
        }
        // Giving a search up says nothing new: the bank may well have seen the login.
        if !matches!(fate, AttemptResult::Lapsed) {
            let counts = matches!(&fate, AttemptResult::Unknown)
                || matches!(&fate, AttemptResult::Failed(failure) if failure.class == FailureClass::Refused);
            Self::count_login(state, step, begun_at, counts);
        }
        match fate {
            AttemptResult::Prompt(form) => Self::apply_prompt(state, form),
            AttemptResult::ChooseAccount(accounts) => Self::apply_account_choice(state, accounts),
            AttemptResult::Granted => {
                set_stage(state, Outcome::Checking);
                return (true, false);
            }
            AttemptResult::Linked(link) => Self::apply_linked(state, link),
            AttemptResult::Failed(failure) => Self::apply_failure(state, &failure, context.now),
            AttemptResult::NotSent => {
                set_stage(state, Outcome::Unavailable);
            }
            AttemptResult::FormChanged(session) => Self::apply_form_changed(state, session),
            AttemptResult::Unknown => {
                set_stage(state, Outcome::Confirming);
            }
            AttemptResult::Lapsed => {
                set_stage(state, Outcome::Unconfirmed);
            }
            AttemptResult::RequestEnded => {
                set_stage(state, Outcome::RequestOver);
            }
            AttemptResult::Mismatched => {
                set_stage(state, Outcome::Mismatched);
            }
        }
        (true, true)
    }

    fn apply_prompt(state: &mut Subscriber, form: Form) {
        let Some(session) = &mut state.session else { return };
        session.rounds += 1;
        if session.rounds > MAX_ROUNDS || !form.fits_keypad() {
            session.stage = Outcome::Unsuited;
            return;
        }
        session.step = SubmissionStep::Code;
        session.form = Some(form);
        session.fields_answered = 0;
        session.answers.clear();
        Self::ask_next_field(state);
    }

    fn apply_account_choice(state: &mut Subscriber, accounts: Vec<AccountChoice>) {
        let Some(session) = &mut state.session else { return };
        session.rounds += 1;
        session.stage = if session.rounds > MAX_ROUNDS || accounts.is_empty() {
            Outcome::Unsuited
        } else {
            Outcome::ChooseAccount
        };
        session.answers.clear();
        session.accounts = accounts;
    }

    pub(super) fn apply_linked(state: &mut Subscriber, mut link: LinkSummary) {
        let Some(session) = &mut state.session else { return };
        session.stage = match (session.renews, link.duplicate) {
            (Some(_), _) => Outcome::Renewed,
            (None, true) => Outcome::LinkedTwice,
            (None, false) => Outcome::Linked,
        };
        session.shown = false;
        session.answers.clear();
        session.accounts.clear();
        session.form = None;
        if link.duplicate {
            // The bank has let in whoever this is, for an account that is theirs: the old code has done its service.
            state.pin = None;
            state.pin_unsaved = false;
        }
        state.last_institution = Some(link.institution_id.clone());
        let business = session.terms.as_ref().map(|terms| PartnerRef {
            id: terms.partner,
            name: terms.name.clone(),
        });
        link.partner = link.partner.or(business);
        state.links.retain(|known| known.id != link.id);
        state.links.insert(0, link.clone());
        session.result = Some(link);
    }

    fn apply_failure(state: &mut Subscriber, failure: &Failure, now: Timestamp) {
        match failure.class {
            FailureClass::Refused => {
                set_stage(state, Outcome::Refused);
            }
            FailureClass::WrongCode => Self::apply_wrong_code(state),
            FailureClass::SessionExpired => Self::apply_session_expired(state),
            FailureClass::Busy => {
                let session = state.session.as_mut();
                let pause = session.zip(failure.retry_after);
                let stage = pause.map(|(session, pause)| session.set_busy(now.plus(pause)));
                set_stage(state, stage.unwrap_or(Outcome::Unavailable));
            }
            FailureClass::Misconfigured => {
                set_stage(state, Outcome::Blocked);
            }
            FailureClass::Unsupported => {
                set_stage(state, Outcome::Unsuited);
            }
        }
    }

    fn apply_wrong_code(state: &mut Subscriber) {
        let Some(session) = &mut state.session else { return };
        session.wrong_codes += 1;
        session.fields_answered = 0;
        session.answers.clear();
        if session.wrong_codes >= WRONG_CODES || session.form.is_none() {
            session.stage = Outcome::Refused;
            return;
        }
        let left = i64::from(WRONG_CODES - session.wrong_codes);
        state.cursor.notice = Some(note("note-wrong-code", Some(left)));
        Self::ask_next_field(state);
    }

    /// The provider's session is over: start at the first field again, with a new one.
    fn apply_session_expired(state: &mut Subscriber) {
        let Some(session) = &mut state.session else { return };
        let form = session
            .institution
            .as_ref()
            .and_then(|bank| bank.picked_method())
            .map(|method| method.form.clone());
        let known = form.is_some();
        session.restart_form(form);
        if known {
            state.cursor.notice = Some(note("note-ask-again", None));
            Self::ask_next_field(state);
        } else {
            set_stage(state, Outcome::Unavailable);
        }
    }

    fn apply_form_changed(state: &mut Subscriber, opened: ProviderSession) {
        let Some(session) = &mut state.session else { return };
        session.restart_form(opened.form.clone());
        session.provider_session = Some(opened);
        Self::ask_anew(state, true);
    }

    /// Asks a form that is another than was thought; says so where something had been asked already.
    fn ask_anew(state: &mut Subscriber, say_so: bool) {
        Self::ask_next_field(state);
        let asks = |session: &ConnectSession| matches!(session.stage, Outcome::Ask | Outcome::AskChoice);
        if say_so && state.session.as_ref().is_some_and(asks) {
            state.cursor.notice = Some(note("note-changed", None));
        }
    }

    /// Counts a login against the limits, once, or takes it off again when it turns out that the bank accepted it or never
    /// saw it. It is known by when it was begun, in the records too, so that what both tell of counts once.
    fn count_login(state: &mut Subscriber, step: SubmissionStep, begun_at: Timestamp, counts: bool) {
        let bank = state.session.as_ref().and_then(|session| session.institution.as_ref());
        let (SubmissionStep::Login, Some(bank)) = (step, bank) else {
            return;
        };
        let login = Refusal {
            institution: bank.id.clone(),
            at: begun_at,
        };
        state.refusals.retain(|known| *known != login);
        if counts {
            state.refusals.push(login);
        }
    }
}

/// A session whose result is this link has nothing more to tell.
pub(super) fn forget_result(state: &mut Subscriber, link: LinkId) {
    let result = state.session.as_ref().and_then(|session| session.result.as_ref());
    if result.is_some_and(|result| result.id == link) {
        state.session = None;
    }
}

/// Whether two forms ask for the same fields; what they are called before a person may differ.
pub fn asks_same_fields(one: &Form, other: &Form) -> bool {
    one.fields.len() == other.fields.len()
        && one
            .fields
            .iter()
            .zip(&other.fields)
            .all(|(a, b)| a.name == b.name && a.kind == b.kind)
}

fn note(id: &str, number: Option<i64>) -> ScreenNotice {
    ScreenNotice {
        id: id.to_owned(),
        number,
    }
}
