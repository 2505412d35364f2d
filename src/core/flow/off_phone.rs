//! What goes on without the phone: a page that the person opens, an approval in their bank's application, or only time.
//!
//! It hangs on an attempt that waits. Nothing of it is typed here: every look asks the provider how far it is.

use std::time::Duration;

use super::effect::Effect;
use super::events::{AttemptResult, EventEffect, OpenResult};
use super::session::ConnectSession;
use super::step::{Step, Transition};
use super::waiting::{Waiting, WaitingFor};
use crate::core::attempt::{LiveAttempt, LiveAttemptState};
use crate::core::ids::AttemptId;
use crate::core::linking::{Journey, ProviderSession, SubmissionStep};
use crate::core::menu::Outcome;
use crate::core::next_step::{Failure, FailureClass, Form};
use crate::core::time::Timestamp;

/// So long after a link was sent it is not sent again: it may still be on its way, and each costs.
const PAGE_LINK_PAUSE: Duration = Duration::from_mins(1);

impl ConnectSession {
    /// Whether the person must be told that the channel is not private, on the screen of what they type first: for what is
    /// typed here, and where the journey goes elsewhere only if that is secret.
    pub(super) fn wants_warning(&self) -> bool {
        let Some(institution) = &self.institution else {
            return false;
        };
        let keypad = institution
            .picked_method()
            .is_none_or(|method| method.journey == Journey::Keypad);
        institution.warn && (keypad || self.form.as_ref().is_some_and(Form::asks_secret))
    }
}

impl Step<'_> {
    /// Opening a session led out of the phone at once: it is an attempt without a submission.
    pub(super) fn begin_waiting(&mut self, opened: ProviderSession, id: AttemptId, waiting: Waiting) {
        self.begin_without_submission(opened, id, LiveAttemptState::Waiting, waiting.until);
        self.apply_waiting(waiting);
    }

    /// Opening a session was all there was to do.
    pub(super) fn begin_granted(&mut self, opened: ProviderSession, id: AttemptId) {
        self.begin_without_submission(opened, id, LiveAttemptState::Granted, self.context.now);
        self.set_stage(Outcome::Checking);
    }

    fn begin_without_submission(
        &mut self,
        opened: ProviderSession,
        id: AttemptId,
        state: LiveAttemptState,
        until: Timestamp,
    ) {
        let Some(session) = &mut self.state.session else { return };
        session.provider_session = Some(opened);
        session.open_failed = false;
        session.attempt = Some(LiveAttempt {
            id,
            step: SubmissionStep::Login,
            state,
            owner: self.context.node,
            begun_at: self.context.now,
            lease_until: until,
        });
    }

    /// Whether it can go on like that here: the way to a page is an SMS.
    pub(super) fn can_wait_for(&self, waiting: &Waiting) -> bool {
        !matches!(waiting.what, WaitingFor::Page(_)) || self.texts_reach()
    }

    /// The session's own attempt without a submission, if the process that began it ended before it said so.
    pub(super) fn adopt_waiting(&mut self, id: AttemptId) {
        let Some(session) = &mut self.state.session else { return };
        if session.attempt.is_none() && id == AttemptId::without_submission(session.id) {
            session.attempt = Some(LiveAttempt {
                id,
                step: SubmissionStep::Login,
                state: LiveAttemptState::Waiting,
                owner: self.context.node,
                begun_at: self.context.now,
                lease_until: self.context.now,
            });
        }
    }

    /// It goes on without the phone, or still does.
    pub(super) fn apply_waiting(&mut self, waiting: Waiting) {
        let Some(session) = &mut self.state.session else { return };
        session.forget_answers();
        session.stage = waiting.what.stage();
        match waiting.what {
            WaitingFor::Page(_) => session.page_link_sent_at = session.page_link_sent_at.or(Some(self.context.now)),
            _ => session.page_link_sent_at = None,
        }
        session.waiting = Some(waiting);
    }

    /// A session was opened twice, by two dials: the second time says again what is known, or something of another try.
    pub(super) fn apply_opened_again(&mut self, result: OpenResult) -> EventEffect {
        match result {
            OpenResult::Waiting { attempt, waiting, .. } => {
                self.apply_attempt_result(attempt, AttemptResult::Waiting(waiting))
            }
            OpenResult::Granted { attempt, .. } => self.apply_attempt_result(attempt, AttemptResult::Granted),
            _ => EventEffect::Ignored,
        }
    }

    /// The provider said no when a session was opened: nothing was typed yet that could be typed again.
    pub(super) fn apply_opening_failure(&mut self, failure: &Failure) {
        let class = match failure.class {
            FailureClass::WrongCode => FailureClass::Refused,
            FailureClass::SessionExpired => FailureClass::Busy,
            class => class,
        };
        self.apply_failure(&Failure {
            class,
            ..failure.clone()
        });
    }

    /// Sends the link to the page again, unless that was only just done.
    pub(super) fn send_page_link(&mut self) -> Transition {
        let now = self.context.now;
        let Some(session) = self
            .state
            .session
            .as_mut()
            .filter(|session| session.stage == Outcome::OpenPage)
        else {
            return self.check_progress();
        };
        let waits = session
            .attempt
            .as_ref()
            .filter(|attempt| attempt.state == LiveAttemptState::Waiting);
        let Some(id) = waits.map(|attempt| attempt.id) else {
            return self.check_progress();
        };
        if session
            .page_link_sent_at
            .is_some_and(|sent| now.since(sent) < PAGE_LINK_PAUSE)
        {
            return Transition::stay("note-link-soon");
        }
        session.page_link_sent_at = Some(now);
        self.effects.push(Effect::SendPageLink(id));
        Transition::stay("note-link-sent")
    }
}
