//! What the records know when a person dials. They are the truth: the live value may have been lost, or be older than
//! they are.

use super::facts::{LinkOrigin, SubscriberFacts};
use super::session::ConnectSession;
use super::step::Step;
use crate::core::attempt::{AttemptEvent, LiveAttemptState, REFUSAL_MEMORY};
use crate::core::menu::{Outcome, Role};

impl Step<'_> {
    /// Takes over what the records know.
    pub(super) fn reconcile(&mut self, facts: &SubscriberFacts) {
        self.state.links.clone_from(&facts.links);
        if facts.last_institution.is_some() {
            self.state.last_institution.clone_from(&facts.last_institution);
        }
        for refusal in &facts.refusals {
            if !self.state.refusals.contains(refusal) {
                self.state.refusals.push(refusal.clone());
            }
        }
        self.state
            .refusals
            .retain(|refusal| self.context.now.since(refusal.at) < REFUSAL_MEMORY);
        self.reconcile_pin(facts.pin.as_ref());
        if let Some(made) = &facts.newest_link {
            self.reconcile_link(made);
        }
        if let Some(attempt) = facts.maybe_sent.and_then(|begun| self.state.attempt_mut(begun))
            && self.context.now > attempt.lease_until
            && attempt.apply(AttemptEvent::NoAnswer, self.context.now).is_ok()
        {
            // It may have been sent, say the records, and its lease is over: whatever the store remembers.
            self.set_stage(Outcome::Confirming);
        }
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
        // The store has lost what the records still owe an answer for: take the session up from there.
        let consent = pending.renews.is_none().then(|| pending.consent.clone());
        let mut session = ConnectSession::new(pending.session, consent);
        session.renews = pending.renews;
        session.terms.clone_from(&pending.terms);
        session.institution = Some(pending.institution.clone());
        session.attempt = Some(pending.attempt.clone());
        session.stage = match pending.attempt.state {
            // What for, the provider is asked again.
            LiveAttemptState::Waiting => Outcome::Waiting,
            _ => Outcome::Confirming,
        };
        self.state.session = Some(session);
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
                *session = ConnectSession::new(made.session, None);
                session.terms.clone_from(&made.terms);
                self.apply_linked(made.link.clone());
            }
            return;
        }
        let told = session.stage.is(Role::Success);
        // One that was begun before the link was made is only what the store remembers of an earlier try.
        let later = attempt.is_some_and(|attempt| {
            attempt.in_flight() && attempt.id != made.attempt && attempt.begun_at > made.begun_at
        });
        if told || !here || later || session.renews.is_some() {
            return;
        }
        session.attempt = None;
        self.apply_linked(made.link.clone());
    }
}
