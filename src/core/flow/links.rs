//! What can be done with what is linked: look at it, end it, log in again for it.

use super::effect::Effect;
use super::session::{ConnectSession, LinkSummary};
use super::state::Subscriber;
use super::step::{Step, Transition};
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;

impl Step<'_> {
    /// Logs in again for a link: a session of its own, whose form its provider says.
    pub(super) fn reauthorise(&mut self) -> Transition {
        let Some(link) = self.state.selected_link().cloned() else {
            return self.show_links();
        };
        let mut session = ConnectSession::new(self.context.ids.session, None);
        session.renews = Some(link.id);
        session.terms = Some(self.renewal_terms(&link));
        session.started_in = self.state.dialogs.first().map(|dialog| dialog.key);
        session.stage = Outcome::Checking;
        session.institution =
            Some(self.chosen_institution(&link.provider, &link.institution_id, &link.institution_name));
        self.state.replace_session(Some(session));
        self.login_obstacle().unwrap_or_else(|| self.open_session_and_wait())
    }

    pub(super) fn show_links(&self) -> Transition {
        let none = self.state.links.is_empty();
        if none { Outcome::NoLinks } else { Outcome::Links }.into()
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
    pub(super) fn selected_link(&self) -> Option<&LinkSummary> {
        let id = self.cursor.link?;
        self.links.iter().find(|link| link.id == id)
    }

    /// A session whose result is this link has nothing more to tell.
    pub(super) fn forget_result(&mut self, link: LinkId) {
        let result = self.session.as_ref().and_then(|session| session.result.as_ref());
        if result.is_some_and(|result| result.id == link) {
            self.session = None;
        }
    }
}
