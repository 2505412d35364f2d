//! A token bucket as a value: how often something may happen, and how much of it at once.
//!
//! The same type is used in the memory of a node, for its channels and for itself, and inside a subscriber's sealed value.
//! So it is plain data, and the time is a parameter. It counts the tokens that were taken rather than those that are left,
//! and the count decreases with time: an unused bucket has no taken tokens, so its [`Default`] is a full bucket.
//!
//! A caller can be asked to leave a reserve. Such a caller is refused once the rest is taken, so refilled tokens go to the
//! other callers first, who may take everything. In this way two kinds of callers share one bucket and one kind has
//! priority, without a second bucket whose size somebody would have to guess.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// One token in units. A rate of one token a minute refills one unit a millisecond, so that nothing is ever rounded.
const TOKEN: u64 = 60_000;

/// A clock that jumps back further than this was set back, and time is counted from its new position. A smaller jump means
/// that the clocks of two nodes differ, which must not fill a bucket that they pass between them.
const SET_BACK: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Tokens a minute over any long time; at least 1.
    pub per_minute: u32,
    /// Tokens at once after a long rest; at least 1.
    pub burst: u32,
}

impl RateLimit {
    pub const fn per_second(tokens: u32, burst: u32) -> Self {
        Self {
            per_minute: tokens.saturating_mul(60),
            burst,
        }
    }
}

/// The tokens that were taken and are not refilled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenBucket {
    /// In units, see [`TOKEN`].
    taken: u64,
    at: Timestamp,
}

/// What is left in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokensLeft {
    /// Tokens that can be taken at once.
    pub tokens: u32,
    /// How long until one can be taken; zero when one is there.
    pub next: Duration,
    /// How long until all are there.
    pub all: Duration,
}

impl Default for TokenBucket {
    fn default() -> Self {
        Self {
            taken: 0,
            at: Timestamp::from_millis(0),
        }
    }
}

impl TokenBucket {
    /// Takes a token if there is one beyond the `reserve`; returns whether it did.
    pub fn try_take(&mut self, rate: RateLimit, reserve: u32, now: Timestamp) -> bool {
        self.refill(rate, now);
        let room = u64::from(rate.burst.saturating_sub(reserve)) * TOKEN;
        let taken = self.taken.saturating_add(TOKEN);
        if taken > room {
            return false;
        }
        self.taken = taken;
        true
    }

    /// How many tokens are left now, and when there will be more.
    pub fn left(&self, rate: RateLimit, now: Timestamp) -> TokensLeft {
        let mut bucket = *self;
        bucket.refill(rate, now);
        let until = |taken: u64| Duration::from_millis(taken.div_ceil(u64::from(rate.per_minute.max(1))));
        let room = u64::from(rate.burst) * TOKEN;
        let short = bucket.taken.saturating_add(TOKEN).saturating_sub(room);
        TokensLeft {
            tokens: u32::try_from(room.saturating_sub(bucket.taken) / TOKEN).unwrap_or(u32::MAX),
            next: until(short),
            all: until(bucket.taken),
        }
    }

    fn refill(&mut self, rate: RateLimit, now: Timestamp) {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let refilled = passed.saturating_mul(u64::from(rate.per_minute));
        self.taken = self.taken.saturating_sub(refilled);
        if now > self.at || self.at.since(now) > SET_BACK {
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_780_000_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    fn rates() -> impl Strategy<Value = RateLimit> {
        (1_u32..100_000, 1_u32..200).prop_map(|(per_minute, burst)| RateLimit { per_minute, burst })
    }

    /// How many of `asked` tries at one moment succeed.
    fn at_once(bucket: &mut TokenBucket, rate: RateLimit, reserve: u32, now: Timestamp, asked: usize) -> usize {
        (0..asked).filter(|_| bucket.try_take(rate, reserve, now)).count()
    }

    /// A new bucket gives its burst and no more; after that, one token for each interval of the rate.
    #[test]
    fn it_gives_its_burst_and_then_its_rate() {
        let rate = RateLimit {
            per_minute: 60,
            burst: 5,
        };
        let mut bucket = TokenBucket::default();
        assert_eq!(at_once(&mut bucket, rate, 0, at(0), 100), 5);
        assert!(!bucket.try_take(rate, 0, at(999)));
        assert!(bucket.try_take(rate, 0, at(1_000)));
        assert!(!bucket.try_take(rate, 0, at(1_999)));
        assert_eq!(at_once(&mut bucket, rate, 0, at(3_600_000), 100), 5);
    }

    /// Exactly as many tokens can be taken as it says are left, and the next one exactly when it says.
    #[test]
    fn it_says_what_is_left() {
        let rate = RateLimit {
            per_minute: 60,
            burst: 5,
        };
        let mut bucket = TokenBucket::default();
        for taken in 0..=5_u32 {
            let left = bucket.left(rate, at(0));
            assert_eq!(left.tokens, 5 - taken);
            assert_eq!(left.next.is_zero(), taken < 5);
            assert_eq!(left.all, Duration::from_secs(taken.into()));
            assert_eq!(bucket.try_take(rate, 0, at(0)), taken < 5);
        }
        let next = i64::try_from(bucket.left(rate, at(0)).next.as_millis()).unwrap();
        assert!(!bucket.try_take(rate, 0, at(next - 1)) && bucket.try_take(rate, 0, at(next)));
        assert_eq!(bucket.left(rate, at(600_000)).tokens, 5);
    }

    /// A caller that must leave the reserve is refused there, another one is not, and refilling fills the reserve first.
    #[test]
    fn the_reserve_is_for_callers_with_priority() {
        let rate = RateLimit {
            per_minute: 60,
            burst: 8,
        };
        let mut bucket = TokenBucket::default();
        assert_eq!(at_once(&mut bucket, rate, 3, at(0), 100), 5);
        assert_eq!(at_once(&mut bucket, rate, 0, at(0), 2), 2);
        assert!(!bucket.try_take(rate, 3, at(2_000)));
        assert!(bucket.try_take(rate, 3, at(3_000)));
        assert_eq!(at_once(&mut bucket, rate, 0, at(3_000), 100), 3);
        assert!(!bucket.try_take(rate, 8, at(3_600_000)), "a reserve of everything");
    }

    /// Clocks that differ a little give no extra tokens; a clock that is set back is believed.
    #[test]
    fn clocks_that_jump_neither_fill_nor_lock() {
        let rate = RateLimit {
            per_minute: 60,
            burst: 5,
        };
        let mut bucket = TokenBucket::default();
        assert_eq!(at_once(&mut bucket, rate, 0, at(30_000), 5), 5);
        for _ in 0..10 {
            assert!(!bucket.try_take(rate, 0, at(0)));
            assert!(!bucket.try_take(rate, 0, at(30_000)));
        }
        let yesterday = -86_400_000;
        assert!(!bucket.try_take(rate, 0, at(yesterday)));
        assert!(bucket.try_take(rate, 0, at(yesterday + 1_000)));
    }

    /// It survives serialization unchanged, and its size does not depend on what happened.
    #[test]
    fn it_is_plain_data() {
        let rate = RateLimit {
            per_minute: 7,
            burst: 5,
        };
        let mut bucket = TokenBucket::default();
        at_once(&mut bucket, rate, 0, at(1), 100);
        let text = serde_json::to_string(&bucket).unwrap();
        assert_eq!(serde_json::from_str::<TokenBucket>(&text).unwrap(), bucket);
        assert!(text.len() < 60, "{text}");
    }

    proptest! {
        /// However the tries are spread, no span of time gives more than the burst and what the rate allows in it.
        #[test]
        fn no_span_gives_more(rate in rates(), steps in prop::collection::vec((0_i64..5_000, 0_u32..300), 1..60)) {
            let mut bucket = TokenBucket::default();
            let mut granted = Vec::new();
            let mut now = 0;
            for (wait, reserve) in steps {
                now += wait;
                for _ in 0..4 {
                    if bucket.try_take(rate, reserve, at(now)) {
                        granted.push(now);
                    }
                }
            }
            for (index, from) in granted.iter().enumerate() {
                for (count, until) in granted[index..].iter().enumerate() {
                    let span = u64::try_from(until - from).unwrap();
                    let most = u64::from(rate.burst) * TOKEN + span * u64::from(rate.per_minute);
                    prop_assert!((count as u64 + 1) * TOKEN <= most, "{} in {span} ms", count + 1);
                }
            }
        }

        /// Nobody waits longer than one token takes to refill, and refusals cost nothing.
        #[test]
        fn everybody_gets_one_in_time(rate in rates(), asked in 0_usize..2_000, refused in 0_usize..50) {
            let mut bucket = TokenBucket::default();
            at_once(&mut bucket, rate, 0, at(0), asked);
            at_once(&mut bucket, rate, rate.burst, at(0), refused);
            let due = TOKEN.div_ceil(u64::from(rate.per_minute));
            prop_assert!(bucket.try_take(rate, 0, at(i64::try_from(due).unwrap())));
        }

        /// Callers with priority that keep to the rate are never refused, whatever others ask for.
        #[test]
        fn callers_with_priority_never_wait(rate in rates(), crowd in prop::collection::vec(0_usize..50, 1..50)) {
            prop_assume!(rate.burst >= 4);
            let reserve = rate.burst / 4;
            let mut bucket = TokenBucket::default();
            let due = i64::try_from(TOKEN.div_ceil(u64::from(rate.per_minute))).unwrap();
            for (round, crowd) in (0_i64..).zip(crowd) {
                at_once(&mut bucket, rate, reserve, at(round * due), crowd);
                prop_assert!(bucket.try_take(rate, 0, at(round * due)));
            }
        }
    }
}
