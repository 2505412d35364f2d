//! The store in this process: for one node, for the sandbox and for tests. A restart loses every dialog, and people dial
//! again.
//!
//! Entries are in a map, and their expiry times in an ordered set beside it. Every call first removes the expired entries,
//! so memory holds only live ones, and finding the expired ones costs no more than removing them. When live entries reach
//! the limit, new ones are refused and existing ones may still be rewritten: people in a dialog are not affected by a flood
//! of new ones, as with a Redis that never evicts.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue};
use crate::core::seal::SubscriberTag;
use crate::core::time::{Clock, Timestamp};

/// In bytes of live entries.
const DEFAULT_LIMIT: usize = 512 * 1024 * 1024;

/// Bytes of an entry besides its blob: key, version, expiry, and its share of the map and the set.
const OVERHEAD: usize = 192;

pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    limit: usize,
    entries: Mutex<Entries>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum EntryKey {
    Value([u8; 32]),
    Index([u8; 32]),
}

enum StoredEntry {
    Value(VersionedValue),
    Tag(SubscriberTag),
}

impl StoredEntry {
    fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Value(stored) => stored.bytes.len(),
                Self::Tag(_) => 0,
            }
    }
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<EntryKey, (Timestamp, StoredEntry)>,
    expiries: BTreeSet<(Timestamp, EntryKey)>,
    size: usize,
}

impl Entries {
    fn remove_expired(&mut self, now: Timestamp) {
        while let Some(&(end, key)) = self.expiries.first()
            && end <= now
        {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: EntryKey) {
        if let Some((end, content)) = self.by_key.remove(&key) {
            self.expiries.remove(&(end, key));
            self.size -= content.size();
        }
    }

    fn put(&mut self, key: EntryKey, end: Timestamp, content: StoredEntry) {
        self.remove(key);
        self.size += content.size();
        self.expiries.insert((end, key));
        self.by_key.insert(key, (end, content));
    }

    fn version(&self, key: EntryKey) -> Option<Version> {
        match self.by_key.get(&key) {
            Some((_, StoredEntry::Value(stored))) => Some(stored.version),
            _ => None,
        }
    }
}

impl MemoryStore {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_limit(clock, DEFAULT_LIMIT)
    }

    /// An empty store that refuses new entries when the live ones take `limit` bytes.
    pub fn with_limit(clock: Arc<dyn Clock>, limit: usize) -> Self {
        Self {
            clock,
            limit,
            entries: Mutex::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.current().1.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn current(&self) -> (Timestamp, MutexGuard<'_, Entries>) {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove_expired(now);
        (now, entries)
    }

    fn check_room(&self, entries: &Entries, key: EntryKey) -> Result<(), StoreError> {
        if entries.size >= self.limit && !entries.by_key.contains_key(&key) {
            return Err(StoreError("OOM".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, tag: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        let (_, entries) = self.current();
        Ok(match entries.by_key.get(&EntryKey::Value(*tag.as_bytes())) {
            Some((_, StoredEntry::Value(stored))) => Some(stored.clone()),
            _ => None,
        })
    }

    async fn swap(
        &self,
        tag: &SubscriberTag,
        expected: Option<Version>,
        next: &VersionedValue,
        ttl: Duration,
    ) -> Result<SwapResult, StoreError> {
        let key = EntryKey::Value(*tag.as_bytes());
        let (now, mut entries) = self.current();
        if entries.version(key) != expected {
            return Ok(SwapResult::Lost);
        }
        self.check_room(&entries, key)?;
        entries.put(key, now.plus(ttl), StoredEntry::Value(next.clone()));
        Ok(SwapResult::Won)
    }

    async fn set_index(&self, name: &IndexKey, tag: &SubscriberTag, ttl: Duration) -> Result<(), StoreError> {
        let key = EntryKey::Index(name.0);
        let (now, mut entries) = self.current();
        self.check_room(&entries, key)?;
        entries.put(key, now.plus(ttl), StoredEntry::Tag(*tag));
        Ok(())
    }

    async fn look_up(&self, name: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        let (_, entries) = self.current();
        Ok(match entries.by_key.get(&EntryKey::Index(name.0)) {
            Some((_, StoredEntry::Tag(tag))) => Some(*tag),
            _ => None,
        })
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let (_, entries) = self.current();
        if entries.size >= self.limit {
            return Err(StoreError("OOM".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Default)]
    struct ManualClock(AtomicI64);

    impl ManualClock {
        fn advance(&self, millis: i64) {
            self.0.fetch_add(millis, Ordering::Relaxed);
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    fn tag(n: u64) -> SubscriberTag {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        SubscriberTag::from_bytes(bytes)
    }

    fn stored(version: u64, length: usize) -> VersionedValue {
        VersionedValue {
            version: Version(version),
            bytes: vec![1; length],
        }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    /// A flood of people who never come back leaves nothing behind: neither entries nor expiries, however often each was
    /// rewritten.
    #[tokio::test]
    async fn expired_entries_are_removed() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(clock.clone());
        for n in 0..1_000 {
            let mut expected = None;
            for version in 0..5 {
                let next = stored(n * 10 + version, 100);
                assert_eq!(store.swap(&tag(n), expected, &next, MINUTE).await, Ok(SwapResult::Won));
                expected = Some(next.version);
                clock.advance(1);
            }
            store
                .set_index(&IndexKey(*tag(n).as_bytes()), &tag(n), MINUTE)
                .await
                .unwrap();
        }
        assert_eq!(store.len(), 2_000);
        assert_eq!(store.entries.lock().unwrap().expiries.len(), 2_000);
        clock.advance(60_000);
        assert!(store.is_empty());
        let entries = store.entries.lock().unwrap();
        assert_eq!((entries.expiries.len(), entries.size), (0, 0));
    }

    /// Expiry is exact: live a millisecond before it, gone at it.
    #[tokio::test]
    async fn expiry_is_exact() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(clock.clone());
        store.swap(&tag(1), None, &stored(1, 1), MINUTE).await.unwrap();
        clock.advance(59_999);
        assert!(store.load(&tag(1)).await.unwrap().is_some());
        clock.advance(1);
        assert!(store.load(&tag(1)).await.unwrap().is_none());
    }

    /// When memory is full, new people are refused and those in a dialog continue; freed room is used again.
    #[tokio::test]
    async fn a_full_store_serves_open_dialogs() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::with_limit(clock.clone(), 2 * (OVERHEAD + 10));
        store.swap(&tag(1), None, &stored(1, 10), MINUTE).await.unwrap();
        store.swap(&tag(2), None, &stored(2, 10), 2 * MINUTE).await.unwrap();
        let refused = Err(StoreError("OOM".to_owned()));
        assert_eq!(store.swap(&tag(3), None, &stored(3, 10), MINUTE).await, refused);
        assert_eq!(store.ready().await, Err(StoreError("OOM".to_owned())));
        let rewritten = store.swap(&tag(1), Some(Version(1)), &stored(4, 10), MINUTE).await;
        assert_eq!(rewritten, Ok(SwapResult::Won));
        clock.advance(60_000);
        assert_eq!(store.ready().await, Ok(()));
        assert_eq!(
            store.swap(&tag(3), None, &stored(3, 10), MINUTE).await,
            Ok(SwapResult::Won)
        );
    }
}
