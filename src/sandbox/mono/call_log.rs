//! The ledger: what reached the stand-in and what it did. Tests of faults hold it against what the product believes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::switches::{MonoCall, MonoFailure};

/// Which version of the API a call spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MonoVersion {
    /// The first version.
    V1,
    /// The second version, with the third's list of institutions.
    V2,
}

/// What was decided about a submission.
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
    /// No such session, or one past its time.
    NoSession,
    /// A response code nobody has heard of.
    Strange,
    /// Turned away before anything was done: by key, add-on or a trouble.
    TurnedAway,
}

/// One login or commit, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitEntry {
    /// The place in the order of arrival, from 1.
    pub no: u64,
    /// When its head arrived, in epoch milliseconds.
    pub at: i64,
    /// Which call it was.
    pub call: MonoCall,
    /// Which version it spoke.
    pub dialect: MonoVersion,
    /// The session it named.
    pub session: Option<String>,
    /// The `_id` of the session's institution.
    pub institution: Option<String>,
    /// The field that names the person; only at a login.
    pub username: Option<String>,
    /// SHA-256 of the password, the PIN or the one-time code, in hexadecimal.
    pub secret_sha256: Option<String>,
    /// Whether the whole body was read; a caller that went away in the middle has submitted nothing.
    pub whole_body: bool,
    /// What was decided; nothing while it is being worked on, and for ever if it hangs.
    pub outcome: Option<SubmitOutcome>,
    /// What went wrong with its answer.
    pub trouble: Option<MonoFailure>,
}

/// One code handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEntry {
    /// The session that earned it.
    pub session: String,
    /// The account it stands for.
    pub account: String,
    /// When it was handed out, in epoch milliseconds.
    pub at: i64,
    /// When it stops being good, in epoch milliseconds.
    pub expires_at: i64,
    /// When it was exchanged, every time, in epoch milliseconds.
    pub redeemed: Vec<i64>,
    /// Exchanges that were refused.
    pub refused: u32,
    /// Whether it renews an account instead of linking one.
    pub reauth: bool,
}

/// One account ever linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEntry {
    /// Its id; another one each time the same bank account is linked.
    pub id: String,
    /// The session it was linked in.
    pub session: String,
    /// The customer it was linked for.
    pub customer: String,
    /// The `_id` of its institution.
    pub institution: String,
    /// Its number at the bank.
    pub number: String,
    /// The holder's name.
    pub holder: String,
    /// When it was linked, in epoch milliseconds.
    pub at: i64,
    /// When it was unlinked, in epoch milliseconds.
    pub unlinked_at: Option<i64>,
}

/// One call to unlink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkEntry {
    /// The account named.
    pub account: String,
    /// When, in epoch milliseconds.
    pub at: i64,
    /// Whether there was something to unlink.
    pub done: bool,
}

/// One webhook and its deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    /// The event's name.
    pub event: String,
    /// The event's id; the same on every delivery.
    pub event_id: String,
    /// When it was due, in epoch milliseconds.
    pub due: i64,
    /// The status of each delivery; 0 where nobody answered.
    pub answers: Vec<u16>,
    /// Whether it was taken with 200.
    pub taken: bool,
}

/// Everything that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLog {
    /// How many calls of each kind arrived.
    pub calls: BTreeMap<MonoCall, u64>,
    /// Logins and commits, in the order of arrival.
    pub submits: Vec<SubmitEntry>,
    /// Codes, in the order they were handed out.
    pub grants: Vec<GrantEntry>,
    /// Accounts, in the order they were linked.
    pub accounts: Vec<AccountEntry>,
    /// Calls to unlink.
    pub unlinks: Vec<UnlinkEntry>,
    /// Webhooks, in the order they became due.
    pub webhooks: Vec<WebhookEntry>,
}

impl CallLog {
    /// The submission with this number.
    pub fn submit_mut(&mut self, no: Option<u64>) -> Option<&mut SubmitEntry> {
        self.submits.get_mut(usize::try_from(no?.checked_sub(1)?).ok()?)
    }
}
