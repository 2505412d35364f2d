//! A person dialled or typed: one step of the conversation.

use zeroize::Zeroizing;

use super::actions::{ActionInput, Transition};
use super::requesters::DialedCode;
use super::state::{ConnectSession, ReplySlot, ScreenNotice, Subscriber, TurnReply};
use super::{Effect, Flow, Input, StepContext, SubscriberFacts};
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::ids::ConnectSessionId;
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Action, Outcome};
use crate::core::menu::{MenuOption, OptionTarget, Screen, ScreenKind};
use crate::core::secret::Secret;

impl Flow {
    /// Steps with what the person did. Afterwards the first dialog's slot holds the answer, or is pending.
    pub fn turn(
        &self,
        state: &mut Subscriber,
        input: Input,
        known: Option<&SubscriberFacts>,
        context: &StepContext<'_>,
    ) -> Vec<Effect> {
        if let Some(known) = known {
            Self::reconcile(state, known, context);
            if input.begins_dialog() {
                Self::set_requests(state, known.requests.as_deref());
            }
        }
        let mut effects = self.expire_lease(state, context);
        if let Some(pin) = state.pin.clone().filter(|_| known.is_some() && state.pin_unsaved) {
            // Whoever was to write it down may be gone.
            effects.push(Effect::SavePin(pin));
        }
        if let Some(session) = &mut state.session {
            // Whoever goes on has read what stood there.
            session.shown_in = None;
        }
        if let Some(dialog) = state.dialogs.first_mut() {
            // Whoever goes on typing waits no longer for what the line before would have led to.
            dialog.reply = ReplySlot::Set(TurnReply {
                end: false,
                text: String::new(),
            });
        }
        let line = matches!(input, Input::Line(_));
        let next = match input {
            Input::Begin(extras) => {
                let home = self.begin_dialog(state, context, &mut effects);
                self.apply_transition(state, home);
                let coded = known.and_then(|known| known.dialed_code.as_ref());
                self.apply_dialed_segments(state, &extras, coded, context, &mut effects)
            }
            Input::Continue => match self.begin_dialog(state, context, &mut effects) {
                Transition::Outcome(Outcome::Resume) => self.check_progress(state, context, &mut effects),
                home => home,
            },
            Input::Language(locale) => self.set_language(state, locale, context, &mut effects),
            Input::Redisplay => Transition::Stay(None),
            // Typed at a screen that no longer holds: a key for "check again" must never be sent as a password.
            Input::Line(_) if state.cursor.stale => Self::current_stage(state),
            Input::Line(line) => {
                state.cursor.notice = None;
                let screen = self.menu.screen(&state.cursor.screen);
                match screen {
                    Some(screen) => self.apply_line(state, screen, line, context, &mut effects),
                    None => Self::entry(state),
                }
            }
        };
        self.apply_transition(state, next);
        let missed = line && state.cursor.notice.is_some();
        if !self.count_invalid_sms(state, missed) {
            self.fill_reply(state, context);
        }
        effects
    }

    /// Where the person stands who dials, or begins by text.
    pub(super) fn begin_dialog(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        match Self::entry(state) {
            // What is under way may end while the person waits.
            Transition::Outcome(Outcome::Checking | Outcome::Confirming) => {
                self.check_progress(state, context, effects)
            }
            home => home,
        }
    }

    /// Where the session stands now.
    fn current_stage(state: &Subscriber) -> Transition {
        let stage = state.session.as_ref().map(|session| session.stage);
        stage.map_or(Transition::Stay(None), Transition::Outcome)
    }

    /// Applies what was dialled behind the code: only moves between screens, never a consent, a choice of bank or a
    /// secret. The first segment that is anything else ends it.
    /// A code leads to the request behind it, or straight back to where the person was.
    fn apply_dialed_segments(
        &self,
        state: &mut Subscriber,
        extras: &[Secret],
        coded: Option<&DialedCode>,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let mut next = Transition::Stay(None);
        for extra in extras {
            let Some(screen) = self.menu.screen(&state.cursor.screen) else {
                break;
            };
            let typed = Zeroizing::new(gsm7::fold_digits(extra.expose().trim()));
            if let Some(code) = DialCode::parse(&typed) {
                return self.apply_dialed_code(state, code, coded, context, effects);
            }
            let choice = only_char(&typed).and_then(|key| screen.options.iter().find(|choice| choice.key == key));
            let Some(MenuOption { target: go, .. }) = choice else {
                break;
            };
            next = match go {
                OptionTarget::Screen(to) if !matches!(self.menu.screen(to).map(|s| &s.kind), Some(ScreenKind::End)) => {
                    Transition::Screen(to.clone())
                }
                OptionTarget::Action(action @ (Action::ShowLinks | Action::Home)) => {
                    self.act(state, *action, ActionInput::Nothing, context, effects)
                }
                _ => break,
            };
            self.apply_transition(state, next);
            next = Transition::Stay(None);
        }
        next
    }

    /// A typed line at a screen.
    fn apply_line(
        &self,
        state: &mut Subscriber,
        screen: &Screen,
        line: Secret,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        if line.expose().chars().any(char::is_control) {
            return stay("note-letters");
        }
        let typed = Zeroizing::new(gsm7::fold_digits(line.expose().trim()));
        let key = only_char(&typed);
        if let Some(told) = self.sms_line(state, screen, &typed, context, effects) {
            return told;
        }
        if let Some(turned) = turn_page(state, key) {
            return turned;
        }
        let mut offered = screen.options.iter().filter(|choice| self.is_available(choice));
        if let Some(choice) = key.and_then(|key| offered.find(|choice| choice.key == key)) {
            return match &choice.target {
                // Nobody agrees to a text that was not shown to its end: the option stands after it.
                OptionTarget::Action(Action::Consent) if !state.cursor.shown.contains(&choice.key.to_string()) => {
                    stay("note-choice")
                }
                OptionTarget::Screen(to) => Transition::Screen(to.clone()),
                OptionTarget::Action(action) => self.act(state, *action, ActionInput::Nothing, context, effects),
            };
        }
        match &screen.kind {
            ScreenKind::Input(action) => self.act(state, *action, ActionInput::Line(line), context, effects),
            ScreenKind::List { source, pick } => {
                let number = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                if let Some(shown) = number.and_then(|n| state.cursor.shown.get(n)).cloned() {
                    return self.act(state, *pick, ActionInput::Key(shown), context, effects);
                }
                Self::search(state, *source, &typed, context)
            }
            ScreenKind::Choices | ScreenKind::End => stay("note-choice"),
        }
    }

    /// Carries a move out.
    pub(super) fn apply_transition(&self, state: &mut Subscriber, next: impl Into<Transition>) {
        match next.into() {
            Transition::Outcome(outcome) => self.show_outcome(state, outcome),
            Transition::Screen(screen) => {
                state.cursor = super::state::ScreenCursor {
                    screen,
                    link: state.cursor.link,
                    ..Default::default()
                };
            }
            Transition::Stay(note) => state.cursor.notice = note.or(state.cursor.notice.take()),
            Transition::Wait => {
                if let Some(outcome) = Self::instead_of_waiting(state) {
                    return self.show_outcome(state, outcome);
                }
                self.show_outcome(state, Outcome::Checking);
                // Whoever must show first who they are is not kept waiting for it.
                if state.cursor.after_pin.is_none() {
                    set_reply_pending(state);
                }
            }
            Transition::WaitInPlace => set_reply_pending(state),
        }
    }

    /// Fills the first dialog's slot: with the screen, or with the promise of one.
    fn fill_reply(&self, state: &mut Subscriber, context: &StepContext<'_>) {
        let waits = state.awaits_reply();
        let slot = if waits {
            ReplySlot::Pending {
                until: context.answer_by,
            }
        } else {
            ReplySlot::Set(self.render_reply(state, context))
        };
        Self::set_reply(state, slot);
    }

    /// Puts an answer into the first dialog's slot.
    pub(super) fn set_reply(state: &mut Subscriber, slot: ReplySlot) {
        let Some(dialog) = state.dialogs.first_mut() else {
            return;
        };
        dialog.closed |= matches!(&slot, ReplySlot::Set(TurnReply { end: true, .. }));
        dialog.reply = slot;
    }

    /// Sets the answer that a turn of this dialog is still waiting for: the screen for where the person stands. Says
    /// whether one was waiting.
    pub fn poll(&self, state: &mut Subscriber, key: &[u8; 32], last: bool, context: &StepContext<'_>) -> bool {
        let Some(index) = state.dialogs.iter().position(|dialog| dialog.key == *key) else {
            return false;
        };
        if !matches!(state.dialogs[index].reply, ReplySlot::Pending { .. }) {
            return false;
        }
        if index > 0 {
            let text = self.templates.format(state.locale, Self::elsewhere_message(state), &[]);
            state.dialogs[index].reply = ReplySlot::Set(TurnReply { end: true, text });
            state.dialogs[index].closed = true;
            return true;
        }
        let stage = state.session.as_ref().map(|session| session.stage);
        let in_flight = matches!(stage, Some(Outcome::Checking | Outcome::Confirming));
        // What is waited for may be something else than the session, such as a link's end: then it is still under way.
        let checking = state.cursor.screen == self.menu.outcome(Outcome::Checking);
        match stage {
            _ if last && (in_flight || checking) => self.show_outcome(state, Outcome::LeftChecking),
            Some(stage) if in_flight || !checking => self.show_outcome(state, stage),
            _ => {}
        }
        let answer = self.render_reply(state, context);
        Self::set_reply(state, ReplySlot::Set(answer));
        true
    }

    /// Ends the dialog in charge with one of the answers of last resort.
    pub fn end_dialog(&self, state: &mut Subscriber, message: &str) {
        let text = self.templates.format(state.locale, message, &[]);
        Self::set_reply(state, ReplySlot::Set(TurnReply { end: true, text }));
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
            shown: false,
            sms_sent: false,
            shown_in: None,
            institution: None,
            provider_session: None,
            form: None,
            step: SubmissionStep::Login,
            fields_answered: 0,
            answers: Vec::new(),
            accounts: Vec::new(),
            attempt: None,
            wrong_codes: 0,
            rounds: 0,
            result: None,
            renews: None,
            started_in: None,
            open_failed: false,
            busy_until: None,
        }
    }
}

/// The answer of the dialog in charge is to come.
fn set_reply_pending(state: &mut Subscriber) {
    if let Some(dialog) = state.dialogs.first_mut() {
        dialog.reply = ReplySlot::Pending {
            until: crate::core::time::Timestamp::from_millis(0),
        };
    }
}

/// 9 shows more; 0 goes back a page, or out of a search.
fn turn_page(state: &mut Subscriber, key: Option<char>) -> Option<Transition> {
    let cursor = &mut state.cursor;
    match key {
        Some('9') if cursor.has_more => cursor.page += 1,
        Some('0') if cursor.page > 0 => cursor.page -= 1,
        Some('0') if cursor.query.is_some() => cursor.query = None,
        _ => return None,
    }
    Some(Transition::Stay(None))
}

/// The only character of a text.
fn only_char(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// Stay on the screen, with a sentence above it.
pub(super) fn stay(id: &str) -> Transition {
    Transition::Stay(Some(ScreenNotice {
        id: id.to_owned(),
        number: None,
    }))
}

/// Stay on the screen, with a sentence and its number above it.
pub(super) fn stay_with(id: &str, number: i64) -> Transition {
    Transition::Stay(Some(ScreenNotice {
        id: id.to_owned(),
        number: Some(number),
    }))
}
