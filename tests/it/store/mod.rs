//! The live stores: the contract of both, and Redis faults.

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

/// The longest call, by the contract of the trait.
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

/// A number that is unique in this process.
fn next_version() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn random_tag() -> SubscriberTag {
    let mut bytes = [0xa5; 32];
    bytes[..8].copy_from_slice(&next_version().to_be_bytes());
    SubscriberTag::from_bytes(bytes)
}

/// A value with an unused version. All 64 bits vary, as in random versions.
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

/// Writes a first value and returns it.
async fn put(store: &dyn Store, tag: &SubscriberTag, bytes: &[u8]) -> VersionedValue {
    let stored = value(bytes);
    assert_eq!(store.swap(tag, None, &stored, LONG).await, Ok(SwapResult::Won));
    stored
}

/// The code of a call that failed, which must be within the time of a call.
async fn failure<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>) -> String {
    let start = Stopwatch::start();
    let result = call.await;
    let took = start.fair();
    assert!(took <= CALL, "took {took:?}: {result:?}");
    result.expect_err("should have failed").0
}
