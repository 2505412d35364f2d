//! Keeps the health of institutions and providers as this node sees it, and lets calls through accordingly.
//!
//! It covers what people wait for: sessions and submissions. Jobs have a backoff of their own, and only the one that checks
//! whether an institution is back (`service/bank_alerts.rs`) asks here and reports its result. Nothing of it is shared or
//! stored: another node finds out by itself, and a restart begins with everything healthy. Both cost a few calls that fail,
//! which is cheaper than an institution that nobody is sent to because of what one node saw.
//!
//! A connection that cannot be made counts for the institution and for the provider: where all banks of a provider are
//! behind one address, the provider is down, and what is known of its banks says nothing. Every other
//! answer, however bad, says that the provider can be reached. If two banks of one provider are busy at the same time, the
//! provider is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::metrics::Metrics;
use super::providers::ProviderCallError;
use crate::core::flow::{OpenResult, OpenSession};
use crate::core::health::{CallObservation, CircuitBreaker, Health, HealthLevel, HealthMap, PROBE_FOR};
use crate::core::linking::SubmissionStep;
use crate::core::next_step::{Failure, FailureClass, NextStep};
use crate::core::time::{Clock, Timestamp};
use crate::providers::{ProviderError, SubmitError};

/// The most institutions whose health is kept: more than any provider has.
const MAX_ENTRIES: usize = 4096;

/// The health of everything people are sent to.
pub struct InstitutionHealth {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    watched: Mutex<HashMap<HealthKey, WatchedInstitution>>,
}

/// A provider, and one of its institutions, or all of it.
type HealthKey = (String, Option<String>);

#[derive(Default)]
struct WatchedInstitution {
    watch: CircuitBreaker,
    /// What was last reported of it.
    reported: HealthLevel,
}

/// A call must not be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitOpen {
    /// How long it asks us to wait; `None` where it does not answer.
    pub pause: Option<Duration>,
}

/// An institution that is down or busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Whether only a login shows that it is back, because logins got no answer; else a session that opens does.
    pub needs_login: bool,
    /// Until when nobody is sent there, or only the one who probes; `None` where everybody is.
    pub until: Option<Timestamp>,
}

impl CircuitOpen {
    pub fn open_result(self) -> OpenResult {
        OpenResult::Unavailable(self.pause)
    }

    pub fn submit_failure(self) -> Option<Failure> {
        self.pause.map(|pause| Failure {
            retry_after: Some(pause),
            ..FailureClass::Busy.into()
        })
    }
}

impl InstitutionHealth {
    /// Everything is healthy so far.
    pub fn new(clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self {
            clock,
            metrics,
            watched: Mutex::default(),
        }
    }

    /// Everything that is not healthy now.
    pub fn snapshot(&self) -> HealthMap {
        let now = self.clock.now();
        let mut healths = HealthMap::default();
        let mut watched = self.entries();
        for ((provider, institution), entry) in watched.iter_mut() {
            self.report_change(provider, institution.as_deref(), entry, now);
            healths.insert(provider, institution.as_deref(), entry.watch.health(now));
        }
        healths
    }

    /// Whether a session may be opened.
    ///
    /// # Errors
    /// When it must not be opened now.
    pub fn may_open(&self, open: &OpenSession) -> Result<(), CircuitOpen> {
        self.admit(open, true, PROBE_FOR)
    }

    /// Claims the probe for a call that is about to be made: one that comes a moment later finds it claimed.
    pub fn reserve_probe(&self, open: &OpenSession) {
        let now = self.clock.now();
        let mut watched = self.entries();
        if open_circuit(&watched, open, true, now).is_none() {
            claim_probe(&mut watched, open, PROBE_FOR, now);
        }
    }

    /// Whether a submission may be sent, which then may take this long. A person who has got as far as a code or a choice is
    /// let through to a bank that is down for others: theirs has just answered, and a code cannot wait.
    ///
    /// # Errors
    /// When it must not be sent now.
    pub fn may_submit(&self, open: &OpenSession, step: SubmissionStep, takes: Duration) -> Result<(), CircuitOpen> {
        self.admit(open, step == SubmissionStep::Login, takes)
    }

    /// Records how opening a session ended.
    pub fn record_open<T>(&self, open: &OpenSession, result: &Result<T, ProviderCallError>) {
        let Some(error) = result.as_ref().err() else {
            // Nobody has logged in yet.
            return self.record_both(open, CallObservation::Reached);
        };
        match error {
            ProviderCallError::NotSetUp | ProviderCallError::ConsentEnded | ProviderCallError::Records(_) => {}
            ProviderCallError::Provider(error) => match error {
                ProviderError::Refused(_) | ProviderError::NotFound => self.record_both(open, CallObservation::Reached),
                ProviderError::RateLimited(after) | ProviderError::Unavailable(_, after @ Some(_)) => {
                    self.record_both(open, CallObservation::Busy(*after));
                }
                ProviderError::Unavailable(_, None) | ProviderError::Malformed(_) => {
                    self.record_both(open, CallObservation::Unopened);
                }
                ProviderError::Unreachable(_) => self.record_unreachable(open),
            },
        }
    }

    /// Records how a submission ended, and how long it took.
    pub fn record_submit(&self, open: &OpenSession, answer: Result<&NextStep, SubmitError>, took: Duration) {
        match answer {
            Ok(NextStep::Failed(failure)) if failure.class == FailureClass::Busy => {
                self.record_both(open, CallObservation::Busy(failure.retry_after));
            }
            Ok(NextStep::Failed(_)) => self.record_both(open, CallObservation::Refused),
            Ok(_) => self.record_both(open, CallObservation::Answered(took)),
            Err(SubmitError::Unknown(_)) => self.record_both(open, CallObservation::Failed),
            Err(SubmitError::NotSent(_)) => self.record_unreachable(open),
        }
    }

    /// How much longer the institution asks us to wait.
    pub fn remaining_pause(&self, open: &OpenSession) -> Option<Duration> {
        let now = self.clock.now();
        let watched = self.entries();
        let left = |institution| match watched.get(&key(open, institution))?.watch.health(now) {
            Health::Busy(refusal) => Some(refusal.until.since(now)),
            _ => None,
        };
        left(false).max(left(true))
    }

    /// What it takes to see that an institution is back, and when that may be probed at the earliest.
    pub fn outage(&self, open: &OpenSession) -> Outage {
        let now = self.clock.now();
        let watched = self.entries();
        let both = || [false, true].into_iter().filter_map(|of| watched.get(&key(open, of)));
        let until = |entry: &WatchedInstitution| match entry.watch.health(now) {
            Health::Down(refusal) | Health::Busy(refusal) => Some(refusal.until),
            Health::Healthy | Health::Slow => None,
        };
        Outage {
            needs_login: both().any(|entry| entry.watch.needs_login(now)),
            until: both().filter_map(until).max(),
        }
    }

    fn admit(&self, open: &OpenSession, logs_in: bool, lease: Duration) -> Result<(), CircuitOpen> {
        let now = self.clock.now();
        let mut watched = self.entries();
        if let Some((level, pause)) = open_circuit(&watched, open, logs_in, now) {
            self.metrics.held_back(&open.provider, level);
            return Err(CircuitOpen { pause });
        }
        claim_probe(&mut watched, open, lease, now);
        Ok(())
    }

    /// Records what the institution did; whatever it was, its provider can be reached.
    fn record_both(&self, open: &OpenSession, observed: CallObservation) {
        self.record_provider(open, CallObservation::Answered(Duration::ZERO));
        let now = self.clock.now();
        let mut watched = self.entries();
        if let CallObservation::Busy(_) = observed {
            let other = |(name, id): &HealthKey| {
                *name == open.provider && id.as_ref().is_some_and(|id| *id != open.institution.id)
            };
            let all = watched
                .iter()
                .any(|(key, entry)| other(key) && matches!(entry.watch.health(now), Health::Busy(_)));
            if all {
                self.record(&mut watched, key(open, false), observed, now);
            }
        }
        self.record(&mut watched, key(open, true), observed, now);
    }

    fn record_provider(&self, open: &OpenSession, observed: CallObservation) {
        self.record(&mut self.entries(), key(open, false), observed, self.clock.now());
    }

    fn record_unreachable(&self, open: &OpenSession) {
        let mut watched = self.entries();
        for institution in [false, true] {
            self.record(
                &mut watched,
                key(open, institution),
                CallObservation::Unopened,
                self.clock.now(),
            );
        }
    }

    fn record(
        &self,
        watched: &mut HashMap<HealthKey, WatchedInstitution>,
        key: HealthKey,
        observed: CallObservation,
        now: Timestamp,
    ) {
        if watched.len() >= MAX_ENTRIES && !watched.contains_key(&key) {
            watched.retain(|_, entry| !entry.watch.is_idle(now));
            if watched.len() >= MAX_ENTRIES {
                return;
            }
        }
        let (provider, institution) = key.clone();
        let entry = watched.entry(key).or_default();
        entry.watch.record(observed, now);
        self.report_change(&provider, institution.as_deref(), entry, now);
    }

    /// Logs and counts a change once, however it was noticed.
    fn report_change(&self, provider: &str, institution: Option<&str>, entry: &mut WatchedInstitution, now: Timestamp) {
        let level = entry.watch.level(now);
        let before = std::mem::replace(&mut entry.reported, level);
        if before == level {
            return;
        }
        let institution = institution.unwrap_or("all");
        let (health, before) = (level.as_str(), before.as_str());
        self.metrics.set_institution_health(provider, institution, level);
        if level >= HealthLevel::Busy {
            tracing::warn!(provider, institution, health, before, "institution health changed");
        } else {
            tracing::info!(provider, institution, health, before, "institution health changed");
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<HealthKey, WatchedInstitution>> {
        // No change of an entry can be left half done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why only the one who probes may be sent there, and how long it asks us to wait.
fn open_circuit(
    watched: &HashMap<HealthKey, WatchedInstitution>,
    open: &OpenSession,
    logs_in: bool,
    now: Timestamp,
) -> Option<(HealthLevel, Option<Duration>)> {
    [false, true].into_iter().find_map(|institution| {
        let seen = watched.get(&key(open, institution))?.watch.health(now);
        match seen.refusal_for(open.session)? {
            Health::Busy(refusal) => Some((HealthLevel::Busy, Some(refusal.until.since(now)))),
            _ => (logs_in || !institution).then_some((HealthLevel::Down, None)),
        }
    })
}

/// Claims the probe of provider and institution. Both are checked before either is claimed: a call that is refused probes
/// neither.
fn claim_probe(
    watched: &mut HashMap<HealthKey, WatchedInstitution>,
    open: &OpenSession,
    lease: Duration,
    now: Timestamp,
) {
    for institution in [false, true] {
        if let Some(entry) = watched.get_mut(&key(open, institution)) {
            entry.watch.admit(open.session, lease, now);
        }
    }
}

fn key(open: &OpenSession, institution: bool) -> HealthKey {
    (open.provider.clone(), institution.then(|| open.institution.id.clone()))
}

#[cfg(test)]
mod tests;
