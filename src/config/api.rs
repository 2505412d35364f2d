//! `[api]`: what partners' servers may do how often, and how long their tokens open anything.

use std::time::Duration;

use super::section::Section;
use crate::core::token_bucket::RateLimit;

/// Long enough for a page of work, short enough that a stolen token is soon worth nothing.
const TOKEN_LIFETIME: u64 = 10 * 60;
/// For one partner at one node.
const REQUESTS_PER_SECOND: u64 = 50;

/// How partners call us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// How long a token opens anything.
    pub token_lifetime: Duration,
    /// How many requests of one partner one node takes.
    pub rate: RateLimit,
}

pub(super) fn read(mut section: Section<'_>) -> ApiConfig {
    let lifetime = section
        .number("token_lifetime_s", 60..=86_400)
        .unwrap_or(TOKEN_LIFETIME);
    let a_second = section
        .number("requests_per_second", 1..=10_000)
        .unwrap_or(REQUESTS_PER_SECOND);
    let burst = section.number("burst", 1..=100_000).unwrap_or(a_second * 2);
    section.report_unknown_keys();
    ApiConfig {
        token_lifetime: Duration::from_secs(lifetime),
        rate: RateLimit {
            per_minute: u32::try_from(a_second * 60).unwrap_or(u32::MAX),
            burst: u32::try_from(burst).unwrap_or(u32::MAX),
        },
    }
}
