//! What goes wrong with the answer to a call, and how long calls take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::time::Rng;

use super::dialect::{CallClass, CallKind};
use super::institutions::BankSpeed;

/// A failure of the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BankFailure {
    /// The call is carried out, but takes this many milliseconds.
    Slow(u64),
    /// Nothing is done, and there is never an answer.
    Hang,
    /// The call is carried out, then the connection is reset before a byte of the answer.
    Reset,
    /// Nothing is done: 429, with `Retry-After` as switched.
    Busy,
    /// Nothing is done: 500.
    Error,
    /// Nothing is done: 503 with an empty body.
    Unavailable,
    /// The call is carried out, but a proxy in front gave up: 502 with a web page.
    Html,
    /// The call is carried out, but the answer is cut in its middle.
    Garbage,
}

impl BankFailure {
    /// Whether the call is carried out.
    pub fn processed(self) -> bool {
        matches!(self, Self::Slow(_) | Self::Reset | Self::Html | Self::Garbage)
    }
}

/// A failure for a kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRule<C> {
    pub on: C,
    pub trouble: BankFailure,
    /// How many calls it affects; all calls without it.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the call is carried out, if that should differ from [`BankFailure::processed`].
    #[serde(default)]
    pub processed: Option<bool>,
}

/// The first rule for this kind of call; its count goes down.
pub(super) fn take_failure<C: CallKind>(rules: &mut Vec<FailureRule<C>>, call: C) -> Option<FailureRule<C>> {
    let place = rules.iter().position(|rule| rule.on == call && rule.times != Some(0))?;
    let rule = &mut rules[place];
    let taken = *rule;
    rule.times = rule.times.map(|times| times.saturating_sub(1));
    if rule.times == Some(0) {
        rules.remove(place);
    }
    Some(taken)
}

/// A range of delays to pick from, both ends included, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayRange(pub u64, pub u64);

impl DelayRange {
    pub const NONE: Self = Self(0, 0);

    pub fn pick(self, rng: &dyn Rng) -> Duration {
        let width = self.1.saturating_sub(self.0).saturating_add(1);
        let mut bytes = [0; 8];
        rng.fill(&mut bytes);
        Duration::from_millis(self.0 + u64::from_le_bytes(bytes) % width)
    }
}

/// How long calls take before they are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    pub login: DelayRange,
    /// Logins at the slow ones.
    pub slow_login: DelayRange,
    /// Answers to a later question.
    pub commit: DelayRange,
    pub other: DelayRange,
}

impl Latency {
    pub const NONE: Self = Self {
        login: DelayRange::NONE,
        slow_login: DelayRange::NONE,
        commit: DelayRange::NONE,
        other: DelayRange::NONE,
    };

    /// The delays of a call at a bank of this speed.
    pub fn delay(&self, class: CallClass, pace: BankSpeed) -> DelayRange {
        match (class, pace) {
            (CallClass::Login, BankSpeed::Usual) => self.login,
            (CallClass::Login, BankSpeed::Slow) => self.slow_login,
            (CallClass::Answer, _) => self.commit,
            (CallClass::Other, _) => self.other,
        }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            login: DelayRange(1_000, 3_000),
            slow_login: DelayRange(3_000, 20_000),
            commit: DelayRange(500, 2_000),
            other: DelayRange(100, 300),
        }
    }
}
