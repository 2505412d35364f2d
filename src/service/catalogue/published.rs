//! What turns and probes want to know of the lists: worked out when one changes, so that asking costs next to nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::lists::{ListKey, Lists};
use crate::core::flow::{Flow, OfferList};
use crate::core::ids::PartnerId;
use crate::providers::offer::no_ways;

/// Something for each set of lists that it comes from, and each country.
type ByLists<T> = HashMap<Arc<[ListKey]>, HashMap<String, T>>;

#[derive(Default)]
pub(super) struct Published {
    pub(super) offers: ByLists<Arc<OfferList>>,
    /// The rules and words that these were made with.
    flow: Option<Arc<Flow>>,
    /// Why nobody can link anything, of each country of which that is so, by the operator's lists; `None` before all have
    /// been read.
    pub(super) no_ways: Option<Vec<String>>,
}

/// Where people dial.
#[derive(Clone, Copy)]
pub(super) struct Countries<'a> {
    pub(super) all: &'a [String],
    /// In which of them a page can be sent to a person.
    pub(super) pages: &'a BTreeSet<String>,
}

impl<'a> Countries<'a> {
    /// Each, with whether a page can be sent there.
    fn each(self) -> impl Iterator<Item = (&'a str, bool)> {
        let countries = self.all.iter().map(String::as_str);
        countries.map(move |country| (country, self.pages.contains(country)))
    }
}

impl Published {
    /// What is to be known of the lists as they are. Turns wait for it, so what is as it was before is not made again.
    pub(super) fn of(
        lists: &Lists,
        flow: Arc<Flow>,
        operator: PartnerId,
        countries: Countries<'_>,
        before: &Self,
    ) -> Self {
        let same_words = before.flow.as_ref().is_some_and(|before| Arc::ptr_eq(before, &flow));
        let offers_of = |keys: Arc<[ListKey]>| {
            let known = before.offers.get(&keys).filter(|_| same_words);
            let in_country = |(country, pages): (&str, bool)| {
                let offers = lists.offers(&keys, &flow.settings.policy, (country, pages));
                let unlinkable = lists.unlinkable(&keys, &offers, country);
                let known = known.and_then(|known| known.get(country));
                let known = known.filter(|known| known.is_made_of(&offers, &unlinkable)).cloned();
                let list = known.unwrap_or_else(|| Arc::new(flow.offer_list(offers, unlinkable)));
                (country.to_owned(), list)
            };
            let by_country = countries.each().map(in_country).collect();
            (keys, by_country)
        };
        Self {
            offers: lists.shown().into_iter().map(offers_of).collect(),
            no_ways: operators_no_ways(lists, &flow, operator, countries),
            flow: Some(flow),
        }
    }
}

fn operators_no_ways(lists: &Lists, flow: &Flow, operator: PartnerId, countries: Countries<'_>) -> Option<Vec<String>> {
    let keys: Vec<_> = lists.keys_of(operator).cloned().collect();
    if !lists.are_read(&keys) {
        return None;
    }
    let countries: BTreeSet<_> = countries.each().collect();
    let ways = countries
        .into_iter()
        .map(|country| lists.ways(&keys, &flow.settings.policy, country));
    Some(no_ways(&ways.collect::<Vec<_>>()))
}
