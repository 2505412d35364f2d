//! The switches, for all callers at once. Those of the dialect are beside those of the bank: in JSON both are in one flat
//! object, in which every field may be left out.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dialect::CallKind;
use super::failures::{BankFailure, FailureRule, Latency};
use super::magic_words::find_scenario;

/// When webhooks about a link come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookMode {
    /// That it is connected at the exchange, that its data are there a little later.
    #[default]
    Normal,
    /// As normal, but this many milliseconds late.
    Late(u64),
    /// Each of them twice, with the same event id.
    Twice,
    /// At the grant, before the code is exchanged.
    BeforeExchange,
    /// That the data are there comes first.
    OutOfOrder,
    Missing,
}

/// The result of fetching an account's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataStatus {
    #[default]
    Available,
    /// Balance or transactions, not both.
    Partial,
    /// The bank's fault, or there are none.
    Unavailable,
    /// The provider's fault.
    Failed,
    /// Still being fetched.
    Processing,
}

/// The bank's switches, and the dialect's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches<C, S> {
    /// How long a session lives, in milliseconds.
    pub session_lifetime_ms: u64,
    /// How long a code can be exchanged, in milliseconds.
    pub code_lifetime_ms: u64,
    /// Whether a code can be exchanged more than once.
    pub code_reusable: bool,
    /// How many wrong one-time codes end a session.
    pub wrong_codes: u32,
    pub latency: Latency,
    pub webhooks: WebhookMode,
    /// Where webhooks are sent; none are sent without it.
    pub webhook_url: Option<String>,
    /// The time from the link until its data are available, in milliseconds.
    pub data_after_ms: u64,
    pub data_status: DataStatus,
    pub faults: Vec<FailureRule<C>>,
    /// Failures of the sessions, logins and answers at an institution, by its id or its name.
    pub troubles: BTreeMap<String, BankFailure>,
    /// The seconds in `Retry-After`; without it, there is none.
    pub retry_after_s: Option<u64>,
    /// The magic word that every login follows, whatever is typed.
    pub every_login: Option<String>,
    /// The magic word that logins at an institution (by its id) follow when nothing magic is typed.
    pub by_institution: BTreeMap<String, String>,
    #[serde(flatten)]
    pub own: S,
}

/// For a dialect without switches of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSwitches {}

impl<C, S: Default> Switches<C, S> {
    /// The defaults without latency and with data at once, for tests.
    pub fn immediate() -> Self {
        Self {
            latency: Latency::NONE,
            data_after_ms: 0,
            ..Self::default()
        }
    }
}

impl<C, S: Default> Default for Switches<C, S> {
    fn default() -> Self {
        Self {
            session_lifetime_ms: 600_000,
            code_lifetime_ms: 600_000,
            code_reusable: false,
            wrong_codes: 3,
            latency: Latency::default(),
            webhooks: WebhookMode::default(),
            webhook_url: None,
            data_after_ms: 2_000,
            data_status: DataStatus::default(),
            faults: Vec::new(),
            troubles: BTreeMap::new(),
            retry_after_s: Some(30),
            every_login: None,
            by_institution: BTreeMap::new(),
            own: S::default(),
        }
    }
}

impl<C: CallKind, S: Default + Serialize + DeserializeOwned> Switches<C, S> {
    /// These switches with those that are named changed; `null` takes one entry of a map away.
    pub(super) fn changed(&self, changes: Map<String, Value>, approvals: bool) -> Result<Self, String> {
        let Ok(Value::Object(mut all)) = serde_json::to_value(self) else {
            return Err("the switches cannot be written as JSON".to_owned());
        };
        for (name, change) in changes {
            match (all.get_mut(&name), change) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    old.extend(new);
                    old.retain(|_, value| !value.is_null());
                }
                (Some(old), new) => *old = new,
                (None, _) => return Err(format!("unknown field `{name}`")),
            }
        }
        let switches: Self = serde_json::from_value(Value::Object(all)).map_err(|problem| problem.to_string())?;
        let mut words = switches.every_login.iter().chain(switches.by_institution.values());
        if let Some(word) = words.find(|word| find_scenario(word, approvals).is_none()) {
            return Err(format!("{word:?} is not in the guide"));
        }
        Ok(switches)
    }
}
