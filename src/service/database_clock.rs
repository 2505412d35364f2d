//! The time that all servers agree on: the database's.
//!
//! Who may submit, whose lease is over, what has expired and how often somebody has tried is decided by comparing moments,
//! written by one server and read by another. If each took them from its own machine, a server whose clock is three minutes
//! ahead would take another one's login that is under way for lost. So every server measures how far its clock is from that
//! of the database which they share, and the [`Clock`] that everything is given says the database's time.
//!
//! Between two measurements the time goes on by the machine's monotonic clock, which nobody sets: a wall clock that jumps
//! changes nothing. A measurement is as good as half the time that asking took; only what differs by more is a correction.
//!
//! With a SQLite file there is nobody to ask: all that open it are on one machine and have one clock, which is followed.
//!
//! Small corrections are taken at once. When the time jumps, as where another database takes over whose host's clock is
//! minutes off, the old time goes on for `HOLD`, so that whatever was under way at that moment ends by the time it began
//! with; then the new time is taken.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use crate::core::time::{Clock, Timestamp};
use crate::records::{Records, RecordsError};

/// How often the wall clock is compared with the time that has passed.
const TICK: Duration = Duration::from_secs(1);
/// How often the database is asked, at least.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How often it is asked each time: the quickest answer counts.
const SAMPLES: usize = 3;
/// A difference that is a jump, in milliseconds.
const JUMP_MS: i64 = 1_000;
/// A difference that operators are told of, in milliseconds.
const TELL_MS: i64 = 2_000;
/// Longer than any lease: a provider's timeout of at most two minutes, and its margin.
const HOLD: Duration = Duration::from_mins(3);

/// See the module.
pub struct DatabaseClock {
    wall: Arc<dyn Clock>,
    state: RwLock<State>,
}

#[derive(Clone, Copy)]
struct State {
    /// A moment, and when it was.
    anchor: Option<(Timestamp, Instant)>,
    /// How far the wall clock is ahead, in milliseconds, when it was last looked at.
    ahead_ms: i64,
    jumped: Option<Jump>,
    /// Whether the database has a clock of its own.
    asked: bool,
    told_ms: i64,
}

/// A new time that is not taken yet.
#[derive(Clone, Copy)]
struct Jump {
    since: Instant,
    /// How far it is ahead of the time that goes on, in milliseconds.
    by_ms: i64,
}

impl State {
    fn time_at(&self, at: Instant) -> Option<Timestamp> {
        self.anchor.map(|(moment, then)| moment.plus(at - then))
    }

    /// Takes the time that was found at this moment, exact to so many milliseconds, unless it has jumped lately.
    fn take(&mut self, found: Timestamp, at: Instant, exact_to_ms: i64) {
        let by_ms = self
            .time_at(at)
            .map_or(0, |expected| found.as_millis() - expected.as_millis());
        let held = self.jumped.is_some_and(|jump| at - jump.since >= HOLD);
        if by_ms.abs() > exact_to_ms.max(JUMP_MS) && !held {
            let since = self.jumped.map_or(at, |jump| jump.since);
            self.jumped = Some(Jump { since, by_ms });
            return;
        }
        self.jumped = None;
        if self.anchor.is_none() || by_ms.abs() > exact_to_ms {
            self.anchor = Some((found, at));
        }
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        self.state().time_at(Instant::now()).unwrap_or_else(|| self.wall.now())
    }
}

impl DatabaseClock {
    pub fn new(wall: Arc<dyn Clock>) -> Self {
        Self {
            wall,
            state: RwLock::new(State {
                anchor: None,
                ahead_ms: 0,
                jumped: None,
                asked: false,
                told_ms: 0,
            }),
        }
    }

    fn state(&self) -> State {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// How far this machine's clock is ahead of the time that counts, in milliseconds.
    pub fn ahead_ms(&self) -> i64 {
        self.state().ahead_ms
    }

    /// What an operator should know of the clocks.
    pub fn note(&self) -> Option<String> {
        let state = self.state();
        if let Some(jump) = state.jumped.filter(|jump| jump.by_ms.abs() > TELL_MS) {
            let whose = if state.asked {
                "the database's"
            } else {
                "this machine's"
            };
            let seconds = difference_text(jump.by_ms);
            return Some(format!(
                "{whose} clock has jumped and is {seconds} the time that is used until what was under way has ended"
            ));
        }
        let seconds = difference_text(state.ahead_ms);
        (state.ahead_ms.abs() > TELL_MS)
            .then(|| format!("this machine's clock is {seconds} the database's, which is used instead"))
    }

    /// Asks the database for its time.
    ///
    /// # Errors
    /// When it does not answer: the time goes on as it did.
    pub async fn measure(&self, records: &dyn Records) -> Result<(), RecordsError> {
        let mut best: Option<(Duration, Timestamp, Instant)> = None;
        for _ in 0..SAMPLES {
            let asked = Instant::now();
            let Some(time) = records.server_time().await? else {
                self.follow_wall_clock(Instant::now());
                return Ok(());
            };
            let took = asked.elapsed();
            if best.is_none_or(|(quickest, ..)| took < quickest) {
                best = Some((took, time, asked + took / 2));
            }
        }
        if let Some((took, time, then)) = best {
            self.set(time, then, took / 2);
        }
        Ok(())
    }

    fn set(&self, time: Timestamp, then: Instant, uncertainty: Duration) {
        let exact_to_ms = i64::try_from(uncertainty.as_millis()).unwrap_or(i64::MAX);
        self.change(|state| {
            state.asked = true;
            state.take(time, then, exact_to_ms);
        });
        self.compare_wall_clock(Instant::now());
    }

    /// Where there is no database to ask.
    fn follow_wall_clock(&self, now: Instant) {
        let wall = self.wall.now();
        self.change(|state| state.take(wall, now, 0));
        self.compare_wall_clock(now);
    }

    fn compare_wall_clock(&self, now: Instant) {
        let wall = self.wall.now();
        self.change(|state| {
            let ahead = |time: Timestamp| wall.as_millis() - time.as_millis();
            state.ahead_ms = state.time_at(now).map_or(0, ahead);
        });
    }

    /// Compares until told to stop.
    pub async fn keep(self: Arc<Self>, records: Arc<dyn Records>, metrics: Arc<Metrics>, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = Instant::now();
        self.tell(&metrics);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let State {
                asked: asks, ahead_ms, ..
            } = self.state();
            let jumped = (self.wall.now().as_millis() - self.now().as_millis() - ahead_ms).abs() > JUMP_MS;
            if asks && !jumped && asked.elapsed() < ASK_EVERY {
                continue;
            }
            asked = Instant::now();
            if let Err(error) = self.measure(records.as_ref()).await {
                tracing::warn!(%error, "the database's clock could not be read; time goes on by this machine's monotonic clock");
            }
            self.tell(&metrics);
        }
    }

    /// Says what has changed: in the metrics always, in the log when it is more than a trifle.
    fn tell(&self, metrics: &Metrics) {
        let state = self.state();
        metrics.clock_ahead(state.ahead_ms);
        let ahead_ms = state.jumped.map_or(state.ahead_ms, |jump| jump.by_ms);
        if (ahead_ms - state.told_ms).abs() <= TELL_MS {
            return;
        }
        self.change(|state| state.told_ms = ahead_ms);
        if let Some(note) = self.note() {
            tracing::warn!(ahead_ms, "{note}: set it right, and keep it so with NTP");
        } else {
            tracing::info!(ahead_ms, "the clocks agree again");
        }
    }
}

fn difference_text(ahead_ms: i64) -> String {
    let (seconds, side) = (ahead_ms.abs() / 1000, if ahead_ms > 0 { "ahead of" } else { "behind" });
    format!("{seconds} s {side}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Wall(AtomicI64);

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    fn clock(wall_ms: i64) -> (Arc<Wall>, DatabaseClock) {
        let wall = Arc::new(Wall(AtomicI64::new(wall_ms)));
        (wall.clone(), DatabaseClock::new(wall))
    }

    /// Whether the clock says this moment, or as much later as has really passed.
    fn says(clock: &DatabaseClock, millis: i64, since: Instant) -> bool {
        let now = clock.now();
        let from = Timestamp::from_millis(millis);
        now >= from && now <= from.plus(since.elapsed())
    }

    /// A wall clock that is minutes off, or is set while the server runs, changes nothing: the database's time counts.
    #[test]
    fn the_databases_time_counts() {
        for off_by in [-960_000, -180_000, 180_000, 960_000] {
            let (right, start) = (1_800_000_000_000, Instant::now());
            let (wall, clock) = clock(right + off_by);
            clock.set(Timestamp::from_millis(right), start, Duration::ZERO);
            assert!(says(&clock, right, start));
            assert!((clock.ahead_ms() - off_by).abs() < 60_000 && clock.note().is_some());
            wall.0.fetch_sub(3_600_000, Ordering::Relaxed);
            assert!(says(&clock, right, start));
            // An answer that agrees within its uncertainty corrects nothing; a difference beyond it does.
            let later = right + 600;
            clock.set(Timestamp::from_millis(later), start, Duration::from_millis(600));
            assert!(says(&clock, right, start));
            clock.set(Timestamp::from_millis(later), start, Duration::from_millis(599));
            assert!(says(&clock, later, start));
        }
    }

    /// Where another database takes over whose clock is minutes off, what was under way ends by the time it began with. A
    /// clock that is set right meanwhile, or an answer that is too slow to say, changes nothing.
    #[test]
    fn a_jump_of_the_databases_time_waits() {
        for jump_ms in [-960_000, 180_000] {
            let (right, start) = (1_800_000_000_000, Instant::now());
            let (wall, clock) = clock(right);
            let measured = |millis: i64, after: Duration, uncertainty: Duration, want: i64, held: bool| {
                let passed = i64::try_from(after.as_millis()).unwrap();
                wall.0.store(right + passed, Ordering::Relaxed);
                clock.set(Timestamp::from_millis(millis + passed), start + after, uncertainty);
                let counted = clock.state().time_at(start + after).unwrap();
                assert_eq!(counted.as_millis(), want + passed, "{jump_ms} {after:?}");
                let note = clock.note().unwrap_or_default();
                assert_eq!(note.starts_with("the database's clock has jumped"), held, "{note}");
            };
            let (exact, second) = (Duration::ZERO, Duration::from_secs(1));
            measured(right, exact, exact, right, false);
            measured(right + jump_ms, second, exact, right, true);
            measured(right, second * 2, exact, right, false);
            measured(right + jump_ms, second * 3, Duration::from_mins(20), right, false);
            measured(right + jump_ms, second * 4, exact, right, true);
            measured(right + jump_ms, HOLD + second * 3, exact, right, true);
            measured(right + jump_ms, HOLD + second * 4, exact, right + jump_ms, false);
        }
    }

    /// Where all have one clock, small steps are followed at once, and a jump when what was under way has ended.
    #[test]
    fn a_jump_waits_for_what_is_under_way() {
        let start = Instant::now();
        let (wall, clock) = clock(1_000_000);
        for (wall_ms, at, want, told) in [
            (1_000_000, start, 1_000_000, false),
            (1_000_400, start, 1_000_400, false),
            (1_960_400, start, 1_000_400, true),
            (2_140_400, start + HOLD, 2_140_400, false),
        ] {
            wall.0.store(wall_ms, Ordering::Relaxed);
            clock.follow_wall_clock(at);
            assert!(says(&clock, want, start), "{wall_ms}");
            assert_eq!(clock.note().is_some(), told, "{wall_ms}");
        }
    }
}
