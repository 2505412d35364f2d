//! An SMS when an institution is back: offered on the screen that says that it is away, where SMS can be sent to the person.
//!
//! Nothing is promised before it is saved: the turn waits for that, and until then the screen stays as it was.

use super::effect::{BankAlertRequest, Effect, OpenSession};
use super::events::BankAlertAnswer;
use super::state::Subscriber;
use super::step::{Step, Transition};
use crate::core::ids::ConnectSessionId;
use crate::core::menu::{Action, BACK_KEY, MenuOption, OptionTarget, Outcome};

impl Step<'_> {
    /// Whether an option of the menu is there at all: no SMS is offered where none can be sent, nothing else where nobody
    /// else asks, no accounts where there are none, and no other way to log in where there is one.
    pub(super) fn is_available(&self, choice: &MenuOption) -> bool {
        match choice.target {
            OptionTarget::Action(Action::RequestBankAlert) => self.texts_reach(),
            OptionTarget::Action(Action::ShowPartners) => self.others_ask(),
            OptionTarget::Action(Action::Retry) => self.may_retry(),
            OptionTarget::Action(Action::ShowLinks) if choice.key != BACK_KEY => self.state.has_accounts(),
            OptionTarget::Action(Action::OtherWay) => self.has_other_way(),
            OptionTarget::Action(Action::UseOffered) => self.offered().is_some(),
            OptionTarget::Action(Action::Reauthorise) => {
                let screen = &self.state.cursor.screen;
                self.screen_wording(screen) != "needs-login-elsewhere"
            }
            ref target if self.leads_to_languages(target) => self.other_language(),
            _ => true,
        }
    }

    /// Whether this person can be sent SMS.
    pub(super) fn texts_reach(&self) -> bool {
        self.flow.settings.texts_reach(&self.state.msisdn)
    }

    /// Whether an SMS with what became of a submission comes: nobody who wants none is promised one.
    pub(super) fn is_texted(&self) -> bool {
        let opted_out = self.state.sms_dialog().is_some_and(|dialog| dialog.opted_out);
        self.texts_reach() && !self.state.texts_stopped && !opted_out
    }

    /// The person wants an SMS when the institution is back. If it is back by now they are told so, and go on.
    pub(super) fn request_bank_alert(&mut self) -> Transition {
        if self.institution_unavailable().is_none() {
            self.notice("note-back");
            return self.retry();
        }
        let session = self.state.session.as_ref().filter(|_| self.texts_reach());
        let Some(open) = session.and_then(OpenSession::for_session) else {
            return Transition::stay("note-choice");
        };
        self.effects.push(Effect::RequestBankAlert(Box::new(BankAlertRequest {
            open,
            locale: self.state.locale,
            channel: self.state.channel(),
        })));
        Transition::WaitInPlace
    }

    /// The answer to the request is there. Returns whether a turn was waiting for it.
    pub(super) fn apply_bank_alert_answer(&mut self, id: ConnectSessionId, answer: BankAlertAnswer) -> bool {
        let session = self.state.session.as_ref().filter(|session| session.id == id);
        let away = |stage: &Outcome| matches!(stage, Outcome::BankDown | Outcome::BankBusy);
        let stage = session.map(|session| session.stage).filter(away);
        let Some(stage) = stage.filter(|_| self.state.awaits_reply()) else {
            return false;
        };
        if let Some(session) = &mut self.state.session {
            // The next dial asks whether to go on, and does not repeat what may not be so any more.
            session.shown = true;
        }
        let outcome = match answer {
            BankAlertAnswer::Accepted => Outcome::AlertPromised,
            BankAlertAnswer::OptedOut => Outcome::SmsOptedOut,
            BankAlertAnswer::Failed => {
                self.notice("note-no-text");
                stage
            }
        };
        self.show_outcome(outcome);
        self.reply_with_screen();
        true
    }
}

impl Subscriber {
    /// Whether a person has got further at an institution than being told that it is away: they know that it is back.
    pub fn has_reached(&self, provider: &str, institution: &str) -> bool {
        let session = self.session.as_ref().filter(|session| {
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
