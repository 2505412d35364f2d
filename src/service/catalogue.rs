//! What can be linked: every provider's institutions, kept for a while, shown stale rather than not at all.
//!
//! A partner can link at the providers where it has keys. Where every partner's list is the same, one list serves all of
//! them and is read with the operator's keys; where the provider's console decides, each partner has a list of its own,
//! read with its own keys ([`ListScope`]). Those are held for the partners that people have lately been asked for.
//!
//! Lists are read in the background ([`Catalogue::keep_fresh`]), each by itself: a slow provider holds up neither other lists
//! nor any turn. Turns take what is there; only a turn that would show the list and has none waits for it, briefly.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use self::lists::{ListKey, Lists};
use self::published::{Countries, Published};
use super::flow_in_force::FlowInForce;
use super::providers::{ProviderCallError, Providers};
use crate::core::flow::{Offer, OfferList};
use crate::core::ids::PartnerId;
use crate::core::time::Clock;
use crate::providers::{AuthMethod, Institution, ListScope};

mod lists;
mod published;

/// How long a turn that needs a list waits for one that has never been read.
const MAX_WAIT: Duration = Duration::from_millis(2500);

/// How soon a list that has never been read is requested again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How often it is looked which keys a partner has, and whether a list is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// The institutions of all providers.
pub struct Catalogue {
    providers: Arc<Providers>,
    flow: FlowInForce,
    clock: Arc<dyn Clock>,
    /// In which countries a page can be sent to a person.
    pages: BTreeSet<String>,
    lists: Mutex<Lists>,
    /// Turns that wait for the first list watch it.
    published: watch::Sender<Published>,
    /// Changes when there is more to keep fresh.
    wanted: watch::Sender<()>,
}

/// What is kept fresh by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Upkeep {
    List(ListKey),
    /// Which keys a partner has.
    Partner(PartnerId),
}

impl Catalogue {
    pub fn new(providers: Arc<Providers>, flow: FlowInForce, clock: Arc<dyn Clock>) -> Self {
        let operator = providers.partner();
        let keys = providers.names().into_iter().map(|provider| ListKey {
            partner: operator,
            provider,
        });
        let lists = Lists::new(operator, keys.collect(), clock.now());
        let pages = providers.countries().iter().cloned().collect();
        let catalogue = Self {
            providers,
            flow,
            clock,
            pages,
            lists: Mutex::new(lists),
            published: watch::Sender::default(),
            wanted: watch::Sender::default(),
        };
        catalogue.publish(&catalogue.lists());
        catalogue
    }

    /// The same, where journeys that need a page sent to the person are offered in these countries only.
    #[must_use]
    pub fn offering_pages_in(self, countries: BTreeSet<String>) -> Self {
        Self {
            pages: countries,
            ..self
        }
    }

    /// What a partner can link on a channel of this country, as it was last read, however old; `None` before the first list.
    /// And whether every list that it comes from has been read.
    pub fn offers(&self, partner: PartnerId, country: &str) -> (Option<Arc<OfferList>>, bool) {
        let (keys, all_read) = {
            let mut lists = self.lists();
            let Some(keys) = lists.used(partner, self.clock.now()) else {
                return (None, false);
            };
            let all_read = lists.are_read(&keys);
            (keys, all_read)
        };
        let published = self.published.borrow();
        let offers = published.offers.get(&keys).and_then(|offers| offers.get(country));
        // That nothing can be linked is not known before every list was seen.
        let known = offers.filter(|offers| all_read || !offers.is_empty());
        (known.cloned(), all_read)
    }

    /// Why nobody can link anything on lines of a country, of each of which that is so, by the operator's lists; `None` before
    /// all have been read.
    pub fn no_ways(&self) -> Option<Vec<String>> {
        self.published.borrow().no_ways.clone()
    }

    /// Waits until there are offers of a partner for this country, at most 2.5 s. Says whether there are.
    pub async fn wait_for_offers(&self, partner: PartnerId, country: &str) -> bool {
        let come = async {
            let mut published = self.published.subscribe();
            self.load_partner(partner).await;
            while self.offers(partner, country).0.is_none() {
                if published.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        matches!(tokio::time::timeout(MAX_WAIT, come).await, Ok(true))
    }

    /// Has a partner's lists read if it has not been asked for lately; waits for that at most 2.5 s.
    pub async fn prepare(&self, partner: PartnerId) {
        if tokio::time::timeout(MAX_WAIT, self.load_partner(partner))
            .await
            .is_err()
        {
            tracing::warn!(%partner, "a partner's institution lists are late");
        }
    }

    /// Which keys a partner has, if that has not been asked for lately, and its own lists.
    async fn load_partner(&self, partner: PartnerId) {
        if self.lists().used(partner, self.clock.now()).is_none() {
            self.read_keys(partner).await;
        }
        let keys = self.lists().own_keys(partner);
        self.read_lists(keys).await;
    }

    /// An institution by provider and our key for it, with every auth method, as a partner's list has it.
    pub fn institution(&self, partner: PartnerId, provider: &str, id: &str) -> Option<Institution> {
        let key = self.list_key(partner, provider)?;
        let lists = self.lists();
        let listed = lists.institutions(&key)?;
        listed.iter().find(|institution| institution.id == id).cloned()
    }

    /// What the institutions of all lists are called that have been read.
    pub fn institution_names(&self) -> BTreeSet<String> {
        self.lists().institution_names()
    }

    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Whether there is a provider with this name whose list for this partner has never been read.
    pub fn is_unread(&self, partner: PartnerId, provider: &str) -> bool {
        let Some(key) = self.list_key(partner, provider) else {
            return false;
        };
        let lists = self.lists();
        lists.all_keys().contains(&key) && lists.institutions(&key).is_none()
    }

    /// Waits until a provider's list for this partner has been read, at most 2.5 s.
    pub async fn wait_for_list(&self, partner: PartnerId, provider: &str) {
        let come = async {
            let mut published = self.published.subscribe();
            self.load_partner(partner).await;
            while self.is_unread(partner, provider) && published.changed().await.is_ok() {}
        };
        // Whether it is there is asked next.
        let _ = tokio::time::timeout(MAX_WAIT, come).await;
    }

    /// The ways to log in at an institution that may be offered in every country where it is offered to this partner at all.
    pub fn usable_methods(&self, partner: PartnerId, provider: &str, id: &str) -> Vec<AuthMethod> {
        let offers = self.providers.countries().iter();
        let offers: Vec<_> = offers.filter_map(|country| self.offers(partner, country).0).collect();
        let is_meant = |offer: &&Offer| offer.provider == provider && offer.institution.id == id;
        let mut meant = offers
            .iter()
            .filter_map(|offers| offers.iter().find(is_meant))
            .map(|offer| &offer.institution.methods);
        let mut methods = meant.next().cloned().unwrap_or_default();
        for others in meant {
            methods.retain(|method| others.contains(method));
        }
        methods
    }

    /// Reads the lists that are due, all at once. A list that cannot be read stays as it was.
    pub async fn refresh(&self) {
        let keys = self.lists().all_keys();
        self.read_lists(keys).await;
    }

    async fn read_lists(&self, keys: Vec<ListKey>) {
        join_all(keys.iter().map(|key| self.read_if_due(key))).await;
    }

    fn list_key(&self, partner: PartnerId, provider: &str) -> Option<ListKey> {
        let facts = self.providers.provider(provider)?.facts();
        Some(ListKey {
            partner: match facts.lists {
                ListScope::Operator => self.providers.partner(),
                ListScope::Partner => partner,
            },
            provider: provider.to_owned(),
        })
    }

    async fn read_keys(&self, partner: PartnerId) {
        match self.providers.names_of(partner).await {
            Ok(names) => {
                let keys = names.iter().filter_map(|name| self.list_key(partner, name)).collect();
                let mut lists = self.lists();
                if lists.set_keys(partner, keys, self.clock.now()) {
                    self.publish(&lists);
                    self.wanted.send_replace(());
                }
            }
            Err(error) => tracing::warn!(%partner, %error, "reading a partner's providers failed"),
        }
    }

    async fn read_if_due(&self, key: &ListKey) {
        let name = key.provider.as_str();
        let age = self.age(key);
        if age.is_some_and(|age| age < self.ttl(name)) || !self.lists().begin_reading(key) {
            return;
        }
        let _reading = Reading { catalogue: self, key };
        let read_at = self.clock.now();
        match self.providers.institutions(key.partner, name).await {
            Ok(institutions) => {
                tracing::info!(provider = name, count = institutions.len(), "institution list read");
                let mut lists = self.lists();
                lists.set_institutions(key, institutions, read_at);
                self.publish(&lists);
            }
            // Its keys have just been taken away.
            Err(ProviderCallError::NotSetUp) if key.partner != self.providers.partner() => {}
            Err(error) => {
                tracing::warn!(provider = name, %error, "reading an institution list failed, the old one stays");
            }
        }
    }

    /// How long ago a list was read.
    fn age(&self, key: &ListKey) -> Option<Duration> {
        Some(self.clock.now().since(self.lists().read_at(key)?))
    }

    fn ttl(&self, provider: &str) -> Duration {
        let provider = self.providers.provider(provider);
        provider.map_or(RETRY_AFTER, |provider| provider.facts().institutions_ttl)
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, lists: &Lists) {
        let countries = Countries {
            all: self.providers.countries(),
            pages: &self.pages,
        };
        let (flow, operator) = (self.flow.get(), self.providers.partner());
        let next = Published::of(lists, flow, operator, countries, &self.published.borrow());
        if next.no_ways != self.no_ways() {
            for why in next.no_ways.iter().flatten() {
                tracing::error!("{why}");
            }
        }
        self.published.send_replace(next);
    }

    /// Keeps the lists fresh until the process ends, each at its own pace, and in the words that are in force. A failed first
    /// read is tried again soon.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut running = HashSet::new();
        let mut work = FuturesUnordered::new();
        let mut wanted = self.wanted.subscribe();
        let mut words = self.flow.subscribe();
        loop {
            for upkeep in self.upkeep() {
                if running.insert(upkeep.clone()) {
                    work.push(self.keep(upkeep));
                }
            }
            tokio::select! {
                Some(done) = work.next() => {
                    running.remove(&done);
                }
                Ok(()) = wanted.changed() => {}
                Ok(()) = words.changed() => self.publish(&self.lists()),
            }
        }
    }

    fn upkeep(&self) -> Vec<Upkeep> {
        let lists = self.lists();
        let partners = lists.partners().filter(|id| *id != self.providers.partner());
        let partners: Vec<_> = partners.map(Upkeep::Partner).collect();
        lists.all_keys().into_iter().map(Upkeep::List).chain(partners).collect()
    }

    /// Keeps one thing fresh for as long as it is needed.
    async fn keep(&self, upkeep: Upkeep) -> Upkeep {
        let mut wanted = self.wanted.subscribe();
        let mut changed = self.providers.keys_changed();
        loop {
            let pause = match &upkeep {
                Upkeep::List(key) if self.lists().all_keys().contains(key) => {
                    self.read_if_due(key).await;
                    match self.age(key) {
                        Some(_) => self.ttl(&key.provider).min(LOOK_EVERY),
                        None => RETRY_AFTER,
                    }
                }
                Upkeep::Partner(partner) if self.lists().keep(*partner, self.clock.now()) => {
                    self.read_keys(*partner).await;
                    LOOK_EVERY
                }
                _ => return upkeep,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = changed.changed(), if matches!(upkeep, Upkeep::Partner(_)) => {}
                // A list may have gone out of use and come back meanwhile.
                Ok(()) = wanted.changed(), if matches!(upkeep, Upkeep::List(_)) => {}
            }
        }
    }
}

/// A list that is being read, until this is dropped: a turn that gives up waiting must not keep others from reading.
struct Reading<'a> {
    catalogue: &'a Catalogue,
    key: &'a ListKey,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.catalogue.lists().end_reading(self.key);
    }
}
