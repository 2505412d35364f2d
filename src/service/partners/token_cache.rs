//! A cache of tokens that were just looked up.
//!
//! A partner's page makes many requests with one token. An answer of the records is reused for less than a second, so a
//! revoked token, a deleted user and a changed role take effect everywhere within that time. Only valid tokens are cached:
//! rubbish fills nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::core::access::Caller;
use crate::core::time::Timestamp;
use crate::records::Bearer;

/// Shorter than a second by the time that a request itself may take.
const CACHE_TTL: Duration = Duration::from_millis(700);
/// Above this, expired entries are dropped first.
const CAPACITY: usize = 10_000;

/// Tokens by digest. Entries expire by the machine's monotonic clock, which tests do not wind.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<HashMap<[u8; 32], (Bearer, Instant)>>);

impl TokenCache {
    pub(super) fn get(&self, digest: &[u8; 32], now: Timestamp, steady: Instant) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (bearer, at) = known.get(digest)?;
        (is_fresh(*at, steady) && now < bearer.expires_at).then(|| bearer.caller.clone())
    }

    /// Stores the answer to a lookup that began at `at`.
    pub(super) fn insert(&self, digest: [u8; 32], bearer: Bearer, at: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (_, kept)| is_fresh(*kept, at));
        }
        if known.len() < CAPACITY {
            known.insert(digest, (bearer, at));
        }
    }

    pub(super) fn remove(&self, digest: &[u8; 32]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(digest);
    }
}

fn is_fresh(at: Instant, steady: Instant) -> bool {
    steady.saturating_duration_since(at) < CACHE_TTL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::PartnerId;

    fn bearer(expires: i64) -> Bearer {
        Bearer {
            caller: Caller::Partner(PartnerId::from_bytes([1; 16])),
            expires_at: Timestamp::from_millis(expires),
        }
    }

    /// An entry is valid for a moment, but not beyond the expiry of its token nor after its removal; the moment begins with
    /// the lookup.
    #[test]
    fn entries_are_valid_for_a_moment() {
        let (known, at) = (TokenCache::default(), Instant::now());
        let (one, two, now) = ([1; 32], [2; 32], Timestamp::from_millis(0));
        assert!(known.get(&one, now, at).is_none());
        known.insert(one, bearer(10), at);
        known.insert(two, bearer(10_000), at);
        assert!(known.get(&one, now, at).is_some());
        assert!(known.get(&one, Timestamp::from_millis(10), at).is_none());
        known.remove(&two);
        assert!(known.get(&two, now, at).is_none());
        let over = at + CACHE_TTL;
        assert!(known.get(&one, now, over - Duration::from_millis(1)).is_some());
        assert!(known.get(&one, now, over).is_none());
    }

    /// The number of entries is bounded, and expired ones make room for new ones.
    #[test]
    fn the_size_is_bounded() {
        let (known, at) = (TokenCache::default(), Instant::now());
        let digest = |n: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_be_bytes());
            digest
        };
        let now = Timestamp::from_millis(0);
        for n in 0..=CAPACITY {
            known.insert(digest(n), bearer(10_000), at);
        }
        assert!(known.get(&digest(CAPACITY), now, at).is_none() && known.get(&digest(0), now, at).is_some());
        let later = at + CACHE_TTL;
        known.insert(digest(CAPACITY), bearer(10_000), later);
        assert!(known.get(&digest(CAPACITY), now, later).is_some());
        assert_eq!(known.0.lock().unwrap().len(), 1);
    }
}
