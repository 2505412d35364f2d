//! Where a dial begins.

use std::time::Duration;

use super::session::ConnectSession;
use super::step::{Step, Transition};
use crate::core::attempt::LiveAttemptState;
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Outcome, Role};

/// For so long a consent that has led to nothing yet is not asked for again.
const CONSENT_STANDS: Duration = Duration::from_mins(15);

/// Within this after the last key somebody who dials again has been cut off, and goes on without being asked.
const CUT_OFF: Duration = Duration::from_mins(10);

/// Dials closer together than this are one: some networks start several sessions for it.
const SAME_DIAL: Duration = Duration::from_secs(5);

/// After so many cuts at one question another way is offered.
const CUTS: u8 = 2;

impl Step<'_> {
    /// Where a dial begins: at the facts. Where nothing was begun, what is to be told comes first.
    pub(super) fn entry(&mut self) -> Transition {
        match self.where_session_stands() {
            Transition::Outcome(Outcome::Welcome) => self.next_notice().unwrap_or(Outcome::Welcome.into()),
            begun => begun,
        }
    }

    pub(super) fn where_session_stands(&mut self) -> Transition {
        let Some(session) = &self.state.session else {
            return Outcome::Welcome.into();
        };
        match session.attempt.as_ref().filter(|attempt| attempt.in_flight()) {
            Some(attempt) if attempt.state == LiveAttemptState::Waiting => return session.stage.into(),
            Some(_) => return Outcome::Checking.into(),
            None => {}
        }
        let (stage, shown) = (session.stage, session.shown);
        if stage == Outcome::Confirming || (stage.is(Role::Failure) && !shown) {
            return stage.into();
        }
        if stage.is(Role::Success) && !shown {
            return Outcome::NewLink.into();
        }
        if stage == Outcome::ChooseBank && self.consent_stands() {
            return self.back_at_banks();
        }
        if stage.is(Role::Final) || stage == Outcome::ChooseBank || session.institution.is_none() {
            self.state.replace_session(None);
            return Outcome::Welcome.into();
        }
        Outcome::Resume.into()
    }

    /// Where a person stands who has agreed and has picked no bank. One that is suggested was left by a key: nothing is begun
    /// there.
    pub(super) fn back_at_banks(&self) -> Transition {
        if self.pin_required() {
            return Outcome::ChoosePin.into();
        }
        self.institution_list()
    }

    /// Where a person stands who dials, or begins by SMS.
    pub(super) fn begin_dialog(&mut self) -> Transition {
        match self.entry() {
            // What is under way may end while the person waits.
            Transition::Outcome(outcome) if outcome.is(Role::InProgress) => self.check_progress(),
            Transition::Outcome(Outcome::Resume) if self.was_cut_off() => self.go_on_after_cut(),
            home => home,
        }
    }

    /// Whether the person who dials was here only just now, at a question or before one.
    fn was_cut_off(&self) -> bool {
        let session = self
            .state
            .session
            .as_ref()
            .filter(|_| self.state.sms_dialog().is_none());
        session.is_some_and(|session| {
            let asked = matches!(session.stage, Outcome::ChooseMethod | Outcome::Checking);
            let asked = asked || session.stage.is(Role::Question);
            asked && self.context.now.since(session.last_key_at) < CUT_OFF
        })
    }

    /// Straight to the question at which the dialog was cut. After two cuts at the same one to the other ways, if there are any,
    /// and from a code that does not come to the question whether to go on: there one can start again.
    fn go_on_after_cut(&mut self) -> Transition {
        let same_dial = self
            .state
            .dialogs
            .get(1)
            .map(|before| self.context.now.since(before.started_at));
        if let Some(session) = &mut self.state.session
            && same_dial.is_none_or(|apart| apart >= SAME_DIAL)
        {
            session.count_cut();
        }
        let cut_again = self.state.session.as_ref().is_some_and(|session| session.cuts >= CUTS);
        if cut_again && self.has_other_way() {
            self.notice("note-other-way");
            return self.show_ways();
        }
        let step = self.state.session.as_ref().map(|session| session.step);
        if cut_again && step != Some(SubmissionStep::Login) {
            return Outcome::Resume.into();
        }
        self.check_progress()
    }

    /// Whether what was agreed to is not asked for again: nothing has come of it, it was only just now, and who asks still
    /// asks the same.
    fn consent_stands(&self) -> bool {
        let session = self.state.session.as_ref().filter(|session| session.is_before_login());
        // An SMS can be forged: it begins with what is agreed to.
        let Some(session) = session.filter(|_| self.state.sms_dialog().is_none()) else {
            return false;
        };
        let (Some(consent), Some(terms)) = (&session.consent, &session.terms) else {
            return false;
        };
        self.context.now.since(consent.at) < CONSENT_STANDS && self.still_asks(terms)
    }

    /// The same, without the question whether to go on.
    pub(super) fn continue_session(&mut self) -> Transition {
        match self.entry() {
            Transition::Outcome(outcome) if outcome.is(Role::InProgress) || outcome == Outcome::Resume => {
                self.check_progress()
            }
            home => home,
        }
    }
}

impl ConnectSession {
    /// The network has cut the dialog, or its person has hung up, at the question where the session stands.
    fn count_cut(&mut self) {
        if self.stage.is(Role::Question) {
            self.cuts = self.cuts.saturating_add(1);
        }
    }
}
