//! The lists in memory, and who uses which.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::core::flow::Offer;
use crate::core::ids::PartnerId;
use crate::core::policy::Policy;
use crate::core::time::Timestamp;
use crate::providers::Institution;
use crate::providers::offer::{LinkingWays, is_in, linking_ways, with_offerable_methods};

/// How long a partner that nobody is asked for stays in memory.
const KEEP_UNUSED: Duration = Duration::from_hours(1);

/// How many partners are kept beside the operator. Beyond that the one that was used longest ago goes.
const MAX_PARTNERS: usize = 256;

/// One list: a provider's, read with this partner's keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ListKey {
    pub(super) partner: PartnerId,
    pub(super) provider: String,
}

struct InstitutionList {
    institutions: Vec<Institution>,
    read_at: Timestamp,
}

/// A partner that people are asked for.
struct InUse {
    /// The lists that its offers come from.
    keys: Arc<[ListKey]>,
    used_at: Timestamp,
}

pub(super) struct Lists {
    operator: PartnerId,
    read: HashMap<ListKey, InstitutionList>,
    reading: HashSet<ListKey>,
    partners: HashMap<PartnerId, InUse>,
}

impl Lists {
    /// With the operator's lists, which are always in use.
    pub(super) fn new(operator: PartnerId, keys: Vec<ListKey>, now: Timestamp) -> Self {
        let mut lists = Self {
            operator,
            read: HashMap::new(),
            reading: HashSet::new(),
            partners: HashMap::new(),
        };
        lists.set_keys(operator, keys, now);
        lists
    }

    /// The lists of a partner's offers, which are used now; `None` when it is not known.
    pub(super) fn used(&mut self, partner: PartnerId, now: Timestamp) -> Option<Arc<[ListKey]>> {
        let entry = self.partners.get_mut(&partner)?;
        entry.used_at = now;
        Some(entry.keys.clone())
    }

    /// Sets which lists a partner's offers come from. Says whether that is new.
    pub(super) fn set_keys(&mut self, partner: PartnerId, mut keys: Vec<ListKey>, now: Timestamp) -> bool {
        keys.sort();
        let used_at = match self.partners.get(&partner) {
            Some(known) if *known.keys == *keys => return false,
            Some(known) => known.used_at,
            None => now,
        };
        let keys = keys.into();
        self.partners.insert(partner, InUse { keys, used_at });
        let others = self.partners.iter().filter(|(id, _)| **id != self.operator);
        if others.clone().count() > MAX_PARTNERS
            && let Some(oldest) = others.min_by_key(|(_, entry)| entry.used_at).map(|(id, _)| *id)
        {
            self.partners.remove(&oldest);
        }
        self.drop_unused();
        true
    }

    /// Whether a partner is still kept: it goes when it has not been used for long.
    pub(super) fn keep(&mut self, partner: PartnerId, now: Timestamp) -> bool {
        let Some(entry) = self.partners.get(&partner) else {
            return false;
        };
        let kept = now.since(entry.used_at) < KEEP_UNUSED;
        if !kept {
            self.partners.remove(&partner);
            self.drop_unused();
        }
        kept
    }

    fn drop_unused(&mut self) {
        let in_use: HashSet<_> = self.all_keys().into_iter().collect();
        self.read.retain(|key, _| in_use.contains(key));
    }

    pub(super) fn partners(&self) -> impl Iterator<Item = PartnerId> {
        self.partners.keys().copied()
    }

    pub(super) fn keys_of(&self, partner: PartnerId) -> impl Iterator<Item = &ListKey> {
        self.partners
            .get(&partner)
            .into_iter()
            .flat_map(|entry| entry.keys.iter())
    }

    /// The lists that nobody but this partner uses. The operator's are everybody's.
    pub(super) fn own_keys(&self, partner: PartnerId) -> Vec<ListKey> {
        let own = self.keys_of(partner).filter(|key| key.partner == partner);
        own.filter(|_| partner != self.operator).cloned().collect()
    }

    /// Every list in use, each once.
    pub(super) fn all_keys(&self) -> Vec<ListKey> {
        let all: HashSet<_> = self.partners.values().flat_map(|entry| entry.keys.iter()).collect();
        all.into_iter().cloned().collect()
    }

    /// `false` when somebody reads it already.
    pub(super) fn begin_reading(&mut self, key: &ListKey) -> bool {
        self.reading.insert(key.clone())
    }

    pub(super) fn end_reading(&mut self, key: &ListKey) {
        self.reading.remove(key);
    }

    pub(super) fn set_institutions(&mut self, key: &ListKey, institutions: Vec<Institution>, read_at: Timestamp) {
        self.read.insert(key.clone(), InstitutionList { institutions, read_at });
        self.drop_unused();
    }

    pub(super) fn institutions(&self, key: &ListKey) -> Option<&[Institution]> {
        Some(&self.read.get(key)?.institutions)
    }

    /// What the institutions of all lists are called.
    pub(super) fn institution_names(&self) -> BTreeSet<String> {
        let listed = self.read.values().flat_map(|list| &list.institutions);
        listed.map(|institution| institution.name.clone()).collect()
    }

    pub(super) fn read_at(&self, key: &ListKey) -> Option<Timestamp> {
        Some(self.read.get(key)?.read_at)
    }

    /// Every set of lists of which something can be shown: one has been read, or there is none to be read.
    pub(super) fn shown(&self) -> HashSet<Arc<[ListKey]>> {
        let sets = self.partners.values().map(|entry| entry.keys.clone());
        let ready = |keys: &Arc<[ListKey]>| keys.is_empty() || keys.iter().any(|key| self.read.contains_key(key));
        sets.filter(ready).collect()
    }

    /// Whether all of these lists have been read.
    pub(super) fn are_read(&self, keys: &[ListKey]) -> bool {
        keys.iter().all(|key| self.read.contains_key(key))
    }

    /// Which ways to link there are in a country, of these lists.
    pub(super) fn ways(&self, keys: &[ListKey], policy: &Policy, (country, pages): (&str, bool)) -> LinkingWays {
        let listed = keys.iter().filter_map(|key| Some((key, self.read.get(key)?)));
        let institutions = listed.flat_map(|(key, list)| {
            let provider = key.provider.as_str();
            list.institutions.iter().map(move |institution| (provider, institution))
        });
        linking_ways(institutions, policy, country, pages)
    }

    /// What institutions of a country are called that are in these lists and not among what can be linked there.
    pub(super) fn unlinkable(&self, keys: &[ListKey], offers: &[Offer], country: &str) -> Vec<String> {
        let offered: HashSet<_> = offers
            .iter()
            .map(|offer| (offer.provider.as_str(), offer.institution.id.as_str()))
            .collect();
        let listed = keys.iter().filter_map(|key| Some((&key.provider, self.read.get(key)?)));
        let all = listed.flat_map(|(provider, list)| list.institutions.iter().map(move |one| (provider, one)));
        all.filter(|(provider, one)| is_in(one, country) && !offered.contains(&(provider.as_str(), one.id.as_str())))
            .map(|(_, one)| one.searched_name())
            .collect()
    }

    /// What can be linked in a country, of these lists; with `pages`, also what needs a page sent to the person.
    pub(super) fn offers(&self, keys: &[ListKey], policy: &Policy, (country, pages): (&str, bool)) -> Vec<Offer> {
        let listed = keys
            .iter()
            .filter_map(|key| Some((key.provider.as_str(), self.read.get(key)?)));
        let mut offers: Vec<_> = listed
            .flat_map(|(provider, list)| list.institutions.iter().map(move |institution| (provider, institution)))
            .filter(|(_, institution)| is_in(institution, country))
            .map(|(provider, institution)| Offer {
                provider: provider.to_owned(),
                institution: with_offerable_methods(institution, provider, policy, country, pages),
            })
            .filter(|offer| !offer.institution.methods.is_empty())
            .collect();
        // A total order, so that menu numbers of equal names stay with their banks.
        offers.sort_by_cached_key(|offer| {
            let Institution { id, name, business, .. } = &offer.institution;
            (name.to_lowercase(), *business, offer.provider.clone(), id.clone())
        });
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u16, provider: &str) -> ListKey {
        let [high, low] = n.to_be_bytes();
        let mut id = [0; 16];
        (id[0], id[1]) = (high, low);
        ListKey {
            partner: PartnerId::from_bytes(id),
            provider: provider.to_owned(),
        }
    }

    /// However many partners there are, few are in memory: the one used longest ago goes, with its lists; the operator stays.
    #[test]
    fn memory_is_bounded() {
        let start = Timestamp::from_millis(1_000_000);
        let operator = key(0, "a");
        let mut lists = Lists::new(operator.partner, vec![operator.clone()], start);
        lists.set_institutions(&operator, Vec::new(), start);
        let partners = u16::try_from(MAX_PARTNERS).expect("few") + 10;
        for n in 1..=partners {
            let (key, now) = (key(n, "b"), start.plus(Duration::from_secs(n.into())));
            assert!(lists.set_keys(key.partner, vec![key.clone(), operator.clone()], now));
            lists.set_institutions(&key, Vec::new(), now);
        }
        assert_eq!(lists.partners().count(), MAX_PARTNERS + 1);
        assert_eq!(lists.read.len(), MAX_PARTNERS + 1);
        let known = |lists: &Lists, n| lists.partners().any(|id| id == key(n, "b").partner);
        assert!(known(&lists, 0) && !known(&lists, 10) && known(&lists, 11));
        let later = start.plus(KEEP_UNUSED + Duration::from_secs(20));
        assert!(!lists.keep(key(11, "b").partner, later) && lists.keep(key(30, "b").partner, later));
        assert!(!known(&lists, 11) && lists.institutions(&operator).is_some());
    }
}
