//! `[retention]`: for how many days finished records are kept. The reasons are in docs/OPERATIONS.md.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serializer;

use super::section::Section;
use crate::service::retention::Retention;

/// A hundred years.
const LONGEST: u64 = 36_500;

/// A setting: its name, its default and its minimum, in days.
type Days = (&'static str, u64, u64);

/// An attempt that was given up may still produce a link for a week.
const ATTEMPTS: Days = ("attempts", 180, 8);
const REMOVED_LINKS: Days = ("removed_links", 365, 1);
/// Six years: as long as most of the law concerned lets somebody go to court about a contract.
const CONSENTS: Days = ("consents", 2_190, 1);
/// A message's row keeps it from being sent twice; reports come for days.
const MESSAGES: Days = ("messages", 90, 8);
const AUDIT: Days = ("audit", 730, 30);
/// An event is delivered for up to four days.
const EVENTS: Days = ("events", 30, 7);
const INTENTS: Days = ("intents", 365, 1);
const TOKENS: Days = ("tokens", 1, 1);
/// Partners are promised a day.
const IDEMPOTENCY: Days = ("idempotency", 1, 1);

pub(super) fn read(mut section: Section<'_>) -> Retention {
    let mut days = |(key, default, least): Days| {
        let range: RangeInclusive<u64> = least..=LONGEST;
        Duration::from_hours(24 * section.number(key, range).unwrap_or(default))
    };
    let retention = Retention {
        attempts: days(ATTEMPTS),
        removed_links: days(REMOVED_LINKS),
        consents: days(CONSENTS),
        messages: days(MESSAGES),
        audit: days(AUDIT),
        events: days(EVENTS),
        intents: days(INTENTS),
        tokens: days(TOKENS),
        idempotency: days(IDEMPOTENCY),
    };
    section.report_unknown_keys();
    retention
}

/// By the names of the settings, in days.
pub(super) fn serialize<S: Serializer>(retention: &Retention, serializer: S) -> Result<S::Ok, S::Error> {
    let kept = [
        (ATTEMPTS, retention.attempts),
        (REMOVED_LINKS, retention.removed_links),
        (CONSENTS, retention.consents),
        (MESSAGES, retention.messages),
        (AUDIT, retention.audit),
        (EVENTS, retention.events),
        (INTENTS, retention.intents),
        (TOKENS, retention.tokens),
        (IDEMPOTENCY, retention.idempotency),
    ];
    serializer.collect_map(kept.map(|((key, ..), kept)| (key, kept.as_secs() / 86_400)))
}
