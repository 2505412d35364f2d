//! A store in memory whose values go back: the same as the [recorder](super::recorder) does to Redis, for turns that are
//! put together in the test's own process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::SystemClock;
use kiungo::core::seal::SubscriberTag;
use kiungo::store::memory::MemoryStore;
use kiungo::store::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue};

use super::recorder::Back;

/// As long as the product lets a value live.
const TTL: Duration = Duration::from_hours(24);
/// As short as a value can live.
const GONE: Duration = Duration::from_millis(1);

pub struct RollingStore {
    inner: MemoryStore,
    written: Mutex<HashMap<SubscriberTag, Vec<VersionedValue>>>,
    /// After how many more writes whose value goes back.
    armed: Mutex<HashMap<SubscriberTag, (usize, Back)>>,
}

impl RollingStore {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(Arc::new(SystemClock)),
            written: Mutex::default(),
            armed: Mutex::default(),
        })
    }

    /// Rolls this person's value back right after so many more writes.
    pub fn arm(&self, tag: SubscriberTag, writes: usize, back: Back) {
        self.armed.lock().unwrap().insert(tag, (writes, back));
    }

    /// Rolls this person's value back now.
    pub async fn roll_back(&self, tag: &SubscriberTag, back: Back) {
        let value = {
            let mut written = self.written.lock().unwrap();
            let log = written.entry(*tag).or_default();
            let kept = match back {
                Back::One => log.len().saturating_sub(1),
                Back::Two => log.len().saturating_sub(2),
                Back::Many => log.len().div_ceil(2),
                Back::ByHand => (log.len() / 4 + 1).min(log.len()),
                Back::Nothing => 0,
            };
            log.truncate(kept);
            log.last().cloned()
        };
        let Some(present) = self.inner.load(tag).await.unwrap() else {
            return;
        };
        let ttl = if value.is_some() { TTL } else { GONE };
        let nothing = VersionedValue {
            version: Version(1),
            bytes: Vec::new(),
        };
        let next = value.clone().unwrap_or(nothing);
        self.inner.swap(tag, Some(present.version), &next, ttl).await.unwrap();
        while value.is_none() && self.inner.load(tag).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    }

    fn due(&self, tag: &SubscriberTag) -> Option<Back> {
        let mut armed = self.armed.lock().unwrap();
        let (writes, back) = armed.get_mut(tag)?;
        *writes -= 1;
        let due = (*writes == 0).then_some(*back);
        if due.is_some() {
            armed.remove(tag);
        }
        due
    }
}

#[async_trait]
impl Store for RollingStore {
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        self.inner.load(tag).await
    }

    async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError> {
        let swapped = self.inner.swap(tag, expected, next, ttl).await?;
        if swapped == SwapResult::Won {
            self.written.lock().unwrap().entry(*tag).or_default().push(next.clone());
            if let Some(back) = self.due(tag) {
                self.roll_back(tag, back).await;
            }
        }
        Ok(swapped)
    }

    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError> {
        self.inner.set_index(name, tag, ttl).await
    }

    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        self.inner.look_up(name).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}
