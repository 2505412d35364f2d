//! The health of an institution, or of a provider as a whole: a circuit breaker over the results of recent calls, which
//! decides whether a person may be sent there now.
//!
//! A login that fails because the bank is down costs a person their time, a password shown to bystanders, and one of the
//! few tries that a bank allows. So the results of the last calls decide whether the next person is let through.
//!
//! ```text
//!            three failures in a row            time is over
//!  closed ───────────────────────────▶ open ─────────────────────┐
//!    ▲  │     "too many requests"                                ▼
//!    │  └─────────────────────────▶ backing off ──────────▶ half-open: one probe at a time
//!    │                                          time is over     │
//!    └───────────────────────────────────────────────────────────┘  an answer closes it; a failure opens it again
//! ```
//!
//! A failure is a result that says nothing about the person: a timeout, a server error, a connection that was refused or
//! broken. A session that opens shows only that sessions can be opened: it counts as an answer if nothing but that had
//! failed, and not if logins had failed. A refusal is neither good nor bad, because a provider may have one code for wrong details and
//! for a bank that is down. An open breaker becomes half-open by itself, so nobody has to reset it by hand; but only an
//! answer closes it. A probe is recognised by its connect session: its own later steps go through, everybody else waits.
//!
//! Results count for [`MEMORY`], and only the last [`SAMPLES`] are kept. An open time or a backoff that is longer than any
//! that can have been set is ignored: the clock was set back meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::ids::ConnectSessionId;
use super::time::Timestamp;

/// How long a result counts.
pub const MEMORY: Duration = Duration::from_mins(5);
pub const SAMPLES: usize = 10;
/// This many failures in a row are an outage; fewer may be chance.
pub const FAILURES_TO_OPEN: u32 = 3;
/// An answer that takes longer counts as slow: by then a person has seen three poll screens, or has hung up.
pub const LATE: Duration = Duration::from_secs(15);
/// How long the breaker opens at first; each further failure in a row adds as much, up to [`MAX_OPEN_FOR`].
pub const OPEN_FOR: Duration = Duration::from_secs(30);
pub const MAX_OPEN_FOR: Duration = Duration::from_mins(2);
/// The backoff after "too many requests" without a time: not every provider sends `Retry-After`.
pub const BACKOFF: Duration = Duration::from_secs(30);
/// The longest backoff that is accepted.
pub const MAX_BACKOFF: Duration = Duration::from_hours(1);
/// How long a probe may take from picking the bank to submitting.
pub const PROBE_FOR: Duration = Duration::from_mins(1);
/// The longest probe that is accepted.
const MAX_PROBE_FOR: Duration = Duration::from_mins(10);

/// The result of a call, as far as it says something about health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallObservation {
    /// A success, and how long it took.
    Answered(Duration),
    /// It responded, but to a call that shows nothing more.
    Reached,
    /// A refusal, which says nothing about its health.
    Refused,
    /// No connection or no session could be opened: nobody got as far as logging in.
    Unopened,
    /// A login, or a call after it, got no answer or a server error.
    Failed,
    /// Too many requests, with the time to wait if it gives one.
    Busy(Option<Duration>),
}

/// The health as the next person finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nothing is known to be wrong.
    #[default]
    Healthy,
    /// It answers slowly, or not every time.
    Slow,
    /// It does not answer.
    Down(Open),
    /// It answers "too many requests".
    Busy(Open),
}

/// The breaker is open: nobody may be sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub until: Timestamp,
    /// Except the probe, if there is one.
    pub probe: Option<ConnectSessionId>,
}

impl Health {
    /// Why this connect session may not go there; `None` if it may.
    pub fn refusal_for(self, session: ConnectSessionId) -> Option<Self> {
        match self {
            Self::Down(open) | Self::Busy(open) if open.probe != Some(session) => Some(self),
            _ => None,
        }
    }

    /// Whether nobody may be sent there, or only the probe.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Down(_) | Self::Busy(_))
    }
}

/// The health regardless of who may try. In order: later is worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthLevel {
    /// Nothing is known to be wrong.
    #[default]
    Healthy = 0,
    /// It answers slowly, or not every time.
    Slow = 1,
    /// It said "too many requests" and has not answered since.
    Busy = 2,
    /// It has stopped answering and has not answered since.
    Down = 3,
}

impl HealthLevel {
    /// For logs and metrics.
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

/// The circuit breaker of one institution, or of one provider as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// The last answers and failures, the newest last.
    samples: VecDeque<Sample>,
    /// Failures since the last answer.
    failures_in_row: u32,
    /// Whether a login is among them, so that only a login shows that it works again.
    login_failed: bool,
    failed_at: Option<Timestamp>,
    open_until: Option<Timestamp>,
    backoff_until: Option<Timestamp>,
    /// The connect session that probes, and until when.
    probe: Option<(ConnectSessionId, Timestamp)>,
}

impl CircuitBreaker {
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
                    let open_for = OPEN_FOR
                        .saturating_mul(self.failures_in_row - FAILURES_TO_OPEN + 1)
                        .min(MAX_OPEN_FOR);
                    self.open_until = self.open_until.max(Some(now.plus(open_for)));
                }
            }
            CallObservation::Busy(after) => {
                let backoff = after.unwrap_or(BACKOFF).clamp(Duration::from_secs(1), MAX_BACKOFF);
                self.backoff_until = self.backoff_until.max(Some(now.plus(backoff)));
                self.probe = None;
            }
        }
    }

    pub fn health(&self, now: Timestamp) -> Health {
        if let Some(until) = self.backing_off(now) {
            return Health::Busy(Open { until, probe: None });
        }
        if let Some(until) = self.open_now(now) {
            return Health::Down(Open { until, probe: None });
        }
        let probing = self
            .probe
            .filter(|(_, until)| is_upcoming(*until, now, MAX_PROBE_FOR))
            .map(|(session, until)| Open {
                until,
                probe: Some(session),
            });
        match (self.level(now), probing) {
            (HealthLevel::Down, Some(open)) => Health::Down(open),
            (HealthLevel::Busy, Some(open)) => Health::Busy(open),
            (HealthLevel::Down | HealthLevel::Slow, _) => Health::Slow,
            (HealthLevel::Busy, None) if self.is_degraded(now) => Health::Slow,
            (HealthLevel::Busy | HealthLevel::Healthy, _) => Health::Healthy,
        }
    }

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

    /// Whether this connect session may go there. If so, the call assumes that it does: when the breaker is half-open, the
    /// session becomes the probe, and nobody else may go until an answer comes or `lease` is over.
    pub fn admit(&mut self, session: ConnectSessionId, lease: Duration, now: Timestamp) -> bool {
        let may = self.health(now).refusal_for(session).is_none();
        if may && self.level(now) >= HealthLevel::Busy {
            self.probe = Some((session, now.plus(lease.min(MAX_PROBE_FOR))));
        }
        may
    }

    /// Whether no result counts any more.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.level(now) == HealthLevel::Healthy && self.samples.iter().all(|sample| now.since(sample.at) >= MEMORY)
    }

    /// Whether it is down because logins failed: then opening a session proves nothing.
    pub fn needs_login(&self, now: Timestamp) -> bool {
        self.level(now) == HealthLevel::Down && self.login_failed
    }

    fn reset_failures(&mut self) {
        (self.failures_in_row, self.login_failed) = (0, false);
        (self.failed_at, self.open_until) = (None, None);
    }

    /// An answer of any kind ends a probe, and a backoff whose time is over.
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

    /// Whether at least two of the last results, and half of them, were slow or failures.
    fn is_degraded(&self, now: Timestamp) -> bool {
        let recent = || self.samples.iter().filter(|sample| now.since(sample.at) < MEMORY);
        let troubled = recent().filter(|sample| sample.slow_or_failed).count();
        troubled >= 2 && troubled * 2 >= recent().count()
    }
}

/// Whether `until` is in the future, and not further away than it can have been set.
fn is_upcoming(until: Timestamp, now: Timestamp, longest: Duration) -> bool {
    now < until && until.since(now) <= longest
}

/// The health of every provider and institution at one moment. Those that are not in the map are healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthMap {
    providers: BTreeMap<String, Health>,
    institutions: BTreeMap<String, BTreeMap<String, Health>>,
}

impl HealthMap {
    pub fn healthy() -> &'static Self {
        static WELL: HealthMap = HealthMap {
            providers: BTreeMap::new(),
            institutions: BTreeMap::new(),
        };
        &WELL
    }

    /// Adds the health of a provider, or of one of its institutions.
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

    /// The health of an institution, which is never better than its provider's.
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

    /// Whether everything is healthy.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty() && self.institutions.is_empty()
    }
}

#[cfg(test)]
mod tests;
