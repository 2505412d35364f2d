//! What can be linked: every provider's institutions, kept for a while, shown stale rather than not at all.
//!
//! Lists are read in the background ([`Catalogue::keep_fresh`]), each provider's by itself: a slow provider holds up
//! neither the lists of others nor any turn. Turns take what is there; only a turn that would show the list and has none
//! waits for it, briefly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::providers::Providers;
use crate::core::flow::Offer;
use crate::core::policy::Policy;
use crate::core::time::{Clock, Timestamp};
use crate::providers::offer::with_offerable_methods;
use crate::providers::{AuthMethod, Institution};

/// How long a turn that needs a list waits for one that has never been read.
const MAX_WAIT: Duration = Duration::from_millis(2500);

/// How soon a list that has never been read is requested again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The institutions of all providers.
pub struct Catalogue {
    providers: Arc<Providers>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    /// Whether a page can be sent to a person.
    pages: bool,
    lists: Mutex<HashMap<String, InstitutionList>>,
    /// What can be linked, by country. Turns that wait for the first list watch it.
    offers: watch::Sender<HashMap<String, Arc<Vec<Offer>>>>,
}

struct InstitutionList {
    institutions: Vec<Institution>,
    read_at: Timestamp,
}

impl Catalogue {
    pub fn new(providers: Arc<Providers>, policy: Policy, clock: Arc<dyn Clock>) -> Self {
        Self {
            providers,
            policy,
            clock,
            pages: true,
            lists: Mutex::default(),
            offers: watch::Sender::default(),
        }
    }

    /// The same, and whether journeys that need a page sent to the person are offered.
    #[must_use]
    pub fn offering_pages(self, pages: bool) -> Self {
        Self { pages, ..self }
    }

    /// What can be linked on a channel of this country, as it was last read, however old. `None` before the first list.
    pub fn offers(&self, country: &str) -> Option<Arc<Vec<Offer>>> {
        self.offers.borrow().get(country).cloned()
    }

    /// Waits until there are offers for this country, at most 2.5 s. Says whether there are.
    pub async fn wait_for_offers(&self, country: &str) -> bool {
        let mut offers = self.offers.subscribe();
        let there = offers.wait_for(|offers| offers.contains_key(country));
        matches!(tokio::time::timeout(MAX_WAIT, there).await, Ok(Ok(_)))
    }

    /// An institution by provider and our key for it, with every auth method.
    pub fn institution(&self, provider: &str, id: &str) -> Option<Institution> {
        let lists = self.lists();
        let listed = &lists.get(provider)?.institutions;
        listed.iter().find(|institution| institution.id == id).cloned()
    }

    /// Whether there is a provider with this name whose list has never been read.
    pub fn is_unread(&self, provider: &str) -> bool {
        !self.lists().contains_key(provider) && self.providers.provider(provider).is_some()
    }

    /// The ways to log in at an institution that may be offered in every country where it is offered at all.
    pub fn usable_methods(&self, provider: &str, id: &str) -> Vec<AuthMethod> {
        let offers = self.offers.borrow();
        let is_meant = |offer: &&Offer| offer.provider == provider && offer.institution.id == id;
        let mut meant = offers
            .values()
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
        join_all(self.providers.names().iter().map(|name| self.read_if_due(name))).await;
    }

    async fn read_if_due(&self, name: &str) {
        if self.age(name).is_some_and(|age| age < self.ttl(name)) {
            return;
        }
        let read_at = self.clock.now();
        match self.providers.institutions(name).await {
            Ok(institutions) => {
                tracing::info!(provider = name, count = institutions.len(), "institution list read");
                let listed = InstitutionList { institutions, read_at };
                let mut lists = self.lists();
                lists.insert(name.to_owned(), listed);
                self.publish_offers(&lists);
            }
            Err(error) => {
                tracing::warn!(provider = name, %error, "reading an institution list failed, the old one stays");
            }
        }
    }

    /// How long ago a provider's list was read.
    fn age(&self, name: &str) -> Option<Duration> {
        Some(self.clock.now().since(self.lists().get(name)?.read_at))
    }

    fn ttl(&self, name: &str) -> Duration {
        let provider = self.providers.provider(name);
        provider.map_or(RETRY_AFTER, |provider| provider.facts().institutions_ttl)
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, InstitutionList>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_offers(&self, lists: &HashMap<String, InstitutionList>) {
        let countries = self.providers.countries().iter();
        let offers = countries.map(|country| (country.clone(), Arc::new(self.offers_in(lists, country))));
        self.offers.send_replace(offers.collect());
    }

    fn offers_in(&self, lists: &HashMap<String, InstitutionList>, country: &str) -> Vec<Offer> {
        let mut offers: Vec<_> = lists
            .iter()
            .flat_map(|(provider, listed)| {
                listed
                    .institutions
                    .iter()
                    .map(move |institution| (provider, institution))
            })
            .filter(|(_, institution)| {
                institution
                    .country
                    .as_deref()
                    .is_none_or(|c| c.eq_ignore_ascii_case(country))
            })
            .map(|(provider, institution)| Offer {
                provider: provider.clone(),
                institution: with_offerable_methods(institution, provider, &self.policy, country, self.pages),
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

    /// Keeps the lists fresh until the process ends, each at its own pace. A failed first read is tried again soon.
    pub async fn keep_fresh(self: Arc<Self>) {
        let names = self.providers.names();
        join_all(names.iter().map(|name| self.refresh_loop(name))).await;
    }

    async fn refresh_loop(&self, name: &str) {
        loop {
            self.read_if_due(name).await;
            let pause = match self.age(name) {
                Some(_) => self.ttl(name).min(Duration::from_mins(1)),
                None => RETRY_AFTER,
            };
            tokio::time::sleep(pause).await;
        }
    }
}
