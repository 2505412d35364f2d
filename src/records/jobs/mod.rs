//! Work that must not be lost: how it is claimed, held and ended.

use async_trait::async_trait;
use sqlx::error::BoxDynError;

use super::Result;
use super::columns::{Bytes, unknown};
use crate::core::ids::{
    AttemptId, DeliveryId, EndpointId, ErasureId, EventId, IntentId, JobId, LinkId, MessageId, NodeId, PartnerId,
    WatchId,
};
use crate::core::time::Timestamp;

/// Work that may safely run twice and must not be lost.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub id: JobId,
    pub partner: PartnerId,
    /// What to do.
    #[sqlx(flatten, try_from = "KindColumns")]
    pub kind: JobKind,
    /// Not before.
    pub due_at: Timestamp,
    /// How often it was tried.
    #[sqlx(try_from = "i64")]
    pub tries: u32,
    /// No two jobs may carry the same key: the same fact asks for its work once.
    pub key: String,
}

impl Job {
    /// A job that the key names alone: its id follows from it, so asking twice writes one row.
    pub fn new(partner: PartnerId, kind: JobKind, key: String, due_at: Timestamp) -> Self {
        Self {
            id: JobId::from_fact(&key),
            partner,
            kind,
            due_at,
            tries: 0,
            key,
        }
    }
}

/// What keeps some jobs apart from all others: the endpoint that they are about.
pub type JobLane = EndpointId;

/// The kinds of jobs, each with the word it is stored as and the id of what it is done to.
macro_rules! job_kinds {
    ($($(#[$doc:meta])* $kind:ident($subject:ident) = $word:literal,)+) => {
        /// What there is to do.
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum JobKind {
            $($(#[$doc])* $kind($subject),)+
        }

        impl JobKind {
            /// The words of all kinds that this version knows: those of a newer one are left to it.
            pub(super) const WORDS: &[&str] = &[$($word),+];

            /// The word and the id of what it is done to, as they stand in a row.
            pub(super) fn columns(&self) -> (&'static str, &[u8]) {
                match self {
                    $(Self::$kind(subject) => ($word, subject.as_bytes()),)+
                }
            }

            /// What [`JobKind::columns`] wrote.
            pub(super) fn parse(word: &str, subject: [u8; 16]) -> Option<Self> {
                match word {
                    $($word => Some(Self::$kind($subject::from_bytes(subject))),)+
                    _ => None,
                }
            }
        }
    };
}

job_kinds! {
    /// Exchange the grant of an attempt for accounts.
    Redeem(AttemptId) = "redeem",
    /// Read the details of a link's accounts.
    ReadAccounts(LinkId) = "read_accounts",
    /// Tell the provider that a link is over.
    Unlink(LinkId) = "unlink",
    /// Find out what became of an attempt; first due when its lease ends.
    Settle(AttemptId) = "settle",
    /// Hand an SMS to its gateway.
    SendSms(MessageId) = "send_sms",
    /// Send an SMS about what became of an attempt to a person who has not seen it.
    HandOver(AttemptId) = "hand_over",
    /// Ask a gateway that does not report by itself what became of an SMS.
    AskReport(MessageId) = "ask_report",
    /// Erase a person at a partner.
    Erase(ErasureId) = "erase",
    /// Look whether an institution is back, and send an SMS to those who wanted to know.
    BankBack(WatchId) = "bank_back",
    /// See to it that an event reaches everybody who wants it.
    Publish(EventId) = "publish",
    /// Send an event to one endpoint.
    Deliver(DeliveryId) = "deliver",
    /// End a partner's intent whose time is over.
    ExpireIntent(IntentId) = "expire_intent",
}

/// A kind of job as it stands in a row.
#[derive(sqlx::FromRow)]
pub struct KindColumns {
    kind: String,
    #[sqlx(try_from = "Bytes<16>")]
    subject: [u8; 16],
}

impl TryFrom<KindColumns> for JobKind {
    type Error = BoxDynError;

    fn try_from(row: KindColumns) -> std::result::Result<Self, BoxDynError> {
        Self::parse(&row.kind, row.subject).ok_or_else(|| unknown("JobKind"))
    }
}

/// Work.
#[async_trait]
pub trait JobRecords: Send + Sync {
    /// Adds a job unless one with its key exists.
    async fn enqueue(&self, job: &Job) -> Result<()>;
    /// Takes up to `limit` due jobs of no lane that nobody holds, for this node until `until`, counting a try.
    async fn claim(&self, node: NodeId, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Job>>;
    /// Like `claim`, of one lane.
    async fn claim_in(
        &self,
        lane: JobLane,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>>;
    /// The lanes in which jobs are due that nobody holds: jobs of one lane hold up each other only.
    async fn lanes_due(&self, now: Timestamp) -> Result<Vec<JobLane>>;
    /// Takes one job by its key if nobody holds it and it is neither done nor given up, due or not, counting a try.
    async fn claim_key(&self, key: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<Option<Job>>;
    /// Holds a job until `until`, if this node still does. Says whether it does.
    async fn extend_lease(&self, id: JobId, node: NodeId, until: Timestamp) -> Result<bool>;
    /// It is done; its key stays taken until it is deleted. Nothing happens if another node holds it by now.
    async fn finish(&self, id: JobId, node: NodeId) -> Result<()>;
    /// Try again at `due_at`; `reason` is a stable word.
    async fn postpone(&self, id: JobId, node: NodeId, due_at: Timestamp, reason: &str) -> Result<()>;
    /// Opens the job with this key again if it was given up, as if it had never been tried. Says whether it was.
    async fn reopen(&self, key: &str, due_at: Timestamp) -> Result<bool>;
    /// Gives up for good; stays in the table for an operator to see.
    async fn give_up(&self, id: JobId, node: NodeId, reason: &str) -> Result<()>;
    /// Deletes done jobs that were last due before then, providers' events first seen before then, and bank alerts that
    /// were over before then: at most `limit` of each, the oldest first. Says how many. What was given up stays.
    async fn delete_old_work(&self, before: Timestamp, limit: u32) -> Result<u64>;
    /// When the next job is due, if any; one that is held is due again when its lease ends.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
}
