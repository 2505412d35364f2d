//! When turns are due.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::args::LoadArgs;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

pub(super) struct Schedule {
    began: Instant,
    pace: Pace,
    /// After the end, for turns that were due and not begun.
    grace: Duration,
}

enum Pace {
    /// As fast as answers come, until then, or until nobody is left.
    Closed { until: Option<Instant> },
    /// At fixed moments.
    Fixed {
        rate: u64,
        turns: u64,
        taken: Cell<u64>,
        /// One permit for each turn that was due.
        due: Arc<Semaphore>,
    },
}

impl Schedule {
    /// Begins now.
    pub fn start(args: &LoadArgs) -> Self {
        let began = Instant::now();
        let pace = match args.rate {
            None => Pace::Closed {
                until: (!args.once).then(|| began + Duration::from_secs(args.seconds.into())),
            },
            Some(rate) => {
                let (rate, due) = (u64::from(rate), Arc::new(Semaphore::new(0)));
                let turns = rate * u64::from(args.seconds);
                let permits = Arc::downgrade(&due);
                // A thread, because the runtime's timers are a millisecond coarse, which is what some answers take.
                std::thread::spawn(move || release(began, rate, turns, &permits));
                Pace::Fixed {
                    rate,
                    turns,
                    taken: Cell::new(0),
                    due,
                }
            }
        };
        Self {
            began,
            pace,
            grace: args.timeout(),
        }
    }

    pub fn began(&self) -> Instant {
        self.began
    }

    /// How many turns there are to be; `None` where that depends on the answers.
    pub fn turns(&self) -> Option<u64> {
        match &self.pace {
            Pace::Closed { .. } => None,
            Pace::Fixed { turns, .. } => Some(*turns),
        }
    }

    /// Whether a failed connection is tried again only after a moment: nothing else slows a closed loop down.
    pub fn is_closed_loop(&self) -> bool {
        matches!(self.pace, Pace::Closed { .. })
    }

    /// Waits for the next turn; returns the moment it is due, or `None` when there are no more.
    pub async fn next_turn(&self) -> Option<Instant> {
        match &self.pace {
            Pace::Closed { until } => {
                let now = Instant::now();
                until.is_none_or(|until| now < until).then_some(now)
            }
            Pace::Fixed {
                rate,
                turns,
                taken,
                due,
            } => {
                let turn = taken.get();
                if turn >= *turns {
                    return None;
                }
                taken.set(turn + 1);
                // The semaphore is fair, so permits come in the order of the turns.
                due.acquire().await.ok()?.forget();
                Some(self.began + offset(turn, *rate))
            }
        }
    }

    /// Comes when turns on a fixed schedule are waited for no longer.
    pub async fn given_up(&self) {
        match &self.pace {
            Pace::Closed { .. } => std::future::pending().await,
            Pace::Fixed { rate, turns, .. } => {
                let end = self.began + offset(*turns, *rate) + self.grace;
                tokio::time::sleep_until(end.into()).await;
            }
        }
    }
}

/// How long after the beginning a turn is due.
fn offset(turn: u64, rate: u64) -> Duration {
    Duration::from_secs(turn / rate) + Duration::from_nanos(turn % rate * NANOS_PER_SECOND / rate)
}

/// Lets each turn go when it is due, until nobody waits any more.
fn release(began: Instant, rate: u64, turns: u64, permits: &Weak<Semaphore>) {
    for turn in 0..turns {
        std::thread::sleep((began + offset(turn, rate)).saturating_duration_since(Instant::now()));
        let Some(permits) = permits.upgrade() else { return };
        permits.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed schedule neither drifts nor bunches: the last turn of a long run is due to the nanosecond where it should be.
    #[test]
    fn turns_are_due_evenly() {
        for (turn, rate, want) in [
            (0, 3, Duration::ZERO),
            (1, 3, Duration::from_nanos(333_333_333)),
            (3, 3, Duration::from_secs(1)),
            (86_400_000_000 - 1_000_000, 1_000_000, Duration::from_secs(86_399)),
            (1_500, 1_000, Duration::from_millis(1_500)),
        ] {
            assert_eq!(offset(turn, rate), want, "{turn} at {rate}");
        }
    }
}
