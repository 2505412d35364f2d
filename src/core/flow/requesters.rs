//! Who asks. A person may be asked by several businesses: by one whose code they dial, by one that knows their number, or
//! by those that take whoever dials the plain code. What each asks for is its [`RequestTerms`]; a connect session keeps the ones it
//! was begun under, so that what a person has agreed to does not change while they are at it.
//!
//! A request goes before an offer: while some business waits for this very person, the others are not shown. One alone is
//! not a choice, so its consent is the first screen. A code says who asks before anything else does, and wrong ones are
//! limited for each number, as there are only so many codes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::actions::{Transition, institution_list_outcome};
use super::state::{LinkSummary, PartnerRef, Subscriber};
use super::turn::stay;
use super::{Effect, Flow, Input, StepContext};
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::ids::{IntentId, LinkId, PartnerId};
use crate::core::menu::Outcome;
use crate::core::messages::{Locale, TemplateArg};
use crate::core::scope::{Data, Scope};
use crate::core::time::Timestamp;

/// Septets that a purpose may take in a sentence.
const MAX_PURPOSE: usize = 40;

/// How many codes of nobody may be dialled from one number in [`WRONG_CODES_WINDOW`].
const MAX_WRONG_CODES: usize = 5;
const WRONG_CODES_WINDOW: Duration = Duration::from_hours(1);

/// Who asks, for what, and for how long: what a person agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTerms {
    /// The business.
    pub partner: PartnerId,
    /// Its name.
    pub name: String,
    /// What it wants the data for.
    pub purpose: String,
    /// For how many days; 0 where that stands in a consent already, and nothing is to be agreed to under these.
    pub days: u16,
    /// Which data.
    pub scope: Scope,
    /// The request that is answered; `None` for a person who came by themselves.
    pub intent: Option<IntentId>,
    /// Whether others may answer that request, too, or the same person again.
    pub reusable: bool,
    /// The only institution, by our key for it; `None`: any.
    pub institution: Option<String>,
    /// The language to begin in, for somebody who has never been here.
    pub locale: Option<Locale>,
    /// The link to be logged in to again, if that is what is asked.
    pub renews: Option<LinkId>,
}

impl RequestTerms {
    /// What a business asks of whoever dials the plain code: no more than that there is an account.
    pub fn open_offer(partner: PartnerRef, purpose: String, days: u16) -> Self {
        Self {
            partner: partner.id,
            name: partner.name,
            purpose,
            days,
            scope: Scope::default(),
            intent: None,
            reusable: true,
            institution: None,
            locale: None,
            renews: None,
        }
    }

    /// Who asked for what was begun, where the consent holds what exactly was agreed to.
    pub fn already_agreed(partner: PartnerRef) -> Self {
        Self::open_offer(partner, String::new(), 0)
    }

    /// What an entry of the list is known by.
    fn key(&self) -> String {
        let intent = self.intent.map(|intent| intent.to_string());
        intent.unwrap_or_else(|| self.partner.to_string())
    }
}

/// What the records know of a code that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialedCode {
    /// Somebody's request that can be answered.
    Request(Box<RequestTerms>),
    /// Nothing that can be answered by this person, now.
    Unknown,
}

impl Flow {
    /// The code of a request that is to be looked up before this step; none where it is the person's own way back in, or
    /// where they have dialled too many that were nobody's.
    pub fn intent_code_to_look_up(state: &Subscriber, input: &Input, now: Timestamp) -> Option<DialCode> {
        let Input::Begin(segments) = input else { return None };
        let code = segments
            .iter()
            .find_map(|segment| DialCode::parse(&gsm7::fold_digits(segment.expose().trim())))?;
        let own = state.recovery.as_ref().is_some_and(|recovery| recovery.code == code);
        (!own && recent_wrong_codes(state, now) < MAX_WRONG_CODES).then_some(code)
    }

    /// What the present screen is about: what the session was begun under, else what is being asked.
    pub(super) fn terms<'a>(&'a self, state: &'a Subscriber) -> &'a RequestTerms {
        let session = state.session.as_ref().and_then(|session| session.terms.as_ref());
        session.or(state.terms.as_ref()).unwrap_or(&self.settings.default_terms)
    }

    /// Under what a link is logged in to again: as its business asks for that, if it does.
    pub(super) fn renewal_terms(&self, state: &Subscriber, link: &LinkSummary) -> RequestTerms {
        let asks = state.terms.iter().chain(state.requests.iter().flatten());
        let asked = asks.rev().find(|terms| terms.renews == Some(link.id));
        let mut terms = asked.unwrap_or(&self.settings.default_terms).clone();
        if let Some(business) = &link.partner {
            terms.partner = business.id;
            terms.name.clone_from(&business.name);
        }
        terms
    }

    /// A dialog begins: whoever asks now is to be asked for.
    pub(super) fn set_requests(state: &mut Subscriber, asks: Option<&[RequestTerms]>) {
        if let Some(asks) = asks {
            let there = |terms: &&RequestTerms| {
                let renews = terms.renews;
                renews.is_none_or(|link| state.links.iter().any(|known| known.id == link))
            };
            state.requests = Some(asks.iter().filter(there).cloned().collect());
            state.terms = None;
        }
    }

    /// Where a dial begins that continues nothing: at what the one business asks, else at the question which one.
    pub(super) fn welcome(&self, state: &mut Subscriber) -> Outcome {
        if state.terms.is_none() {
            let one = match selectable_requests(state).as_deref() {
                None => self.settings.default_terms.clone(),
                Some([]) => return Outcome::NoPartner,
                Some([one]) => (*one).clone(),
                Some(_) => return Outcome::ChoosePartner,
            };
            Self::set_terms(state, one);
        }
        Self::consent_outcome(state)
    }

    /// It is settled who asks. Their language is for somebody who has never been here.
    fn set_terms(state: &mut Subscriber, terms: RequestTerms) {
        if let Some(locale) = terms.locale.filter(|_| state.dialogs.len() <= 1) {
            state.locale = locale;
        }
        state.terms = Some(terms);
    }

    /// What is asked under the terms at hand.
    fn consent_outcome(state: &mut Subscriber) -> Outcome {
        let Some(terms) = &state.terms else {
            return Outcome::Welcome;
        };
        let link = terms.renews.filter(|link| state.links.iter().any(|l| l.id == *link));
        if link.is_none() {
            return Outcome::Welcome;
        }
        state.cursor.link = link;
        Outcome::AskedAgain
    }

    /// One of several businesses is picked.
    pub(super) fn pick_partner(state: &mut Subscriber, key: &str) -> Transition {
        let picked =
            selectable_requests(state).and_then(|terms| terms.into_iter().find(|terms| terms.key() == key).cloned());
        let Some(picked) = picked else {
            return stay("note-choice");
        };
        Self::set_terms(state, picked);
        Self::consent_outcome(state).into()
    }

    /// The businesses to choose from: the key behind each, and what it is called; of requests what each is for, too.
    pub(super) fn partner_entries(state: &Subscriber) -> Vec<(String, String)> {
        let entry = |terms: &RequestTerms| {
            let name = gsm7::clean_name(&terms.name, super::view::MAX_NAME);
            let label = match terms.intent {
                Some(_) => format!("{name}: {}", gsm7::clean_name(&terms.purpose, super::view::MAX_NAME)),
                None => name,
            };
            (terms.key(), label)
        };
        selectable_requests(state)
            .unwrap_or_default()
            .into_iter()
            .map(entry)
            .collect()
    }

    /// The institutions; where the business asks for one of them only, straight to that one.
    pub(super) fn show_institutions(
        &self,
        state: &mut Subscriber,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        match self.terms(state).institution.clone() {
            Some(key) => self.pick_institution(state, &key, context, effects),
            None => institution_list_outcome(context).into(),
        }
    }

    /// The session is over for the person. What it was begun under is asked again, unless that has been answered.
    pub(super) fn leave_session(state: &mut Subscriber) {
        let Some(session) = state.session.take() else { return };
        let linked = matches!(session.stage, Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed);
        let Some(terms) = session.terms else { return };
        let others = state.terms.as_ref().is_some_and(|asked| *asked != terms);
        if linked && terms.intent.is_some() && !terms.reusable {
            let answered = |ask: &RequestTerms| ask.intent == terms.intent;
            if let Some(asks) = &mut state.requests {
                asks.retain(|ask| !answered(ask));
            }
            state.terms = state.terms.take().filter(|ask| !answered(ask));
        } else if !others && terms.days > 0 {
            state.terms = Some(terms);
        }
    }

    /// The code of a request was dialled: what is asked stands on the first screen. What is under way, or still to be told,
    /// goes before it.
    pub(super) fn open_request(
        &self,
        state: &mut Subscriber,
        terms: RequestTerms,
        context: &StepContext<'_>,
        effects: &mut Vec<Effect>,
    ) -> Transition {
        let home = Self::entry(state);
        let same = state.session.as_ref().is_some_and(|session| {
            let begun_under = session.terms.as_ref().and_then(|terms| terms.intent);
            begun_under == terms.intent && session.institution.is_some()
        });
        Self::set_terms(state, terms);
        match home {
            Transition::Outcome(Outcome::Checking | Outcome::Confirming | Outcome::News) => home,
            _ if same => self.check_progress(state, context, effects),
            _ => {
                state.session = None;
                Outcome::Welcome.into()
            }
        }
    }

    /// A code was dialled that is nobody's.
    pub(super) fn count_wrong_code(state: &mut Subscriber, now: Timestamp) -> Transition {
        state.wrong_codes.retain(|at| now.since(*at) < WRONG_CODES_WINDOW);
        if state.wrong_codes.len() >= MAX_WRONG_CODES {
            return stay("note-codes");
        }
        state.wrong_codes.push(now);
        stay("note-code")
    }

    /// The consent under these terms, word for word.
    pub(super) fn consent_text(&self, locale: Locale, terms: &RequestTerms) -> String {
        self.templates
            .format(locale, "welcome", &self.consent_args(locale, terms))
    }

    /// The name of the operator's own business, as it is shown.
    pub(super) fn partner_name(&self) -> String {
        display_name(&self.settings.default_terms.name)
    }

    /// The name of the business that the session is for, as it is shown.
    pub fn session_partner_name(&self, state: &Subscriber) -> String {
        display_name(&self.terms(state).name)
    }

    pub(super) fn consent_args(&self, locale: Locale, terms: &RequestTerms) -> [(&'static str, TemplateArg); 4] {
        let data: Vec<_> = Data::ALL
            .into_iter()
            .filter(|data| terms.scope.has(*data))
            .map(|data| self.templates.format(locale, data_message_id(data), &[]))
            .collect();
        [
            ("partner", TemplateArg::Text(display_name(&terms.name))),
            ("data", TemplateArg::Text(data.join(", "))),
            (
                "purpose",
                TemplateArg::Text(gsm7::clean_name(&terms.purpose, MAX_PURPOSE)),
            ),
            ("days", TemplateArg::Number(i64::from(terms.days))),
        ]
    }
}

/// The id of what a person reads for a kind of data.
const fn data_message_id(data: Data) -> &'static str {
    match data {
        Data::Account => "data-account",
        Data::Balance => "data-balance",
        Data::Transactions => "data-transactions",
        Data::Identity => "data-identity",
    }
}

/// A business's name as it is shown.
pub(super) fn display_name(name: &str) -> String {
    gsm7::clean_name(name, super::view::MAX_NAME)
}

/// Whoever asks for this very person; where nobody does, whoever takes all. `None` where that is not known.
fn selectable_requests(state: &Subscriber) -> Option<Vec<&RequestTerms>> {
    let asks = state.requests.as_ref()?;
    let requests: Vec<_> = asks.iter().filter(|terms| terms.intent.is_some()).collect();
    Some(if requests.is_empty() {
        asks.iter().collect()
    } else {
        requests
    })
}

fn recent_wrong_codes(state: &Subscriber, now: Timestamp) -> usize {
    let lately = |at: &&Timestamp| now.since(**at) < WRONG_CODES_WINDOW;
    state.wrong_codes.iter().filter(lately).count()
}
