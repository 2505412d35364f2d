//! What came of the turns.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

use super::journey::TurnError;

/// In microseconds; longer ones count as this.
const LONGEST: u64 = 3_600_000_000;
/// A latency is kept to one part in a thousand.
const DIGITS: u8 = 3;

pub(super) struct Tally {
    deadline: Duration,
    /// Of good answers, in microseconds.
    latencies: Histogram<u64>,
    errors: BTreeMap<TurnError, u64>,
    over_deadline: u64,
}

impl Tally {
    pub fn new(deadline: Duration) -> Result<Self, CreationError> {
        Ok(Self {
            deadline,
            latencies: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            errors: BTreeMap::new(),
            over_deadline: 0,
        })
    }

    /// Counts one turn, and how long after it was due it was answered.
    pub fn record(&mut self, answered: Result<(), TurnError>, latency: Duration) {
        match answered {
            Ok(()) => {
                let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST);
                self.latencies.saturating_record(micros.max(1));
            }
            Err(error) => *self.errors.entry(error).or_default() += 1,
        }
        let late = latency > self.deadline || answered == Err(TurnError::Timeout);
        self.over_deadline += u64::from(late);
    }

    /// Counts turns that were due and not even begun in time.
    pub fn never_answered(&mut self, turns: u64) {
        if turns > 0 {
            *self.errors.entry(TurnError::Timeout).or_default() += turns;
            self.over_deadline += turns;
        }
    }

    /// All of them.
    pub fn turns(&self) -> u64 {
        self.good() + self.errors()
    }

    pub fn good(&self) -> u64 {
        self.latencies.len()
    }

    pub fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    /// How many of each kind, by its name.
    pub fn errors_by_kind(&self) -> BTreeMap<String, u64> {
        let kinds = self.errors.iter().map(|(kind, count)| (kind.name(), *count));
        kinds.collect()
    }

    /// How many of all turns were not answered by the deadline.
    pub fn over_deadline(&self) -> u64 {
        self.over_deadline
    }

    /// The latency that this share of good answers does not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.latencies.value_at_quantile(share))
    }

    pub fn max(&self) -> Duration {
        Duration::from_micros(self.latencies.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn that was due long ago is late whenever it was sent, and what failed makes no latency look better.
    #[test]
    fn late_and_failed_turns_count() {
        let mut tally = Tally::new(Duration::from_millis(100)).unwrap();
        for millis in [1, 2, 3, 200] {
            tally.record(Ok(()), Duration::from_millis(millis));
        }
        tally.record(Err(TurnError::Status(500)), Duration::from_millis(1));
        tally.record(Err(TurnError::Timeout), Duration::from_millis(100));
        tally.never_answered(2);
        assert_eq!((tally.turns(), tally.good(), tally.errors()), (8, 4, 4));
        assert_eq!(tally.over_deadline(), 4);
        let kinds = tally.errors_by_kind();
        assert_eq!((kinds["http_500"], kinds["timeout"]), (1, 3));
        let median = tally.quantile(0.5);
        assert!(
            median.abs_diff(Duration::from_millis(2)) < Duration::from_micros(10),
            "{median:?}"
        );
        assert!(tally.max() >= Duration::from_millis(200), "{:?}", tally.max());
    }
}
