//! Time left in a turn and in a dialog, and what to do with it.
//!
//! A gateway gives up on a turn that is answered late, and a network cuts a dialog that lasts too long; in both cases the
//! person sees an error that is not ours. So a turn is answered before its deadline whatever the bank is doing, and a
//! dialog that has no room for one more round is ended by us, with what to do next on the screen: an end that we send is
//! read, a cut is not.

use std::time::Duration;

use super::time::Timestamp;

/// What is kept back from a gateway's deadline for the way there and back.
pub const DEADLINE_MARGIN: Duration = Duration::from_millis(700);
/// No turn takes longer than this, however patient the gateway: people think that the service hangs.
pub const MAX_ANSWER_TIME: Duration = Duration::from_secs(4);
/// The part of the time to answer a screen (one over this) that reading it takes.
pub const READING_DIVISOR: u32 = 2;

/// The deadlines of a gateway that the rules here need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// How long the gateway waits for our answer to one callback.
    pub turn: Duration,
    /// How long a whole dialog may last.
    pub dialog: Duration,
    /// How long a person may take to answer one screen.
    pub idle: Duration,
}

/// When a turn must be answered: [`DEADLINE_MARGIN`] before the gateway gives up on the turn or the network on the dialog, and
/// never later than [`MAX_ANSWER_TIME`] after the turn began. Never before the turn began.
pub fn answer_by(deadlines: Deadlines, dialog_start: Timestamp, turn_start: Timestamp) -> Timestamp {
    let by_turn = turn_start.plus(answer_time(deadlines));
    let by_dialog = dialog_start.plus(deadlines.dialog).minus(DEADLINE_MARGIN);
    by_turn.min(by_dialog).max(turn_start)
}

/// How long a turn may take: [`DEADLINE_MARGIN`] less than the gateway waits, and never longer than [`MAX_ANSWER_TIME`].
pub fn answer_time(deadlines: Deadlines) -> Duration {
    deadlines.turn.saturating_sub(DEADLINE_MARGIN).min(MAX_ANSWER_TIME)
}

/// Whether the dialog has no room for one more round: then it is to be ended, with how it goes on.
pub fn is_last_round(deadlines: Deadlines, dialog_start: Timestamp, now: Timestamp) -> bool {
    dialog_left(deadlines, dialog_start, now) < round_time(deadlines)
}

/// How much of the dialog is left.
fn dialog_left(deadlines: Deadlines, dialog_start: Timestamp, now: Timestamp) -> Duration {
    dialog_start.plus(deadlines.dialog).since(now)
}

/// What one more round costs: reading the poll screen and choosing, then a whole turn.
pub fn round_time(deadlines: Deadlines) -> Duration {
    deadlines.turn.saturating_add(reading_time(deadlines))
}

/// What reading a screen and answering it takes.
fn reading_time(deadlines: Deadlines) -> Duration {
    deadlines.idle / READING_DIVISOR
}

/// For how long after a dialog's start a screen may ask something: one shown later is cut in the reading. What is typed at
/// the last moment is still taken in, and its answer ends the dialog.
pub fn interactive_time(deadlines: Deadlines) -> Duration {
    deadlines
        .dialog
        .saturating_sub(reading_time(deadlines).saturating_add(DEADLINE_MARGIN))
}

/// Until when a turn that must be answered by `until` may leave its answer to others, where one way to the live store and
/// back takes `trip`: to read that nobody has set it is one and to set it is another, and both come once more where
/// something was written in between, which is likely just when the bank answers.
pub fn wait_until(until: Timestamp, trip: Duration) -> Timestamp {
    until.minus(trip.saturating_mul(4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn deadlines(turn: u64, dialog: u64, idle: u64) -> Deadlines {
        Deadlines {
            turn: Duration::from_millis(turn),
            dialog: Duration::from_millis(dialog),
            idle: Duration::from_millis(idle),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// What a turn that still has no outcome does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Plan {
        Wait { until: Timestamp },
        Poll,
        HandOver,
    }

    fn plan(deadlines: Deadlines, dialog_start: Timestamp, turn_start: Timestamp, now: Timestamp) -> Plan {
        let until = answer_by(deadlines, dialog_start, turn_start);
        if now < until {
            Plan::Wait { until }
        } else if is_last_round(deadlines, dialog_start, now) {
            Plan::HandOver
        } else {
            Plan::Poll
        }
    }

    /// The deadline of a turn, by gateway and by how old the dialog is.
    #[test]
    fn answers_before_anybody_gives_up() {
        for (name, gateway, dialog_start, turn_start, want) in [
            ("defaults", deadlines(5_000, 120_000, 20_000), 0, 10_000, 14_000),
            ("patient gateway", deadlines(10_000, 180_000, 20_000), 0, 10_000, 14_000),
            (
                "impatient gateway",
                deadlines(3_000, 120_000, 20_000),
                0,
                10_000,
                12_300,
            ),
            (
                "less than the safety",
                deadlines(500, 120_000, 20_000),
                0,
                10_000,
                10_000,
            ),
            (
                "dialog ends first",
                deadlines(10_000, 12_000, 20_000),
                0,
                10_000,
                11_300,
            ),
            ("dialog is over", deadlines(10_000, 12_000, 20_000), 0, 50_000, 50_000),
            (
                "end of time",
                deadlines(u64::MAX, u64::MAX, u64::MAX),
                0,
                10_000,
                14_000,
            ),
        ] {
            assert_eq!(answer_by(gateway, at(dialog_start), at(turn_start)), at(want), "{name}");
        }
    }

    /// What is done at each moment of a waiting turn.
    #[test]
    fn waits_then_polls_then_hands_over() {
        let gateway = deadlines(5_000, 120_000, 20_000);
        for (name, turn_start, now, want) in [
            ("turn began", 10_000, 10_000, Plan::Wait { until: at(14_000) }),
            (
                "clock of another node is behind",
                10_000,
                9_000,
                Plan::Wait { until: at(14_000) },
            ),
            (
                "just before the deadline",
                10_000,
                13_999,
                Plan::Wait { until: at(14_000) },
            ),
            ("at the deadline", 10_000, 14_000, Plan::Poll),
            ("late", 10_000, 30_000, Plan::Poll),
            ("exactly one round left", 101_000, 105_000, Plan::Poll),
            ("less than one round left", 101_000, 105_001, Plan::HandOver),
            (
                "last turn still waits first",
                110_000,
                112_000,
                Plan::Wait { until: at(114_000) },
            ),
            ("dialog is over", 130_000, 130_000, Plan::HandOver),
        ] {
            assert_eq!(plan(gateway, at(0), at(turn_start), at(now)), want, "{name}");
        }
    }

    /// How long a dialog asks, by gateway: as long as there is time to read, and not at all where there never is.
    #[test]
    fn asks_while_there_is_time_to_read() {
        for (name, gateway, want) in [
            ("defaults", deadlines(5_000, 120_000, 20_000), 109_300),
            ("time to think", deadlines(10_000, 180_000, 60_000), 149_300),
            ("no time at all", deadlines(5_000, 10_000, 20_000), 0),
        ] {
            assert_eq!(interactive_time(gateway), Duration::from_millis(want), "{name}");
        }
    }

    /// A store that is far away is given what it needs; one that is near costs nothing of the wait.
    #[test]
    fn leaves_time_for_the_store() {
        for (trip, want) in [(0, 14_000), (1, 13_996), (300, 12_800)] {
            let found = wait_until(at(14_000), Duration::from_millis(trip));
            assert_eq!(found, at(want), "{trip}");
        }
        assert!(wait_until(at(14_000), Duration::MAX) < at(0));
    }

    proptest! {
        /// Whatever the deadlines: a turn ends in time, waiting always ends, and no poll is offered that has no room.
        #[test]
        fn always_in_time(
            turn in 0_u64..60_000, dialog in 0_u64..600_000, idle in 0_u64..120_000,
            began in 0_i64..600_000, waited in 0_i64..60_000,
        ) {
            let gateway = deadlines(turn, dialog, idle);
            let (start, now) = (at(began), at(began + waited));
            let until = answer_by(gateway, at(0), start);
            prop_assert!(until >= start);
            prop_assert!(until.since(start) <= MAX_ANSWER_TIME);
            prop_assert!(until == start || until.plus(DEADLINE_MARGIN).since(start) <= gateway.turn);
            match plan(gateway, at(0), start, now) {
                Plan::Wait { until: moment } => {
                    prop_assert_eq!(moment, until);
                    prop_assert!(now < until);
                    let next = plan(gateway, at(0), start, until);
                    let waits = matches!(next, Plan::Wait { .. });
                    prop_assert!(!waits);
                }
                Plan::Poll => prop_assert!(now.plus(round_time(gateway)) <= at(0).plus(gateway.dialog)),
                Plan::HandOver => prop_assert!(now.plus(round_time(gateway)) > at(0).plus(gateway.dialog)),
            }
        }
    }
}
