//! Live state: one subscriber, one value, one key.
//!
//! The store has few verbs. A value is read whole and written whole by compare-and-set, so two nodes can never both act
//! on one input and no lock exists. Versions are 64 random bits drawn by the writer, not a counter: after Redis has lost
//! the end of its log a counter would come back to a number already used, and a node that slept through it would
//! overwrite what it never saw. A random version also tells a writer whose answer was lost whether its write happened:
//! read again and compare.
//!
//! | key | value | TTL | written by |
//! |---|---|---|---|
//! | `kg:{tag}` | 8 bytes of version, then a sealed blob | as given, at most a day | every turn |
//! | `kg:i:{digest}` | the 32 bytes of a tag | as given | callers that bring no msisdn |

use std::time::Duration;

use async_trait::async_trait;

use crate::core::seal::Tag;

pub mod memory;
pub mod redis;

/// The version of a value: 64 random bits, drawn anew by whoever writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which write this is.
    pub version: Version,
    /// The sealed blob.
    pub bytes: Vec<u8>,
}

/// How a compare-and-set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The value is ours.
    Won,
    /// Somebody else wrote in between (or the value expired): read again.
    Lost,
}

/// The store did not do as asked. Whether a write happened is unknown: read again and compare versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the live store is not available: {0}")]
pub struct StoreError(pub String);

/// An opaque name that leads to a subscriber: the digest of a code or of a gateway's dialog id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndexKey(pub [u8; 32]);

/// Where live state is kept. Every call answers or fails within the implementation's own short timeout (at most 1 s).
#[async_trait]
pub trait Store: Send + Sync {
    /// The value of a subscriber, if there is one.
    async fn load(&self, tag: &Tag) -> Result<Option<Stored>, StoreError>;

    /// Writes `next` if the present version is `expected` (`None`: if there is no value), to be forgotten after `ttl`.
    async fn swap(
        &self,
        tag: &Tag,
        expected: Option<Version>,
        next: &Stored,
        ttl: Duration,
    ) -> Result<Swap, StoreError>;

    /// Lets an opaque name lead to a subscriber for a while.
    async fn point(&self, name: &IndexKey, tag: &Tag, ttl: Duration) -> Result<(), StoreError>;

    /// The subscriber that a name leads to.
    async fn follow(&self, name: &IndexKey) -> Result<Option<Tag>, StoreError>;

    /// Whether the store can be read and written now.
    async fn ready(&self) -> Result<(), StoreError>;
}
