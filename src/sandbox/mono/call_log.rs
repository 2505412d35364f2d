//! The call log: what reached the stand-in and what it did. Fault tests compare it with what the product believes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::switches::{MonoCall, MonoFailure};

/// The version of the API that a call used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MonoVersion {
    V1,
    /// The second version, with the third version's list of institutions.
    V2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmitOutcome {
    /// 99: an account is linked.
    Granted,
    /// 101.
    AccountsAsked,
    /// 102.
    InputAsked,
    /// 400 by the bank.
    Refused,
    /// A wrong one-time code, answer or account.
    WrongCode,
    /// The names or lengths were not those of the form.
    BadFields,
    /// No such session, or an expired one.
    NoSession,
    /// An unknown response code.
    Strange,
    /// Rejected before anything was done: by key, add-on or a failure.
    TurnedAway,
}

/// One login or commit, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitEntry {
    /// The position in the order of arrival, from 1.
    pub no: u64,
    /// When its head arrived, in epoch milliseconds.
    pub at: i64,
    pub call: MonoCall,
    pub dialect: MonoVersion,
    pub session: Option<String>,
    /// The `_id` of the session's institution.
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
    pub trouble: Option<MonoFailure>,
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
    /// The `_id` of its institution.
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

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLog {
    pub calls: BTreeMap<MonoCall, u64>,
    /// Logins and commits, in the order of arrival.
    pub submits: Vec<SubmitEntry>,
    /// Codes, in the order they were issued.
    pub grants: Vec<GrantEntry>,
    /// Accounts, in the order they were linked.
    pub accounts: Vec<AccountEntry>,
    pub unlinks: Vec<UnlinkEntry>,
    /// Webhooks, in the order they became due.
    pub webhooks: Vec<WebhookEntry>,
}

impl CallLog {
    pub fn submit_mut(&mut self, no: Option<u64>) -> Option<&mut SubmitEntry> {
        self.submits.get_mut(usize::try_from(no?.checked_sub(1)?).ok()?)
    }
}
