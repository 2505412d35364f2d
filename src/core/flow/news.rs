//! Something came from a provider, the records or the clock. It changes where the session stands; what is on a screen
//! changes only for a turn that is still waiting, for nobody can be shown what they did not ask for.

use super::act::stand;
use super::state::{Business, ConnectSession, LinkBrief, Note, Slot, Subscriber};
use super::{Context, Effect, Fate, Flow, News, OpenResult, ROUNDS};
use crate::core::attempt::{Event, Refusal, State, WRONG_CODES};
use crate::core::ids::{AttemptId, ConnectSessionId, LinkId};
use crate::core::linking::{ProviderSession, Step};
use crate::core::menu::Outcome;
use crate::core::next_step::{AccountChoice, Failure, FailureClass, Field, Form};
use crate::core::time::Timestamp;

impl Flow {
    /// Takes news in. A turn that waits for it gets its screen. Says whether it concerned the present session and was a
    /// legal move; if not, nothing changed.
    pub fn hear(&self, state: &mut Subscriber, news: &News, context: &Context<'_>) -> bool {
        let before = self.question(state);
        let stage = state.session.as_ref().map(|session| session.stage);
        let (taken, resolved) = match news.clone() {
            News::Opened { session, result } => Self::opened(state, session, result, context.now),
            News::Attempt { id, fate } => Self::fate(state, id, fate, context),
            News::Unlinked(id) => {
                self.unlinked(state, id, context);
                return true;
            }
            News::Texting { session, promise } => return self.promised(state, session, promise, context),
        };
        if let Some(session) = state.session.as_mut().filter(|session| Some(session.stage) != stage) {
            // That the screen before has been seen says nothing of this one.
            session.told = false;
            session.texted = false;
        }
        if taken && resolved && state.waiting() {
            if let Some(stage) = state.session.as_ref().map(|session| session.stage) {
                self.go(state, stage);
            }
            self.show(state, context);
        } else if before.is_some() && before != self.question(state) {
            state.cursor.moved = true;
        }
        taken
    }

    /// A link was ended. The turn that asked for it is told, before the link is forgotten: the screen names it.
    fn unlinked(&self, state: &mut Subscriber, id: LinkId, context: &Context<'_>) {
        if state.waiting() && state.cursor.link == Some(id) {
            self.menu
                .outcome(Outcome::Unlinked)
                .clone_into(&mut state.cursor.screen);
            self.show(state, context);
        }
        state.links.retain(|link| link.id != id);
        forget_result(state, id);
    }

    /// What the person is being asked on the screen: the field, or an account; `None` on every other screen.
    fn question(&self, state: &Subscriber) -> Option<(Outcome, Option<Field>)> {
        let session = state.session.as_ref()?;
        let asks = matches!(
            session.stage,
            Outcome::Ask | Outcome::AskChoice | Outcome::ChooseAccount
        ) && state.cursor.screen == self.menu.outcome(session.stage);
        asks.then(|| (session.stage, session.field().cloned()))
    }

    /// Gives a waiting turn the screen that the cursor is on.
    fn show(&self, state: &mut Subscriber, context: &Context<'_>) {
        if state.waiting() {
            let answer = self.view(state, context);
            Self::set(state, Slot::Set(answer));
        }
    }

    /// Moves an attempt whose lease is over: never sent is asked again, perhaps sent is found out.
    pub(super) fn tick(&self, state: &mut Subscriber, context: &Context<'_>) -> Vec<Effect> {
        let Some(session) = &mut state.session else {
            return Vec::new();
        };
        let Some(attempt) = &mut session.attempt else {
            return Vec::new();
        };
        let (before, id, step, begun_at) = (attempt.state, attempt.id, attempt.step, attempt.begun_at);
        match attempt.take(Event::Tick, context.now) {
            Ok(State::Expired) if before != State::Expired => {
                state.cursor.note = Some(note("note-ask-again", None));
                if step == Step::Choose {
                    stand(state, Outcome::ChooseAccount);
                } else {
                    Self::ask(state);
                }
                if let Some(stage) = state.session.as_ref().map(|session| session.stage) {
                    self.go(state, stage);
                }
                state.cursor.moved = true;
                Vec::new()
            }
            Ok(State::Unknown) if before == State::Sent => {
                Self::count_login(state, step, begun_at, true);
                stand(state, Outcome::Confirming);
                vec![Effect::Settle(id)]
            }
            _ => Vec::new(),
        }
    }

    fn opened(state: &mut Subscriber, id: ConnectSessionId, result: OpenResult, now: Timestamp) -> (bool, bool) {
        let waiting = state.waiting();
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
                    .is_some_and(|form| session.form.as_ref().is_none_or(|old| !same(old, form)));
                let first = session.form.is_none();
                if changed {
                    session.asked = 0;
                    session.answers.clear();
                    session.form.clone_from(&opened.form);
                }
                session.provider_session = Some(opened);
                session.unopened = false;
                if session.form.is_none() {
                    session.stage = Outcome::Unsuited;
                    return (true, waiting);
                }
                let warn = session.bank.as_ref().is_some_and(|bank| bank.warn) && first;
                let warned = session.stage != Outcome::Warn;
                if warn {
                    stand(state, Outcome::Warn);
                } else if changed && warned {
                    Self::ask_anew(state, !first);
                } else if session.stage == Outcome::Checking {
                    // It was waited for before a secret.
                    Self::ask(state);
                }
            }
            OpenResult::Renewed => {
                session.stage = Outcome::Renewed;
                let renewed = session.renews;
                session.result = state.links.iter().find(|link| Some(link.id) == renewed).cloned();
            }
            OpenResult::Unavailable(Some(pause)) if waiting || session.stage == Outcome::Checking => {
                session.stage = session.busy(now.plus(pause));
            }
            OpenResult::Unavailable(None) if waiting || session.stage == Outcome::Checking => {
                session.stage = Outcome::Unavailable;
            }
            OpenResult::Unavailable(_) => session.unopened = true,
            OpenResult::Blocked => session.stage = Outcome::Blocked,
        }
        (true, waiting)
    }

    fn fate(state: &mut Subscriber, id: AttemptId, fate: Fate, context: &Context<'_>) -> (bool, bool) {
        let event = match &fate {
            Fate::Prompt(_) | Fate::Choose(_) => Event::Accept,
            Fate::Granted => Event::Grant,
            Fate::Linked(_) => Event::Link,
            Fate::Failed(_) | Fate::NotSent | Fate::FormChanged(_) => Event::Refuse,
            Fate::Unknown => Event::Silence,
            Fate::Lapsed | Fate::Mismatched => Event::Lapse,
            // Before it was sent it is over like one that was never sent, after that like one of which nothing came.
            Fate::Over => match state.attempt_mut(id).map(|attempt| attempt.state) {
                Some(State::Pending) => Event::Refuse,
                _ => Event::Lapse,
            },
        };
        let Some(attempt) = state.attempt_mut(id) else {
            return (false, false);
        };
        let (step, begun_at) = (attempt.step, attempt.begun_at);
        if attempt.take(event, context.now).is_err() {
            return (false, false);
        }
        // Giving a search up says nothing new: the bank may well have seen the login.
        if !matches!(fate, Fate::Lapsed) {
            let counts = matches!(&fate, Fate::Unknown)
                || matches!(&fate, Fate::Failed(failure) if failure.class == FailureClass::Refused);
            Self::count_login(state, step, begun_at, counts);
        }
        match fate {
            Fate::Prompt(form) => Self::prompted(state, form),
            Fate::Choose(accounts) => Self::choosing(state, accounts),
            Fate::Granted => {
                stand(state, Outcome::Checking);
                return (true, false);
            }
            Fate::Linked(link) => Self::linked(state, link),
            Fate::Failed(failure) => Self::failed(state, &failure, context.now),
            Fate::NotSent => {
                stand(state, Outcome::Unavailable);
            }
            Fate::FormChanged(session) => Self::form_changed(state, session),
            Fate::Unknown => {
                stand(state, Outcome::Confirming);
            }
            Fate::Lapsed => {
                stand(state, Outcome::Unconfirmed);
            }
            Fate::Over => {
                stand(state, Outcome::RequestOver);
            }
            Fate::Mismatched => {
                stand(state, Outcome::Mismatched);
            }
        }
        (true, true)
    }

    fn prompted(state: &mut Subscriber, form: Form) {
        let Some(session) = &mut state.session else { return };
        session.rounds += 1;
        if session.rounds > ROUNDS || !form.fits_keypad() {
            session.stage = Outcome::Unsuited;
            return;
        }
        session.step = Step::Code;
        session.form = Some(form);
        session.asked = 0;
        session.answers.clear();
        Self::ask(state);
    }

    fn choosing(state: &mut Subscriber, accounts: Vec<AccountChoice>) {
        let Some(session) = &mut state.session else { return };
        session.rounds += 1;
        session.stage = if session.rounds > ROUNDS || accounts.is_empty() {
            Outcome::Unsuited
        } else {
            Outcome::ChooseAccount
        };
        session.answers.clear();
        session.accounts = accounts;
    }

    pub(super) fn linked(state: &mut Subscriber, mut link: LinkBrief) {
        let Some(session) = &mut state.session else { return };
        session.stage = match (session.renews, link.again) {
            (Some(_), _) => Outcome::Renewed,
            (None, true) => Outcome::LinkedTwice,
            (None, false) => Outcome::Linked,
        };
        session.told = false;
        session.answers.clear();
        session.accounts.clear();
        session.form = None;
        if link.again {
            // The bank has let in whoever this is, for an account that is theirs: the old code has done its service.
            state.pin = None;
            state.pin_unkept = false;
        }
        state.last_institution = Some(link.institution.clone());
        let business = session.terms.as_ref().map(|terms| Business {
            id: terms.partner,
            name: terms.name.clone(),
        });
        link.partner = link.partner.or(business);
        state.links.retain(|known| known.id != link.id);
        state.links.insert(0, link.clone());
        session.result = Some(link);
    }

    fn failed(state: &mut Subscriber, failure: &Failure, now: Timestamp) {
        match failure.class {
            FailureClass::Refused => {
                stand(state, Outcome::Refused);
            }
            FailureClass::WrongCode => Self::wrong_code(state),
            FailureClass::SessionExpired => Self::expired(state),
            FailureClass::Busy => {
                let session = state.session.as_mut();
                let pause = session.zip(failure.retry_after);
                let stage = pause.map(|(session, pause)| session.busy(now.plus(pause)));
                stand(state, stage.unwrap_or(Outcome::Unavailable));
            }
            FailureClass::Misconfigured => {
                stand(state, Outcome::Blocked);
            }
            FailureClass::Unsupported => {
                stand(state, Outcome::Unsuited);
            }
        }
    }

    fn wrong_code(state: &mut Subscriber) {
        let Some(session) = &mut state.session else { return };
        session.wrong_codes += 1;
        session.asked = 0;
        session.answers.clear();
        if session.wrong_codes >= WRONG_CODES || session.form.is_none() {
            session.stage = Outcome::Refused;
            return;
        }
        let left = i64::from(WRONG_CODES - session.wrong_codes);
        state.cursor.note = Some(note("note-wrong-code", Some(left)));
        Self::ask(state);
    }

    /// The provider's session is over: start at the first field again, with a new one.
    fn expired(state: &mut Subscriber) {
        let Some(session) = &mut state.session else { return };
        let form = session
            .bank
            .as_ref()
            .and_then(|bank| bank.picked())
            .map(|method| method.form.clone());
        let known = form.is_some();
        session.restart_form(form);
        if known {
            state.cursor.note = Some(note("note-ask-again", None));
            Self::ask(state);
        } else {
            stand(state, Outcome::Unavailable);
        }
    }

    fn form_changed(state: &mut Subscriber, opened: ProviderSession) {
        let Some(session) = &mut state.session else { return };
        session.restart_form(opened.form.clone());
        session.provider_session = Some(opened);
        Self::ask_anew(state, true);
    }

    /// Asks a form that is another than was thought; says so where something had been asked already.
    fn ask_anew(state: &mut Subscriber, say_so: bool) {
        Self::ask(state);
        let asks = |session: &ConnectSession| matches!(session.stage, Outcome::Ask | Outcome::AskChoice);
        if say_so && state.session.as_ref().is_some_and(asks) {
            state.cursor.note = Some(note("note-changed", None));
        }
    }

    /// Counts a login against the limits, once, or takes it off again when it turns out that the bank accepted it or never
    /// saw it. It is known by when it was begun, in the records too, so that what both tell of counts once.
    fn count_login(state: &mut Subscriber, step: Step, begun_at: Timestamp, counts: bool) {
        let bank = state.session.as_ref().and_then(|session| session.bank.as_ref());
        let (Step::Login, Some(bank)) = (step, bank) else {
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
pub fn same(one: &Form, other: &Form) -> bool {
    one.fields.len() == other.fields.len()
        && one
            .fields
            .iter()
            .zip(&other.fields)
            .all(|(a, b)| a.name == b.name && a.kind == b.kind)
}

fn note(id: &str, number: Option<i64>) -> Note {
    Note {
        id: id.to_owned(),
        number,
    }
}
