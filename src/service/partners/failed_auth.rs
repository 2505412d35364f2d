//! Tells those who try wrong keys to slow down.
//!
//! Nobody guesses 256 bits, so nobody is locked out: each key is looked up first. Only who has sent a wrong one is then
//! told, with 429 and for how long, that there were too many from their address or for this client: a deployment with a wrong
//! key goes easy on us by that. A valid key always opens, or anybody could lock a partner out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::error::ApiError;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket};
use crate::service::networks::ip_prefix;

/// For one address, or one client. A deployment with a wrong key tries it a few times from each of its servers.
const FAILURE_RATE: RateLimit = RateLimit {
    per_minute: 10,
    burst: 20,
};
/// Above this, full buckets are dropped; if there are none, new addresses and clients are not counted.
const CAPACITY: usize = 10_000;

/// Failed attempts on this node.
#[derive(Default)]
pub(super) struct FailedAuth {
    addresses: Mutex<HashMap<Option<IpAddr>, TokenBucket>>,
    clients: Mutex<HashMap<PartnerId, TokenBucket>>,
}

impl FailedAuth {
    /// Counts a wrong key, and fails when there were too many from this address or for this client. All unknown addresses
    /// count as one.
    pub(super) fn record(&self, from: Option<IpAddr>, client: PartnerId, now: Timestamp) -> Result<(), ApiError> {
        let by_address = count_failure(&self.addresses, from.map(ip_prefix), now);
        count_failure(&self.clients, client, now).and(by_address)
    }
}

fn count_failure<K: Eq + Hash>(
    buckets: &Mutex<HashMap<K, TokenBucket>>,
    key: K,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    if buckets.len() >= CAPACITY && !buckets.contains_key(&key) {
        buckets.retain(|_, bucket| bucket.left(FAILURE_RATE, now).tokens < FAILURE_RATE.burst);
        if buckets.len() >= CAPACITY {
            return Ok(());
        }
    }
    let bucket = buckets.entry(key).or_default();
    if bucket.try_take(FAILURE_RATE, 0, now) {
        return Ok(());
    }
    let after = bucket.left(FAILURE_RATE, now).next;
    Err(ApiError::TooMany { after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000 + seconds * 1_000)
    }

    fn client(n: u8) -> PartnerId {
        PartnerId::from_bytes([n; 16])
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// After a burst of wrong keys an address has to wait, whichever clients it names; so do its IPv6 neighbours, and nobody
    /// else.
    #[test]
    fn an_address_waits() {
        for (one, near, far) in [
            (
                Some(address("192.0.2.1")),
                Some(address("192.0.2.1")),
                Some(address("192.0.2.2")),
            ),
            (
                Some(address("2001:db8::1")),
                Some(address("2001:db8::ffff:1")),
                Some(address("2001:db8:0:1::1")),
            ),
            (None, None, Some(address("192.0.2.1"))),
        ] {
            let failures = FailedAuth::default();
            for n in 0..FAILURE_RATE.burst {
                failures.record(one, client(u8::try_from(n).unwrap()), at(0)).unwrap();
            }
            let Err(ApiError::TooMany { after }) = failures.record(near, client(100), at(0)) else {
                panic!("{one:?}");
            };
            assert_eq!(after.as_secs(), 6);
            failures.record(far, client(101), at(0)).unwrap();
            failures.record(one, client(102), at(6)).unwrap();
        }
    }

    /// Wrong keys of one client are counted over all addresses; other clients are not affected.
    #[test]
    fn a_client_is_counted_over_all_addresses() {
        let failures = FailedAuth::default();
        let from = |n: u32| Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(n)));
        for n in 0..FAILURE_RATE.burst {
            failures.record(from(n), client(1), at(0)).unwrap();
        }
        assert!(failures.record(from(100), client(1), at(0)).is_err());
        failures.record(from(100), client(2), at(0)).unwrap();
    }

    /// The number of addresses kept is bounded; full buckets make room.
    #[test]
    fn the_size_is_bounded() {
        let failures = FailedAuth::default();
        let from = |n: usize| Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(u32::try_from(n).unwrap())));
        let many = |when| {
            for n in 0..=CAPACITY {
                let _ = failures.record(from(n), client(1), when);
            }
            failures.addresses.lock().unwrap().len()
        };
        assert_eq!(many(at(0)), CAPACITY);
        let _ = failures.record(from(CAPACITY), client(1), at(3_600));
        assert_eq!(failures.addresses.lock().unwrap().len(), 1);
    }
}
