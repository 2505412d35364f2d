//! What the records know when a person dials. They are the truth: the live value may have been lost, or be older than
//! they are.

use super::actions::set_stage;
use super::state::{ConnectSession, Subscriber};
use super::{Flow, LinkOrigin, StepContext, SubscriberFacts};
use crate::core::attempt::AttemptEvent;
use crate::core::menu::Outcome;

impl Flow {
    /// Takes up what the records know. They are the truth: live state may have been lost, or be older than they are.
    pub(super) fn reconcile(state: &mut Subscriber, known: &SubscriberFacts, context: &StepContext<'_>) {
        state.links.clone_from(&known.links);
        if known.last_institution.is_some() {
            state.last_institution.clone_from(&known.last_institution);
        }
        for refusal in &known.refusals {
            if !state.refusals.contains(refusal) {
                state.refusals.push(refusal.clone());
            }
        }
        state
            .refusals
            .retain(|refusal| context.now.since(refusal.at) < crate::core::attempt::REFUSAL_MEMORY);
        Self::reconcile_pin(state, known.pin.as_ref());
        if let Some(made) = &known.newest_link {
            Self::reconcile_link(state, made);
        }
        if let Some(attempt) = known.maybe_sent.and_then(|begun| state.attempt_mut(begun))
            && context.now > attempt.lease_until
            && attempt.apply(AttemptEvent::NoAnswer, context.now).is_ok()
        {
            // It may have been sent, say the records, and its lease is over: whatever the store remembers.
            set_stage(state, Outcome::Confirming);
        }
        let Some(unsettled) = &known.pending else { return };
        let begun_at = unsettled.attempt.begun_at;
        let newer = state.session.as_ref().is_some_and(|session| {
            let attempt = session.attempt.as_ref();
            attempt.is_some_and(|attempt| attempt.id == unsettled.attempt.id || attempt.begun_at > begun_at)
                || session.consent.as_ref().is_some_and(|consent| consent.at > begun_at)
        });
        if newer {
            // The same, or the person has moved on since.
            return;
        }
        // The store has lost what the records still owe an answer for: take the session up from there.
        let consent = unsettled.renews.is_none().then(|| unsettled.consent.clone());
        let mut session = ConnectSession::new(unsettled.session, consent);
        session.renews = unsettled.renews;
        session.terms.clone_from(&unsettled.terms);
        session.terms.clone_from(&unsettled.terms);
        session.institution = Some(unsettled.institution.clone());
        session.attempt = Some(unsettled.attempt.clone());
        session.stage = Outcome::Confirming;
        state.session = Some(session);
    }

    /// The store has lost that the session at hand, or one begun after it, has led to a link; or one begun before it has
    /// led to a link at the institution picked here, or while none was picked. It is told, and nobody is asked to log
    /// in again.
    fn reconcile_link(state: &mut Subscriber, made: &LinkOrigin) {
        let Some(session) = &mut state.session else { return };
        let attempt = session.attempt.as_ref();
        let bank = session.institution.as_ref();
        let here = bank.is_none_or(|bank| bank.id == made.link.institution_id && bank.provider == made.link.provider);
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
                Self::apply_linked(state, made.link.clone());
            }
            return;
        }
        let told = matches!(session.stage, Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed);
        // One that was begun before the link was made is only what the store remembers of an earlier try.
        let later = attempt.is_some_and(|attempt| attempt.in_flight() && attempt.begun_at > made.begun_at);
        if told || !here || later || session.renews.is_some() {
            return;
        }
        session.attempt = None;
        Self::apply_linked(state, made.link.clone());
    }
}
