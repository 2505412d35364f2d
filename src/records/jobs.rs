//! Work that must not be lost: how it is taken, held and ended.

use async_trait::async_trait;

use super::{Job, JobLane, Result};
use crate::core::ids::{JobId, NodeId};
use crate::core::time::Timestamp;

/// Work.
#[async_trait]
pub trait JobRecords: Send + Sync {
    /// Adds a job unless one with its key exists.
    async fn enqueue(&self, job: &Job) -> Result<()>;
    /// Takes up to `limit` due jobs of no lane that nobody holds, for this node until `until`, counting a try.
    async fn claim(&self, node: NodeId, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Job>>;
    /// The lanes in which jobs are due that nobody holds: jobs of one lane hold up each other only.
    async fn lanes_due(&self, now: Timestamp) -> Result<Vec<JobLane>>;
    /// Like `claim`, of one lane.
    async fn claim_in(
        &self,
        lane: JobLane,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>>;
    /// Takes one job by its key if nobody holds it and it is neither done nor given up, due or not, counting a try.
    async fn claim_key(&self, key: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<Option<Job>>;
    /// Holds a job until `until`, if this node still does. Says whether it does.
    async fn extend_lease(&self, id: JobId, node: NodeId, until: Timestamp) -> Result<bool>;
    /// It is done; its key stays taken until it is forgotten. Nothing happens if another node holds it by now.
    async fn finish(&self, id: JobId, node: NodeId) -> Result<()>;
    /// Try again at `due_at`; `reason` is a stable word.
    async fn postpone(&self, id: JobId, node: NodeId, due_at: Timestamp, reason: &str) -> Result<()>;
    /// Opens the job with this key again if it was given up, as if it had never been tried. Says whether it was.
    async fn reopen(&self, key: &str, due_at: Timestamp) -> Result<bool>;
    /// Give up for good; stays in the table for an operator to see.
    async fn give_up(&self, id: JobId, node: NodeId, reason: &str) -> Result<()>;
    /// Forgets done jobs that were last due before then, providers' events first seen before then, and wishes to be
    /// texted that were over before then: at most `limit` of each, the oldest first. Says how many. What was given up stays.
    async fn delete_old_work(&self, before: Timestamp, limit: u32) -> Result<u64>;
    /// When the next job is due, if any; one that is held is due again when its lease ends.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
}
