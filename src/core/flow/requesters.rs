//! Who asks. A person may be asked by several partners: by one whose code they dial, by one that knows their number, or
//! by those that take everybody who dials the plain code. What each asks for is its [`RequestTerms`]; a connect session keeps the ones it
//! was begun under, so that what a person has agreed to does not change while they are at it.
//!
//! A request goes before an offer: of partners that wait for this very person one alone is not a choice, so its consent is the
//! first screen. But no partner that asks hides another: what others ask and offer is one key away, on that screen. A code says who
//! asks before anything else does, and wrong ones are limited for each number, as there are only so many codes.

use std::time::Duration;

use super::session::LinkSummary;
use super::state::Subscriber;
use super::step::{Step, Transition};
use super::terms::RequestTerms;
use super::turn_context::Input;
use super::wording::display_name;
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::ids::LinkId;
use crate::core::menu::{Outcome, Role};
use crate::core::time::Timestamp;

/// How many unknown codes may be dialled from one number in [`WRONG_CODES_WINDOW`].
const MAX_WRONG_CODES: usize = 5;
const WRONG_CODES_WINDOW: Duration = Duration::from_hours(1);

impl Step<'_> {
    /// The terms under which a link is logged in to again: as its partner asks for that, if it does.
    pub(super) fn renewal_terms(&self, link: &LinkSummary) -> RequestTerms {
        let asked = self.request_to_renew(link.id);
        let mut terms = asked.unwrap_or_else(|| self.flow.settings.default_terms.clone());
        if let Some(business) = &link.partner {
            terms.partner = business.id;
            terms.name.clone_from(&business.name);
        }
        terms
    }

    /// What its partner asks of a link, if it asks for a new login.
    pub(super) fn request_to_renew(&self, link: LinkId) -> Option<RequestTerms> {
        let asks = self.state.terms.iter().chain(self.state.requests.iter().flatten());
        asks.rev().find(|terms| terms.renews == Some(link)).cloned()
    }

    /// A dialog begins: these ask now.
    pub(super) fn set_requests(&mut self, asks: Option<&[RequestTerms]>) {
        if let Some(asks) = asks {
            let there = |terms: &&RequestTerms| {
                let renews = terms.renews;
                renews.is_none_or(|link| self.state.links.iter().any(|known| known.id == link))
            };
            self.state.requests = Some(asks.iter().filter(there).cloned().collect());
            self.state.terms = None;
        }
    }

    /// Where a dial begins that continues nothing: at what the one partner asks, else at the choice between them.
    pub(super) fn welcome(&mut self) -> Outcome {
        if self.state.terms.is_none() {
            let one = match self.state.selectable_requests() {
                None => self.flow.settings.default_terms.clone(),
                Some(all) => {
                    let own = all.iter().filter(|terms| terms.intent.is_some()).count();
                    match &all[..] {
                        [] => return Outcome::NoPartner,
                        [first, ..] if own == 1 || all.len() == 1 => (*first).clone(),
                        _ => return Outcome::ChoosePartner,
                    }
                }
            };
            self.set_terms(one);
        }
        self.consent_outcome()
    }

    /// It is settled who asks. Its language is for somebody who has never been here.
    pub(super) fn set_terms(&mut self, terms: RequestTerms) {
        if let Some(locale) = terms.locale.filter(|_| self.state.dialogs.len() <= 1) {
            self.state.locale = locale;
        }
        self.state.terms = Some(terms);
    }

    /// What is asked under the terms at hand.
    fn consent_outcome(&mut self) -> Outcome {
        let Some(terms) = &self.state.terms else {
            return Outcome::Welcome;
        };
        let link = terms
            .renews
            .filter(|link| self.state.links.iter().any(|l| l.id == *link));
        if link.is_none() {
            return Outcome::Welcome;
        }
        self.state.cursor.link = link;
        Outcome::AskedAgain
    }

    /// All that is asked and offered, to choose something else.
    pub(super) fn show_partners(&mut self) -> Transition {
        let others = self.others_ask();
        if others {
            Outcome::ChoosePartner
        } else {
            Outcome::Welcome
        }
        .into()
    }

    /// Whether somebody asks or offers something else than what is on the screen.
    pub(super) fn others_ask(&self) -> bool {
        let shown = self.flow.terms(self.state);
        let others = self.state.selectable_requests().unwrap_or_default();
        others.iter().any(|terms| match terms.intent {
            Some(_) => terms.intent != shown.intent,
            None => terms.partner != shown.partner,
        })
    }

    /// One of several partners is picked.
    pub(super) fn pick_partner(&mut self, key: &str) -> Transition {
        let picked = self
            .state
            .selectable_requests()
            .and_then(|terms| terms.into_iter().find(|terms| terms.key() == key).cloned());
        let Some(picked) = picked else {
            return Transition::stay("note-choice");
        };
        self.set_terms(picked);
        self.consent_outcome().into()
    }

    /// The partners to choose from: the key behind each, and its label; an intent is shown with its purpose.
    pub(super) fn partner_entries(&self) -> Vec<(String, String)> {
        let entry = |terms: &RequestTerms| {
            let name = display_name(&terms.name);
            let label = match terms.intent {
                Some(_) => format!("{name}: \"{}\"", display_name(&terms.purpose)),
                None => name,
            };
            (terms.key(), label)
        };
        self.state
            .selectable_requests()
            .unwrap_or_default()
            .into_iter()
            .map(entry)
            .collect()
    }

    /// The session is over for the person. What it was begun under is asked again, unless that has been answered.
    pub(super) fn leave_session(&mut self) {
        let Some(session) = self.state.replace_session(None) else {
            return;
        };
        let linked = session.stage.is(Role::Success);
        let Some(terms) = session.terms else { return };
        let others = self.state.terms.as_ref().is_some_and(|asked| *asked != terms);
        if linked && terms.intent.is_some() && !terms.reusable {
            let answered = |ask: &RequestTerms| ask.intent == terms.intent;
            if let Some(asks) = &mut self.state.requests {
                asks.retain(|ask| !answered(ask));
            }
            self.state.terms = self.state.terms.take().filter(|ask| !answered(ask));
        } else if !others && terms.days > 0 {
            self.state.terms = Some(terms);
        }
    }

    /// The code of an intent was dialled: what is asked is on the first screen. What is under way, or still to be told,
    /// goes before it.
    pub(super) fn open_request(&mut self, terms: RequestTerms) -> Transition {
        let home = self.entry();
        let same = self.state.session.as_ref().is_some_and(|session| {
            let begun_under = session.terms.as_ref().and_then(|terms| terms.intent);
            begun_under == terms.intent && session.institution.is_some()
        });
        self.set_terms(terms);
        match home {
            Transition::Outcome(outcome) if outcome == Outcome::NewLink || outcome.is(Role::InProgress) => home,
            _ if same => self.check_progress(),
            _ => {
                self.state.replace_session(None);
                Outcome::Welcome.into()
            }
        }
    }

    /// An unknown code was dialled.
    pub(super) fn count_wrong_code(&mut self) -> Transition {
        let now = self.context.now;
        self.state.wrong_codes.retain(|at| now.since(*at) < WRONG_CODES_WINDOW);
        if self.state.wrong_codes.len() >= MAX_WRONG_CODES {
            return Transition::stay("note-codes");
        }
        self.state.wrong_codes.push(now);
        Transition::stay("note-code")
    }
}

impl Subscriber {
    /// The code of an intent that is to be looked up before this step; none where it is the person's own recovery code, or where
    /// they have dialled too many unknown ones.
    pub fn intent_code_to_look_up(&self, input: &Input, now: Timestamp) -> Option<DialCode> {
        let Input::Begin(segments) = input else { return None };
        let code = segments
            .iter()
            .find_map(|segment| DialCode::parse(&gsm7::fold_digits(segment.expose().trim())))?;
        let own = self.recovery.as_ref().is_some_and(|recovery| recovery.code == code);
        (!own && self.recent_wrong_codes(now) < MAX_WRONG_CODES).then_some(code)
    }

    /// The requests of this very person, then the offers to everybody of partners that ask nothing else. `None` where that is
    /// not known.
    fn selectable_requests(&self) -> Option<Vec<&RequestTerms>> {
        let all = self.requests.as_ref()?;
        let own = |terms: &&RequestTerms| terms.intent.is_some();
        let asks = |partner| all.iter().filter(own).any(|terms| terms.partner == partner);
        let offers = all.iter().filter(|terms| !own(terms) && !asks(terms.partner));
        Some(all.iter().filter(own).chain(offers).collect())
    }

    fn recent_wrong_codes(&self, now: Timestamp) -> usize {
        let recent = |at: &&Timestamp| now.since(**at) < WRONG_CODES_WINDOW;
        self.wrong_codes.iter().filter(recent).count()
    }
}
