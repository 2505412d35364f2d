//! What stands in `[providers.NAME]` for each provider, and how the provider is built from it. A new provider is its folder
//! and a row in [`PROVIDERS`](super::PROVIDERS).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeMap;
use url::Url;

use super::{AuthMethod, Institution, Journey, KeyRequirement, Provider, ProviderKeys};
use crate::core::next_step::{Field, FieldKind, Form};
use crate::http_client::HttpClient;
use crate::http_client::base_url::{BaseUrlError, is_loopback};

/// A provider that can be configured.
#[derive(Debug)]
pub struct ProviderRegistration {
    /// The name in the configuration and in every record.
    pub name: &'static str,
    /// The keys that the operator has there, flat in its table; any may be given as `{name}_file`.
    pub keys: &'static [KeyRequirement],
    /// Settings that no other provider has.
    pub settings: &'static [ProviderSetting],
    /// The kinds of login its institutions have: tells whether there is any way to link before a list was read.
    pub logins: &'static [LoginKind],
    pub defaults: ProviderDefaults,
    /// Whether it wants its clients to be eligible before they reach real banks, see [`crate::core::eligibility`].
    pub asks_eligibility: bool,
    /// What is wrong with settings and keys that are each right by themselves.
    pub check: fn(&ProviderSetup, &ProviderKeys, Strictness) -> Vec<SettingFault>,
    pub build: fn(ProviderSetup, HttpClient) -> Result<Arc<dyn Provider>, BaseUrlError>,
}

/// A kind of login that a provider's institutions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginKind {
    pub journey: Journey,
    /// Whether it asks for a secret on the phone.
    pub asks_secret: bool,
}

impl ProviderRegistration {
    /// Whether keys that reach real banks are taken here only from who has stated that it is eligible. On this machine stands
    /// no bank.
    pub fn asks_eligibility_at(&self, base_url: &Url) -> bool {
        self.asks_eligibility && !is_loopback(base_url)
    }

    /// An institution with every kind of login that there is here, by this id: stands for those that are not known yet.
    pub fn stand_in(&self, id: &str) -> Institution {
        let method = |kind: &LoginKind| {
            let field = kind.asks_secret.then(|| Field::new("secret", "", FieldKind::Secret));
            let open = (kind.journey == Journey::Keypad).then(|| Field::new("name", "", FieldKind::Text));
            AuthMethod {
                id: String::new(),
                name: String::new(),
                journey: kind.journey,
                form: Form {
                    title: None,
                    fields: open.into_iter().chain(field).collect(),
                },
                card_and_pin: false,
            }
        };
        Institution {
            id: id.to_owned(),
            provider_id: id.to_owned(),
            name: String::new(),
            country: None,
            business: false,
            methods: self.logins.iter().map(method).collect(),
            timeout: None,
        }
    }
}

/// What holds where the common settings are left out.
#[derive(Clone, Copy, Debug)]
pub struct ProviderDefaults {
    /// Its address, if it is the same for everybody; otherwise `base_url` is required.
    pub base_url: Option<&'static str>,
    pub timeout: Duration,
    pub institutions_ttl: Duration,
}

/// Whether weak secrets are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// In the sandbox: they protect nothing.
    Lenient,
    Strict,
}

/// A setting of one provider. Not a key: it is no secret, and shown.
#[derive(Debug)]
pub struct ProviderSetting {
    /// May be dotted, for a table within the provider's.
    pub key: &'static str,
    pub kind: SettingKind,
    pub required: bool,
    /// What holds where it is left out. Of a choice, the first word does.
    pub default: Option<&'static str>,
    /// What to write, for the person who left it out or got it wrong.
    pub remedy: &'static str,
}

impl ProviderSetting {
    /// One that may be left out.
    pub const fn optional(key: &'static str, kind: SettingKind, remedy: &'static str) -> Self {
        Self {
            key,
            kind,
            required: false,
            default: None,
            remedy,
        }
    }
}

#[derive(Debug)]
pub enum SettingKind {
    /// Text; the function says what is wrong with it.
    Text(fn(&str) -> Result<(), &'static str>),
    /// One of these words, the default first.
    Choice(&'static [&'static str]),
    Flag,
}

/// Something wrong with a setting or a key.
#[derive(Debug)]
pub struct SettingFault {
    /// The setting or key.
    pub key: &'static str,
    /// The end of a sentence about it. Never a secret.
    pub problem: &'static str,
    pub remedy: &'static str,
}

/// The settings of one provider, checked.
#[derive(Debug)]
pub struct ProviderSetup {
    pub base_url: Url,
    /// Names of institutions to show first, in this order.
    pub favourites: Vec<String>,
    /// How long a submission may take where the provider's list does not say.
    pub timeout: Duration,
    /// How long its list of institutions is used before it is read again.
    pub institutions_ttl: Duration,
    /// Its own.
    pub own: OwnSettings,
}

/// What was set, or holds by default, by key.
#[derive(Debug, Default)]
pub struct OwnSettings(BTreeMap<&'static str, SettingValue>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SettingValue {
    Text(String),
    Flag(bool),
}

impl OwnSettings {
    pub fn set(&mut self, key: &'static str, value: SettingValue) {
        self.0.insert(key, value);
    }

    /// A text or a choice.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            SettingValue::Text(text) => Some(text),
            SettingValue::Flag(_) => None,
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.0.get(key)? {
            SettingValue::Flag(flag) => Some(*flag),
            SettingValue::Text(_) => None,
        }
    }

    /// Writes all into a table, those with a dot in a table of their own.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let mut tables: BTreeMap<&str, BTreeMap<&str, &SettingValue>> = BTreeMap::new();
        for (key, value) in &self.0 {
            match key.split_once('.') {
                None => map.serialize_entry(key, value)?,
                Some((table, key)) => {
                    tables.entry(table).or_default().insert(key, value);
                }
            }
        }
        for (table, values) in tables {
            map.serialize_entry(table, &values)?;
        }
        Ok(())
    }
}
