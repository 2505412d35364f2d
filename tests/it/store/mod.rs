//! The live stores: what both promise, and what Redis faults do to it.

mod conformance;
mod redis_checks;
mod redis_faults;
mod redis_versions;
mod settled;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::machine::Stopwatch;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::store::redis::{RedisOptions, RedisStore};
use kiungo::store::{Store, StoreError, SwapResult, Version, VersionedValue};

/// What a call may take: the trait's promise.
const CALL: Duration = Duration::from_secs(1);

/// How soon a store must work again after Redis does.
const RECOVERY: Duration = Duration::from_secs(2);

/// Long enough to outlast any test.
const LONG: Duration = Duration::from_hours(1);

/// Real time, counted from the start of the test.
struct Elapsed(Instant);

impl Clock for Elapsed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0).plus(self.0.elapsed())
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Elapsed(Instant::now()))
}

/// A number that no other call in this process got; each server starts empty, so it is fresh there too.
fn next_version() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The tag of somebody not seen before.
fn random_tag() -> SubscriberTag {
    let mut bytes = [0xa5; 32];
    bytes[..8].copy_from_slice(&next_version().to_be_bytes());
    SubscriberTag::from_bytes(bytes)
}

/// A value with a version not used before. All 64 bits vary, as in versions drawn at random.
fn value(bytes: &[u8]) -> VersionedValue {
    VersionedValue {
        version: Version(next_version().wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        bytes: bytes.to_vec(),
    }
}

fn key(tag: &SubscriberTag) -> String {
    format!("kg:{{{}}}", tag.to_hex())
}

fn redis_at(url: &str) -> RedisStore {
    RedisStore::connect(url, RedisOptions::default()).unwrap()
}

/// Writes a first value and gives it back.
async fn put(store: &dyn Store, tag: &SubscriberTag, bytes: &[u8]) -> VersionedValue {
    let stored = value(bytes);
    assert_eq!(store.swap(tag, None, &stored, LONG).await, Ok(SwapResult::Won));
    stored
}

/// The word with which a call failed. It must have failed within a call's time.
async fn failure<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>) -> String {
    let start = Stopwatch::start();
    let result = call.await;
    let took = start.fair();
    assert!(took <= CALL, "took {took:?}: {result:?}");
    result.expect_err("should have failed").0
}
