//! Who wants an SMS when an institution is back.

use async_trait::async_trait;

use super::{Job, Result, SmsMessage};
use crate::core::ids::{BankAlertId, PartnerId, WatchId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// A person's wish to get an SMS when an institution is back. There is one for a person and an institution.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct BankAlert {
    /// Another one each time they ask.
    pub id: BankAlertId,
    /// On whose behalf.
    pub partner: PartnerId,
    /// Who.
    pub tag: SubscriberTag,
    pub provider: String,
    /// The institution's id at the provider.
    pub institution: String,
    /// Number, language and channel, sealed.
    pub sealed: Vec<u8>,
    /// Whether only a login shows that it is back; else that a session opens does.
    pub needs_login: bool,
    pub asked_at: Timestamp,
    /// From then on it is forgotten.
    pub until: Timestamp,
}

/// An institution, and since when something about it is asked.
#[derive(Clone, Copy, Debug)]
pub struct InstitutionSince<'a> {
    /// On whose behalf.
    pub partner: PartnerId,
    pub provider: &'a str,
    /// The institution's id at the provider.
    pub institution: &'a str,
    /// After this moment.
    pub since: Timestamp,
}

/// Bank alerts.
#[async_trait]
pub trait BankAlertRecords: Send + Sync {
    /// Writes an alert in place of the person's earlier one there. Where a watch that began after `fresh` has somebody to
    /// tell of the same institution it sees to this one too; else `watch` begins, with its job, in the same transaction.
    async fn put_bank_alert(&self, alert: &BankAlert, watch: WatchId, job: &Job, fresh: Timestamp) -> Result<()>;
    /// The alerts that a watch has still to answer, oldest first. Those that are over by `now` are deleted.
    async fn open_bank_alerts(&self, watch: WatchId, now: Timestamp) -> Result<Vec<BankAlert>>;
    /// An alert that is not over, answered or not.
    async fn bank_alert(&self, id: BankAlertId) -> Result<Option<BankAlert>>;
    /// Writes the SMS that answers an alert, with the job that sends it, and marks the alert, in one transaction: one that
    /// is answered, deleted or replaced gets none. Says whether it was written.
    async fn answer_bank_alert(&self, id: BankAlertId, sms: &SmsMessage, send: &Job, at: Timestamp) -> Result<bool>;
    /// Deletes an alert.
    async fn delete_bank_alert(&self, id: BankAlertId) -> Result<()>;
    /// Whether the institution has taken a login that was begun since then; one of this person, where one is named.
    async fn login_accepted_since(&self, bank: InstitutionSince<'_>, by: Option<&SubscriberTag>) -> Result<bool>;
}
