//! A person dialled or typed: one step of the conversation.

use zeroize::Zeroizing;

use super::accounts::typed_numbers;
use super::context::StepContext;
use super::effect::Effect;
use super::facts::SubscriberFacts;
use super::languages::LANGUAGE_KEY;
use super::rules::Flow;
use super::state::{ReplySlot, Subscriber, TurnReply};
use super::step::{ActionInput, Step, Transition};
use super::terms::DialedCode;
use super::turn_context::{Input, fold_choice};
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::menu::{Action, ListSource, MenuOption, OptionTarget, Outcome, Role, Screen, ScreenKind};
use crate::core::secret::Secret;

impl Flow {
    /// Steps with what the person did. Afterwards the first dialog's slot holds the reply, or is pending.
    pub fn turn(
        &self,
        state: &mut Subscriber,
        input: Input,
        facts: Option<&SubscriberFacts>,
        context: &StepContext<'_>,
    ) -> Vec<Effect> {
        let mut step = self.step(state, context);
        step.turn(input, facts);
        step.effects
    }

    /// Sets the reply that a turn of this dialog is still waiting for: the screen for where the person stands. Returns
    /// whether one was waiting.
    pub fn poll(&self, state: &mut Subscriber, key: &[u8; 32], last: bool, context: &StepContext<'_>) -> bool {
        let Some(index) = state.dialogs.iter().position(|dialog| dialog.key == *key) else {
            return false;
        };
        if !matches!(state.dialogs[index].reply, ReplySlot::Pending { .. }) {
            return false;
        }
        if index > 0 {
            let text = self.last_resort(state.locale, state.elsewhere_message(), &state.channel());
            state.dialogs[index].reply = ReplySlot::Set(TurnReply::end(text));
            state.dialogs[index].closed = true;
            return true;
        }
        self.step(state, context).poll(last);
        true
    }

    /// Ends the dialog in charge with one of the answers of last resort.
    pub fn end_dialog(&self, state: &mut Subscriber, message: &str) {
        let text = self.last_resort(state.locale, message, &state.channel());
        state.set_reply(ReplySlot::Set(TurnReply::end(text)));
    }
}

impl Step<'_> {
    fn turn(&mut self, input: Input, facts: Option<&SubscriberFacts>) {
        if let Some(facts) = facts {
            self.recall_language(facts.language);
            self.reconcile(facts);
            if input.begins_dialog() {
                self.set_requests(facts.requests.as_deref());
            }
        }
        if input.begins_dialog() {
            self.state.cursor.link = None;
            self.collect_notices();
        }
        self.expire_lease();
        if let Some(pin) = self
            .state
            .pin
            .clone()
            .filter(|_| facts.is_some() && self.state.pin_unsaved)
        {
            // The process that was to save it may be gone.
            self.effects.push(Effect::SavePin(pin));
        }
        if let Some(session) = &mut self.state.session {
            // The subscriber has continued, so they have seen the previous screen.
            session.shown_in = None;
        }
        if let Some(dialog) = self.state.dialogs.first_mut() {
            // They no longer wait for what the line before would have led to.
            dialog.reply = ReplySlot::Set(TurnReply::ask(String::new()));
        }
        let (line, begins) = (matches!(input, Input::Line(_)), input.begins_dialog());
        let next = self.take_input(input, facts.and_then(|facts| facts.dialed_code.as_ref()));
        self.apply_transition(next);
        if let Some(session) = self.state.session.as_mut().filter(|_| line) {
            session.last_key_at = self.context.now;
        }
        let invalid = line && self.state.cursor.notice.is_some();
        if self.count_invalid_sms(invalid) {
            return;
        }
        if self.state.awaits_reply() {
            let until = self.context.answer_by;
            self.state.set_reply(ReplySlot::Pending { until });
        } else {
            self.reply_with_screen();
            self.note_use();
        }
        if begins {
            self.remind_of_request();
        }
    }

    fn take_input(&mut self, input: Input, looked_up: Option<&DialedCode>) -> Transition {
        match input {
            Input::Begin(segments) => {
                if let Some(straight) = self.straight_to_banks(&segments) {
                    return straight;
                }
                let home = self.begin_dialog();
                self.apply_transition(home);
                self.apply_dialed_segments(&segments, looked_up)
            }
            Input::Continue => self.continue_session(),
            Input::Recover => {
                if let Some(session) = &mut self.state.session {
                    // Which of them were typed is not known.
                    session.forget_answers();
                }
                self.continue_session()
            }
            Input::Language(locale) => self.set_language(locale),
            Input::Redisplay => Transition::Stay(None),
            // Typed at a screen that no longer holds: a key for "check again" must never be sent as a password.
            Input::Line(_) if self.state.cursor.stale => {
                let stage = self.state.session.as_ref().map(|session| session.stage);
                stage.map_or_else(|| self.entry(), Transition::Outcome)
            }
            Input::Line(line) => {
                self.state.cursor.notice = None;
                match self.flow.menu.screen(&self.state.cursor.screen) {
                    Some(screen) => self.apply_line(screen, line),
                    None => self.entry(),
                }
            }
        }
    }

    /// Applies what was dialled behind the code: only moves between screens, never a consent, a choice of institution or a
    /// secret. The first segment that is anything else ends it, but for the first screen's key for the language, which changes
    /// it on every screen. A recovery code or an intent's code leads straight to what is behind it.
    fn apply_dialed_segments(&mut self, segments: &[Secret], looked_up: Option<&DialedCode>) -> Transition {
        for segment in segments {
            let Some(screen) = self.flow.menu.screen(&self.state.cursor.screen) else {
                break;
            };
            let typed = Zeroizing::new(fold_choice(segment.expose()));
            if let Some(code) = DialCode::parse(&typed) {
                return self.apply_dialed_code(code, looked_up);
            }
            let option = only_char(&typed).and_then(|key| screen.options.iter().find(|option| option.key == key));
            let next = match option.map(|option| &option.target) {
                Some(target) if self.leads_to_languages(target) => self.open_languages(),
                Some(OptionTarget::Screen(to)) if !self.is_end(to) => Transition::Screen(to.clone()),
                Some(OptionTarget::Action(action @ (Action::ShowLinks | Action::Home))) => {
                    self.act(*action, ActionInput::Nothing)
                }
                _ if self.dials_language(&typed) && self.takes_language_key(screen) => self.open_languages(),
                _ => break,
            };
            self.apply_transition(next);
        }
        Transition::Stay(None)
    }

    fn is_end(&self, screen: &str) -> bool {
        let screen = self.flow.menu.screen(screen);
        screen.is_some_and(|screen| screen.kind == ScreenKind::End)
    }

    /// A typed line at a screen.
    fn apply_line(&mut self, screen: &Screen, line: Secret) -> Transition {
        if line.expose().chars().any(char::is_control) {
            return Transition::stay("note-letters");
        }
        let exact = matches!(screen.kind, ScreenKind::Input(_)) && self.sms_replacement(screen).is_none();
        let typed = Zeroizing::new(if exact {
            // What is typed may be a secret, of which no sign is left out.
            gsm7::fold_digits(line.expose().trim())
        } else {
            fold_choice(line.expose())
        });
        let key = only_char(&typed);
        if let Some(by_sms) = self.sms_line(screen, &typed) {
            return by_sms;
        }
        if self.turn_page(key) {
            return Transition::Stay(None);
        }
        self.state.cursor.said = None;
        if key == Some(LANGUAGE_KEY) && self.takes_language_key(screen) {
            return self.open_languages();
        }
        let mut available = screen.options.iter().filter(|option| self.is_available(option));
        let chosen = key.and_then(|key| available.find(|option| option.key == key));
        if let Some(MenuOption { key, target, .. }) = chosen {
            return match target {
                // Nobody agrees to a text that was not shown to its end: the option is after it.
                target if target.agrees() && !self.state.cursor.shown.contains(&key.to_string()) => {
                    Transition::stay("note-choice")
                }
                target if self.leads_to_languages(target) && self.state.sms_dialog().is_none() => self.open_languages(),
                OptionTarget::Screen(to) => Transition::Screen(to.clone()),
                OptionTarget::Action(action) => self.act(*action, ActionInput::Nothing),
            };
        }
        match &screen.kind {
            ScreenKind::Input(action) => self.act(*action, ActionInput::Line(line)),
            ScreenKind::List { source, pick } => {
                let number = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                match number.and_then(|n| self.state.cursor.shown.get(n)).cloned() {
                    Some(key) => self.act(*pick, ActionInput::Key(key)),
                    None if *source == ListSource::Accounts => self.pick_numbers(*pick, &typed),
                    None => self.search(*source, &typed),
                }
            }
            ScreenKind::Choices | ScreenKind::End => Transition::stay("note-choice"),
        }
    }

    /// Several numbers in one line; each means what was shown beside it.
    fn pick_numbers(&mut self, pick: Action, typed: &str) -> Transition {
        let shown = |number: usize| self.state.cursor.shown.get(number.checked_sub(1)?).cloned();
        let keys = typed_numbers(typed).and_then(|numbers| numbers.into_iter().map(shown).collect());
        match keys {
            Some(keys) => self.act(pick, ActionInput::Keys(keys)),
            None => Transition::stay("note-choice"),
        }
    }

    /// 9 shows more; 0 goes back a page, or out of a search. Returns whether it was one of these.
    fn turn_page(&mut self, key: Option<char>) -> bool {
        let cursor = &mut self.state.cursor;
        match key {
            Some('9') if cursor.has_more => cursor.page += 1,
            Some('0') if cursor.page > 0 => cursor.page -= 1,
            Some('0') if cursor.query.is_some() => (cursor.query, cursor.said) = (None, None),
            _ => return false,
        }
        true
    }

    /// The turn in charge has waited long enough: it gets the screen for where the person stands.
    fn poll(&mut self, last: bool) {
        let stage = self.state.session.as_ref().map(|session| session.stage);
        let in_progress = stage.is_some_and(|stage| stage.is(Role::InProgress));
        // What is waited for may be something else than the session, such as a link's end: then it is still under way.
        let checking = self.state.cursor.screen == self.flow.menu.outcome(Outcome::Checking);
        match stage {
            _ if last && (in_progress || checking) => self.show_outcome(Outcome::LeftChecking),
            Some(_) if in_progress || !checking => self.show_stage(),
            _ => {}
        }
        self.reply_with_screen();
    }
}

/// The only character of a text.
fn only_char(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}
