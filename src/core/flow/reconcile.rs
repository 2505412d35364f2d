//! What the records know when a person dials. They are the truth: the live value may have been lost, or be older than
//! they are.

use super::facts::{LinkOrigin, PendingAttempt, SubscriberFacts, UndoneLink};
use super::session::{ChosenInstitution, ConnectSession};
use super::state::{MAX_SET_ASIDE, Subscriber};
use super::step::Step;
use crate::core::attempt::{AttemptEvent, LiveAttempt, LiveAttemptState, REFUSAL_MEMORY, ToldOutcome};
use crate::core::ids::{AttemptId, NodeId};
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Outcome, Role};

impl Step<'_> {
    /// Takes over what the records know.
    pub(super) fn reconcile(&mut self, facts: &SubscriberFacts) {
        self.reconcile_pin(facts.pin.as_ref());
        self.state.texts_stopped = facts.texts_stopped;
        self.reconcile_links(facts);
        for refusal in &facts.refusals {
            if !self.state.refusals.contains(refusal) {
                self.state.refusals.push(refusal.clone());
            }
        }
        self.state
            .refusals
            .retain(|refusal| self.context.now.since(refusal.at) < REFUSAL_MEMORY);
        if let Some(made) = &facts.newest_link {
            self.state.fresh_login = self.state.fresh_login.max(Some(made.begun_at));
            self.reconcile_link(made);
        }
        if let Some(attempt) = facts.maybe_sent.and_then(|begun| self.state.attempt_mut(begun))
            && self.context.now > attempt.lease_until
            && attempt.apply(AttemptEvent::NoAnswer, self.context.now).is_ok()
        {
            // It may have been sent, say the records, and its lease is over: whatever the store remembers.
            self.set_stage(Outcome::Confirming);
        }
        let linked = facts.newest_link.as_ref().map(|made| made.attempt);
        let tells_link = self.state.session.as_ref().is_some_and(|s| s.stage.is(Role::Success));
        match &facts.lost {
            // That it has led to a link is known already.
            Some(lost) if tells_link && Some(lost.attempt.id) == linked => {}
            Some(lost) => self.take_up(lost),
            None => self.reconcile_pending(facts),
        }
        self.reconcile_aside(&facts.unresolved);
        let untold = facts.untold_link.as_ref();
        if let Some(made) = untold.filter(|made| !self.state.is_withheld(made.link.id)) {
            self.tell_link(made);
        }
        if let Some(undone) = &facts.undone {
            self.tell_undone(undone);
        }
    }

    fn reconcile_pending(&mut self, facts: &SubscriberFacts) {
        let Some(pending) = &facts.pending else { return };
        let begun_at = pending.attempt.begun_at;
        let newer = self.state.session.as_ref().is_some_and(|session| {
            let attempt = session.attempt.as_ref();
            attempt.is_some_and(|attempt| attempt.id == pending.attempt.id || attempt.begun_at > begun_at)
                || session.consent.as_ref().is_some_and(|consent| consent.at > begun_at)
        });
        if newer {
            // The same, or the person has moved on since.
            return;
        }
        // The store has lost what the records still owe an answer for.
        self.take_up(pending);
    }

    /// What the records say may still come to something, and is not at hand, is kept in mind; nothing else is.
    fn reconcile_aside(&mut self, unresolved: &[PendingAttempt]) {
        let mut known = std::mem::take(&mut self.state.set_aside);
        for pending in unresolved.iter().take(MAX_SET_ASIDE) {
            let id = Some(pending.attempt.id);
            if self.state.attempt_id() == id {
                continue;
            }
            let at = known
                .iter()
                .position(|aside| aside.attempt.as_ref().map(|attempt| attempt.id) == id);
            let aside = at.map_or_else(|| pending.to_session(None), |at| known.swap_remove(at));
            self.state.set_aside.push(aside);
        }
    }

    /// Goes on from where an attempt stands in the records: in the session at hand if it is that one's, else in a session
    /// that is made of what the records know. What was picked at the same institution is still known.
    pub(super) fn take_up(&mut self, standing: &PendingAttempt) {
        let attempt = &standing.attempt;
        let at_hand = self.state.session.take();
        let session = match at_hand {
            Some(session) if session.id == standing.session && session.step == attempt.step => session,
            Some(session) => standing.to_session(session.institution),
            None => standing.to_session(None),
        };
        self.state.session = Some(ConnectSession {
            submissions: session.submissions.max(standing.submissions),
            attempt: Some(attempt.clone()),
            stage: standing.stage(),
            shown: false,
            ..session
        });
    }

    /// No screen has told of this link: whatever was said before, this is said next. Something that is under way, or that
    /// the provider asks, is not broken off for it.
    fn tell_link(&mut self, made: &LinkOrigin) {
        let known = self.state.session.as_ref().is_some_and(|session| {
            session.stage.is(Role::Success) && session.result.as_ref().map(|link| link.id) == Some(made.link.id)
        });
        if self.state.is_busy() || known {
            return;
        }
        self.state.session = Some(made.to_session());
        self.apply_linked(made.link.clone());
    }

    /// No screen has told that this link is none: that is said next, in the same way.
    fn tell_undone(&mut self, undone: &UndoneLink) {
        let made = &undone.made.attempt.id;
        let known = self.state.session.as_ref().is_some_and(|session| {
            session.stage == undone.stage && session.attempt.as_ref().is_some_and(|attempt| attempt.id == *made)
        });
        if self.state.is_busy() || known {
            return;
        }
        self.state.session = Some(ConnectSession {
            stage: undone.stage,
            ..undone.made.to_undone()
        });
    }

    /// The store has lost that the session at hand, or one begun after it, has led to a link; or one begun before it has
    /// led to a link at the institution picked here, or while none was picked. The person is told, and not asked to log
    /// in again.
    fn reconcile_link(&mut self, made: &LinkOrigin) {
        let Some(session) = &mut self.state.session else { return };
        let attempt = session.attempt.as_ref();
        let chosen = session.institution.as_ref();
        let here = chosen.is_none_or(|chosen| chosen.is(&made.link.provider, &made.link.institution_id));
        if session.id != made.session {
            let agreed = session.consent.as_ref().map(|consent| consent.at);
            let lost = attempt.is_some_and(|attempt| attempt.begun_at < made.begun_at);
            let idle = attempt.is_none_or(|attempt| !attempt.in_flight());
            let same = session.terms.as_ref().zip(made.terms.as_ref());
            let same = same.is_none_or(|(ours, theirs)| ours.partner == theirs.partner);
            let overtaken = idle && here && same && agreed.is_some_and(|at| at < made.linked_at);
            if lost || overtaken {
                *session = made.to_session();
                self.apply_linked(made.link.clone());
            }
            return;
        }
        let told = session.stage.is(Role::Success);
        // Whatever the store holds besides was not sent: a consent that has led to a link submits no more.
        if told || !here || session.renews.is_some() {
            return;
        }
        session.attempt = Some(made.attempt());
        self.apply_linked(made.link.clone());
    }
}

impl Subscriber {
    /// Which attempt's outcome a screen has told, and what it said.
    pub fn told(&self) -> Option<(AttemptId, ToldOutcome)> {
        let session = self.session.as_ref().filter(|session| session.shown)?;
        let outcome = if session.stage.is(Role::Success) {
            ToldOutcome::Linked
        } else if session.stage.is(Role::Failure) {
            ToldOutcome::NotLinked
        } else {
            return None;
        };
        Some((self.attempt_id()?, outcome))
    }

    /// Whether something is under way, or asked by the provider, that nothing else is to break off.
    pub(super) fn is_busy(&self) -> bool {
        let attempt = self.live_attempt();
        attempt.is_some_and(|attempt| attempt.is_unresolved() || attempt.state == LiveAttemptState::Accepted)
    }
}

impl PendingAttempt {
    /// A session in which it is the last submission. What was picked is known better by `chosen`, if that is the same.
    fn to_session(&self, chosen: Option<ChosenInstitution>) -> ConnectSession {
        let consent = self.consent.clone();
        let named = &self.institution;
        let chosen = chosen.filter(|chosen| chosen.is(&named.provider, &named.id));
        ConnectSession {
            series: self.series,
            submissions: self.submissions,
            renews: self.renews,
            terms: self.terms.clone(),
            step: self.attempt.step,
            institution: Some(chosen.unwrap_or_else(|| named.clone())),
            attempt: Some(self.attempt.clone()),
            stage: self.stage(),
            ..ConnectSession::new(self.session, consent)
        }
    }

    /// The same, of a submission that has come to nothing.
    pub(super) fn to_undone(&self) -> ConnectSession {
        let attempt = LiveAttempt {
            state: LiveAttemptState::Lapsed,
            ..self.attempt.clone()
        };
        ConnectSession {
            attempt: Some(attempt),
            ..self.to_session(None)
        }
    }

    fn stage(&self) -> Outcome {
        match self.attempt.state {
            // What for, the provider is asked again.
            LiveAttemptState::Waiting => Outcome::Waiting,
            // Its owner is at it.
            LiveAttemptState::Sent => Outcome::Checking,
            _ => Outcome::Confirming,
        }
    }
}

impl LinkOrigin {
    /// A session of which nothing is left but that it has led to the link.
    fn to_session(&self) -> ConnectSession {
        ConnectSession {
            terms: self.terms.clone(),
            attempt: Some(self.attempt()),
            ..ConnectSession::new(self.session, None)
        }
    }

    fn attempt(&self) -> LiveAttempt {
        LiveAttempt {
            id: self.attempt,
            step: SubmissionStep::Login,
            state: LiveAttemptState::Linked,
            owner: NodeId::from_bytes([0; 16]),
            begun_at: self.begun_at,
            lease_until: self.begun_at,
        }
    }
}
