//! An adapter's own settings: it declares them, the configuration reads them flat beside the common ones, checks them, and
//! hands them over when the adapter is built. Those that are secret may be in a file of their own, and are never shown.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::core::secret::Secret;

/// What stands for a secret wherever settings are shown.
pub const REDACTED: &str = "(set)";

/// One setting that an adapter declares. Its key must differ from the common ones of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingRequirement {
    pub key: &'static str,
    pub kind: SettingKind,
    pub required: bool,
    /// What to write, as an instruction: for the person who left it out or got it wrong.
    pub remedy: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    Text,
    /// May be given as `{key}_file` too.
    Secret,
    /// Of an https address, or of one on this machine.
    Url,
    /// One of these words; the first holds where none is given.
    Choice(&'static [&'static str]),
}

impl SettingRequirement {
    pub const fn required(key: &'static str, kind: SettingKind, remedy: &'static str) -> Self {
        Self {
            key,
            kind,
            required: true,
            remedy,
        }
    }

    pub const fn optional(key: &'static str, kind: SettingKind, remedy: &'static str) -> Self {
        Self {
            required: false,
            ..Self::required(key, kind, remedy)
        }
    }
}

#[derive(Debug)]
enum SettingValue {
    Plain(String),
    Secret(Secret),
}

/// What was set, by key. Prints and serializes no secret.
#[derive(Debug, Default)]
pub struct SettingValues(BTreeMap<&'static str, SettingValue>);

impl SettingValues {
    pub fn set_plain(&mut self, key: &'static str, text: impl Into<String>) {
        self.0.insert(key, SettingValue::Plain(text.into()));
    }

    pub fn set_secret(&mut self, key: &'static str, secret: Secret) {
        self.0.insert(key, SettingValue::Secret(secret));
    }

    /// A setting that is no secret.
    pub fn plain(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            SettingValue::Plain(text) => Some(text),
            SettingValue::Secret(_) => None,
        }
    }

    pub fn secret(&self, key: &str) -> Option<&Secret> {
        match self.0.get(key)? {
            SettingValue::Plain(_) => None,
            SettingValue::Secret(secret) => Some(secret),
        }
    }

    /// A setting that is no secret and must be there.
    ///
    /// # Errors
    /// When it is not set.
    pub fn required_plain(&self, key: &'static str) -> Result<&str, SettingError> {
        self.plain(key).ok_or(SettingError::missing(key))
    }

    /// A secret that must be there.
    ///
    /// # Errors
    /// When it is not set.
    pub fn required_secret(&self, key: &'static str) -> Result<&Secret, SettingError> {
        self.secret(key).ok_or(SettingError::missing(key))
    }
}

impl Serialize for SettingValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(
                key,
                match value {
                    SettingValue::Plain(text) => text.as_str(),
                    SettingValue::Secret(_) => REDACTED,
                },
            )?;
        }
        map.end()
    }
}

/// Why an adapter cannot be built with its settings. Carries fixed text, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct SettingError {
    pub key: &'static str,
    pub problem: &'static str,
    pub remedy: &'static str,
}

impl SettingError {
    pub const fn missing(key: &'static str) -> Self {
        Self {
            key,
            problem: "is missing",
            remedy: "set it",
        }
    }
}
