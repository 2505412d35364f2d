//! Jobs: work that may safely run twice and must not be lost. How it is written, claimed, held and ended.
//!
//! The records know a job's row, not what it does: the name of its type and the id of what it is done to. So a job type is
//! declared where its work is, and no list of types is kept here. Anyone who claims jobs says which types it can run: a type
//! that only a newer server knows is left for that server, and keeps nothing else waiting.

use std::fmt::Display;

use async_trait::async_trait;

use super::Result;
use super::columns::Bytes;
use crate::core::ids::{DeliveryId, EndpointId, EventId, IntentId, JobId, LinkId, NodeId, PartnerId};
use crate::core::time::Timestamp;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub id: JobId,
    pub partner: PartnerId,
    #[sqlx(flatten)]
    pub kind: JobKind,
    /// It is not run earlier.
    pub due_at: Timestamp,
    #[sqlx(try_from = "i64")]
    pub tries: u32,
    /// Unique among all jobs: the same fact asks for its work once.
    pub key: String,
}

/// What is done, and to what.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JobKind {
    /// The name of its [`JobType`].
    #[sqlx(rename = "kind")]
    pub name: String,
    /// The id of what it is done to.
    #[sqlx(try_from = "Bytes<16>")]
    pub subject: [u8; 16],
}

/// What keeps some jobs apart from all others: the endpoint that they are about.
pub type JobLane = EndpointId;

/// A type of job as its row shows it. What it does is a `JobHandler` of the service.
pub trait JobType: Send + Sync + 'static {
    /// Its name in the table, in metrics and in keys.
    const NAME: &'static str;
    /// The id of what it is done to.
    type Subject: Copy + Display + From<[u8; 16]> + Into<[u8; 16]> + Send + Sync + 'static;

    /// This type about this subject.
    fn of(subject: Self::Subject) -> JobKind {
        JobKind {
            name: Self::NAME.to_owned(),
            subject: subject.into(),
        }
    }

    /// The key of the job about `subject` that is for no particular occasion.
    fn key(subject: Self::Subject) -> String {
        format!("{}:{subject}", Self::NAME)
    }

    /// The job about `subject`, for no particular occasion. Its id follows from its key.
    fn job(partner: PartnerId, subject: Self::Subject, due_at: Timestamp) -> Job {
        let key = Self::key(subject);
        Job {
            id: JobId::from_fact(&key),
            partner,
            kind: Self::of(subject),
            due_at,
            tries: 0,
            key,
        }
    }
}

impl JobKind {
    /// The subject, if it is of this type.
    pub fn subject<J: JobType>(&self) -> Option<J::Subject> {
        (self.name == J::NAME).then(|| self.subject.into())
    }
}

impl Job {
    /// The same work for one more occasion, under a key of its own.
    #[must_use]
    pub fn on_occasion(mut self, occasion: impl Display) -> Self {
        self.key = format!("{}:{occasion}", self.key);
        self.id = JobId::from_fact(&self.key);
        self
    }
}

/// Has an event sent to every endpoint that wants it. Written with the event.
pub struct Publish;

impl JobType for Publish {
    const NAME: &'static str = "publish";
    type Subject = EventId;
}

/// Sends an event to one endpoint. Written with the delivery.
pub struct Deliver;

impl JobType for Deliver {
    const NAME: &'static str = "deliver";
    type Subject = DeliveryId;
}

/// Ends an intent whose time is over. Written with the intent.
pub struct ExpireIntent;

impl JobType for ExpireIntent {
    const NAME: &'static str = "expire_intent";
    type Subject = IntentId;
}

/// Tells that the consent of a link ends soon. Written with the consent's link.
pub struct AnnounceEnd;

impl JobType for AnnounceEnd {
    const NAME: &'static str = "announce_end";
    type Subject = LinkId;
}

/// Ends a link whose consent is over. Written with the consent's link.
pub struct ExpireLink;

impl JobType for ExpireLink {
    const NAME: &'static str = "expire_link";
    type Subject = LinkId;
}

#[async_trait]
pub trait JobRecords: Send + Sync {
    /// Adds a job unless one with its key exists.
    async fn enqueue(&self, job: &Job) -> Result<()>;
    /// Takes up to `limit` due jobs of no lane that nobody holds, for this node until `until`, counting a try. Only jobs whose
    /// type is named in `types` are taken, by this and the next two.
    async fn claim(
        &self,
        types: &[&str],
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>>;
    /// Like `claim`, of one lane.
    async fn claim_in(
        &self,
        types: &[&str],
        lane: JobLane,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>>;
    /// The lanes in which jobs are due that nobody holds: jobs of one lane hold up each other only.
    async fn lanes_due(&self, types: &[&str], now: Timestamp) -> Result<Vec<JobLane>>;
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
    /// Deletes done jobs that were last due before then, providers' events first seen before then (and of what they
    /// are about, what was last heard), and bank alerts that
    /// were over before then: at most `limit` of each, the oldest first. Says how many. What was given up stays.
    async fn delete_old_work(&self, before: Timestamp, limit: u32) -> Result<u64>;
    /// When the next job of these types is due, if any; one that is held is due again when its lease ends.
    async fn next_due(&self, types: &[&str]) -> Result<Option<Timestamp>>;
}
