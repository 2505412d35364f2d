//! The ways to log in at an institution. The usual one is taken at once, and the others are one key away, beside its first
//! question.

use super::offers::offer_key;
use super::session::ConnectSession;
use super::step::{Step, Transition};
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::typing;

impl Step<'_> {
    /// Begins with the way that is suggested or usual; where none is typed here, the person says which.
    pub(super) fn start_usual_way(&mut self) -> Transition {
        let session = self.state.session.as_ref();
        let methods = session.and_then(|session| Some(session.institution.as_ref()?.methods.as_slice()));
        let suggested = self.suggested_way();
        let way = match methods.unwrap_or_default() {
            [_] => Some(0),
            several => suggested
                .and_then(|way| several.iter().position(|method| method.id == *way))
                .or_else(|| typing::usual_way(several)),
        };
        match way {
            Some(index) => self.start_method(index),
            None => self.set_stage(Outcome::ChooseMethod),
        }
    }

    /// The way that is suggested for the institution that was picked.
    fn suggested_way(&self) -> Option<&String> {
        let terms = self.flow.terms(self.state);
        let at = terms.institution.as_ref().or(terms.suggested.institution.as_ref())?;
        let picked = self.state.session.as_ref()?.institution.as_ref()?;
        let there = offer_key(&picked.provider, &picked.id) == *at;
        terms.suggested.auth_method.as_ref().filter(|_| there)
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
