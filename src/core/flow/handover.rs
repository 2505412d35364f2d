//! The SMS to a person whose dialog was over before its answer came, or before they had answered what their bank asks.
//!
//! It is written only when nobody can be reading a screen any more, and of a result not when a later dial has told it already.
//! What a bank asks after a login is another matter: that it was seen answers nothing, and many must leave to read a code.
//! It names no institution and no number, since other people read messages.

use super::context::StepContext;
use super::recovery::dial_string;
use super::rules::Flow;
use super::session::ConnectSession;
use super::state::{Dialog, ReplySlot, Subscriber};
use super::wording::display_name;
use crate::core::consent;
use crate::core::ids::AttemptId;
use crate::core::menu::{Outcome, Role};
use crate::core::messages::{Locale, TemplateArg};
use crate::core::time::Timestamp;

/// What is to be sent about a submission.
#[derive(Debug, PartialEq, Eq)]
pub enum HandoverDecision {
    /// Nothing: the person knows, there is no answer yet, or the person has moved on.
    Nothing,
    /// The dialog may still be on: look again then.
    Later(Timestamp),
    Send(String),
}

/// What somebody is to be told, as far as an SMS tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    Linked,
    /// Something is asked.
    Question,
    /// Something is to be approved in the bank's application.
    Approval,
    NotLinked,
    /// It was not the account that is expected, and was undone.
    Mismatched,
}

impl Notification {
    pub const ALL: [Self; 5] = [
        Self::Linked,
        Self::Question,
        Self::Approval,
        Self::NotLinked,
        Self::Mismatched,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Question => "question",
            Self::Approval => "approval",
            Self::NotLinked => "not_linked",
            Self::Mismatched => "mismatched",
        }
    }

    fn message_id(self) -> &'static str {
        match self {
            Self::Linked => "sms-linked",
            Self::Question => "sms-question",
            Self::Approval => "sms-approve",
            Self::NotLinked => "sms-not-linked",
            Self::Mismatched => "sms-mismatched",
        }
    }

    /// What is to be told where a session stands here; nothing where there is no answer yet.
    fn for_stage(stage: Outcome) -> Option<Self> {
        match stage {
            Outcome::Mismatched => Some(Self::Mismatched),
            Outcome::ApproveElsewhere => Some(Self::Approval),
            stage if stage.is(Role::Success) => Some(Self::Linked),
            stage if stage.is(Role::Question) => Some(Self::Question),
            stage if stage.is(Role::Failure) => Some(Self::NotLinked),
            _ => None,
        }
    }
}

impl Subscriber {
    /// What a person still has to learn of a submission, on a screen or otherwise, or to answer: `None` where there is no
    /// answer yet, a screen has told it, or the person has moved on.
    pub fn unseen_notification(&self, attempt: AttemptId) -> Option<Notification> {
        // What was asked by SMS is in their inbox.
        let owes = |session: &ConnectSession| session.owes_answer() && self.sms_dialog().is_none();
        let session = self.session.as_ref();
        let session = session.filter(|session| !session.shown || owes(session))?;
        let notification = Notification::for_stage(session.stage)?;
        (self.attempt_id() == Some(attempt)).then_some(notification)
    }

    /// Whether an SMS that says this would say nothing new by now: they know it, or are looking at it.
    pub fn knows(&self, attempt: AttemptId, notification: Notification, now: Timestamp) -> bool {
        let looking = self.in_dialog(now) && self.session.as_ref().is_some_and(|session| session.shown);
        looking || self.unseen_notification(attempt) != Some(notification)
    }

    /// Until when at the latest what a bank asks is on the person's screen, while it is.
    pub fn asked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let asked = self
            .session
            .as_ref()
            .is_some_and(|session| session.shown && session.owes_answer());
        let dialog = self.dialogs.first().filter(|_| asked && self.in_dialog(now));
        dialog.map(|dialog| dialog.ends_at)
    }

    /// What is still to be sent to a person about their last submission, once no dialog is on.
    pub fn pending_notification(&self) -> Option<(AttemptId, Notification)> {
        let attempt = self.attempt_id()?;
        let sent = self.session.as_ref()?.sms_sent;
        Some((attempt, self.unseen_notification(attempt).filter(|_| !sent)?))
    }

    /// Marks a dialog as over, as [`Self::mark_closed`] does. Somebody who `left` a screen that went on has most likely read
    /// it: the next dial tells it again, but no SMS does, unless the bank waits for their answer. Returns whether anything has
    /// changed.
    pub fn close_dialog(&mut self, key: &[u8; 32], delivered: bool, left: bool) -> bool {
        let unseen = self.pending_notification().is_some();
        let ended = |dialog: &Dialog| dialog.key == *key && matches!(&dialog.reply, ReplySlot::Set(reply) if reply.end);
        let read = left && !unseen && !self.dialogs.iter().any(ended);
        let changed = self.mark_closed(key, delivered);
        if let Some(session) = self.session.as_mut().filter(|_| changed && read) {
            session.sms_sent = true;
        }
        changed
    }
}

impl Flow {
    /// What is to be sent about a submission now. An SMS is sent once, and hands out a code where there is something to go
    /// on with.
    pub fn handover_sms(
        &self,
        state: &mut Subscriber,
        attempt: AttemptId,
        service_code: &str,
        context: &StepContext<'_>,
    ) -> HandoverDecision {
        let Some((_, notification)) = state.pending_notification().filter(|(pending, _)| *pending == attempt) else {
            return HandoverDecision::Nothing;
        };
        let provider_session = state
            .session
            .as_ref()
            .and_then(|session| session.provider_session.as_ref());
        let over = provider_session.and_then(|session| session.expires_at);
        if notification == Notification::Question && over.is_some_and(|end| end <= context.now) {
            // Nobody there waits for the answer any more.
            return HandoverDecision::Nothing;
        }
        if state.in_dialog(context.now) {
            let ends_at = state.dialogs.first().map(|dialog| dialog.ends_at);
            return HandoverDecision::Later(ends_at.unwrap_or(context.now));
        }
        let dial = match notification {
            Notification::Linked | Notification::Mismatched => service_code.to_owned(),
            Notification::Question | Notification::Approval | Notification::NotLinked => {
                let code = self.step(state, context).issue_recovery_code();
                dial_string(service_code, code)
            }
        };
        if let Some(session) = &mut state.session {
            session.sms_sent = true;
        }
        let partner = &self.terms(state).name;
        HandoverDecision::Send(self.sms_template_for(state.locale, notification.message_id(), partner, &dial))
    }

    /// What is sent about a result to somebody whose live value is gone.
    pub fn result_sms(&self, locale: Locale, result: Notification, partner: &str, service_code: &str) -> String {
        self.sms_template_for(locale, result.message_id(), partner, service_code)
    }

    /// What is sent to somebody for an account that they have linked: who sees it, until when, and how to end that.
    pub fn receipt_sms(&self, locale: Locale, partner: &str, until: Timestamp, service_code: &str) -> String {
        let args = [
            ("partner", TemplateArg::Text(display_name(partner))),
            ("until", TemplateArg::Text(consent::date_text(until))),
            ("dial", TemplateArg::Text(service_code.to_owned())),
        ];
        self.templates.format(locale, "sms-receipt", &args)
    }

    /// What is sent to somebody who wanted to know when an institution is back.
    pub fn bank_back_sms(&self, locale: Locale, service_code: &str) -> String {
        self.sms_template(locale, "sms-bank-back", service_code)
    }

    /// What is sent to somebody of whose consents one ends soon: it names no bank, since other people read messages.
    pub fn ends_soon_sms(&self, locale: Locale, partner: &str, service_code: &str) -> String {
        self.sms_template_for(locale, "sms-ends-soon", partner, service_code)
    }

    /// What is sent to somebody whose consent has ended without that they could be told before.
    pub fn ended_sms(&self, locale: Locale, partner: &str, service_code: &str) -> String {
        self.sms_template_for(locale, "sms-ended", partner, service_code)
    }

    /// What carries the address of a page: it names no institution, since other people read messages.
    pub fn page_link_sms(&self, locale: Locale, partner: &str, url: &str) -> String {
        let args = [
            ("partner", TemplateArg::Text(display_name(partner))),
            ("url", TemplateArg::Text(url.to_owned())),
        ];
        self.templates.format(locale, "sms-page-link", &args)
    }

    /// What is sent to somebody whom this partner asks to link.
    pub fn invitation_sms(&self, locale: Locale, partner: &str, dial: &str) -> String {
        self.sms_template_for(locale, "sms-asked", partner, dial)
    }
}
