//! What can be done with what is linked: look at it, end it, agree to it again, log in again for it.

use super::effect::{Effect, KeepSharing};
use super::session::{ConnectSession, ConsentGiven, EndingConsent, LinkSummary};
use super::state::Subscriber;
use super::step::{Step, Transition};
use super::terms::RequestTerms;
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;

impl Step<'_> {
    /// Logs in again for a link, on the consent that it has. Where its partner asks for that, what it asks is to be agreed
    /// to first.
    pub(super) fn reauthorise(&mut self) -> Transition {
        let Some(link) = self.state.selected_link() else {
            return self.show_links();
        };
        let (id, terms) = (link.id, self.terms_of_consent(link));
        if let Some(asked) = self.request_to_renew(id) {
            self.set_terms(asked);
            return Outcome::AskedAgain.into();
        }
        self.begin_renewal(id, None, terms)
    }

    /// Logs in again for a link, on what is asked on the screen.
    pub(super) fn agree_again(&mut self) -> Transition {
        let Some(link) = self.state.selected_link().map(|link| link.id) else {
            return self.show_links();
        };
        let (consent, terms) = (self.consent_on_screen("asked-again"), self.terms_on_screen().clone());
        self.begin_renewal(link, Some(consent), terms)
    }

    /// Agrees again to what ends soon.
    pub(super) fn keep_sharing(&mut self) -> Transition {
        let Some(ending) = self.state.cursor.link.and_then(|link| self.state.ending(link)).cloned() else {
            return self.show_links();
        };
        let consent = self.consent_on_screen("ends-soon");
        if ending.needs_login {
            return self.begin_renewal(ending.link, Some(consent), ending.terms);
        }
        self.effects.push(Effect::KeepSharing(Box::new(KeepSharing {
            link: ending.link,
            replaces: ending.consent,
            consent,
        })));
        Transition::Wait
    }

    /// A session of its own, whose form its provider says. Its terms are those that were agreed to.
    fn begin_renewal(&mut self, link: LinkId, consent: Option<ConsentGiven>, terms: RequestTerms) -> Transition {
        let Some(link) = self.state.links.iter().find(|known| known.id == link).cloned() else {
            return self.show_links();
        };
        if let Some(consent) = &consent {
            self.remind_of_consent(consent.id);
        }
        let mut session = ConnectSession::new(self.context.ids.session, consent);
        session.renews = Some(link.id);
        session.terms = Some(terms);
        session.started_in = self.state.dialogs.first().map(|dialog| dialog.key);
        session.stage = Outcome::Checking;
        session.institution =
            Some(self.chosen_institution(&link.provider, link.institution_ids(), &link.institution_name));
        self.state.replace_session(Some(session));
        self.login_obstacle().unwrap_or_else(|| self.open_session_and_wait())
    }

    pub(super) fn pick_link(&mut self, key: &str) -> Transition {
        self.state.cursor.link = LinkId::parse(key).ok();
        if self.state.selected_link().is_some() {
            return Outcome::Link.into();
        }
        self.show_links()
    }

    pub(super) fn unlink(&mut self) -> Transition {
        let Some(id) = self.state.selected_link().map(|link| link.id) else {
            return self.show_links();
        };
        self.effects.push(Effect::Unlink(id));
        // A second look must not say that it is linked.
        self.state.forget_result(id);
        Transition::Wait
    }
}

impl Subscriber {
    /// Whether anything is linked, shown or not.
    pub(super) fn has_accounts(&self) -> bool {
        !self.links.is_empty() || !self.withheld.is_empty()
    }

    pub(super) fn selected_link(&self) -> Option<&LinkSummary> {
        let id = self.cursor.link?;
        self.links.iter().find(|link| link.id == id)
    }

    /// A link of which the consent ends soon, while it is there.
    pub(super) fn ending(&self, link: LinkId) -> Option<&EndingConsent> {
        let there = self.links.iter().any(|known| known.id == link);
        self.ending.iter().find(|ending| there && ending.link == link)
    }

    /// A session whose result is this link has nothing more to tell.
    pub(super) fn forget_result(&mut self, link: LinkId) {
        let result = self.session.as_ref().and_then(|session| session.result.as_ref());
        if result.is_some_and(|result| result.id == link) {
            self.session = None;
        }
    }
}
