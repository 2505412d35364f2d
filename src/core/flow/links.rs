//! What can be done with what is linked: look at it, end it, log in again for it.

use super::actions::{Transition, open_session_request};
use super::events::forget_result;
use super::state::{ChosenInstitution, ConnectSession, LinkSummary, Subscriber};
use super::{Effect, Flow, StepContext};
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};

impl Flow {
    /// Logs in again for a link: a session of its own, whose form its provider says.
    pub(super) fn reauthorise(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let Some(link) = selected_link(state).cloned() else {
            return show_links(state);
        };
        let mut session = ConnectSession::new(context.ids.session, None);
        session.renews = Some(link.id);
        session.terms = Some(self.renewal_terms(state, &link));
        session.started_in = state.dialogs.first().map(|dialog| dialog.key);
        session.stage = Outcome::Checking;
        let policy = &self.settings.policy;
        let rule = policy.ussd_rule(context.country, &link.provider, &link.institution_id);
        let texted = policy.sms_rule(context.country, &link.provider, &link.institution_id);
        session.institution = Some(ChosenInstitution {
            warn: rule == SecretsOverUssd::Warn,
            deny: rule == SecretsOverUssd::Deny,
            sms_allowed: texted == SecretsOverSms::Allow,
            id: link.institution_id,
            provider: link.provider,
            provider_id: String::new(),
            name: link.institution_name,
            methods: Vec::new(),
            method: None,
            timeout: None,
        });
        let open = open_session_request(&session);
        state.session = Some(session);
        if let Some(wait) = Self::login_limit(state, context).or_else(|| Self::institution_unavailable(state, context))
        {
            return wait;
        }
        effects.extend(open.map(|open| Effect::OpenSession(Box::new(open))));
        Transition::Wait
    }
}

pub(super) fn show_links(state: &Subscriber) -> Transition {
    if state.links.is_empty() {
        Outcome::NoLinks.into()
    } else {
        Outcome::Links.into()
    }
}

pub(super) fn pick_link(state: &mut Subscriber, key: &str) -> Transition {
    state.cursor.link = LinkId::parse(key).ok();
    if selected_link(state).is_some() {
        Outcome::Link.into()
    } else {
        show_links(state)
    }
}

pub(super) fn unlink(state: &mut Subscriber, effects: &mut Vec<Effect>) -> Transition {
    let Some(link) = selected_link(state) else {
        return show_links(state);
    };
    let id = link.id;
    effects.push(Effect::Unlink(id));
    // Whoever looks again must not be told that it is linked.
    forget_result(state, id);
    Transition::Wait
}

/// The link that stands on the screen.
pub(super) fn selected_link(state: &Subscriber) -> Option<&LinkSummary> {
    let id = state.cursor.link?;
    state.links.iter().find(|link| link.id == id)
}
