//! When a consent ends, and from when on that is told.

use std::time::Duration;

use chrono::DateTime;

use super::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// How long before its end the end of a consent is told.
const NOTICE: Duration = Duration::from_hours(7 * 24);

/// The end of a short consent is told when this part of its life is left.
const SHORT_NOTICE: u32 = 7;

/// When a consent for so many days ends.
pub fn ends_at(agreed_at: Timestamp, days: u16) -> Timestamp {
    agreed_at.plus(DAY * u32::from(days))
}

/// From when on it is told that what was agreed to then ends at `until`: seven days before. What lasts less than eight days
/// would be told of at once, and is told of in the last seventh of its life.
pub fn notice_from(agreed_at: Timestamp, until: Timestamp) -> Timestamp {
    let life = until.since(agreed_at);
    let notice = if life < NOTICE + DAY {
        life / SHORT_NOTICE
    } else {
        NOTICE
    };
    until.minus(notice)
}

/// The day of a moment in UTC as people read it, the day of the month first: so it is written wherever our languages are
/// spoken.
pub fn date_text(at: Timestamp) -> String {
    let date = DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default();
    date.format("%d/%m/%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A consent ends to the millisecond when its days are over, and is told of in good time: seven days before, or in the
    /// last seventh of what is too short for that. It is never told of before it was given, nor after its end.
    #[test]
    fn a_consent_ends_and_is_told_of_before() {
        let agreed = Timestamp::from_millis(1_780_000_000_007);
        for (days, notice_hours) in [
            (730, 168),
            (90, 168),
            (30, 168),
            (9, 168),
            (8, 168),
            (7, 24),
            (1, 24 / 7),
        ] {
            let until = ends_at(agreed, days);
            assert_eq!(until.as_millis() - agreed.as_millis(), i64::from(days) * 24 * HOUR);
            let notice = until.as_millis() - notice_from(agreed, until).as_millis();
            assert_eq!(notice / HOUR, notice_hours, "{days} days");
        }
        // Ended by the provider before it began.
        let before = agreed.minus(DAY);
        assert_eq!(notice_from(agreed, before), before);
    }

    /// The day comes first, and all of it fits into ten characters of a keypad phone.
    #[test]
    fn dates_are_short_and_begin_with_the_day() {
        for (millis, text) in [
            (0, "01/01/1970"),
            (1_780_000_000_007, "28/05/2026"),
            (i64::MAX, "01/01/1970"),
        ] {
            assert_eq!(date_text(Timestamp::from_millis(millis)), text);
        }
    }
}
