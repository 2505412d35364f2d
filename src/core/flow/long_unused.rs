//! Links that nobody has used for long. The number may be somebody else's by then, or the phone: what they name is not shown,
//! and nothing can be done with them, until their account is linked again. By that the bank has let its owner in; a login of
//! the same person at another account says nothing of this one.
//!
//! A link is used when it is made, when its account is linked again, and when its person sees it here, which is noted at most
//! once a day. A code of the person's own speaks for what was in use when it was chosen; one that was chosen later may be
//! anybody's.

use std::time::Duration;

use super::effect::Effect;
use super::facts::SubscriberFacts;
use super::rules::FlowSettings;
use super::session::WithheldLink;
use super::state::Subscriber;
use super::step::{Step, Transition};
use super::terms::RequestTerms;
use crate::core::ids::LinkId;
use crate::core::menu::{Outcome, Reveals};
use crate::core::pin::{Pin, SubscriberPin};
use crate::core::time::Timestamp;

/// How often it is noted that a person has seen a link.
const NOTED_EVERY: Duration = Duration::from_hours(24);

impl FlowSettings {
    /// Since when a link must have been used to be shown to somebody with this code, or with none; `None`: all are shown.
    pub fn used_after(&self, pin: Option<&Pin>, now: Timestamp) -> Option<Timestamp> {
        let limit = self.ask_login_after?;
        let pin = pin.filter(|_| self.subscriber_pin != SubscriberPin::Off);
        Some(pin.map_or(now, |pin| pin.chosen_at.min(now)).minus(limit))
    }
}

impl Step<'_> {
    /// Takes over what the records say is linked, and where the person was last, as far as that may be shown.
    pub(super) fn reconcile_links(&mut self, facts: &SubscriberFacts) {
        self.state.links.clone_from(&facts.links);
        self.state.ending.clone_from(&facts.ending);
        self.state.withheld.clear();
        self.withhold_long_unused();
        let Some((institution, at)) = &facts.last_institution else {
            return;
        };
        let used_after = self.used_after();
        let shown = self.state.links.iter().any(|link| link.institution_id == *institution);
        let last = Some(institution).filter(|_| shown || used_after.is_none_or(|after| *at > after));
        self.state.last_institution = last.cloned();
    }

    /// Forgets what is known of links that nobody has used for long, but that they are there.
    pub(super) fn withhold_long_unused(&mut self) {
        let Some(after) = self.used_after() else { return };
        let unused = self.state.links.extract_if(.., |link| link.used_at <= after);
        self.state.withheld.extend(unused.map(|link| WithheldLink {
            id: link.id,
            partner: link.partner.map(|partner| partner.id),
        }));
    }

    fn used_after(&self) -> Option<Timestamp> {
        self.flow.settings.used_after(self.state.pin.as_ref(), self.context.now)
    }

    /// What is asked of this person. Where it is a new login to a link that is not shown, it is asked to link that account
    /// again: at which bank it is must not be told.
    pub(super) fn open_terms(&self, asked: &RequestTerms) -> RequestTerms {
        let mut terms = asked.clone();
        if terms.renews.is_some_and(|link| self.state.is_withheld(link)) {
            (terms.renews, terms.institution, terms.again) = (None, None, true);
        }
        terms
    }

    /// What is linked; where nothing of it may be shown, only how much there is. By SMS not even that is told.
    pub(super) fn show_links(&self) -> Transition {
        let by_sms = self.state.sms_dialog().is_some();
        match (self.state.links.is_empty(), self.state.withheld.len()) {
            (true, 0) => Outcome::NoLinks,
            (true, _) if !by_sms => Outcome::LinksUnused,
            _ => Outcome::Links,
        }
        .into()
    }

    /// The person has seen the links on the screen, if it shows any: they are in use.
    pub(super) fn note_use(&mut self) {
        let screen = self.state.cursor.screen.as_str();
        let mut telling = Outcome::ALL
            .iter()
            .filter(|outcome| outcome.reveals() == Reveals::Links);
        if self.state.sms_dialog().is_some() || !telling.any(|outcome| self.flow.menu.outcome(*outcome) == screen) {
            return;
        }
        let now = self.context.now;
        let Subscriber { cursor, links, .. } = &mut *self.state;
        let on_screen = |id: LinkId| cursor.link == Some(id) || cursor.shown.contains(&id.to_string());
        let due = links
            .iter_mut()
            .filter(|link| on_screen(link.id) && now.since(link.used_at) >= NOTED_EVERY);
        let seen = due.map(|link| {
            link.used_at = now;
            link.id
        });
        let seen: Vec<_> = seen.collect();
        if !seen.is_empty() {
            self.effects.push(Effect::NoteUse(seen));
        }
    }
}

impl Subscriber {
    /// Whether this link is there and not shown.
    pub(super) fn is_withheld(&self, link: LinkId) -> bool {
        self.withheld.iter().any(|withheld| withheld.id == link)
    }
}
