//! Reads one table of the configuration key by key, collecting errors instead of stopping at the first.

mod secrets;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use config::{Map, Value, ValueKind};

pub(super) use self::secrets::is_readable_by_all;
use super::error::{ConfigError, ConfigOrigin};
use super::{Mode, Registrations};
use crate::gateways::GatewayRegistration;
use crate::providers::ProviderRegistration;
use crate::service::networks::Networks;

/// What all sections share: where values come from, and the errors so far.
pub(super) struct ConfigContext {
    pub(super) mode: Mode,
    pub(super) registrations: Registrations,
    pub(super) origin: ConfigOrigin,
    pub(super) overrides: BTreeMap<String, String>,
    /// Whether the configuration's file can be read by everybody on this machine.
    pub(super) readable_file: bool,
    pub(super) errors: RefCell<Vec<ConfigError>>,
    /// What works, and should not stay so.
    pub(super) warnings: RefCell<Vec<ConfigError>>,
}

/// One table. Every key that is read is known; what is left at [`Section::report_unknown_keys`] is not.
pub(super) struct Section<'a> {
    context: &'a ConfigContext,
    path: String,
    table: Map<String, Value>,
    known_keys: Vec<String>,
    present: bool,
}

impl<'a> Section<'a> {
    pub(super) fn root(context: &'a ConfigContext, table: Map<String, Value>) -> Self {
        Self::new(context, String::new(), table, true)
    }

    fn new(context: &'a ConfigContext, path: String, table: Map<String, Value>, present: bool) -> Self {
        Self {
            context,
            path,
            table,
            known_keys: Vec::new(),
            present,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.context.mode
    }

    pub(super) fn gateways(&self) -> &'static [GatewayRegistration] {
        self.context.registrations.gateways
    }

    pub(super) fn providers(&self) -> &'static [ProviderRegistration] {
        self.context.registrations.providers
    }

    /// Whether the table exists.
    pub(super) fn is_present(&self) -> bool {
        self.present
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else if key.is_empty() {
            self.path.clone()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Reports an error of a key.
    pub(super) fn report(&self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let error = self.finding(key, problem.into(), remedy.into());
        self.context.errors.borrow_mut().push(error);
    }

    /// Reports of a key what the server runs with all the same.
    pub(super) fn warn(&self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let warning = self.finding(key, problem.into(), remedy.into());
        self.context.warnings.borrow_mut().push(warning);
    }

    fn finding(&self, key: &str, problem: String, remedy: String) -> ConfigError {
        let key = self.key(key);
        let origin = self.context.overrides.get(&key).map_or_else(
            || self.context.origin.clone(),
            |name| ConfigOrigin::Environment(name.clone()),
        );
        ConfigError {
            origin,
            key,
            problem,
            remedy,
        }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Marks a key as known without reading it.
    pub(super) fn mark_known(&mut self, key: &str) {
        self.known_keys.push(key.to_owned());
    }

    /// Marks a key as known and ignores its value.
    pub(super) fn skip(&mut self, key: &str) {
        drop(self.take(key));
    }

    /// Reports an error if a key is set that has no meaning beside the others.
    pub(super) fn reject_unused(&mut self, key: &str) {
        if self.contains(key) {
            self.report(key, "is not used by this gateway", "leave it out");
        }
        self.skip(key);
    }

    fn take(&mut self, key: &str) -> Option<ValueKind> {
        self.mark_known(key);
        self.table.remove(key).map(|value| value.kind)
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            ValueKind::String(text) if text.trim().is_empty() => {
                self.report(key, "is empty", "fill it in or leave it out");
            }
            ValueKind::String(text) if text.trim().chars().any(char::is_control) => {
                self.report(
                    key,
                    "has more than one line, or a sign that cannot be seen",
                    "write it on one line",
                );
            }
            // A variable or a file often ends with a line end.
            ValueKind::String(text) => return Some(text.trim().to_owned()),
            _ => self.report(key, "must be text", "put it in quotes"),
        }
        None
    }

    /// The text under a key, parsed by `read`, whose error says what is wrong.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        remedy: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        read(&text).map_err(|problem| self.report(key, problem, remedy)).ok()
    }

    /// As [`Section::parsed`], but it is an error if the key is missing.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        remedy: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.contains(key) {
            return self.parsed(key, remedy, read);
        }
        self.mark_known(key);
        self.report(key, "is missing", remedy);
        None
    }

    pub(super) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.parsed(key, &format!("say {}", names.join(" or ")), |text| {
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value)
                .ok_or_else(|| "is not a word known here".to_owned())
        })
    }

    /// A whole number within a range. Environment variables are parsed as numbers.
    pub(super) fn number<N>(&mut self, key: &str, range: RangeInclusive<N>) -> Option<N>
    where
        N: Display + FromStr + PartialOrd + TryFrom<i64> + TryFrom<u64>,
    {
        let number = match self.take(key)? {
            ValueKind::I64(number) => N::try_from(number).ok(),
            ValueKind::U64(number) => N::try_from(number).ok(),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let found = number.filter(|number| range.contains(number));
        if found.is_none() {
            let remedy = format!("say a whole number from {} to {}", range.start(), range.end());
            self.report(key, "is not a number in range", remedy);
        }
        found
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            ValueKind::Boolean(flag) => Some(flag),
            ValueKind::String(text) if text.trim() == "true" => Some(true),
            ValueKind::String(text) if text.trim() == "false" => Some(false),
            _ => {
                self.report(key, "is neither true nor false", "say true or false, without quotes");
                None
            }
        }
    }

    /// A list of strings; an environment variable is split at commas.
    pub(super) fn text_list(&mut self, key: &str) -> Option<Vec<String>> {
        let items: Option<Vec<String>> = match self.take(key)? {
            ValueKind::Array(items) => items
                .into_iter()
                .map(|item| match item.kind {
                    ValueKind::String(text) => Some(text),
                    _ => None,
                })
                .collect(),
            ValueKind::String(text) if self.context.overrides.contains_key(&self.key(key)) => {
                Some(text.split(',').map(|item| item.trim().to_owned()).collect())
            }
            _ => None,
        };
        if items.is_none() {
            self.report(key, "is not a list of texts", "write [\"one\", \"two\"]");
        }
        items
    }

    /// A list of networks and addresses; empty if the key is missing.
    pub(super) fn networks(&mut self, key: &str) -> Networks {
        let texts = self.text_list(key).unwrap_or_default();
        Networks::parse(&texts).unwrap_or_else(|problem| {
            self.report(
                key,
                problem,
                "write networks such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
            );
            Networks::default()
        })
    }

    /// A table within this one; empty if it does not exist.
    pub(super) fn section(&mut self, key: &str) -> Section<'a> {
        let path = self.key(key);
        match self.take(key) {
            Some(ValueKind::Table(table)) => Section::new(self.context, path, table, true),
            None => Section::new(self.context, path, Map::new(), false),
            Some(_) => {
                self.report(key, "must be a table", format!("write [{path}] above its keys"));
                Section::new(self.context, path, Map::new(), false)
            }
        }
    }

    pub(super) fn sections(&mut self, key: &str) -> Vec<Section<'a>> {
        let path = self.key(key);
        let remedy = format!("write [[{path}]] above the keys of each");
        let items = match self.take(key) {
            Some(ValueKind::Array(items)) => items,
            None => Vec::new(),
            Some(_) => {
                self.report(key, "must be a list of tables", remedy);
                return Vec::new();
            }
        };
        let mut sections = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            if let ValueKind::Table(table) = item.kind {
                sections.push(Section::new(self.context, format!("{path}[{index}]"), table, true));
            } else {
                self.report(&format!("{key}[{index}]"), "must be a table", remedy.clone());
            }
        }
        sections
    }

    /// Reports an error of the table as a whole.
    pub(super) fn report_itself(&self, problem: impl Into<String>, remedy: impl Into<String>) {
        self.report("", problem, remedy);
    }

    /// Reports every key that is not known, with the nearest one that is.
    pub(super) fn report_unknown_keys(self) {
        let known = format!("known here: {}", self.known_keys.join(", "));
        self.report_unknown_names("is not a key known here", &known);
    }

    /// The same in words of the caller's. Says whether there is such a key.
    pub(super) fn report_unknown_names(&self, problem: &str, known_names: &str) -> bool {
        for key in self.table.keys() {
            let nearest = self
                .known_keys
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, &key.to_ascii_lowercase()), known))
                .min()
                .filter(|(distance, known)| *distance <= 1 + known.len() / 3);
            let remedy = nearest.map_or_else(|| known_names.to_owned(), |(_, known)| format!("did you mean {known}?"));
            self.report(key, problem, remedy);
        }
        !self.table.is_empty()
    }
}
