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
use super::terms::{PartnerRef, RequestTerms};
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
    /// The terms under which a link is logged in to again on the consent that it has.
    pub(super) fn terms_of_consent(&self, link: &LinkSummary) -> RequestTerms {
        let operator = &self.flow.settings.default_terms;
        RequestTerms::already_agreed(link.partner.clone().unwrap_or_else(|| PartnerRef {
            id: operator.partner,
            name: operator.name.clone(),
        }))
    }

    /// What its partner asks of a link, if it asks for a new login: what the person has chosen, else the newest.
    pub(super) fn request_to_renew(&self, link: LinkId) -> Option<RequestTerms> {
        let mut asks = self.state.terms.iter().chain(self.state.requests.iter().flatten());
        asks.find(|terms| terms.renews == Some(link)).cloned()
    }

    /// A dialog begins: these ask now.
    pub(super) fn set_requests(&mut self, asks: Option<&[RequestTerms]>) {
        if let Some(asks) = asks {
            self.state.requests = Some(asks.iter().map(|asked| self.open_terms(asked)).collect());
            self.state.terms = None;
        }
    }

    /// Where a dial begins that continues nothing: at what the one partner asks, else at the choice between them.
    pub(super) fn welcome(&mut self) -> Outcome {
        let terms = self.state.terms.take();
        self.state.terms = terms.filter(|terms| self.state.is_open(terms));
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
        let renews = self.state.terms.as_ref().and_then(|terms| terms.renews);
        if renews.is_none() {
            return Outcome::Welcome;
        }
        self.state.cursor.link = renews;
        Outcome::AskedAgain
    }

    /// It is settled who asks. Its language is for somebody who has never been here.
    pub(super) fn set_terms(&mut self, terms: RequestTerms) {
        let new = self.state.dialogs.len() <= 1 && !self.state.language_chosen;
        if let Some(locale) = terms.locale.filter(|_| new) {
            self.state.locale = locale;
        }
        self.state.terms = Some(terms);
    }

    /// The link of which the one partner that waits for this person asks a new login: its screen is where a dial begins.
    pub(super) fn only_request(&self) -> Option<LinkId> {
        let all = self.state.selectable_requests()?;
        let mut own = all.iter().filter(|terms| terms.intent.is_some());
        own.next().filter(|_| own.next().is_none())?.renews
    }

    /// Whether what was agreed to is asked as it was: by nobody else's request since, and with nothing changed. What was
    /// begun with the code of an intent is among no requests; whether that is over is looked at before anything is sent.
    pub(super) fn still_asks(&self, agreed: &RequestTerms) -> bool {
        let Some(all) = self.state.selectable_requests() else {
            return agreed.asks_the_same(&self.flow.settings.default_terms);
        };
        if agreed.intent.is_some() {
            let mut same = all.iter().filter(|terms| terms.intent == agreed.intent);
            same.all(|terms| agreed.asks_the_same(terms))
        } else {
            let only_offers = all.iter().all(|terms| terms.intent.is_none());
            only_offers && all.iter().any(|terms| agreed.asks_the_same(terms))
        }
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
        let shown = self.terms_on_screen();
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
        // What was begun for another one is not about this one.
        self.state.replace_session(None);
        self.set_terms(picked);
        Outcome::Welcome.into()
    }

    /// The partners to choose from: the key behind each, and its label; an intent is shown with its purpose.
    pub(super) fn partner_entries(&self) -> Vec<(String, String)> {
        let entry = |terms: &RequestTerms| {
            let name = display_name(&terms.name);
            let label = match terms.intent {
                Some(_) => {
                    let purpose = self.flow.purpose_text(self.state.locale, &terms.purpose);
                    format!("{name}: \"{}\"", display_name(&purpose))
                }
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

    /// The session is over for the person. What it was begun under is asked again, unless that has been answered or is over.
    pub(super) fn leave_session(&mut self) {
        let Some(session) = self.state.replace_session(None) else {
            return;
        };
        let Some(terms) = session.terms else { return };
        let linked = session.stage.is(Role::Success);
        let ended = matches!(session.stage, Outcome::RequestOver | Outcome::Mismatched);
        let over = |ask: &RequestTerms| {
            let same = ask.intent.is_some() && ask.intent == terms.intent;
            let renewed = linked && ask.renews.is_some() && ask.renews == session.renews;
            renewed || (same && (ended || (linked && !terms.reusable)))
        };
        let others = self.state.terms.as_ref().is_some_and(|asked| *asked != terms);
        if let Some(asks) = &mut self.state.requests {
            asks.retain(|ask| !over(ask));
        }
        self.state.terms = self.state.terms.take().filter(|ask| !over(ask));
        if !others && !over(&terms) {
            self.state.terms = Some(terms);
        }
    }

    /// The code of an intent was dialled: what is asked is on the first screen. What is under way, or still to be told,
    /// goes before it.
    pub(super) fn open_request(&mut self, terms: RequestTerms) -> Transition {
        // The beginning without a code, and what it would have told, was not shown.
        self.collect_notices();
        let home = self.where_session_stands();
        let same = self.state.session.as_ref().is_some_and(|session| {
            let begun_under = session.terms.as_ref().and_then(|terms| terms.intent);
            begun_under == terms.intent && session.institution.is_some()
        });
        let agreed = self.state.session.as_ref().is_some_and(|session| {
            let begun_under = session.terms.as_ref();
            session.institution.is_none() && begun_under.is_some_and(|begun| begun.asks_the_same(&terms))
        });
        self.set_terms(terms);
        match home {
            Transition::Outcome(outcome) if outcome == Outcome::NewLink || outcome.is(Role::InProgress) => home,
            _ if agreed => home,
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
        let own = |terms: &&RequestTerms| terms.intent.is_some() && self.is_open(terms);
        let asks = |partner| all.iter().filter(own).any(|terms| terms.partner == partner);
        let offers = all
            .iter()
            .filter(|terms| terms.intent.is_none() && !asks(terms.partner));
        Some(all.iter().filter(own).chain(offers).collect())
    }

    /// Whether this can be agreed to now: no consent holds it already, the link to log in to again is there, and an offer to
    /// everybody is still made.
    fn is_open(&self, terms: &RequestTerms) -> bool {
        let open = match (terms.renews, terms.intent) {
            (Some(link), _) => self.links.iter().any(|known| known.id == link),
            (None, Some(_)) => true,
            (None, None) => self.requests.as_ref().is_none_or(|all| {
                let offers = all.iter().filter(|offer| offer.intent.is_none());
                offers.into_iter().any(|offer| offer.partner == terms.partner)
            }),
        };
        open && terms.days > 0
    }

    fn recent_wrong_codes(&self, now: Timestamp) -> usize {
        let recent = |at: &&Timestamp| now.since(**at) < WRONG_CODES_WINDOW;
        self.wrong_codes.iter().filter(recent).count()
    }
}
