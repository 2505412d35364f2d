//! Who asks. A person may be asked by several businesses: by one whose code they dial, by one that knows their number, or
//! by those that take whoever dials the plain code. What each asks for is its [`Terms`]; a connect session keeps the ones it
//! was begun under, so that what a person has agreed to does not change while they are at it.
//!
//! A request goes before an offer: while some business waits for this very person, the others are not shown. One alone is
//! not a choice, so its consent is the first screen. A code says who asks before anything else does, and wrong ones are
//! limited for each number, as there are only so many codes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::act::{Move, banks};
use super::state::{Business, LinkBrief, Subscriber};
use super::turn::stay;
use super::{Context, Effect, Flow, Input};
use crate::core::dial_code::DialCode;
use crate::core::gsm7;
use crate::core::ids::{IntentId, LinkId, PartnerId};
use crate::core::menu::Outcome;
use crate::core::messages::{Arg, Locale};
use crate::core::scope::{Data, Scope};
use crate::core::time::Timestamp;

/// Septets that a purpose may take in a sentence.
const PURPOSE: usize = 40;

/// How many codes of nobody may be dialled from one number in [`CODES_WITHIN`].
const WRONG_CODES: usize = 5;
const CODES_WITHIN: Duration = Duration::from_hours(1);

/// Who asks, for what, and for how long: what a person agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
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
    pub many: bool,
    /// The only institution, by our key for it; `None`: any.
    pub institution: Option<String>,
    /// The language to begin in, for somebody who has never been here.
    pub locale: Option<Locale>,
    /// The link to be logged in to again, if that is what is asked.
    pub renews: Option<LinkId>,
}

impl Terms {
    /// What a business asks of whoever dials the plain code: no more than that there is an account.
    pub fn walk_in(partner: Business, purpose: String, days: u16) -> Self {
        Self {
            partner: partner.id,
            name: partner.name,
            purpose,
            days,
            scope: Scope::default(),
            intent: None,
            many: true,
            institution: None,
            locale: None,
            renews: None,
        }
    }

    /// Who asked for what was begun, where the consent holds what exactly was agreed to.
    pub fn begun(partner: Business) -> Self {
        Self::walk_in(partner, String::new(), 0)
    }

    /// What an entry of the list is known by.
    fn key(&self) -> String {
        let intent = self.intent.map(|intent| intent.to_string());
        intent.unwrap_or_else(|| self.partner.to_string())
    }
}

/// What the records know of a code that was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coded {
    /// Somebody's request that can be answered.
    Request(Box<Terms>),
    /// Nothing that can be answered by this person, now.
    Nothing,
}

impl Flow {
    /// The code of a request that is to be looked up before this step; none where it is the person's own way back in, or
    /// where they have dialled too many that were nobody's.
    pub fn code_to_look_up(state: &Subscriber, input: &Input, now: Timestamp) -> Option<DialCode> {
        let Input::Begin(segments) = input else { return None };
        let code = segments
            .iter()
            .find_map(|segment| DialCode::parse(&gsm7::fold_digits(segment.expose().trim())))?;
        let own = state.recovery.as_ref().is_some_and(|recovery| recovery.code == code);
        (!own && wrong_lately(state, now) < WRONG_CODES).then_some(code)
    }

    /// What the present screen is about: what the session was begun under, else what is being asked.
    pub(super) fn terms<'a>(&'a self, state: &'a Subscriber) -> &'a Terms {
        let session = state.session.as_ref().and_then(|session| session.terms.as_ref());
        session.or(state.terms.as_ref()).unwrap_or(&self.settings.home)
    }

    /// Under what a link is logged in to again: as its business asks for that, if it does.
    pub(super) fn terms_of(&self, state: &Subscriber, link: &LinkBrief) -> Terms {
        let asks = state.terms.iter().chain(state.asks.iter().flatten());
        let asked = asks.rev().find(|terms| terms.renews == Some(link.id));
        let mut terms = asked.unwrap_or(&self.settings.home).clone();
        if let Some(business) = &link.partner {
            terms.partner = business.id;
            terms.name.clone_from(&business.name);
        }
        terms
    }

    /// A dialog begins: whoever asks now is to be asked for.
    pub(super) fn hear_who_asks(state: &mut Subscriber, asks: Option<&[Terms]>) {
        if let Some(asks) = asks {
            let there = |terms: &&Terms| {
                let renews = terms.renews;
                renews.is_none_or(|link| state.links.iter().any(|known| known.id == link))
            };
            state.asks = Some(asks.iter().filter(there).cloned().collect());
            state.terms = None;
        }
    }

    /// Where a dial begins that continues nothing: at what the one business asks, else at the question which one.
    pub(super) fn welcome(&self, state: &mut Subscriber) -> Outcome {
        if state.terms.is_none() {
            let one = match choices(state).as_deref() {
                None => self.settings.home.clone(),
                Some([]) => return Outcome::NoPartner,
                Some([one]) => (*one).clone(),
                Some(_) => return Outcome::ChoosePartner,
            };
            Self::settle_on(state, one);
        }
        Self::asked(state)
    }

    /// It is settled who asks. Their language is for somebody who has never been here.
    fn settle_on(state: &mut Subscriber, terms: Terms) {
        if let Some(locale) = terms.locale.filter(|_| state.dialogs.len() <= 1) {
            state.locale = locale;
        }
        state.terms = Some(terms);
    }

    /// What is asked under the terms at hand.
    fn asked(state: &mut Subscriber) -> Outcome {
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
    pub(super) fn pick_partner(state: &mut Subscriber, key: &str) -> Move {
        let picked = choices(state).and_then(|terms| terms.into_iter().find(|terms| terms.key() == key).cloned());
        let Some(picked) = picked else {
            return stay("note-choice");
        };
        Self::settle_on(state, picked);
        Self::asked(state).into()
    }

    /// The businesses to choose from: the key behind each, and what it is called; of requests what each is for, too.
    pub(super) fn partners(state: &Subscriber) -> Vec<(String, String)> {
        let entry = |terms: &Terms| {
            let name = gsm7::clean_name(&terms.name, super::view::NAME);
            let label = match terms.intent {
                Some(_) => format!("{name}: {}", gsm7::clean_name(&terms.purpose, super::view::NAME)),
                None => name,
            };
            (terms.key(), label)
        };
        choices(state).unwrap_or_default().into_iter().map(entry).collect()
    }

    /// The institutions; where the business asks for one of them only, straight to that one.
    pub(super) fn show_banks(&self, state: &mut Subscriber, context: &Context<'_>, effects: &mut Vec<Effect>) -> Move {
        match self.terms(state).institution.clone() {
            Some(key) => self.pick_bank(state, &key, context, effects),
            None => banks(context).into(),
        }
    }

    /// The session is over for the person. What it was begun under is asked again, unless that has been answered.
    pub(super) fn leave_session(state: &mut Subscriber) {
        let Some(session) = state.session.take() else { return };
        let linked = matches!(session.stage, Outcome::Linked | Outcome::LinkedTwice | Outcome::Renewed);
        let Some(terms) = session.terms else { return };
        let others = state.terms.as_ref().is_some_and(|asked| *asked != terms);
        if linked && terms.intent.is_some() && !terms.many {
            let answered = |ask: &Terms| ask.intent == terms.intent;
            if let Some(asks) = &mut state.asks {
                asks.retain(|ask| !answered(ask));
            }
            state.terms = state.terms.take().filter(|ask| !answered(ask));
        } else if !others && terms.days > 0 {
            state.terms = Some(terms);
        }
    }

    /// The code of a request was dialled: what is asked stands on the first screen. What is under way, or still to be told,
    /// goes before it.
    pub(super) fn answer_request(
        &self,
        state: &mut Subscriber,
        terms: Terms,
        context: &Context<'_>,
        effects: &mut Vec<Effect>,
    ) -> Move {
        let home = Self::home(state);
        let same = state.session.as_ref().is_some_and(|session| {
            let begun_under = session.terms.as_ref().and_then(|terms| terms.intent);
            begun_under == terms.intent && session.bank.is_some()
        });
        Self::settle_on(state, terms);
        match home {
            Move::To(Outcome::Checking | Outcome::Confirming | Outcome::News) => home,
            _ if same => self.look(state, context, effects),
            _ => {
                state.session = None;
                Outcome::Welcome.into()
            }
        }
    }

    /// A code was dialled that is nobody's.
    pub(super) fn wrong_code_dialled(state: &mut Subscriber, now: Timestamp) -> Move {
        state.wrong_codes.retain(|at| now.since(*at) < CODES_WITHIN);
        if state.wrong_codes.len() >= WRONG_CODES {
            return stay("note-codes");
        }
        state.wrong_codes.push(now);
        stay("note-code")
    }

    /// The consent under these terms, word for word.
    pub(super) fn consent_text(&self, locale: Locale, terms: &Terms) -> String {
        self.texts.format(locale, "welcome", &self.consent_args(locale, terms))
    }

    /// The name of the operator's own business, as it is shown.
    pub(super) fn partner_name(&self) -> String {
        shown(&self.settings.home.name)
    }

    /// The name of the business that the session is for, as it is shown.
    pub fn partner_of(&self, state: &Subscriber) -> String {
        shown(&self.terms(state).name)
    }

    pub(super) fn consent_args(&self, locale: Locale, terms: &Terms) -> [(&'static str, Arg); 4] {
        let data: Vec<_> = Data::ALL
            .into_iter()
            .filter(|data| terms.scope.has(*data))
            .map(|data| self.texts.format(locale, message(data), &[]))
            .collect();
        [
            ("partner", Arg::Text(shown(&terms.name))),
            ("data", Arg::Text(data.join(", "))),
            ("purpose", Arg::Text(gsm7::clean_name(&terms.purpose, PURPOSE))),
            ("days", Arg::Number(i64::from(terms.days))),
        ]
    }
}

/// The id of what a person reads for a kind of data.
const fn message(data: Data) -> &'static str {
    match data {
        Data::Account => "data-account",
        Data::Balance => "data-balance",
        Data::Transactions => "data-transactions",
        Data::Identity => "data-identity",
    }
}

/// A business's name as it is shown.
pub(super) fn shown(name: &str) -> String {
    gsm7::clean_name(name, super::view::NAME)
}

/// Whoever asks for this very person; where nobody does, whoever takes all. `None` where that is not known.
fn choices(state: &Subscriber) -> Option<Vec<&Terms>> {
    let asks = state.asks.as_ref()?;
    let requests: Vec<_> = asks.iter().filter(|terms| terms.intent.is_some()).collect();
    Some(if requests.is_empty() {
        asks.iter().collect()
    } else {
        requests
    })
}

fn wrong_lately(state: &Subscriber, now: Timestamp) -> usize {
    let lately = |at: &&Timestamp| now.since(**at) < CODES_WITHIN;
    state.wrong_codes.iter().filter(lately).count()
}
