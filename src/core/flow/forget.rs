//! A partner has erased a person: what the live value holds of that partner goes, and nothing else.
//!
//! The value is one for all partners. What another partner asks of the person, what they have linked for it and the dialog that
//! they are in stay as they are, whatever the first one does. Where nothing of anybody else is left, nothing is kept at all.

use super::rules::Flow;
use super::session::ConnectSession;
use super::state::Subscriber;
use super::terms::RequestTerms;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;

/// What is left of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// It held nothing of the partner.
    Untouched,
    /// Something of others is left.
    Others,
    Nothing,
}

impl Flow {
    /// Takes out what is this partner's.
    pub fn forget_partner(&self, state: &mut Subscriber, partner: PartnerId, now: Timestamp) -> Remainder {
        let operator = self.settings.default_terms.partner == partner;
        let in_force = self.partner_in_force(state) == partner;
        let selected = state.selected_link().map(|link| link.id);
        let touched = self.drop_partner(state, partner, now);
        if (touched || operator) && !state.concerns_others_than(partner, now) {
            return Remainder::Nothing;
        }
        if !touched {
            return Remainder::Untouched;
        }
        // Replies name what was linked; that of the dialog on the screen is needed for its repeats.
        let on_screen = usize::from(state.in_dialog(now));
        state.dialogs.truncate(on_screen);
        state.recovery = state.recovery.take().filter(|_| state.session.is_some());
        state.last_institution = None;
        // What is typed next would answer a screen that no longer holds.
        state.cursor.stale |= in_force || selected != state.selected_link().map(|link| link.id);
        Remainder::Others
    }

    /// Returns whether there was anything.
    fn drop_partner(&self, state: &mut Subscriber, partner: PartnerId, now: Timestamp) -> bool {
        let default = &self.settings.default_terms;
        let begun_for = |session: &ConnectSession| session.terms.as_ref().unwrap_or(default).partner == partner;
        let mut touched = state.session.as_ref().is_some_and(begun_for);
        if touched {
            state.session = None;
        }
        let aside = state.set_aside.len();
        state.set_aside.retain(|session| !begun_for(session));
        touched |= state.set_aside.len() < aside;
        // An offer to everybody is nobody's while it is read.
        let offered = state.in_dialog(now);
        let asked = |terms: &RequestTerms| terms.partner == partner && (terms.intent.is_some() || !offered);
        if state.terms.as_ref().is_some_and(asked) {
            state.terms = None;
            touched = true;
        }
        let links = state.links.len() + state.withheld.len();
        // One without a name is read again by the next dial, if it is another's.
        let theirs = |owner: Option<PartnerId>| owner.is_none_or(|owner| owner == partner);
        state
            .links
            .retain(|link| !theirs(link.partner.as_ref().map(|owner| owner.id)));
        state.withheld.retain(|link| !theirs(link.partner));
        touched |= state.links.len() + state.withheld.len() < links;
        state.ending.retain(|ending| ending.terms.partner != partner);
        if let Some(requests) = &mut state.requests {
            let asked = requests.len();
            requests.retain(|terms| terms.partner != partner || terms.intent.is_none());
            touched |= requests.len() < asked;
        }
        // People's own codes are kept with the operator.
        if default.partner == partner && state.pin.take().is_some() {
            state.pin_unsaved = false;
            touched = true;
        }
        touched
    }
}

impl Subscriber {
    fn concerns_others_than(&self, partner: PartnerId, now: Timestamp) -> bool {
        let asks = self.requests.iter().flatten().any(|terms| {
            // An offer to everybody is of this person while they read it.
            terms.partner != partner && (terms.intent.is_some() || self.in_dialog(now))
        });
        let asked = self.terms.as_ref().is_some_and(|terms| terms.partner != partner);
        let begun = self.session.is_some() || !self.set_aside.is_empty();
        begun || !self.links.is_empty() || !self.withheld.is_empty() || self.pin.is_some() || asks || asked
    }
}
