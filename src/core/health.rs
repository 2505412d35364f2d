//! How an institution is doing, or a provider as a whole: what was seen of it lately, and whether a person may be sent
//! there now.
//!
//! A login that fails because the bank is away costs a person their time, a password shown to whoever looks on, and one
//! of the few tries a bank allows. So what the last calls met decides whether the next person is let through.
//!
//! ```text
//!            three failures in a row           its rest is over
//!   open  ───────────────────────────▶ resting ─────────────────┐
//!    ▲  │        "leave me alone"                               ▼
//!    │  └─────────────────────────▶ pausing ──────────────▶ half-open: one person at a time
//!    │                                  its pause is over       │
//!    └──────────────────────────────────────────────────────────┘  an answer; a failure rests it anew
//! ```
//!
//! A failure is what says nothing of the person: a timeout, a server error, a connection that was refused or broke off.
//! A session that opens says that sessions open: where nothing but that had failed it is an answer, and where logins had
//! met nothing it is none. A plain no is neither good nor bad, for Mono has one code for wrong details and for a bank that is away. A rest is
//! over by itself, so that nobody has to open anything by hand; but it takes an answer to let everybody in again. Who
//! tries first is told apart by their connect session: their own later steps go through, everybody else waits.
//!
//! What is seen is forgotten after [`MEMORY`], and only the last [`SAMPLES`] answers are kept. Rests and pauses longer
//! than any that is given are none: the clock was set back meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::ids::ConnectSessionId;
use super::time::Timestamp;

/// For how long anything seen counts.
pub const MEMORY: Duration = Duration::from_mins(5);
/// How many answers are kept.
pub const SAMPLES: usize = 10;
/// So many failures in a row are an outage; fewer may be chance.
pub const FAILURES_TO_OPEN: u32 = 3;
/// An answer that takes longer is late: a person has looked at three poll screens by then, or has hung up.
pub const LATE: Duration = Duration::from_secs(15);
/// The first rest; each further failure in the row adds as much, up to [`MAX_OPEN_FOR`].
pub const OPEN_FOR: Duration = Duration::from_secs(30);
/// The longest rest.
pub const MAX_OPEN_FOR: Duration = Duration::from_mins(2);
/// The pause of who asks to be left alone without saying for how long; Mono documents no `Retry-After`.
pub const BACKOFF: Duration = Duration::from_secs(30);
/// The longest pause that is believed.
pub const MAX_BACKOFF: Duration = Duration::from_hours(1);
/// How long whoever tries first may take from picking the bank to submitting.
pub const PROBE_FOR: Duration = Duration::from_mins(1);
/// The longest trial that is believed.
const MAX_PROBE_FOR: Duration = Duration::from_mins(10);

/// What a call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallObservation {
    /// A yes, after so long.
    Answered(Duration),
    /// It was there, and was asked nothing that would show more.
    Reached,
    /// A no that says nothing about its health.
    Refused,
    /// There was no connection, or no session to be had: nobody has come as far as logging in.
    Unopened,
    /// A login, or what follows it, met no answer, or that of a broken server.
    Failed,
    /// It asks to be left alone, for so long where it says.
    Busy(Option<Duration>),
}

/// How it looks to the next person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nothing is known to be wrong.
    #[default]
    Healthy,
    /// It answers late, or not every time.
    Slow,
    /// It does not answer.
    Down(Open),
    /// It asks to be left alone.
    Busy(Open),
}

/// Nobody is to be sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Until then.
    pub until: Timestamp,
    /// But for whoever tries whether it is back, if somebody does.
    pub probe: Option<ConnectSessionId>,
}

impl Health {
    /// Why this connect session may not go there, if it may not.
    pub fn refusal_for(self, session: ConnectSessionId) -> Option<Self> {
        match self {
            Self::Down(shut) | Self::Busy(shut) if shut.probe != Some(session) => Some(self),
            _ => None,
        }
    }

    /// Whether nobody is to be sent there, or one person only.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Down(_) | Self::Busy(_))
    }
}

/// How it is doing, whoever may try it. In order: later is worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthLevel {
    /// Nothing is known to be wrong.
    #[default]
    Healthy = 0,
    /// It answers late, or not every time.
    Slow = 1,
    /// It has asked to be left alone and has not answered since.
    Busy = 2,
    /// It has stopped answering and has not answered since.
    Down = 3,
}

impl HealthLevel {
    /// A word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Slow => "slow",
            Self::Busy => "busy",
            Self::Down => "down",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    slow_or_failed: bool,
}

/// What is remembered of one institution, or of one provider as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// The last answers and failures, the newest last.
    samples: VecDeque<Sample>,
    /// Failures since the last answer.
    failures_in_row: u32,
    /// Whether a login is among them, so that only a login shows that it is back.
    login_failed: bool,
    /// The last of them.
    failed_at: Option<Timestamp>,
    open_until: Option<Timestamp>,
    backoff_until: Option<Timestamp>,
    /// Who tries whether it is back, and how long they may take.
    probe: Option<(ConnectSessionId, Timestamp)>,
}

impl CircuitBreaker {
    /// Takes in what a call met.
    pub fn record(&mut self, observed: CallObservation, now: Timestamp) {
        self.expire(now);
        match observed {
            CallObservation::Answered(took) => {
                self.add_sample(now, took >= LATE);
                self.reset_failures();
                self.record_answer(now);
            }
            CallObservation::Reached => {
                if !self.login_failed {
                    self.reset_failures();
                }
                if self.failures_in_row < FAILURES_TO_OPEN {
                    self.record_answer(now);
                }
            }
            CallObservation::Refused => self.record_answer(now),
            CallObservation::Unopened | CallObservation::Failed => {
                self.login_failed |= observed == CallObservation::Failed;
                self.add_sample(now, true);
                self.failures_in_row = self.failures_in_row.saturating_add(1);
                self.failed_at = Some(now);
                self.probe = None;
                if self.failures_in_row >= FAILURES_TO_OPEN {
                    let rest = OPEN_FOR
                        .saturating_mul(self.failures_in_row - FAILURES_TO_OPEN + 1)
                        .min(MAX_OPEN_FOR);
                    self.open_until = self.open_until.max(Some(now.plus(rest)));
                }
            }
            CallObservation::Busy(after) => {
                let pause = after.unwrap_or(BACKOFF).clamp(Duration::from_secs(1), MAX_BACKOFF);
                self.backoff_until = self.backoff_until.max(Some(now.plus(pause)));
                self.probe = None;
            }
        }
    }

    /// How it looks to the next person.
    pub fn health(&self, now: Timestamp) -> Health {
        if let Some(until) = self.backing_off(now) {
            return Health::Busy(Open { until, probe: None });
        }
        if let Some(until) = self.open_now(now) {
            return Health::Down(Open { until, probe: None });
        }
        let tried = self
            .probe
            .filter(|(_, until)| is_upcoming(*until, now, MAX_PROBE_FOR))
            .map(|(session, until)| Open {
                until,
                probe: Some(session),
            });
        match (self.level(now), tried) {
            (HealthLevel::Down, Some(shut)) => Health::Down(shut),
            (HealthLevel::Busy, Some(shut)) => Health::Busy(shut),
            (HealthLevel::Down | HealthLevel::Slow, _) => Health::Slow,
            (HealthLevel::Busy, None) if self.is_degraded(now) => Health::Slow,
            (HealthLevel::Busy | HealthLevel::Healthy, _) => Health::Healthy,
        }
    }

    /// How it is doing.
    pub fn level(&self, now: Timestamp) -> HealthLevel {
        let fresh = |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) < MEMORY);
        if self.failures_in_row >= FAILURES_TO_OPEN && fresh(self.failed_at) {
            HealthLevel::Down
        } else if self.backing_off(now).is_some() || fresh(self.backoff_until.filter(|until| *until <= now)) {
            HealthLevel::Busy
        } else if self.is_degraded(now) {
            HealthLevel::Slow
        } else {
            HealthLevel::Healthy
        }
    }

    /// Says whether this connect session may go there, and if so, takes it that it goes: where nobody knows whether it is
    /// back, nobody else may until an answer comes or `lease` is over.
    pub fn admit(&mut self, session: ConnectSessionId, lease: Duration, now: Timestamp) -> bool {
        let may = self.health(now).refusal_for(session).is_none();
        if may && self.level(now) >= HealthLevel::Busy {
            self.probe = Some((session, now.plus(lease.min(MAX_PROBE_FOR))));
        }
        may
    }

    /// Whether nothing is remembered any more.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.level(now) == HealthLevel::Healthy && self.samples.iter().all(|sample| now.since(sample.at) >= MEMORY)
    }

    /// Whether it is away for what logins have met: then that sessions can be opened says nothing.
    pub fn needs_login(&self, now: Timestamp) -> bool {
        self.level(now) == HealthLevel::Down && self.login_failed
    }

    /// The row of failures is over.
    fn reset_failures(&mut self) {
        (self.failures_in_row, self.login_failed) = (0, false);
        (self.failed_at, self.open_until) = (None, None);
    }

    /// An answer of any kind ends a trial, and a pause that is over.
    fn record_answer(&mut self, now: Timestamp) {
        self.probe = None;
        if self.backing_off(now).is_none() {
            self.backoff_until = None;
        }
    }

    fn add_sample(&mut self, at: Timestamp, troubled: bool) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            at,
            slow_or_failed: troubled,
        });
    }

    /// Lets go of what no longer counts.
    fn expire(&mut self, now: Timestamp) {
        self.samples.retain(|sample| now.since(sample.at) < MEMORY);
        if self.failed_at.is_some_and(|at| now.since(at) >= MEMORY) {
            (self.failures_in_row, self.login_failed, self.failed_at) = (0, false, None);
        }
        self.open_until = self.open_until.filter(|until| is_upcoming(*until, now, MAX_OPEN_FOR));
        self.backoff_until = self
            .backoff_until
            .filter(|until| now.since(*until) < MEMORY && until.since(now) <= MAX_BACKOFF);
    }

    fn open_now(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| is_upcoming(*until, now, MAX_OPEN_FOR))
    }

    fn backing_off(&self, now: Timestamp) -> Option<Timestamp> {
        self.backoff_until.filter(|until| is_upcoming(*until, now, MAX_BACKOFF))
    }

    /// Whether at least two of the last answers, and half of them, were late or did not come.
    fn is_degraded(&self, now: Timestamp) -> bool {
        let recent = || self.samples.iter().filter(|sample| now.since(sample.at) < MEMORY);
        let troubled = recent().filter(|sample| sample.slow_or_failed).count();
        troubled >= 2 && troubled * 2 >= recent().count()
    }
}

/// Whether `until` is still to come, and not further away than it can have been set.
fn is_upcoming(until: Timestamp, now: Timestamp, longest: Duration) -> bool {
    now < until && until.since(now) <= longest
}

/// Every institution with which something is wrong, as it looks at one moment. Who is not named is healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthMap {
    providers: BTreeMap<String, Health>,
    institutions: BTreeMap<String, BTreeMap<String, Health>>,
}

impl HealthMap {
    /// Nothing is wrong anywhere.
    pub fn healthy() -> &'static Self {
        static WELL: HealthMap = HealthMap {
            providers: BTreeMap::new(),
            institutions: BTreeMap::new(),
        };
        &WELL
    }

    /// Adds how a provider looks, or one of its institutions.
    pub fn insert(&mut self, provider: &str, institution: Option<&str>, health: Health) {
        if health == Health::Healthy {
            return;
        }
        match institution {
            None => drop(self.providers.insert(provider.to_owned(), health)),
            Some(id) => {
                let institutions = self.institutions.entry(provider.to_owned()).or_default();
                institutions.insert(id.to_owned(), health);
            }
        }
    }

    /// How an institution looks: no better than its provider allows.
    pub fn get(&self, provider: &str, institution: &str) -> Health {
        let whole = self.providers.get(provider).copied().unwrap_or_default();
        if whole.is_open() {
            return whole;
        }
        let institutions = self.institutions.get(provider);
        institutions
            .and_then(|all| all.get(institution))
            .copied()
            .unwrap_or_default()
    }

    /// Whether nothing is wrong anywhere.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty() && self.institutions.is_empty()
    }
}

#[cfg(test)]
mod tests;
