//! What can be done with what is linked: look at it, end it, log in again for it.

use super::act::{Move, opening};
use super::news::forget_result;
use super::state::{Bank, ConnectSession, LinkBrief, Subscriber};
use super::{Context, Effect, Flow};
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};

impl Flow {
    /// Logs in again for a link: a session of its own, whose form its provider says.
    pub(super) fn reauthorise(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        let Some(link) = looked_at(state).cloned() else {
            return links(state);
        };
        let mut session = ConnectSession::new(context.fresh.session, None);
        session.renews = Some(link.id);
        session.terms = Some(self.terms_of(state, &link));
        session.begun_in = state.dialogs.first().map(|dialog| dialog.key);
        session.stage = Outcome::Checking;
        let policy = &self.settings.policy;
        let rule = policy.secrets(context.country, &link.provider, &link.institution);
        let texted = policy.texted(context.country, &link.provider, &link.institution);
        session.bank = Some(Bank {
            warn: rule == SecretsOverUssd::Warn,
            deny: rule == SecretsOverUssd::Deny,
            text: texted == SecretsOverSms::Allow,
            id: link.institution,
            provider: link.provider,
            provider_id: String::new(),
            name: link.bank,
            methods: Vec::new(),
            method: None,
            timeout: None,
        });
        let open = opening(&session);
        state.session = Some(session);
        if let Some(wait) = Self::limited(state, context).or_else(|| Self::closed(state, context)) {
            return wait;
        }
        effects.extend(open.map(|open| Effect::OpenSession(Box::new(open))));
        Move::Wait
    }
}

pub(super) fn links(state: &Subscriber) -> Move {
    if state.links.is_empty() {
        Outcome::NoLinks.into()
    } else {
        Outcome::Links.into()
    }
}

pub(super) fn pick_link(state: &mut Subscriber, key: &str) -> Move {
    state.cursor.link = LinkId::parse(key).ok();
    if looked_at(state).is_some() {
        Outcome::Link.into()
    } else {
        links(state)
    }
}

pub(super) fn unlink(state: &mut Subscriber, effects: &mut Vec<Effect>) -> Move {
    let Some(link) = looked_at(state) else {
        return links(state);
    };
    let id = link.id;
    effects.push(Effect::Unlink(id));
    // Whoever looks again must not be told that it is linked.
    forget_result(state, id);
    Move::Wait
}

/// The link that stands on the screen.
pub(super) fn looked_at(state: &Subscriber) -> Option<&LinkBrief> {
    let id = state.cursor.link?;
    state.links.iter().find(|link| link.id == id)
}
