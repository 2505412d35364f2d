//! How many requests may be made, by everybody by themselves.
//!
//! Nobody uses up what somebody stronger needs: a publishable key stands in every page, a user can do less than the
//! partner, and a token less than the key that ends it. So each has a bucket of its own; of those that many share, nobody
//! can use up more than a part alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::ApiError;
use crate::core::ids::{PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket, TokensLeft};
use crate::service::networks::ip_prefix;

/// Above this, full buckets are dropped; if there are none, further users and addresses share their partner's bucket only.
const CAPACITY: usize = 10_000;
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Spender {
    /// A partner by its secret key: tokens are issued and revoked.
    Key(PartnerId),
    /// A partner by its own token.
    Partner(PartnerId),
    User(PartnerId, UserId),
    /// Somebody with a partner's publishable key. All unknown addresses count as one.
    Public(PartnerId, Option<IpAddr>),
}

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purse {
    One(Spender),
    /// Of all users of a partner.
    Users(PartnerId),
    /// Of everybody with a partner's publishable key.
    Publics(PartnerId),
}

impl Spender {
    /// The bucket that it shares with others, if any, and how the rates of its own bucket and of that relate to the usual
    /// one.
    fn shared(self, usual: RateLimit) -> Option<(Purse, RateLimit, RateLimit)> {
        let quarter = RateLimit {
            per_minute: (usual.per_minute / 4).max(1),
            burst: (usual.burst / 4).max(1),
        };
        let double = RateLimit {
            per_minute: usual.per_minute.saturating_mul(2),
            burst: usual.burst.saturating_mul(2),
        };
        match self {
            Self::Key(_) | Self::Partner(_) => None,
            Self::User(partner, _) => Some((Purse::Users(partner), usual, double)),
            Self::Public(partner, _) => Some((Purse::Publics(partner), quarter, usual)),
        }
    }

    fn purse(self) -> Purse {
        Purse::One(match self {
            Self::Public(partner, from) => Self::Public(partner, from.map(ip_prefix)),
            other => other,
        })
    }
}

/// How many requests somebody has left on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    pub limit: u32,
    pub left: TokensLeft,
    /// Whether this request was within the limit.
    pub granted: bool,
}

impl RateLimitStatus {
    pub(crate) fn require(self) -> Result<Self, ApiError> {
        if self.granted {
            Ok(self)
        } else {
            Err(ApiError::TooMany { after: self.left.next })
        }
    }
}

/// The buckets of this node.
#[derive(Default)]
pub(super) struct Budgets(Mutex<Buckets>);

#[derive(Default)]
struct Buckets {
    all: HashMap<Purse, TokenBucket>,
    /// When full ones were last dropped: it takes a look at each, so not with every request.
    swept_at: Option<Timestamp>,
}

impl Budgets {
    /// Counts a request.
    pub(super) fn count(&self, by: Spender, rate: RateLimit, now: Timestamp) -> RateLimitStatus {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((shared, own_rate, shared_rate)) = by.shared(rate) else {
            return take(buckets.all.entry(by.purse()).or_default(), rate, now);
        };
        if buckets.has_room_for(by.purse(), rate, now) {
            let own = take(buckets.all.entry(by.purse()).or_default(), own_rate, now);
            if !own.granted {
                // What is refused costs the others nothing.
                return own;
            }
        }
        take(buckets.all.entry(shared).or_default(), shared_rate, now)
    }
}

impl Buckets {
    fn has_room_for(&mut self, purse: Purse, rate: RateLimit, now: Timestamp) -> bool {
        if self.all.contains_key(&purse) || self.all.len() < CAPACITY {
            return true;
        }
        if self.swept_at.is_none_or(|at| now > at.plus(SWEEP_EVERY)) {
            self.all.retain(|_, bucket| bucket.left(rate, now).tokens < rate.burst);
            self.swept_at = Some(now);
        }
        self.all.len() < CAPACITY
    }
}

fn take(bucket: &mut TokenBucket, rate: RateLimit, now: Timestamp) -> RateLimitStatus {
    let granted = bucket.try_take(rate, 0, now);
    RateLimitStatus {
        limit: rate.burst,
        left: bucket.left(rate, now),
        granted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: RateLimit = RateLimit {
        per_minute: 60,
        burst: 8,
    };

    fn now() -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000)
    }

    /// How many of a hundred requests are granted.
    fn flood(budgets: &Budgets, by: Spender) -> usize {
        (0..100).filter(|_| budgets.count(by, RATE, now()).granted).count()
    }

    /// However often somebody asks, a stronger caller has all of theirs left; and nobody alone uses up what they
    /// share with their like.
    #[test]
    fn nobody_uses_up_what_others_need() {
        let (partner, other) = (PartnerId::from_bytes([1; 16]), PartnerId::from_bytes([2; 16]));
        let user = |n| Spender::User(partner, UserId::from_bytes([n; 16]));
        let page = |text: &str| Spender::Public(partner, Some(text.parse().unwrap()));
        let budgets = Budgets::default();
        for (by, granted) in [
            (page("192.0.2.1"), 2),
            (page("192.0.2.1"), 0),
            (page("2001:db8::1"), 2),
            // Its neighbour.
            (page("2001:db8::2"), 0),
            (page("192.0.2.2"), 2),
            (Spender::Public(partner, None), 2),
            (page("192.0.2.3"), 0),
            (Spender::Public(other, None), 2),
            (user(1), 8),
            (user(2), 8),
            (user(3), 0),
            (Spender::Partner(partner), 8),
            (Spender::Key(partner), 8),
            (Spender::Partner(other), 8),
        ] {
            assert_eq!(flood(&budgets, by), granted, "{by:?}");
        }
    }

    /// The number of buckets is bounded; beyond it addresses are limited together.
    #[test]
    fn the_size_is_bounded() {
        let budgets = Budgets::default();
        let partner = PartnerId::from_bytes([1; 16]);
        for n in 0..u32::try_from(CAPACITY).unwrap() * 2 {
            let from = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            budgets.count(Spender::Public(partner, Some(from)), RATE, now());
        }
        assert!(budgets.0.lock().unwrap().all.len() <= CAPACITY + 1);
        assert_eq!(flood(&budgets, Spender::Public(partner, None)), 0);
    }
}
