//! The providers, called with a partner's credentials.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::deps::Deps;
use super::sealing::wiped_json;
use crate::core::flow::ProviderRules;
use crate::core::ids::{ConnectSessionId, PartnerId};
use crate::core::seal::{Keyring, SealContext, SubscriberTag};
use crate::core::secret::Secret;
use crate::core::time::Rng;
use crate::providers::{Institution, Provider, ProviderError, ProviderKeys, ProviderRegistry};
use crate::records::{Partner, RecordsError};

pub struct Providers {
    registry: ProviderRegistry,
    partner: PartnerId,
    pub(super) deps: Deps,
    countries: Vec<String>,
    /// Changes when a partner's keys are set or deleted through this node.
    keys_changed: watch::Sender<()>,
}

/// Keys as they are sealed in their row.
#[derive(Serialize, Deserialize)]
struct SealedKeys(BTreeMap<String, Zeroizing<String>>);

/// Why a provider could not be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderCallError {
    /// There is no such provider, or it has no credentials of this partner.
    #[error("the provider is not set up for this partner")]
    NotSetUp,
    /// Nobody has agreed to that any more.
    #[error("the consent to the link is over")]
    ConsentEnded,
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Providers {
    /// The providers of `registry` as `partner` uses them, on channels of these countries.
    pub fn new(deps: &Deps, registry: ProviderRegistry, partner: PartnerId, countries: Vec<String>) -> Self {
        Self {
            registry,
            partner,
            deps: deps.clone(),
            countries,
            keys_changed: watch::Sender::default(),
        }
    }

    /// The operator's own partner.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    pub fn names(&self) -> Vec<String> {
        self.registry
            .iter()
            .map(|provider| provider.name().to_owned())
            .collect()
    }

    /// What the conversation must know of each provider.
    pub fn rules(&self) -> HashMap<String, ProviderRules> {
        let rules = |provider: &Arc<dyn Provider>| {
            let facts = provider.facts();
            let rules = ProviderRules {
                favourites: facts.favourites.clone(),
                timeout: facts.timeout,
                settle_for: facts.settle_for,
                max_rounds: facts.max_rounds,
            };
            (provider.name().to_owned(), rules)
        };
        self.registry.iter().map(rules).collect()
    }

    /// See [`ProviderFacts::settle_for`]; nothing is looked for at a provider that is not set up any more.
    ///
    /// [`ProviderFacts::settle_for`]: crate::providers::ProviderFacts::settle_for
    pub fn settle_for(&self, name: &str) -> Duration {
        self.registry
            .get(name)
            .map_or(Duration::ZERO, |provider| provider.facts().settle_for)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.registry.iter()
    }

    pub fn countries(&self) -> &[String] {
        &self.countries
    }

    /// A provider's name as a metric label.
    pub fn metric_label(&self, name: &str) -> &'static str {
        self.registry.get(name).map_or("unknown", |provider| provider.name())
    }

    /// A provider, without credentials: for its webhooks.
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.registry.get(name)
    }

    /// A provider with a partner's keys, opened for one use.
    ///
    /// # Errors
    /// When it is not set up or the records are not available.
    pub async fn with_keys(
        &self,
        partner: PartnerId,
        name: &str,
    ) -> Result<(Arc<dyn Provider>, ProviderKeys), ProviderCallError> {
        let provider = self.registry.get(name).ok_or(ProviderCallError::NotSetUp)?;
        let sealed = self
            .deps
            .records
            .credentials(partner, name)
            .await?
            .ok_or(ProviderCallError::NotSetUp)?;
        let keys = open_keys(&self.deps.sealing.keyring, &partner, name, &sealed).ok_or(ProviderCallError::NotSetUp)?;
        Ok((provider.clone(), keys.in_force(self.deps.clock.now())))
    }

    /// The providers at which a partner has keys.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn names_of(&self, partner: PartnerId) -> Result<Vec<String>, RecordsError> {
        let stored = self.deps.records.providers_of(partner).await?;
        let stored = stored.into_iter().map(|(name, _)| name);
        Ok(stored.filter(|name| self.registry.get(name).is_some()).collect())
    }

    pub fn keys_changed(&self) -> watch::Receiver<()> {
        self.keys_changed.subscribe()
    }

    pub fn note_keys_changed(&self) {
        self.keys_changed.send_replace(());
    }

    /// A provider's institutions, read with a partner's keys.
    ///
    /// # Errors
    /// When they cannot be read now.
    pub async fn institutions(&self, partner: PartnerId, name: &str) -> Result<Vec<Institution>, ProviderCallError> {
        let (provider, keys) = self.with_keys(partner, name).await?;
        Ok(provider.institutions(&keys).await?)
    }
}

/// What a provider knows a person of a partner by: nobody else's, at no other partner, and it gives nobody's number away. The
/// same on every node and for every try, so that they are one customer there.
pub fn person_reference(keyring: &Keyring, partner: PartnerId, provider: &str, tag: &SubscriberTag) -> String {
    let parts = [&partner.as_bytes()[..], provider.as_bytes(), &tag.as_bytes()[..]];
    let digest = keyring.digest("provider customer", &parts);
    format!(
        "{:016x}",
        u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
    )
}

/// What a provider knows this try at linking by: nobody else's, and it gives nobody's number away.
pub fn session_reference(session: ConnectSessionId) -> String {
    session.to_string().chars().filter(|c| *c != '-').take(16).collect()
}

/// Saves the partner of the configuration and its keys, sealed, so that all use is through the records.
///
/// # Errors
/// When the records are not available.
pub async fn save_partner(deps: &Deps, partner: &Partner, keys: &[(&str, ProviderKeys)]) -> Result<(), RecordsError> {
    deps.records.put_partner(partner).await?;
    for (provider, keys) in keys {
        let now = deps.clock.now();
        let keyring = &deps.sealing.keyring;
        let stored = deps.records.credentials(partner.id, provider).await?;
        let stored = stored.and_then(|sealed| open_keys(keyring, &partner.id, provider, &sealed));
        let keys = keys.iter().map(|(name, key)| (name, Secret::new(key.expose())));
        let keys = keys
            .collect::<ProviderKeys>()
            .replacing(&stored.unwrap_or_default(), now);
        let sealed = seal_keys(keyring, deps.rng.as_ref(), &partner.id, provider, &keys)?;
        deps.records.put_credentials(partner.id, provider, &sealed, now).await?;
    }
    Ok(())
}

/// A partner's keys at a provider as they are in their row, with what is on its way out; `None` if they do not open.
pub fn open_keys(keyring: &Keyring, partner: &PartnerId, provider: &str, sealed: &[u8]) -> Option<ProviderKeys> {
    let opened = keyring.open(&seal_context(partner, provider), sealed).ok()?;
    let SealedKeys(keys) = serde_json::from_slice(&opened).ok()?;
    let keys = keys.into_iter().map(|(name, key)| (name, Secret::new(key.as_str())));
    Some(keys.collect())
}

/// A partner's keys at a provider, sealed for their row.
///
/// # Errors
/// When they cannot be sealed: not in practice.
pub fn seal_keys(
    keyring: &Keyring,
    rng: &dyn Rng,
    partner: &PartnerId,
    provider: &str,
    keys: &ProviderKeys,
) -> Result<Vec<u8>, RecordsError> {
    let exposed = keys
        .iter()
        .map(|(name, key)| (name.to_owned(), Zeroizing::new(key.expose().to_owned())));
    let plain = SealedKeys(exposed.collect());
    let plain = wiped_json(&plain).map_err(|_| RecordsError::new("credentials"))?;
    let sealed = keyring.seal(&seal_context(partner, provider), &plain, rng);
    sealed.map_err(|error| RecordsError::new(error.to_string()))
}

fn seal_context<'a>(partner: &'a PartnerId, provider: &'a str) -> SealContext<'a> {
    SealContext {
        purpose: "credentials",
        subject: partner.as_bytes(),
        record: provider.as_bytes(),
        field: "keys",
    }
}
