//! The call log: what reached the stand-in and what it did. Fault tests compare it with what the product believes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failures::BankFailure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmitOutcome {
    /// An account is linked.
    Granted,
    AccountsAsked,
    InputAsked,
    /// The person has to approve at the bank.
    ApprovalAsked,
    /// By the bank.
    Refused,
    /// A wrong one-time code, answer or account.
    WrongCode,
    /// The names or lengths were not those of the form.
    BadFields,
    /// No such session, or an expired one.
    NoSession,
    /// Something nobody has heard of.
    Strange,
    /// Rejected before anything was done: by key, add-on or a failure.
    TurnedAway,
}

/// One login or answer, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitEntry<C, V> {
    /// The position in the order of arrival, from 1.
    pub no: u64,
    /// When its head arrived, in epoch milliseconds.
    pub at: i64,
    pub call: C,
    /// The version of the API.
    pub dialect: V,
    pub session: Option<String>,
    /// The id of the session's institution.
    pub institution: Option<String>,
    /// The field that names the person; only for a login.
    pub username: Option<String>,
    /// SHA-256 of the password, the PIN or the one-time code, in hexadecimal.
    pub secret_sha256: Option<String>,
    /// Whether the whole body was read; a caller that disconnects in the middle has submitted nothing.
    pub whole_body: bool,
    /// The decision; `None` while it is in progress, and forever if it hangs.
    pub outcome: Option<SubmitOutcome>,
    /// What went wrong with its answer.
    pub trouble: Option<BankFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEntry {
    pub session: String,
    pub account: String,
    /// When it was issued, in epoch milliseconds.
    pub at: i64,
    /// When it expires, in epoch milliseconds.
    pub expires_at: i64,
    /// Every time when it was exchanged, in epoch milliseconds.
    pub redeemed: Vec<i64>,
    pub refused: u32,
    /// Whether it renews an account instead of linking one.
    pub reauth: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEntry {
    /// A new one each time the same bank account is linked.
    pub id: String,
    pub session: String,
    pub customer: String,
    /// The id of its institution.
    pub institution: String,
    pub number: String,
    pub holder: String,
    /// When it was linked, in epoch milliseconds.
    pub at: i64,
    /// When it was unlinked, in epoch milliseconds.
    pub unlinked_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkEntry {
    pub account: String,
    /// When, in epoch milliseconds.
    pub at: i64,
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    pub event: String,
    /// The event's id; the same on every delivery.
    pub event_id: String,
    /// When it was due, in epoch milliseconds.
    pub due: i64,
    /// The status of each delivery; 0 without an answer.
    pub answers: Vec<u16>,
    /// Whether it was answered with 200.
    pub taken: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLog<C: Ord, V> {
    pub calls: BTreeMap<C, u64>,
    /// Logins and answers, in the order of arrival.
    pub submits: Vec<SubmitEntry<C, V>>,
    /// Codes, in the order they were issued.
    pub grants: Vec<GrantEntry>,
    /// Accounts, in the order they were linked.
    pub accounts: Vec<AccountEntry>,
    pub unlinks: Vec<UnlinkEntry>,
    /// Webhooks, in the order they became due.
    pub webhooks: Vec<WebhookEntry>,
}

impl<C: Ord, V> CallLog<C, V> {
    pub fn submit_mut(&mut self, no: Option<u64>) -> Option<&mut SubmitEntry<C, V>> {
        self.submits.get_mut(usize::try_from(no?.checked_sub(1)?).ok()?)
    }
}

impl<C: Ord, V> Default for CallLog<C, V> {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            submits: Vec::new(),
            grants: Vec::new(),
            accounts: Vec::new(),
            unlinks: Vec::new(),
            webhooks: Vec::new(),
        }
    }
}
