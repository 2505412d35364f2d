//! The list of what can be linked: what each institution is called there, and the key behind it.
//!
//! Providers list one bank twice, for its personal and its business side, and two providers may both have it. A person cannot
//! choose between names that look alike.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;

use super::rules::Flow;
use super::wording::MAX_NAME;
use crate::core::bank_names::BankNames;
use crate::core::gsm7;
use crate::core::linking::Institution;
use crate::core::messages::Locale;
use crate::core::search::{self, SearchResult};

/// Septets that the word for a business side may take.
const MAX_BUSINESS_WORD: usize = 12;

/// An institution that can be linked, with the provider that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The provider's name.
    pub provider: String,
    /// The institution, with the auth methods that are left.
    pub institution: Institution,
}

/// What can be linked on a line, with all that screens and searches want of it: made when a list is read or the words
/// change, as a list is shown many thousand times in between.
pub struct OfferList {
    offers: Vec<Offer>,
    /// The names of institutions that are known and cannot be linked there.
    unlinkable: Vec<String>,
    /// What each is searched by.
    searched: Vec<String>,
    keys: Vec<String>,
    by_key: HashMap<String, usize>,
    /// What each is called, in each language.
    labels: BTreeMap<Locale, Vec<String>>,
    /// The positions of all, those to be shown first in front.
    order: Vec<usize>,
}

impl Deref for OfferList {
    type Target = [Offer];

    fn deref(&self) -> &[Offer] {
        &self.offers
    }
}

impl OfferList {
    /// Whether it would be made of these; of whose words, it does not know.
    pub fn is_made_of(&self, offers: &[Offer], unlinkable: &[String]) -> bool {
        self.offers == offers && self.unlinkable == unlinkable
    }

    /// The institution with this key.
    pub(super) fn find(&self, key: &str) -> Option<&Offer> {
        self.by_key.get(key).map(|at| &self.offers[*at])
    }

    /// What a typed name finds.
    pub(super) fn search(&self, typed: &str, bank_names: &BankNames) -> SearchResult {
        let [names, elsewhere] = [&self.searched, &self.unlinkable].map(|names| {
            let names = names.iter().map(String::as_str);
            names.collect::<Vec<_>>()
        });
        search::find(typed, &names, &elsewhere, bank_names)
    }

    /// What is behind an entry of the list, and its label in this language.
    pub(super) fn entry(&self, at: usize, locale: Locale) -> (&str, &str) {
        let label = self.labels.get(&locale).map_or("", |labels| &labels[at]);
        (&self.keys[at], label)
    }

    /// The positions of all: the favourites first.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}

impl Flow {
    /// What can be linked, in these words.
    pub fn offer_list(&self, offers: Vec<Offer>, unlinkable: Vec<String>) -> OfferList {
        let key = |offer: &Offer| offer_key(&offer.provider, &offer.institution.id);
        let keys: Vec<_> = offers.iter().map(key).collect();
        let labels_in = |locale| {
            let business = self.templates.format(locale, "business", &[]);
            (locale, labels(&offers, &business))
        };
        let favourite = |offer: &Offer| self.favourite(&offer.provider, &offer.institution.name);
        let ranks: Vec<_> = offers
            .iter()
            .map(|offer| favourite(offer).unwrap_or(usize::MAX))
            .collect();
        let mut order: Vec<_> = (0..offers.len()).collect();
        order.sort_by_key(|at| ranks[*at]);
        OfferList {
            // Of two with one key the first is meant.
            by_key: keys
                .iter()
                .cloned()
                .enumerate()
                .rev()
                .map(|(at, key)| (key, at))
                .collect(),
            labels: Locale::ALL.into_iter().map(labels_in).collect(),
            searched: offers.iter().map(|offer| offer.institution.searched_name()).collect(),
            order,
            keys,
            unlinkable,
            offers,
        }
    }
}

/// What to call each institution, in order. Of two that would look alike, a business side says that it is one (`business`
/// is the word for it); those that look alike still are numbered.
pub(super) fn labels(offers: &[Offer], business: &str) -> Vec<String> {
    let word = gsm7::clean_name(business, MAX_BUSINESS_WORD);
    let name = |offer: &Offer| gsm7::clean_name(&offer.institution.name, MAX_NAME);
    let sided = disambiguate(offers.iter().map(name).collect(), |at, name| {
        let offer = &offers[at];
        if offer.institution.business {
            with_suffix(&offer.institution.name, &word)
        } else {
            name
        }
    });
    let mut taken: HashSet<String> = sided.iter().map(|name| name.to_lowercase()).collect();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    disambiguate(sided, |at, name| {
        let number = numbers.entry(name.to_lowercase()).or_default();
        loop {
            *number += 1;
            let side = if offers[at].institution.business {
                format!("{word} ")
            } else {
                String::new()
            };
            let numbered = with_suffix(&offers[at].institution.name, &format!("{side}({number})"));
            if taken.insert(numbered.to_lowercase()) {
                return numbered;
            }
        }
    })
}

/// Gives every name that is there more than once to `change`, with its place.
fn disambiguate(names: Vec<String>, mut change: impl FnMut(usize, String) -> String) -> Vec<String> {
    let mut times: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *times.entry(name.to_lowercase()).or_default() += 1;
    }
    let again = |name: &str| times.get(&name.to_lowercase()).is_some_and(|&times| times > 1);
    let names = names.into_iter().enumerate();
    names
        .map(|(at, name)| if again(&name) { change(at, name) } else { name })
        .collect()
}

/// A name with something behind it that is not cut off.
fn with_suffix(name: &str, ending: &str) -> String {
    let room = MAX_NAME.saturating_sub(gsm7::folded_septets(ending) + 1);
    format!("{} {ending}", gsm7::clean_name(name, room))
}

/// The key behind an entry. An id is unique in one provider's list only, and names of providers have no slash.
pub(crate) fn offer_key(provider: &str, id: &str) -> String {
    format!("{provider}/{id}")
}
