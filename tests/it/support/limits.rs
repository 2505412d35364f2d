//! Limits for turns that are put together from parts.

use kiungo::core::bucket::Rate;
use kiungo::service::admission::Rates;

/// More turns than any test takes.
pub const PLENTY: Rates = {
    let rate = Rate {
        per_minute: 6_000_000,
        burst: 100_000,
    };
    Rates {
        node: rate,
        channel: rate,
        person: rate,
    }
};
