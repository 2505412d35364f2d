//! Tokens that were looked up a moment ago.
//!
//! A partner's page makes many requests with one token. What the records said of it is believed for less than a second, so
//! a token that is revoked, a user who is deleted and a role that is changed count everywhere within that time. Only good
//! tokens are kept: whoever sends rubbish fills nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::core::access::Caller;
use crate::core::time::Timestamp;
use crate::records::Bearer;

/// How long the records are believed. Shorter than a second by the time a request may take on its way to the answer.
const CACHE_TTL: Duration = Duration::from_millis(700);
/// When there are more, those that are not believed any more are thrown out first.
const CAPACITY: usize = 10_000;

/// Tokens by their digest. Time is that of the machine's steady clock: nobody winds it.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<HashMap<[u8; 32], (Bearer, Instant)>>);

impl TokenCache {
    /// Who this token stands for, if that was looked up a moment ago.
    pub(super) fn get(&self, digest: &[u8; 32], now: Timestamp, steady: Instant) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (bearer, at) = known.get(digest)?;
        (is_fresh(*at, steady) && now < bearer.expires_at).then(|| bearer.caller.clone())
    }

    /// Remembers what the records said to a question that was asked at `at`.
    pub(super) fn insert(&self, digest: [u8; 32], bearer: Bearer, at: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (_, kept)| is_fresh(*kept, at));
        }
        if known.len() < CAPACITY {
            known.insert(digest, (bearer, at));
        }
    }

    /// Forgets a token.
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

    /// A token is believed for a moment, no longer than it lasts, and not after it was dropped; the moment begins when the
    /// records were asked.
    #[test]
    fn tokens_are_believed_for_a_moment() {
        let (known, asked) = (TokenCache::default(), Instant::now());
        let (one, two, now) = ([1; 32], [2; 32], Timestamp::from_millis(0));
        assert!(known.get(&one, now, asked).is_none());
        known.insert(one, bearer(10), asked);
        known.insert(two, bearer(10_000), asked);
        assert!(known.get(&one, now, asked).is_some());
        assert!(known.get(&one, Timestamp::from_millis(10), asked).is_none());
        known.remove(&two);
        assert!(known.get(&two, now, asked).is_none());
        let over = asked + CACHE_TTL;
        assert!(known.get(&one, now, over - Duration::from_millis(1)).is_some());
        assert!(known.get(&one, now, over).is_none());
    }

    /// However many tokens there are, no more than so many are kept, and old ones make room for new ones.
    #[test]
    fn no_more_are_kept_than_fit() {
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
