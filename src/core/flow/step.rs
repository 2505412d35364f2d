//! One step of the conversation: what every action works on.

use std::cell::OnceCell;
use std::time::Duration;

use super::context::StepContext;
use super::effect::{Effect, OpenSession};
use super::rules::Flow;
use super::state::{ReplySlot, ScreenCursor, ScreenNotice, Subscriber, TurnReply};
use super::waiting::MAX_LOOKS;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// How long opening a session may take at the most: the call, and where two made the same person at once, another. After
/// that the process which opened it is gone.
const OPENING_TAKES: Duration = Duration::from_secs(40);

/// One step on its way: the rules, the state that it changes, what surrounds it, and the effects so far.
pub(super) struct Step<'a> {
    pub(super) flow: &'a Flow,
    pub(super) state: &'a mut Subscriber,
    pub(super) context: &'a StepContext<'a>,
    pub(super) effects: Vec<Effect>,
    /// The languages that are offered, once they are wanted: to tell the country of a number takes long.
    pub(super) offered_languages: OnceCell<Vec<Locale>>,
}

/// Where an action leads.
pub(super) enum Transition {
    /// To the screen of an outcome.
    Outcome(Outcome),
    /// To a screen that the menu names.
    Screen(String),
    Stay(Option<ScreenNotice>),
    /// The answer is not known yet: the turn waits.
    Wait,
    /// The same, and until then the screen stays as it is.
    WaitInPlace,
}

impl Transition {
    /// Stay on the screen, with a notice above it.
    pub(super) fn stay(notice: &str) -> Self {
        Self::Stay(Some(ScreenNotice::new(notice)))
    }
}

impl From<Outcome> for Transition {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

/// What came with an action.
pub(super) enum ActionInput {
    Nothing,
    /// The key of a list's entry.
    Key(String),
    /// The keys of several entries of a list.
    Keys(Vec<String>),
    Line(Secret),
}

impl Flow {
    pub(super) fn step<'a>(&'a self, state: &'a mut Subscriber, context: &'a StepContext<'a>) -> Step<'a> {
        Step {
            flow: self,
            state,
            context,
            effects: Vec::new(),
            offered_languages: OnceCell::new(),
        }
    }
}

impl Step<'_> {
    /// The session now stands here.
    pub(super) fn set_stage(&mut self, stage: Outcome) -> Transition {
        if let Some(session) = &mut self.state.session {
            session.stage = stage;
        }
        stage.into()
    }

    /// Opens a session at the provider for the connect session, unless one is being opened.
    pub(super) fn open_session(&mut self) {
        let now = self.context.now;
        let Some(session) = &mut self.state.session else { return };
        if session.opening_until.is_some_and(|until| now < until) {
            return;
        }
        let Some(open) = OpenSession::for_session(session) else {
            return;
        };
        session.opening_until = Some(now.plus(OPENING_TAKES));
        session.open_failed = false;
        self.effects.push(Effect::OpenSession(Box::new(open)));
    }

    /// The same, and the turn waits for it.
    pub(super) fn open_session_and_wait(&mut self) -> Transition {
        self.set_stage(Outcome::Checking);
        self.open_session();
        Transition::Wait
    }

    /// Shows this above the next screen.
    pub(super) fn notice(&mut self, id: &str) {
        self.state.cursor.notice = Some(ScreenNotice::new(id));
    }

    /// Puts the cursor on the screen of an outcome.
    pub(super) fn show_outcome(&mut self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Welcome => self.welcome(),
            outcome => outcome,
        };
        let shown = self.pin_gate(outcome);
        let after_pin = match shown {
            shown if shown != outcome => Some(outcome),
            Outcome::PinLocked => self.state.cursor.after_pin,
            _ => None,
        };
        self.state.cursor = ScreenCursor {
            screen: self.flow.menu.outcome(shown).to_owned(),
            notice: self.state.cursor.notice.take(),
            link: self.state.cursor.link.filter(|_| outcome.may_concern_link()),
            after_pin,
            ..Default::default()
        };
    }

    pub(super) fn show_stage(&mut self) {
        if let Some(stage) = self.state.session.as_ref().map(|session| session.stage) {
            let looked = self.state.dialogs.first().map_or(0, |dialog| dialog.looks);
            let enough = looked >= MAX_LOOKS && takes_its_time(stage);
            self.show_outcome(if enough { Outcome::LeftChecking } else { stage });
        }
    }

    /// The person looks whether there is news of what nobody can hurry.
    pub(super) fn count_look(&mut self) {
        let waits = self
            .state
            .session
            .as_ref()
            .is_some_and(|session| takes_its_time(session.stage));
        if let Some(dialog) = self.state.dialogs.first_mut().filter(|_| waits) {
            dialog.looks = dialog.looks.saturating_add(1);
        }
    }

    pub(super) fn apply_transition(&mut self, next: Transition) {
        match next {
            Transition::Outcome(outcome) => self.show_outcome(outcome),
            Transition::Screen(screen) => {
                self.state.cursor = ScreenCursor {
                    screen,
                    link: self.state.cursor.link,
                    ..Default::default()
                };
            }
            Transition::Stay(notice) => self.state.cursor.notice = notice.or(self.state.cursor.notice.take()),
            Transition::Wait => {
                if let Some(outcome) = self.instead_of_waiting() {
                    return self.show_outcome(outcome);
                }
                self.show_outcome(Outcome::Checking);
                // A person who must type their own code first is not kept waiting for it.
                if self.state.cursor.after_pin.is_none() {
                    self.set_reply_pending();
                }
            }
            Transition::WaitInPlace => self.set_reply_pending(),
        }
    }

    /// The reply of the dialog in charge is to come.
    fn set_reply_pending(&mut self) {
        if let Some(dialog) = self.state.dialogs.first_mut() {
            dialog.reply = ReplySlot::Pending {
                until: Timestamp::from_millis(0),
            };
        }
    }

    /// Answers the dialog in charge with the screen that the cursor is on.
    pub(super) fn reply_with_screen(&mut self) {
        let reply = self.render_reply();
        self.state.set_reply(ReplySlot::Set(reply));
    }
}

/// Whether what is awaited may take minutes, and all that a person can do is look.
fn takes_its_time(stage: Outcome) -> bool {
    matches!(stage, Outcome::Confirming | Outcome::Waiting)
}

impl Subscriber {
    /// Puts a reply into the slot of the dialog in charge.
    pub(super) fn set_reply(&mut self, slot: ReplySlot) {
        let Some(dialog) = self.dialogs.first_mut() else {
            return;
        };
        dialog.closed |= matches!(&slot, ReplySlot::Set(TurnReply { end: true, .. }));
        dialog.reply = slot;
    }
}
