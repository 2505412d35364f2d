//! A text when an institution is back: asked for beside the screen that says that it is away, where texts can be sent.
//!
//! Nothing is promised that is not written down: the turn waits for that, and until then the screen stays as it was.

use super::act::{Move, opening};
use super::state::{Answer, Note, Slot, Subscriber};
use super::turn::stay;
use super::{Context, Effect, Flow, Promise, TextWhenBack};
use crate::core::ids::ConnectSessionId;
use crate::core::menu::{Action, Choice, Go, Outcome};

impl Flow {
    /// Whether a choice of the menu is there at all: no text is offered where none can be sent.
    pub(super) fn offers(&self, choice: &Choice) -> bool {
        self.settings.texts || choice.go != Go::Do(Action::TextWhenBack)
    }

    /// The person wants a text when the institution is back. Where it is back by now they are told so, and go on.
    pub(super) fn text_when_back(
        &self,
        state: &mut Subscriber,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        if Self::closed(state, context).is_none() {
            state.cursor.note = Some(note("note-back"));
            return self.retry(state, context, effects);
        }
        let Some(open) = state.session.as_ref().and_then(opening).filter(|_| self.settings.texts) else {
            return stay("note-choice");
        };
        effects.push(Effect::TextWhenBack(Box::new(TextWhenBack {
            open,
            locale: state.locale,
            channel: state
                .dialogs
                .first()
                .map(|dialog| dialog.channel.clone())
                .unwrap_or_default(),
        })));
        Move::Hold
    }

    /// What can be promised is known. Says whether anybody was waiting for it.
    pub(super) fn promised(
        &self,
        state: &mut Subscriber,
        id: ConnectSessionId,
        promise: Promise,
        context: &Context<'_>,
    ) -> bool {
        let session = state.session.as_ref().filter(|session| session.id == id);
        let away = |stage: &Outcome| matches!(stage, Outcome::BankDown | Outcome::BankBusy);
        let stage = session.map(|session| session.stage).filter(away);
        let Some(stage) = stage.filter(|_| state.waiting()) else {
            return false;
        };
        if let Some(session) = &mut state.session {
            // The next dial asks whether to go on, and does not repeat what may not be so any more.
            session.told = true;
        }
        let outcome = match promise {
            Promise::Given => Outcome::WillText,
            Promise::Stopped => Outcome::TextsStopped,
            Promise::Failed => {
                state.cursor.note = Some(note("note-no-text"));
                stage
            }
        };
        self.go(state, outcome);
        let answer: Answer = self.view(state, context);
        Self::set(state, Slot::Set(answer));
        true
    }

    /// Whether a person has come further at an institution than to be told that it is away: they know that it is back.
    pub fn is_in_touch(state: &Subscriber, provider: &str, institution: &str) -> bool {
        let session = state.session.as_ref().filter(|session| {
            let bank = session.bank.as_ref();
            bank.is_some_and(|bank| bank.provider == provider && bank.id == institution)
        });
        session.is_some_and(|session| {
            let away = matches!(
                session.stage,
                Outcome::BankDown | Outcome::BankBusy | Outcome::Unavailable
            );
            !away && !session.unopened && session.provider_session.is_some()
        })
    }
}

fn note(id: &str) -> Note {
    Note {
        id: id.to_owned(),
        number: None,
    }
}
