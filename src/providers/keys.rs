//! The keys that a partner has at a provider. Their number, names and shapes are the provider's: it declares them, and
//! checks them; everybody else carries them as one opaque thing, and seals them as one.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::ProviderError;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// The key that proves a provider's webhooks, where it has one that its partner sets.
const WEBHOOK_SECRET: &str = "webhook_secret";

/// The one before it, which proves them too for a while: events under way were signed with it, and the provider's console
/// is changed at another moment than we are.
pub const PREVIOUS_WEBHOOK_SECRET: &str = "webhook_secret.previous";

/// Until when, in milliseconds.
const PREVIOUS_UNTIL: &str = "webhook_secret.previous_until";

/// For how long.
pub const WEBHOOK_SECRET_OVERLAP: Duration = Duration::from_hours(24);

/// A key that a provider needs or can use.
pub struct KeyRequirement {
    /// Its name in the configuration, in the API and in the sealed row.
    pub name: &'static str,
    /// Without it nothing can be called.
    pub required: bool,
    /// What it is and where to find it, in one sentence.
    pub help: &'static str,
    /// What is wrong with a value, as the end of "`name` …"; looked at before the provider is asked.
    pub check: fn(&str) -> Result<(), &'static str>,
    /// Whether a value reaches real banks: the sandbox refuses it.
    pub is_production: fn(&str) -> bool,
}

impl fmt::Debug for KeyRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The keys of one partner at one provider, by the names that the provider declares.
#[derive(Default)]
pub struct ProviderKeys(BTreeMap<String, Secret>);

impl ProviderKeys {
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// # Errors
    /// `Refused` when there is no such key.
    pub fn required(&self, name: &str) -> Result<&Secret, ProviderError> {
        self.get(name)
            .ok_or(ProviderError::Refused("a key that it needs is not set"))
    }

    pub fn insert(&mut self, name: &str, key: Secret) {
        self.0.insert(name.to_owned(), key);
    }

    /// These keys in place of `stored`: a webhook secret that is replaced stays valid for `WEBHOOK_SECRET_OVERLAP`.
    #[must_use]
    pub fn replacing(mut self, stored: &Self, now: Timestamp) -> Self {
        let Some(new) = self.get(WEBHOOK_SECRET) else {
            return self;
        };
        let copied = |name: &str| stored.get(name).map(|key| Secret::new(key.expose()));
        let (previous, until) = match stored.get(WEBHOOK_SECRET) {
            // Set once more: what is on its way out is no longer valid for that.
            Some(old) if old.expose() == new.expose() => (copied(PREVIOUS_WEBHOOK_SECRET), copied(PREVIOUS_UNTIL)),
            Some(_) => {
                let until = now.plus(WEBHOOK_SECRET_OVERLAP).as_millis().to_string();
                (copied(WEBHOOK_SECRET), Some(Secret::new(until)))
            }
            None => (None, None),
        };
        if let (Some(previous), Some(until)) = (previous, until) {
            self.insert(PREVIOUS_WEBHOOK_SECRET, previous);
            self.insert(PREVIOUS_UNTIL, until);
        }
        self
    }

    /// Without what is no longer valid.
    #[must_use]
    pub fn in_force(mut self, now: Timestamp) -> Self {
        let until = self.0.remove(PREVIOUS_UNTIL);
        let until = until
            .and_then(|until| until.expose().parse().ok())
            .map(Timestamp::from_millis);
        if until.is_none_or(|until| until <= now) {
            self.0.remove(PREVIOUS_WEBHOOK_SECRET);
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, key)| (name.as_str(), key))
    }

    /// The name of a key among these that reaches real banks.
    pub fn production_key(&self, requirements: &[KeyRequirement]) -> Option<&'static str> {
        let is_production = |requirement: &&KeyRequirement| {
            let key = self.get(requirement.name);
            key.is_some_and(|key| (requirement.is_production)(key.expose()))
        };
        requirements
            .iter()
            .find(is_production)
            .map(|requirement| requirement.name)
    }

    /// What is wrong with these keys by the provider's own declaration: the name, and the end of a sentence about it.
    pub fn faults(&self, requirements: &[KeyRequirement]) -> Vec<(String, &'static str)> {
        let known = |name: &str| requirements.iter().any(|requirement| requirement.name == name);
        let unknown = self.0.keys().filter(|name| !known(name));
        let mut faults: Vec<_> = unknown
            .map(|name| (name.clone(), "is not a key of this provider"))
            .collect();
        for requirement in requirements {
            let fault = match self.get(requirement.name) {
                Some(key) => (requirement.check)(key.expose()).err(),
                None if requirement.required => Some("is missing"),
                None => None,
            };
            faults.extend(fault.map(|fault| (requirement.name.to_owned(), fault)));
        }
        faults
    }
}

impl<N: Into<String>> FromIterator<(N, Secret)> for ProviderKeys {
    fn from_iter<I: IntoIterator<Item = (N, Secret)>>(keys: I) -> Self {
        Self(keys.into_iter().map(|(name, key)| (name.into(), key)).collect())
    }
}

/// Names only.
impl fmt::Debug for ProviderKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A webhook secret that is replaced stays valid beside the new one for a while, and no longer; setting the same keys
    /// again, as every start of a process does, neither ends that nor prolongs it. One that is taken away is not valid at all.
    #[test]
    fn webhook_secrets_overlap_when_they_are_replaced() {
        let keys = |secret: Option<&str>| -> ProviderKeys {
            let secret = secret.map(|secret| (WEBHOOK_SECRET, Secret::new(secret)));
            [("secret_key", Secret::new("k"))].into_iter().chain(secret).collect()
        };
        let valid = |stored: &ProviderKeys, now: Timestamp| -> Vec<String> {
            let copy: ProviderKeys = stored
                .iter()
                .map(|(name, key)| (name, Secret::new(key.expose())))
                .collect();
            let keys = copy.in_force(now);
            assert!(keys.get(PREVIOUS_UNTIL).is_none());
            let both = [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET].into_iter();
            both.filter_map(|name| Some(keys.get(name)?.expose().to_owned()))
                .collect()
        };
        let start = Timestamp::from_millis(1_000_000);
        let later = start.plus(Duration::from_hours(23));
        let stored = keys(Some("new")).replacing(&keys(Some("old")), start);
        assert_eq!(valid(&stored, later), ["new", "old"]);
        let again = keys(Some("new")).replacing(&stored, later);
        assert_eq!(valid(&again, later), ["new", "old"]);
        assert_eq!(valid(&again, start.plus(WEBHOOK_SECRET_OVERLAP)), ["new"]);
        let third = keys(Some("third")).replacing(&again, later);
        assert_eq!(valid(&third, later), ["third", "new"]);
        assert_eq!(valid(&keys(None).replacing(&third, later), later), [""; 0]);
        assert_eq!(
            valid(&keys(Some("first")).replacing(&keys(None), start), start),
            ["first"]
        );
    }
}
