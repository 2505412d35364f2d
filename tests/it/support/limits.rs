//! Limits for what is put together from parts.

use std::time::Duration;

use kiungo::core::token_bucket::RateLimit;
use kiungo::service::admission::TurnRates;
use kiungo::service::retention::Retention;

/// More turns than any test takes.
pub const PLENTY: TurnRates = {
    let rate = RateLimit {
        per_minute: 6_000_000,
        burst: 100_000,
    };
    TurnRates {
        node: rate,
        channel: rate,
        person: rate,
    }
};

/// Nothing is forgotten that a test may look at.
pub const FOREVER: Retention = {
    let kept = Duration::from_hours(24 * 36_500);
    Retention {
        attempts: kept,
        removed_links: kept,
        consents: kept,
        messages: kept,
        audit: kept,
        events: kept,
        intents: kept,
        tokens: kept,
        idempotency: kept,
    }
};
