//! The ways to log in at an institution. The usual one is taken at once, and the others are one key away, beside its first
//! question.

use super::offers::offer_key;
use super::session::ConnectSession;
use super::step::{Step, Transition};
use super::terms::Suggested;
use crate::core::linking::{AuthMethod, SubmissionStep};
use crate::core::menu::Outcome;
use crate::core::typing;

impl Step<'_> {
    /// Begins with the way that is suggested or usual; where none is typed here, the person says which.
    pub(super) fn start_usual_way(&mut self) -> Transition {
        let picked = self
            .state
            .session
            .as_ref()
            .and_then(|session| session.institution.as_ref());
        let way =
            picked.and_then(|picked| self.way_to_begin(&offer_key(&picked.provider, &picked.id), &picked.methods));
        match way {
            Some(index) => self.start_method(index),
            None => self.set_stage(Outcome::ChooseMethod),
        }
    }

    /// The way to begin with at the institution with this key, of these.
    pub(super) fn way_to_begin(&self, key: &str, methods: &[AuthMethod]) -> Option<usize> {
        if let [_] = methods {
            return Some(0);
        }
        let suggested = self.suggested_at(key).and_then(|there| there.auth_method.as_ref());
        let suggested = suggested.and_then(|way| methods.iter().position(|method| method.id == *way));
        suggested.or_else(|| typing::usual_way(methods))
    }

    /// What is suggested for the institution with this key: a name at one bank is none at another.
    fn suggested_at(&self, key: &str) -> Option<&Suggested> {
        let terms = self.flow.terms(self.state);
        let at = terms.institution.as_ref().or(terms.suggested.institution.as_ref())?;
        (at == key).then_some(&terms.suggested)
    }

    /// What is suggested for the institution that was picked.
    pub(super) fn suggested_here(&self) -> Option<&Suggested> {
        let picked = self.state.session.as_ref()?.institution.as_ref()?;
        self.suggested_at(&offer_key(&picked.provider, &picked.id))
    }

    /// Whether the institution can be logged in to in another way, and nothing has been submitted in this one.
    pub(super) fn has_other_way(&self) -> bool {
        let session = self.state.session.as_ref().filter(|session| session.is_before_login());
        let institution = session.and_then(|session| session.institution.as_ref());
        institution.is_some_and(|institution| institution.methods.len() > 1)
    }

    /// Shows all ways. What was typed in the present one stays until another is picked.
    pub(super) fn show_ways(&mut self) -> Transition {
        if !self.has_other_way() {
            return Transition::stay("note-choice");
        }
        self.set_stage(Outcome::ChooseMethod)
    }

    pub(super) fn pick_method(&mut self, key: &str) -> Transition {
        let Ok(index) = key.parse() else {
            return Transition::stay("note-choice");
        };
        let session = self.state.session.as_ref().filter(|session| session.is_before_login());
        let begun = session.filter(|session| session.form.is_some());
        let begun = begun.and_then(|session| session.institution.as_ref()?.method);
        if begun == Some(index) {
            return self.ask_if_available();
        }
        self.start_method(index)
    }

    /// Begins (again) with an auth method: its form, a session at the provider at once, and the first question. It is a
    /// try of its own, with an id of its own: a session that was being opened for another institution must not become this
    /// one's, and a late answer to an earlier submission must not pass for this one's.
    pub(super) fn start_method(&mut self, index: usize) -> Transition {
        if let Some(unavailable) = self.institution_unavailable() {
            return unavailable;
        }
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        let Some((institution, form)) = session.institution.as_mut().and_then(|institution| {
            let method = institution.methods.get(index)?;
            let form = (!method.asks_nothing()).then(|| method.form.clone());
            Some((institution, form))
        }) else {
            return Transition::stay("note-choice");
        };
        institution.method = Some(index);
        let nothing_asked = form.is_none();
        session.restart_form(form);
        session.id = self.context.ids.session;
        if nothing_asked {
            return self.open_session_and_wait();
        }
        self.open_session();
        self.ask_if_available()
    }
}

impl ConnectSession {
    /// Whether nothing has been submitted at the institution that was picked.
    pub(super) fn is_before_login(&self) -> bool {
        self.step == SubmissionStep::Login && self.attempt.is_none() && self.renews.is_none()
    }
}
