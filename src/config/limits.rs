//! `[limits]`: how many turns are taken, so that a flood makes some people wait and nobody lose their way.

use super::section::Section;
use crate::core::bucket::Rate;
use crate::service::admission::Rates;

/// A node of two cores serves this many turns a second within a fraction of their deadline.
const TURNS_PER_SECOND: u64 = 1_000;
/// Nobody reads and types a screen a second for a minute.
const PERSON_TURNS_PER_MINUTE: u64 = 60;

pub(super) fn read(mut section: Section<'_>) -> Rates {
    let turns = section
        .number("turns_per_second", 1..=100_000)
        .unwrap_or(TURNS_PER_SECOND);
    let burst = section.number("burst", 1..=1_000_000).unwrap_or(turns);
    let channel = section.number("channel_turns_per_second", 1..=100_000).unwrap_or(turns);
    let person = section
        .number("person_turns_per_minute", 6..=6_000)
        .unwrap_or(PERSON_TURNS_PER_MINUTE);
    section.finish();
    Rates {
        node: a_second(turns, burst),
        channel: a_second(channel, burst),
        person: Rate {
            per_minute: number(person),
            burst: number(person),
        },
    }
}

fn a_second(turns: u64, burst: u64) -> Rate {
    Rate {
        per_minute: number(turns * 60),
        burst: number(burst),
    }
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
