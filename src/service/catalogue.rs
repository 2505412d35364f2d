//! What can be linked: every provider's institutions, kept for a while, shown stale rather than not at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::partner::Providers;
use crate::core::flow::Offer;
use crate::core::policy::Policy;
use crate::core::time::{Clock, Timestamp};
use crate::providers::Institution;
use crate::providers::offer::usable;

/// How long the first turns wait for a list that has never been read.
const PATIENCE: Duration = Duration::from_millis(2500);

/// The institutions of all providers.
pub struct Catalogue {
    providers: Arc<Providers>,
    policy: Policy,
    ttl: Duration,
    clock: Arc<dyn Clock>,
    lists: Mutex<HashMap<String, Listed>>,
    offers: std::sync::Mutex<HashMap<String, Arc<Vec<Offer>>>>,
}

struct Listed {
    institutions: Vec<Institution>,
    read_at: Timestamp,
}

impl Catalogue {
    /// A catalogue whose lists are read anew after `ttl`.
    pub fn new(providers: Arc<Providers>, policy: Policy, ttl: Duration, clock: Arc<dyn Clock>) -> Self {
        Self {
            providers,
            policy,
            ttl,
            clock,
            lists: Mutex::default(),
            offers: std::sync::Mutex::default(),
        }
    }

    /// What can be linked on a channel of this country. What was read before is given at once, however old: a background
    /// task ([`Catalogue::keep_fresh`]) reads it anew. Only when nothing was ever read does the caller wait, a little.
    pub async fn offers(&self, country: &str) -> Option<Arc<Vec<Offer>>> {
        if let Some(offers) = self.known(country) {
            return Some(offers);
        }
        let _ = tokio::time::timeout(PATIENCE, self.refresh()).await;
        self.known(country)
    }

    fn known(&self, country: &str) -> Option<Arc<Vec<Offer>>> {
        self.offers.lock().ok()?.get(country).cloned()
    }

    /// An institution by provider and our key for it, with every auth method.
    pub async fn institution(&self, provider: &str, id: &str) -> Option<Institution> {
        let lists = self.lists.lock().await;
        lists
            .get(provider)?
            .institutions
            .iter()
            .find(|institution| institution.id == id)
            .cloned()
    }

    /// Reads the lists that are due. A list that cannot be read stays as it was.
    pub async fn refresh(&self) {
        let mut lists = self.lists.lock().await;
        let now = self.clock.now();
        for name in self.providers.names() {
            if lists
                .get(&name)
                .is_some_and(|listed| now.since(listed.read_at) < self.ttl)
            {
                continue;
            }
            match self.providers.institutions(&name).await {
                Ok(institutions) => {
                    tracing::info!(provider = name, count = institutions.len(), "institutions read");
                    lists.insert(
                        name,
                        Listed {
                            institutions,
                            read_at: now,
                        },
                    );
                }
                Err(error) => {
                    tracing::warn!(provider = name, %error, "the institutions could not be read; the old list stays");
                }
            }
        }
        let countries = self.providers.countries().to_vec();
        if let Ok(mut offers) = self.offers.lock() {
            for country in countries.iter().filter(|_| !lists.is_empty()) {
                offers.insert(country.clone(), Arc::new(self.offered(&lists, country)));
            }
        }
    }

    fn offered(&self, lists: &HashMap<String, Listed>, country: &str) -> Vec<Offer> {
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
                institution: usable(institution, provider, &self.policy, country),
            })
            .filter(|offer| !offer.institution.methods.is_empty())
            .collect();
        offers.sort_by_key(|offer| offer.institution.name.to_lowercase());
        offers
    }

    /// Keeps the lists fresh until the process ends. A failed read is tried again soon.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            self.refresh().await;
            let have = !self.lists.lock().await.is_empty();
            let pause = if have {
                self.ttl.min(Duration::from_mins(1))
            } else {
                Duration::from_secs(2)
            };
            tokio::time::sleep(pause).await;
        }
    }
}
