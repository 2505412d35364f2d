//! `[api]`: how often partners' servers may call, and how long their access tokens are valid.

use std::time::Duration;

use serde::Serialize;

use super::section::Section;
use crate::core::token_bucket::RateLimit;
use crate::records::{IntentLimits, OPEN_INTENTS_FOR_NUMBER};

/// Long enough for a page of work, short enough that a stolen token soon expires.
const TOKEN_LIFETIME_S: u64 = 10 * 60;
/// For one partner at one node.
const REQUESTS_PER_SECOND: u32 = 50;
/// One in a thousand of all codes.
const OPEN_INTENTS: u32 = 100_000;
/// A branch that asks again, and another that asks too.
const OPEN_INTENTS_PER_NUMBER: u32 = 5;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct ApiConfig {
    pub token_lifetime_s: u64,
    /// For each partner at each node.
    pub requests_per_second: u32,
    pub burst: u32,
    /// Of each partner, at a time.
    pub open_intents: u32,
    /// Of each partner for one number, at a time.
    pub open_intents_per_number: u32,
}

impl ApiConfig {
    pub fn token_lifetime(self) -> Duration {
        Duration::from_secs(self.token_lifetime_s)
    }

    pub fn intent_limits(self) -> IntentLimits {
        IntentLimits {
            of_partner: self.open_intents,
            of_partner_for_number: self.open_intents_per_number,
        }
    }

    pub fn rate(self) -> RateLimit {
        RateLimit::per_second(self.requests_per_second, self.burst)
    }
}

pub(super) fn read(mut section: Section<'_>) -> ApiConfig {
    let token_lifetime_s = section
        .number("token_lifetime_s", 60..=86_400)
        .unwrap_or(TOKEN_LIFETIME_S);
    let requests_per_second = section
        .number("requests_per_second", 1..=10_000)
        .unwrap_or(REQUESTS_PER_SECOND);
    let burst = section.number("burst", 1..=100_000).unwrap_or(requests_per_second * 2);
    let open_intents = section.number("open_intents", 1..=10_000_000).unwrap_or(OPEN_INTENTS);
    let open_intents_per_number = section
        .number("open_intents_per_number", 1..=OPEN_INTENTS_FOR_NUMBER)
        .unwrap_or(OPEN_INTENTS_PER_NUMBER);
    section.report_unknown_keys();
    ApiConfig {
        token_lifetime_s,
        requests_per_second,
        burst,
        open_intents,
        open_intents_per_number,
    }
}
