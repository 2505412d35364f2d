//! `[limits]`: how many turns are taken, so that a flood makes some people wait and nobody lose their way.

use super::section::Section;
use crate::core::token_bucket::RateLimit;
use crate::service::admission::TurnRates;

/// A node of two cores serves this many turns a second within a fraction of their deadline.
const TURNS_PER_SECOND: u64 = 1_000;
/// Nobody reads and types a screen a second for a minute.
const PERSON_TURNS_PER_MINUTE: u64 = 60;

pub(super) fn read(mut section: Section<'_>) -> TurnRates {
    let turns = section
        .number("turns_per_second", 1..=100_000)
        .unwrap_or(TURNS_PER_SECOND);
    let burst = section.number("burst", 1..=1_000_000).unwrap_or(turns);
    let channel = section.number("channel_turns_per_second", 1..=100_000).unwrap_or(turns);
    let person = section
        .number("person_turns_per_minute", 6..=6_000)
        .unwrap_or(PERSON_TURNS_PER_MINUTE);
    section.report_unknown_keys();
    TurnRates {
        node: rate_per_second(turns, burst),
        channel: rate_per_second(channel, burst),
        person: RateLimit {
            per_minute: saturating_u32(person),
            burst: saturating_u32(person),
        },
    }
}

fn rate_per_second(turns: u64, burst: u64) -> RateLimit {
    RateLimit {
        per_minute: saturating_u32(turns * 60),
        burst: saturating_u32(burst),
    }
}

fn saturating_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
