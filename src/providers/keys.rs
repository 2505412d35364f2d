//! The keys that a partner has at a provider. Their number, names and shapes are the provider's: it declares them, and
//! checks them; everybody else carries them as one opaque thing, and seals them as one.

use std::collections::BTreeMap;
use std::fmt;

use super::ProviderError;
use crate::core::secret::Secret;

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
