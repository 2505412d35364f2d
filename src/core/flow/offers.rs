//! The list of what can be linked: what each institution is called there, and the key behind it.
//!
//! Providers list one bank twice, for its personal and its business side, and two providers may both have it. A person cannot
//! choose between names that look alike.

use std::collections::{HashMap, HashSet};

use super::context::Offer;
use super::step::Step;
use super::wording::MAX_NAME;
use crate::core::gsm7;
use crate::core::search::{self, SearchResult};

/// Septets that the word for a business side may take.
const MAX_BUSINESS_WORD: usize = 12;

impl Step<'_> {
    /// What a typed name finds among the institutions that can be linked.
    pub(super) fn search_offers(&self, typed: &str) -> SearchResult {
        let offers = self.context.offers.unwrap_or_default().iter();
        let names: Vec<_> = offers.map(|offer| offer.institution.searched_name()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let elsewhere: Vec<_> = self.context.unlinkable.iter().map(String::as_str).collect();
        search::find(typed, &names, &elsewhere, &self.flow.bank_names)
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

/// The institution with this key.
pub(super) fn find_offer<'a>(offers: &'a [Offer], key: &str) -> Option<&'a Offer> {
    let (provider, id) = key.split_once('/')?;
    offers
        .iter()
        .find(|offer| offer.provider == provider && offer.institution.id == id)
}
