//! What was answered to requests that may come twice.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;

/// A request with an idempotency key. What the caller wrote is only here as keyed digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFingerprint {
    pub partner: PartnerId,
    /// The user who sent it, or the partner itself: the bytes of their id.
    pub caller: [u8; 16],
    /// Digest of the key.
    pub key: [u8; 32],
    /// Digest of all that makes it the same request.
    pub request: [u8; 32],
}

/// What is to be done with a request that has an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdempotencyOutcome {
    /// It is for this caller to do, until the lease ends. The caller who began it before is gone, or too late.
    Acquired {
        /// When it first came.
        since: Timestamp,
    },
    /// Somebody is doing it.
    InProgress,
    /// The key was used for another request.
    Mismatch,
    /// It is done, and was answered so.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body, sealed.
        sealed: Vec<u8>,
    },
}

/// Requests that may come twice. Old ones are deleted as [`super::ExpiredData::Answers`].
#[async_trait]
pub trait IdempotencyRecords: Send + Sync {
    /// Takes a request for as long as the lease, unless it is taken or done. What came first at or before `forgotten` is
    /// as if it had never come.
    async fn begin_request(
        &self,
        request: &RequestFingerprint,
        now: Timestamp,
        lease_until: Timestamp,
        forgotten: Timestamp,
    ) -> Result<IdempotencyOutcome>;
    /// Stores the answer, unless one is stored.
    async fn store_response(&self, request: &RequestFingerprint, status: u16, sealed: &[u8]) -> Result<()>;
    /// Lets a request go that has no answer to be stored, if nobody has taken it over: it is still held by this lease.
    /// The next request with this key runs again: where `undone`, as if this one had never come.
    async fn release_request(&self, request: &RequestFingerprint, lease_until: Timestamp, undone: bool) -> Result<()>;
}
