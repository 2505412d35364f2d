//! What became of a submission: where the session stands then, and what counts against the limits.

use super::effect::Effect;
use super::events::{AttemptResult, EventEffect};
use super::facts::PendingAttempt;
use super::rules::FlowSettings;
use super::session::{ConnectSession, LinkSummary};
use super::state::ScreenNotice;
use super::step::Step;
use super::terms::PartnerRef;
use super::waiting::AccountList;
use crate::core::attempt::{AttemptEvent, LiveAttemptState, Refusal, WRONG_CODES};
use crate::core::ids::AttemptId;
use crate::core::linking::{AuthMethod, ProviderSession, SubmissionStep};
use crate::core::menu::Outcome;
use crate::core::next_step::{Failure, FailureClass, Form};
use crate::core::time::Timestamp;

impl ConnectSession {
    /// How often its provider may ask for more before we stop believing it.
    fn max_rounds(&self, settings: &FlowSettings) -> u8 {
        self.institution
            .as_ref()
            .map_or(u8::MAX, |institution| settings.max_rounds(&institution.provider))
    }
}

impl Step<'_> {
    pub(super) fn apply_attempt_result(&mut self, id: AttemptId, result: AttemptResult) -> EventEffect {
        let result = match result {
            AttemptResult::Waiting(ref waiting) if !self.can_wait_for(waiting) => {
                AttemptResult::Failed(FailureClass::Unsupported.into())
            }
            result => result,
        };
        let event = match &result {
            AttemptResult::Prompt(_) | AttemptResult::ChooseAccount(_) => AttemptEvent::Accept,
            AttemptResult::Waiting(waiting) => AttemptEvent::Wait(waiting.until),
            AttemptResult::Granted => AttemptEvent::Grant,
            AttemptResult::Linked(_) => AttemptEvent::Link,
            AttemptResult::Failed(_)
            | AttemptResult::NotSent
            | AttemptResult::FormChanged(_)
            | AttemptResult::QuestionLost
            | AttemptResult::TooManyLogins(_) => AttemptEvent::Refuse,
            AttemptResult::Unknown => AttemptEvent::NoAnswer,
            AttemptResult::Lapsed | AttemptResult::Mismatched | AttemptResult::OtherAccount => AttemptEvent::Lapse,
            // Before it was sent it is over like one that was never sent, after that like one of which nothing came.
            AttemptResult::RequestEnded => match self.state.attempt_mut(id).map(|attempt| attempt.state) {
                Some(LiveAttemptState::Pending) => AttemptEvent::Refuse,
                _ => AttemptEvent::Lapse,
            },
        };
        self.adopt_waiting(id);
        let decided = self.take_late_link(id, &result);
        let Some(attempt) = self.state.attempt_mut(id) else {
            return if decided {
                EventEffect::Applied
            } else {
                EventEffect::Ignored
            };
        };
        let (step, begun_at, before) = (attempt.step, attempt.begun_at, attempt.state);
        if attempt.apply(event, self.context.now).is_err() {
            return EventEffect::Ignored;
        }
        if matches!(result, AttemptResult::Linked(_)) {
            // However late it comes to be known.
            self.state.fresh_login = self.state.fresh_login.max(Some(begun_at));
        }
        // Giving up the search says nothing new: the institution may well have seen the login.
        // Nor does what came of waiting: the institution took the login long ago, or never saw one from here.
        if !matches!(result, AttemptResult::Lapsed) && before != LiveAttemptState::Waiting {
            let may_have_left = !matches!(before, LiveAttemptState::Pending | LiveAttemptState::Expired);
            let counts = match &result {
                AttemptResult::Unknown => true,
                AttemptResult::Failed(Failure { class, .. }) => {
                    *class == FailureClass::Refused || (may_have_left && class.counts_as_login())
                }
                _ => false,
            };
            self.count_login(step, begun_at, counts);
        }
        let granted = matches!(result, AttemptResult::Granted);
        self.follow_attempt_result(result);
        if granted {
            EventEffect::Applied
        } else {
            EventEffect::Resolved
        }
    }

    /// The records did not let an attempt begin. The person is told of the one that stands in its way, and what they type
    /// next is numbered after it.
    pub(super) fn apply_refused(&mut self, id: AttemptId, standing: &PendingAttempt) -> EventEffect {
        let attempt = self.state.attempt_mut(id);
        if attempt.is_none_or(|attempt| attempt.state != LiveAttemptState::Pending) {
            return EventEffect::Ignored;
        }
        self.take_up(standing);
        EventEffect::Applied
    }

    /// What was left behind undecided is decided: nothing stands in the way of another login there. If it led to a link that
    /// is what the person hears next, unless the provider waits for them elsewhere. Returns whether it was left behind.
    fn take_late_link(&mut self, id: AttemptId, result: &AttemptResult) -> bool {
        let undecided = matches!(
            result,
            AttemptResult::Unknown | AttemptResult::Granted | AttemptResult::Waiting(_)
        );
        let of = |aside: &ConnectSession| aside.attempt.as_ref().map(|attempt| attempt.id) == Some(id);
        let Some(at) = self.state.set_aside.iter().position(of).filter(|_| !undecided) else {
            return false;
        };
        let aside = self.state.set_aside.remove(at);
        if matches!(result, AttemptResult::Linked(_)) && !self.state.is_busy() {
            self.state.session = Some(aside);
            self.state.cursor.stale = true;
        }
        true
    }

    pub(super) fn follow_attempt_result(&mut self, result: AttemptResult) {
        let stage = match result {
            AttemptResult::Prompt(form) => return self.apply_prompt(form),
            AttemptResult::ChooseAccount(list) => return self.apply_account_choice(list),
            AttemptResult::Waiting(waiting) => return self.apply_waiting(waiting),
            AttemptResult::Linked(link) => return self.apply_linked(link),
            AttemptResult::Failed(failure) => return self.apply_failure(&failure),
            AttemptResult::FormChanged(session) => return self.apply_form_changed(session),
            AttemptResult::QuestionLost => return self.type_again("note-once-more", Outcome::Unconfirmed),
            AttemptResult::TooManyLogins(times) => return self.apply_too_many_logins(times),
            AttemptResult::Granted => Outcome::Checking,
            AttemptResult::NotSent => Outcome::Unavailable,
            AttemptResult::Unknown => Outcome::Confirming,
            AttemptResult::Lapsed => Outcome::Unconfirmed,
            AttemptResult::RequestEnded => Outcome::RequestOver,
            AttemptResult::Mismatched => Outcome::Mismatched,
            AttemptResult::OtherAccount => Outcome::OtherAccount,
        };
        self.set_stage(stage);
    }

    fn apply_prompt(&mut self, form: Form) {
        let settings = &self.flow.settings;
        let Some(session) = &mut self.state.session else { return };
        session.rounds += 1;
        if session.rounds > session.max_rounds(settings) || !form.fits_keypad() {
            session.stage = Outcome::Unsuited;
            return;
        }
        session.step = SubmissionStep::Code;
        session.form = Some(form);
        session.forget_answers();
        self.ask_next_field();
    }

    pub(super) fn apply_account_choice(&mut self, list: AccountList) {
        let settings = &self.flow.settings;
        let Some(session) = &mut self.state.session else { return };
        session.rounds += 1;
        session.stage = if session.rounds > session.max_rounds(settings) || list.accounts.is_empty() {
            Outcome::Unsuited
        } else {
            list.stage()
        };
        session.answers.clear();
        session.accounts = list;
    }

    pub(super) fn apply_linked(&mut self, mut link: LinkSummary) {
        let Some(session) = &mut self.state.session else { return };
        session.stage = match (session.renews, link.duplicate) {
            (Some(_), _) => Outcome::Renewed,
            (None, true) => Outcome::LinkedTwice,
            (None, false) => Outcome::Linked,
        };
        session.shown = false;
        session.answers.clear();
        session.accounts = AccountList::default();
        session.waiting = None;
        session.form = None;
        if link.duplicate {
            // The institution has let this person in, for an account that is theirs: the old code is no longer needed.
            self.state.pin = None;
            self.state.pin_unsaved = false;
        }
        self.state.last_institution = Some(link.institution_id.clone());
        let partner = session.terms.as_ref().map(|terms| PartnerRef {
            id: terms.partner,
            name: terms.name.clone(),
        });
        link.partner = link.partner.or(partner);
        self.state.links.retain(|known| known.id != link.id);
        self.state.links.insert(0, link.clone());
        session.result = Some(link);
        // What only a code spoke for that has ended is not shown without it.
        self.withhold_long_unused();
    }

    pub(super) fn apply_failure(&mut self, failure: &Failure) {
        let stage = match failure.class {
            FailureClass::WrongCode => return self.apply_wrong_code(),
            FailureClass::SessionExpired => return self.type_again("note-session-ended", Outcome::Unconfirmed),
            FailureClass::Refused => Outcome::Refused,
            FailureClass::Denied => Outcome::Denied,
            FailureClass::ActAtBank => {
                if let Some(session) = &mut self.state.session {
                    session.bank_message.clone_from(&failure.message);
                }
                Outcome::ActAtBank
            }
            FailureClass::PasswordExpired => Outcome::PasswordExpired,
            FailureClass::Busy => {
                let session = self.state.session.as_mut();
                let pause = session.zip(failure.retry_after);
                let busy = pause.map(|(session, pause)| session.set_busy(self.context.now.plus(pause)));
                busy.unwrap_or(Outcome::Unavailable)
            }
            FailureClass::Misconfigured => Outcome::Blocked,
            FailureClass::Unsupported => Outcome::Unsuited,
        };
        self.set_stage(stage);
    }

    fn apply_wrong_code(&mut self) {
        let Some(session) = &mut self.state.session else { return };
        session.wrong_codes += 1;
        session.forget_answers();
        if session.wrong_codes >= WRONG_CODES || session.form.is_none() {
            session.stage = Outcome::Refused;
            return;
        }
        let left = i64::from(WRONG_CODES - session.wrong_codes);
        self.state.cursor.notice = Some(ScreenNotice::with_number("note-wrong-code", left));
        self.ask_next_field();
    }

    /// The provider's session is over, or what it asked is lost: start at the first field again, with a new one. Where the
    /// form is not known the session stands at `otherwise`. Where nothing was typed there is
    /// nothing to type again: that it came to nothing is told, with its attempt, and another try is the person's to begin.
    fn type_again(&mut self, notice: &str, otherwise: Outcome) {
        let Some(session) = &mut self.state.session else { return };
        let method = session.institution.as_ref().and_then(|chosen| chosen.picked_method());
        if method.is_some_and(AuthMethod::asks_nothing) {
            session.stage = Outcome::Unavailable;
            return;
        }
        let form = method.map(|method| method.form.clone());
        let known = form.is_some();
        session.restart_form(form);
        if known {
            self.notice(notice);
            if self.form_may_differ() {
                // What is asked first is a secret: the next turn opens the session that says whether it is.
                self.set_stage(Outcome::Checking);
            } else {
                self.ask_next_field();
            }
        } else {
            self.set_stage(otherwise);
        }
    }

    /// The records know of more failed logins than the live value.
    fn apply_too_many_logins(&mut self, times: Vec<Timestamp>) {
        let session = self.state.session.as_ref();
        let Some(institution) = session.and_then(|session| session.institution.as_ref()) else {
            return;
        };
        let institution = institution.provider_id.clone();
        for at in times {
            let refusal = Refusal {
                institution: institution.clone(),
                at,
            };
            if !self.state.refusals.contains(&refusal) {
                self.state.refusals.push(refusal);
            }
        }
        self.set_stage(Outcome::Limited);
    }

    fn apply_form_changed(&mut self, opened: ProviderSession) {
        let Some(session) = &mut self.state.session else { return };
        session.restart_form(opened.form.clone());
        session.provider_session = Some(opened);
        self.ask_anew(true);
    }

    /// Counts a login against the limits, once, or takes it off again when it turns out that the institution accepted it or never
    /// saw it. It is known by when it was begun, in the records too, so that what both tell of counts once.
    fn count_login(&mut self, step: SubmissionStep, begun_at: Timestamp, counts: bool) {
        let institution = self
            .state
            .session
            .as_ref()
            .and_then(|session| session.institution.as_ref());
        let (SubmissionStep::Login, Some(institution)) = (step, institution) else {
            return;
        };
        let login = Refusal {
            institution: institution.provider_id.clone(),
            at: begun_at,
        };
        self.state.refusals.retain(|known| *known != login);
        if counts {
            self.state.refusals.push(login);
        }
    }

    /// Moves an attempt whose lease is over: never sent is asked again, perhaps sent is found out.
    pub(super) fn expire_lease(&mut self) {
        let attempt = self.state.session.as_mut().and_then(|session| session.attempt.as_mut());
        let Some(attempt) = attempt else { return };
        let (before, id, step, begun_at) = (attempt.state, attempt.id, attempt.step, attempt.begun_at);
        let overdue = self.context.now > attempt.lease_until;
        match attempt.apply(AttemptEvent::Tick, self.context.now) {
            Ok(LiveAttemptState::Expired) if before != LiveAttemptState::Expired => {
                self.notice("note-ask-again");
                if step == SubmissionStep::Choose {
                    self.ask_account();
                } else {
                    self.ask_next_field();
                }
                self.show_stage();
                self.state.cursor.stale = true;
            }
            Ok(LiveAttemptState::Unknown) if before == LiveAttemptState::Sent => {
                self.count_login(step, begun_at, true);
                self.set_stage(Outcome::Confirming);
                self.resolve_attempt(id);
            }
            // The provider said that it would be over by now.
            Ok(LiveAttemptState::Waiting) if overdue => {
                self.set_stage(Outcome::Confirming);
                self.resolve_attempt(id);
            }
            _ => {}
        }
    }

    /// Has it found out what became of an attempt, if that is not asked for already.
    pub(super) fn resolve_attempt(&mut self, id: AttemptId) {
        let asked = |effect: &Effect| matches!(effect, Effect::ResolveAttempt(_));
        if !self.effects.iter().any(asked) {
            self.effects.push(Effect::ResolveAttempt(id));
        }
    }
}
