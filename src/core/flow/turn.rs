//! A person dialled or typed: one step of the conversation.

use zeroize::Zeroizing;

use super::act::{Given, Move};
use super::asking::Coded;
use super::state::{Answer, ConnectSession, Note, Slot, Subscriber};
use super::{Context, Effect, Flow, Input, Known};
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::ids::ConnectSessionId;
use crate::core::linking::Step;
use crate::core::menu::{Action, Outcome};
use crate::core::menu::{Choice, Go, Kind, Screen};
use crate::core::secret::Secret;

impl Flow {
    /// Steps with what the person did. Afterwards the first dialog's slot holds the answer, or is pending.
    pub fn turn(
        &self,
        state: &mut Subscriber,
        input: Input,
        known: Option<&Known>,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        if let Some(known) = known {
            Self::learn(state, known, context);
            if input.begins() {
                Self::hear_who_asks(state, known.asks.as_deref());
            }
        }
        let mut effects = self.tick(state, context);
        if let Some(pin) = state.pin.clone().filter(|_| known.is_some() && state.pin_unkept) {
            // Whoever was to write it down may be gone.
            effects.push(Effect::KeepPin(pin));
        }
        if let Some(session) = &mut state.session {
            // Whoever goes on has read what stood there.
            session.told_in = None;
        }
        if let Some(dialog) = state.dialogs.first_mut() {
            // Whoever goes on typing waits no longer for what the line before would have led to.
            dialog.reply = Slot::Set(Answer {
                end: false,
                text: String::new(),
            });
        }
        let line = matches!(input, Input::Line(_));
        let next = match input {
            Input::Begin(extras) => {
                let home = self.begin(state, context, &mut effects);
                self.settle_in(state, home);
                let coded = known.and_then(|known| known.coded.as_ref());
                self.dialled(state, &extras, coded, context, &mut effects)
            }
            Input::Continue => match self.begin(state, context, &mut effects) {
                Move::To(Outcome::Resume) => self.look(state, context, &mut effects),
                home => home,
            },
            Input::Language(locale) => self.speak(state, locale, context, &mut effects),
            Input::Again => Move::Stay(None),
            // Typed at a screen that no longer holds: a key for "check again" must never be sent as a password.
            Input::Line(_) if state.cursor.moved => Self::standing(state),
            Input::Line(line) => {
                state.cursor.note = None;
                let screen = self.menu.screen(&state.cursor.screen);
                match screen {
                    Some(screen) => self.line(state, screen, line, context, &mut effects),
                    None => Self::home(state),
                }
            }
        };
        self.settle_in(state, next);
        let missed = line && state.cursor.note.is_some();
        if !self.count_miss(state, missed) {
            self.answer(state, context);
        }
        effects
    }

    /// Where the person stands who dials, or begins by text.
    pub(super) fn begin(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        match Self::home(state) {
            // What is under way may end while the person waits.
            Move::To(Outcome::Checking | Outcome::Confirming) => self.look(state, context, effects),
            home => home,
        }
    }

    /// Where the session stands now.
    fn standing(state: &Subscriber) -> Move {
        let stage = state.session.as_ref().map(|session| session.stage);
        stage.map_or(Move::Stay(None), Move::To)
    }

    /// Applies what was dialled behind the code: only moves between screens, never a consent, a choice of bank or a
    /// secret. The first segment that is anything else ends it.
    /// A code leads to the request behind it, or straight back to where the person was.
    fn dialled(
        &self,
        state: &mut Subscriber,
        extras: &[Secret],
        coded: Option<&Coded>,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let mut next = Move::Stay(None);
        for extra in extras {
            let Some(screen) = self.menu.screen(&state.cursor.screen) else {
                break;
            };
            let typed = Zeroizing::new(gsm7::fold_digits(extra.expose().trim()));
            if let Some(code) = DialCode::parse(&typed) {
                return self.recover(state, code, coded, context, effects);
            }
            let choice = single(&typed).and_then(|key| screen.options.iter().find(|choice| choice.key == key));
            let Some(Choice { go, .. }) = choice else { break };
            next = match go {
                Go::To(to) if !matches!(self.menu.screen(to).map(|s| &s.kind), Some(Kind::End)) => {
                    Move::Screen(to.clone())
                }
                Go::Do(action @ (Action::ShowLinks | Action::Home)) => {
                    self.act(state, *action, Given::Nothing, context, effects)
                }
                _ => break,
            };
            self.settle_in(state, next);
            next = Move::Stay(None);
        }
        next
    }

    /// A typed line at a screen.
    fn line(
        &self,
        state: &mut Subscriber,
        screen: &Screen,
        line: Secret,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        if line.expose().chars().any(char::is_control) {
            return stay("note-letters");
        }
        let typed = Zeroizing::new(gsm7::fold_digits(line.expose().trim()));
        let key = single(&typed);
        if let Some(told) = self.text_line(state, screen, &typed, context, effects) {
            return told;
        }
        if let Some(turned) = turn_page(state, key) {
            return turned;
        }
        let mut offered = screen.options.iter().filter(|choice| self.offers(choice));
        if let Some(choice) = key.and_then(|key| offered.find(|choice| choice.key == key)) {
            return match &choice.go {
                // Nobody agrees to a text that was not shown to its end: the option stands after it.
                Go::Do(Action::Consent) if !state.cursor.shown.contains(&choice.key.to_string()) => stay("note-choice"),
                Go::To(to) => Move::Screen(to.clone()),
                Go::Do(action) => self.act(state, *action, Given::Nothing, context, effects),
            };
        }
        match &screen.kind {
            Kind::Input(action) => self.act(state, *action, Given::Line(line), context, effects),
            Kind::List { source, pick } => {
                let number = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                if let Some(shown) = number.and_then(|n| state.cursor.shown.get(n)).cloned() {
                    return self.act(state, *pick, Given::Key(shown), context, effects);
                }
                Self::search(state, *source, &typed, context)
            }
            Kind::Choices | Kind::End => stay("note-choice"),
        }
    }

    /// Carries a move out.
    pub(super) fn settle_in(&self, state: &mut Subscriber, next: impl Into<Move>) {
        match next.into() {
            Move::To(outcome) => self.go(state, outcome),
            Move::Screen(screen) => {
                state.cursor = super::state::Cursor {
                    screen,
                    link: state.cursor.link,
                    ..Default::default()
                };
            }
            Move::Stay(note) => state.cursor.note = note.or(state.cursor.note.take()),
            Move::Wait => {
                if let Some(outcome) = Self::instead_of_waiting(state) {
                    return self.go(state, outcome);
                }
                self.go(state, Outcome::Checking);
                // Whoever must show first who they are is not kept waiting for it.
                if state.cursor.then.is_none() {
                    pend(state);
                }
            }
            Move::Hold => pend(state),
        }
    }

    /// Fills the first dialog's slot: with the screen, or with the promise of one.
    fn answer(&self, state: &mut Subscriber, context: &Context<'_>) {
        let waits = state.waiting();
        let slot = if waits {
            Slot::Pending {
                until: context.answer_by,
            }
        } else {
            Slot::Set(self.view(state, context))
        };
        Self::set(state, slot);
    }

    /// Puts an answer into the first dialog's slot.
    pub(super) fn set(state: &mut Subscriber, slot: Slot) {
        let Some(dialog) = state.dialogs.first_mut() else {
            return;
        };
        dialog.closed |= matches!(&slot, Slot::Set(Answer { end: true, .. }));
        dialog.reply = slot;
    }

    /// Sets the answer that a turn of this dialog is still waiting for: the screen for where the person stands. Says
    /// whether one was waiting.
    pub fn poll(&self, state: &mut Subscriber, key: &[u8; 32], last: bool, context: &Context<'_>) -> bool {
        let Some(index) = state.dialogs.iter().position(|dialog| dialog.key == *key) else {
            return false;
        };
        if !matches!(state.dialogs[index].reply, Slot::Pending { .. }) {
            return false;
        }
        if index > 0 {
            let text = self.texts.format(state.locale, Self::elsewhere(state), &[]);
            state.dialogs[index].reply = Slot::Set(Answer { end: true, text });
            state.dialogs[index].closed = true;
            return true;
        }
        let stage = state.session.as_ref().map(|session| session.stage);
        let in_flight = matches!(stage, Some(Outcome::Checking | Outcome::Confirming));
        // What is waited for may be something else than the session, such as a link's end: then it is still under way.
        let checking = state.cursor.screen == self.menu.outcome(Outcome::Checking);
        match stage {
            _ if last && (in_flight || checking) => self.go(state, Outcome::LeftChecking),
            Some(stage) if in_flight || !checking => self.go(state, stage),
            _ => {}
        }
        let answer = self.view(state, context);
        Self::set(state, Slot::Set(answer));
        true
    }

    /// Ends the dialog in charge with one of the answers of last resort.
    pub fn refuse(&self, state: &mut Subscriber, message: &str) {
        let text = self.texts.format(state.locale, message, &[]);
        Self::set(state, Slot::Set(Answer { end: true, text }));
    }
}

impl ConnectSession {
    /// A try at linking that has only begun.
    pub fn new(id: ConnectSessionId, consent: Option<super::state::ConsentGiven>) -> Self {
        Self {
            id,
            consent,
            terms: None,
            stage: Outcome::ChooseBank,
            told: false,
            texted: false,
            told_in: None,
            bank: None,
            provider_session: None,
            form: None,
            step: Step::Login,
            asked: 0,
            answers: Vec::new(),
            accounts: Vec::new(),
            attempt: None,
            wrong_codes: 0,
            rounds: 0,
            result: None,
            renews: None,
            begun_in: None,
            unopened: false,
            busy_until: None,
        }
    }
}

/// The answer of the dialog in charge is to come.
fn pend(state: &mut Subscriber) {
    if let Some(dialog) = state.dialogs.first_mut() {
        dialog.reply = Slot::Pending {
            until: crate::core::time::Timestamp::from_millis(0),
        };
    }
}

/// 9 shows more; 0 goes back a page, or out of a search.
fn turn_page(state: &mut Subscriber, key: Option<char>) -> Option<Move> {
    let cursor = &mut state.cursor;
    match key {
        Some('9') if cursor.more => cursor.page += 1,
        Some('0') if cursor.page > 0 => cursor.page -= 1,
        Some('0') if cursor.query.is_some() => cursor.query = None,
        _ => return None,
    }
    Some(Move::Stay(None))
}

/// The only character of a text.
fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Stay on the screen, with a sentence above it.
pub(super) fn stay(id: &str) -> Move {
    Move::Stay(Some(Note {
        id: id.to_owned(),
        number: None,
    }))
}

/// Stay on the screen, with a sentence and its number above it.
pub(super) fn stay_with(id: &str, number: i64) -> Move {
    Move::Stay(Some(Note {
        id: id.to_owned(),
        number: Some(number),
    }))
}
