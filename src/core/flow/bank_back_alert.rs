//! A text when an institution is back: asked for beside the screen that says that it is away, where texts can be sent.
//!
//! Nothing is promised that is not written down: the turn waits for that, and until then the screen stays as it was.

use super::actions::{Transition, open_session_request};
use super::state::{ReplySlot, ScreenNotice, Subscriber, TurnReply};
use super::turn::stay;
use super::{BankAlertAnswer, BankAlertRequest, Effect, Flow, StepContext};
use crate::core::ids::ConnectSessionId;
use crate::core::menu::{Action, MenuOption, OptionTarget, Outcome};

impl Flow {
    /// Whether a choice of the menu is there at all: no text is offered where none can be sent.
    pub(super) fn is_available(&self, choice: &MenuOption) -> bool {
        self.settings.sms_enabled || choice.target != OptionTarget::Action(Action::TextWhenBack)
    }

    /// The person wants a text when the institution is back. Where it is back by now they are told so, and go on.
    pub(super) fn request_bank_alert(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        if Self::institution_unavailable(state, context).is_none() {
            state.cursor.notice = Some(note("note-back"));
            return self.retry(state, context, effects);
        }
        let Some(open) = state
            .session
            .as_ref()
            .and_then(open_session_request)
            .filter(|_| self.settings.sms_enabled)
        else {
            return stay("note-choice");
        };
        effects.push(Effect::RequestBankAlert(Box::new(BankAlertRequest {
            open,
            locale: state.locale,
            channel: state
                .dialogs
                .first()
                .map(|dialog| dialog.channel.clone())
                .unwrap_or_default(),
        })));
        Transition::WaitInPlace
    }

    /// What can be promised is known. Says whether anybody was waiting for it.
    pub(super) fn apply_bank_alert_answer(
        &self,
        state: &mut Subscriber,
        id: ConnectSessionId,
        promise: BankAlertAnswer,
        context: &StepContext<'_>,
    ) -> bool {
        let session = state.session.as_ref().filter(|session| session.id == id);
        let away = |stage: &Outcome| matches!(stage, Outcome::BankDown | Outcome::BankBusy);
        let stage = session.map(|session| session.stage).filter(away);
        let Some(stage) = stage.filter(|_| state.awaits_reply()) else {
            return false;
        };
        if let Some(session) = &mut state.session {
            // The next dial asks whether to go on, and does not repeat what may not be so any more.
            session.shown = true;
        }
        let outcome = match promise {
            BankAlertAnswer::Accepted => Outcome::WillText,
            BankAlertAnswer::OptedOut => Outcome::TextsStopped,
            BankAlertAnswer::Failed => {
                state.cursor.notice = Some(note("note-no-text"));
                stage
            }
        };
        self.show_outcome(state, outcome);
        let answer: TurnReply = self.render_reply(state, context);
        Self::set_reply(state, ReplySlot::Set(answer));
        true
    }

    /// Whether a person has come further at an institution than to be told that it is away: they know that it is back.
    pub fn has_reached(state: &Subscriber, provider: &str, institution: &str) -> bool {
        let session = state.session.as_ref().filter(|session| {
            let bank = session.institution.as_ref();
            bank.is_some_and(|bank| bank.provider == provider && bank.id == institution)
        });
        session.is_some_and(|session| {
            let away = matches!(
                session.stage,
                Outcome::BankDown | Outcome::BankBusy | Outcome::Unavailable
            );
            !away && !session.open_failed && session.provider_session.is_some()
        })
    }
}

fn note(id: &str) -> ScreenNotice {
    ScreenNotice {
        id: id.to_owned(),
        number: None,
    }
}
