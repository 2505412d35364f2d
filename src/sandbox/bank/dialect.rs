//! What a dialect tells the bank, and what a call is to both.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::core::time::Timestamp;

use super::customers::BankAccount;
use super::institutions::StandInInstitution;
use super::memory::{BankMemory, StandInAccount};
use super::scenario::Challenge;
use super::switches::DataStatus;
use super::webhooks::{AccountEvent, OutgoingWebhook};
use super::{Bank, BankSwitches};

/// What a kind of call is to a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// The first form of a login goes to a bank.
    Login,
    /// The answer to a later question.
    Answer,
    /// Nothing that a person typed.
    Other,
}

/// The kinds of calls of a dialect, as the call log counts them and failure rules name them.
pub trait CallKind: Copy + Ord + Debug + Serialize + DeserializeOwned + Send + 'static {
    fn class(self) -> CallClass;

    /// Whether the call contains something that a person typed: the call log lists these one by one.
    fn is_submit(self) -> bool {
        self.class() != CallClass::Other
    }
}

/// How a provider speaks. What has a default here is how most do.
pub trait Dialect: Sized + Send + Sync + 'static {
    type Call: CallKind;
    /// Which version of its API a call uses; `()` if there is one only.
    type Version: Copy + Debug + PartialEq + Serialize + Send + 'static;
    /// Its own switches, with [`NoSwitches`](super::NoSwitches) for none.
    type Switches: Clone + Debug + Default + Serialize + DeserializeOwned + Send + 'static;
    /// What it remembers besides the bank's sessions, codes, accounts and approvals.
    type Memory: Default + Send;

    const INSTITUTIONS: &'static [StandInInstitution];
    /// Whether it can send a person to the bank's page or app. If not, the magic words that lead there are ordinary names.
    const APPROVALS: bool = false;

    /// The session that a call is about, where it is not the one that the call names.
    fn session_id(_: &BankMemory<Self>, request: &CallRequest<Self>) -> Option<String> {
        request.session.clone()
    }

    /// The institution that a call without a session is about.
    fn institution_of(_: &CallRequest<Self>) -> Option<&'static StandInInstitution> {
        None
    }

    /// The name of the field with the answer.
    fn answer_field(challenge: Challenge, _: Self::Version) -> &'static str {
        match challenge {
            Challenge::Otp => "otp",
            Challenge::Question => "answer",
            Challenge::Picture => "captcha",
            Challenge::Choose => "account",
            Challenge::Approve(..) => "",
        }
    }

    /// Which of the accounts was chosen.
    fn chosen(_: &BankSwitches<Self>, _: Self::Version, accounts: &[BankAccount], value: &str) -> Option<usize> {
        accounts.iter().position(|account| account.number == value)
    }

    /// The webhook about something that happened to an account, if there is one for it.
    fn webhook(
        _: &Bank<Self>,
        _: &StandInAccount,
        _: AccountEvent,
        _: Timestamp,
        _: DataStatus,
    ) -> Option<OutgoingWebhook> {
        None
    }
}

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct CallRequest<D: Dialect> {
    pub call: D::Call,
    pub version: D::Version,
    /// The key of the business that calls.
    pub key: Option<String>,
    pub session: Option<String>,
    /// What the path names, such as an account.
    pub target: Option<String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Its number among the submissions, if it is one; [`Bank::log_arrival`] gives it.
    pub no: Option<u64>,
}

impl<D: Dialect> CallRequest<D> {
    pub fn new(call: D::Call, version: D::Version) -> Self {
        Self {
            call,
            version,
            key: None,
            session: None,
            target: None,
            query: Vec::new(),
            body: Value::Null,
            no: None,
        }
    }

    /// A submission of these fields in a session.
    pub fn submission(call: D::Call, version: D::Version, session: &str, fields: &[(&str, &str)]) -> Self {
        let fields: Map<String, Value> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        Self {
            session: Some(session.to_owned()),
            body: Value::Object(fields),
            ..Self::new(call, version)
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    pub fn filter(&self, key: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The fields of the body; `None` if it is not a flat object.
    pub(super) fn values(&self) -> Option<BTreeMap<String, String>> {
        let read = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        self.body
            .as_object()?
            .iter()
            .map(|(name, value)| Some((name.clone(), read(value)?)))
            .collect()
    }
}
