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
//!
//! Braces are part of the keys: in a Redis Cluster they name what a slot is computed from.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::redis::{RedisOptions, RedisStore};
use crate::core::seal::SubscriberTag;
use crate::core::time::Clock;

pub mod memory;
pub mod redis;
mod settings;

pub use settings::{SetupFinding, Severity};

/// The version of a value: 64 random bits, drawn anew by whoever writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedValue {
    /// Which write this is.
    pub version: Version,
    /// The sealed blob.
    pub bytes: Vec<u8>,
}

/// How a compare-and-set ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapResult {
    /// The value is ours.
    Won,
    /// Somebody else wrote in between (or the value expired): read again.
    Lost,
}

/// The store did not do as asked. Whether a write happened is unknown: read again and compare versions, or let
/// [`swap_or_confirm`] do so.
///
/// The text is one stable word (`timeout`, `refused`, `READONLY`, `OOM`…) for logs and metrics. It never holds a key, an
/// address or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the live store is not available: {0}")]
pub struct StoreError(pub String);

/// An opaque name that leads to a subscriber: the digest of a code or of a gateway's dialog id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndexKey(pub [u8; 32]);

/// Where live state is kept. Every call answers or fails within the implementation's own short timeout (at most 1 s).
#[async_trait]
pub trait Store: Send + Sync {
    /// The value of a subscriber, if there is one. Where something else stands in its place it is a value with an empty
    /// blob, under a version with which it can be swapped for a real one.
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError>;

    /// Writes `next` if the present version is `expected` (`None`: if there is no value), to be forgotten after `ttl`.
    async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError>;

    /// Lets an opaque name lead to a subscriber for a while.
    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError>;

    /// The subscriber that a name leads to.
    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError>;

    /// Whether the store can be read and written now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// What is wrong with how the store is set up, as far as it lets us look; asked once, at start. Empty: all is well.
    async fn check_setup(&self) -> Vec<SetupFinding> {
        Vec::new()
    }
}

/// Swaps, and when the answer was lost reads once to see what happened.
///
/// The versions tell: ours is there, so we won; a third one is there, so somebody else wrote. Two cases stay open and
/// give the error back. If the expected version is still there (or there is still nothing, where nothing was expected),
/// the write has not happened, but its command may yet arrive at a store that was only slow. And a third version may
/// have been written over ours: then we hear [`Swap::Lost`] though our value stood for a moment. Whoever runs effects
/// only after [`Swap::Won`] runs them at most once in all of these.
///
/// # Errors
/// The error of the swap when reading does not settle it; it may take two calls' time.
pub async fn swap_or_confirm(
    store: &dyn Store,
    tag: &SubscriberTag,
    expected: Option<Version>,
    next: &VersionedValue,
    ttl: Duration,
) -> Result<SwapResult, StoreError> {
    let error = match store.swap(tag, expected, next, ttl).await {
        Ok(swap) => return Ok(swap),
        Err(error) => error,
    };
    match store.load(tag).await {
        Ok(Some(present)) if present.version == next.version => Ok(SwapResult::Won),
        Ok(Some(present)) if Some(present.version) != expected => Ok(SwapResult::Lost),
        Ok(_) | Err(_) => Err(error),
    }
}

/// Why there is no store at this address. Says nothing of the address itself, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreConnectError {
    /// Neither `memory:` nor a Redis address.
    #[error("the store's address must be `memory:`, `redis://host:port/db` or `rediss://host:port/db`")]
    UnknownScheme,
    /// Begins like a Redis address and is none.
    #[error("the store's address is not a Redis address of the form redis://user:password@host:port/db")]
    BadAddress,
    /// `rediss://` before the process has chosen its TLS provider.
    #[error("`rediss://` needs the process-wide TLS provider, which must be installed before the store is opened")]
    NoTlsProvider,
    /// Called outside the asynchronous runtime that is to carry the connection.
    #[error("the store must be opened inside the runtime that is to carry its connection")]
    NoRuntime,
}

/// Opens the store at `url`: `memory:`, `redis://…` or `rediss://…`.
///
/// Nothing is sent yet, so that a server starts while Redis is still coming up; [`Store::check`] and [`Store::ready`]
/// tell how it stands. Call it on the main runtime: the connection lives there, whoever makes the calls.
///
/// # Errors
/// When the address is not one of these, or what it needs is not there.
pub fn connect(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreConnectError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(memory::MemoryStore::new(clock))),
        Some(("redis" | "rediss", _)) => Ok(Arc::new(RedisStore::connect(url, RedisOptions::default())?)),
        _ => Err(StoreConnectError::UnknownScheme),
    }
}
