//! Keeps the health of institutions and providers as this node sees it, and lets calls through accordingly.
//!
//! It is about what people wait for: sessions and submissions. Jobs have a back-off of their own, and only the one that
//! looks whether a bank is back (`service/bank_back.rs`) asks here and tells what it met. Nothing of it is shared
//! or kept: another node finds out by itself, and a restart begins with everything well. Both cost a few calls that fail,
//! which is cheaper than a bank that stays shut because of what one node saw.
//!
//! A connection that cannot be made counts for the institution and for the provider: where all banks of a provider are
//! behind one address, as Mono's are, the provider is away, and what is known of its banks says nothing. Every other
//! answer, however bad, says that the provider can be reached. Two banks of one provider that ask to be left alone at the
//! same time are the provider asking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::metrics::Metrics;
use super::partner::CallError;
use crate::core::flow::{OpenResult, OpenSession};
use crate::core::health::{Health, Healths, Level, Observed, TRIAL, Watch};
use crate::core::linking::Step;
use crate::core::next_step::{Failure, FailureClass, NextStep};
use crate::core::time::{Clock, Timestamp};
use crate::providers::{ProviderError, SubmitError};

/// The most institutions that are watched: more than any provider has.
const MOST: usize = 4096;

/// The health of everything people are sent to.
pub struct BankHealth {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    watched: Mutex<HashMap<Key, Watched>>,
}

/// A provider, and one of its institutions, or all of it.
type Key = (String, Option<String>);

#[derive(Default)]
struct Watched {
    watch: Watch,
    /// What was told of it last.
    told: Level,
}

/// A call that is not to be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNow {
    /// How long it asks to be left alone; `None` where it does not answer.
    pub pause: Option<Duration>,
}

/// An institution that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Whether only a login shows that it is back, for logins have met nothing; else that a session opens does.
    pub needs_login: bool,
    /// Until when nobody is sent there, or nobody but whoever tries; `None` where everybody is.
    pub until: Option<Timestamp>,
}

impl NotNow {
    /// For whoever wanted to open a session.
    pub fn unopened(self) -> OpenResult {
        OpenResult::Unavailable(self.pause)
    }

    /// For whoever wanted to submit.
    pub fn busy(self) -> Option<Failure> {
        self.pause.map(|pause| Failure {
            class: FailureClass::Busy,
            retry_after: Some(pause),
        })
    }
}

impl BankHealth {
    /// Everything is well so far.
    pub fn new(clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self {
            clock,
            metrics,
            watched: Mutex::default(),
        }
    }

    /// How everything looks now that is not well.
    pub fn look(&self) -> Healths {
        let now = self.clock.now();
        let mut healths = Healths::default();
        let mut watched = self.watched();
        for ((provider, institution), entry) in watched.iter_mut() {
            self.tell(provider, institution.as_deref(), entry, now);
            healths.insert(provider, institution.as_deref(), entry.watch.seen(now));
        }
        healths
    }

    /// Whether a call may be made that opens a session.
    ///
    /// # Errors
    /// When it is not to be made now.
    pub fn may_open(&self, open: &OpenSession) -> Result<(), NotNow> {
        self.admit(open, true, TRIAL)
    }

    /// Takes it that this one goes there, before it does: whoever comes a moment later finds the trial taken.
    pub fn expect(&self, open: &OpenSession) {
        let now = self.clock.now();
        let mut watched = self.watched();
        if shut(&watched, open, true, now).is_none() {
            take(&mut watched, open, TRIAL, now);
        }
    }

    /// Whether a submission may be sent, which then may take this long. Who has come as far as a code or a choice is let
    /// through to a bank that others find away: theirs has just answered, and there is no later for a code.
    ///
    /// # Errors
    /// When it is not to be sent now.
    pub fn may_submit(&self, open: &OpenSession, step: Step, takes: Duration) -> Result<(), NotNow> {
        self.admit(open, step == Step::Login, takes)
    }

    /// What opening a session met.
    pub fn opened<T>(&self, open: &OpenSession, result: &Result<T, CallError>) {
        let Some(error) = result.as_ref().err() else {
            // Nobody has logged in yet.
            return self.note_both(open, Observed::Reached);
        };
        match error {
            CallError::NotSetUp | CallError::Records(_) => {}
            CallError::Provider(error) => match error {
                ProviderError::Refused(_) | ProviderError::NotFound => self.note_both(open, Observed::Reached),
                ProviderError::Busy(after) | ProviderError::Unavailable(_, after @ Some(_)) => {
                    self.note_both(open, Observed::Busy(*after));
                }
                ProviderError::Unavailable(_, None) | ProviderError::Garbled(_) => {
                    self.note_both(open, Observed::Unopened);
                }
                ProviderError::Unreachable(_) => self.unreachable(open),
            },
        }
    }

    /// What a submission met, after so long.
    pub fn submitted(&self, open: &OpenSession, answer: &Result<NextStep, SubmitError>, took: Duration) {
        match answer {
            Ok(NextStep::Failed(failure)) if failure.class == FailureClass::Busy => {
                self.note_both(open, Observed::Busy(failure.retry_after));
            }
            Ok(NextStep::Failed(_)) => self.note_both(open, Observed::Refused),
            Ok(_) => self.note_both(open, Observed::Answered(took)),
            Err(SubmitError::Unknown(_)) => self.note_both(open, Observed::Failed),
            Err(SubmitError::NotSent(_)) => self.unreachable(open),
        }
    }

    /// How much longer the institution asks to be left alone.
    pub fn pause(&self, open: &OpenSession) -> Option<Duration> {
        let now = self.clock.now();
        let watched = self.watched();
        let left = |institution| match watched.get(&key(open, institution))?.watch.seen(now) {
            Health::Busy(shut) => Some(shut.until.since(now)),
            _ => None,
        };
        left(false).max(left(true))
    }

    /// What it takes to see that an institution is back, and when that may be tried at the earliest.
    pub fn outage(&self, open: &OpenSession) -> Outage {
        let now = self.clock.now();
        let watched = self.watched();
        let both = || [false, true].into_iter().filter_map(|of| watched.get(&key(open, of)));
        let until = |entry: &Watched| match entry.watch.seen(now) {
            Health::Down(shut) | Health::Busy(shut) => Some(shut.until),
            Health::Healthy | Health::Slow => None,
        };
        Outage {
            needs_login: both().any(|entry| entry.watch.needs_login(now)),
            until: both().filter_map(until).max(),
        }
    }

    fn admit(&self, open: &OpenSession, logs_in: bool, lease: Duration) -> Result<(), NotNow> {
        let now = self.clock.now();
        let mut watched = self.watched();
        if let Some((level, pause)) = shut(&watched, open, logs_in, now) {
            self.metrics.held_back(&open.provider, level);
            return Err(NotNow { pause });
        }
        take(&mut watched, open, lease, now);
        Ok(())
    }

    /// What the institution did; whatever it was, its provider can be reached.
    fn note_both(&self, open: &OpenSession, observed: Observed) {
        self.note_provider(open, Observed::Answered(Duration::ZERO));
        let now = self.clock.now();
        let mut watched = self.watched();
        if let Observed::Busy(_) = observed {
            let other =
                |(name, id): &Key| *name == open.provider && id.as_ref().is_some_and(|id| *id != open.institution.id);
            let all = watched
                .iter()
                .any(|(key, entry)| other(key) && matches!(entry.watch.seen(now), Health::Busy(_)));
            if all {
                self.note(&mut watched, key(open, false), observed, now);
            }
        }
        self.note(&mut watched, key(open, true), observed, now);
    }

    fn note_provider(&self, open: &OpenSession, observed: Observed) {
        self.note(&mut self.watched(), key(open, false), observed, self.clock.now());
    }

    fn unreachable(&self, open: &OpenSession) {
        let mut watched = self.watched();
        for institution in [false, true] {
            self.note(
                &mut watched,
                key(open, institution),
                Observed::Unopened,
                self.clock.now(),
            );
        }
    }

    fn note(&self, watched: &mut HashMap<Key, Watched>, key: Key, observed: Observed, now: Timestamp) {
        if watched.len() >= MOST && !watched.contains_key(&key) {
            watched.retain(|_, entry| !entry.watch.is_idle(now));
            if watched.len() >= MOST {
                return;
            }
        }
        let (provider, institution) = key.clone();
        let entry = watched.entry(key).or_default();
        entry.watch.note(observed, now);
        self.tell(&provider, institution.as_deref(), entry, now);
    }

    /// Tells operators of a change: once, whichever way it was noticed.
    fn tell(&self, provider: &str, institution: Option<&str>, entry: &mut Watched, now: Timestamp) {
        let level = entry.watch.level(now);
        let before = std::mem::replace(&mut entry.told, level);
        if before == level {
            return;
        }
        let institution = institution.unwrap_or("all");
        let (health, before) = (level.word(), before.word());
        self.metrics.health(provider, institution, level);
        if level >= Level::Busy {
            tracing::warn!(
                provider,
                institution,
                health,
                before,
                "the health of an institution has changed"
            );
        } else {
            tracing::info!(
                provider,
                institution,
                health,
                before,
                "the health of an institution has changed"
            );
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<Key, Watched>> {
        // Nothing in here can be left half done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nobody but the one who tries is to be sent there, and for how long it asks to be left alone.
fn shut(
    watched: &HashMap<Key, Watched>,
    open: &OpenSession,
    logs_in: bool,
    now: Timestamp,
) -> Option<(Level, Option<Duration>)> {
    [false, true].into_iter().find_map(|institution| {
        let seen = watched.get(&key(open, institution))?.watch.seen(now);
        match seen.shut_for(open.session)? {
            Health::Busy(shut) => Some((Level::Busy, Some(shut.until.since(now)))),
            _ => (logs_in || !institution).then_some((Level::Down, None)),
        }
    })
}

/// This one goes there. Both have been asked before either is told: who is turned away tries nothing.
fn take(watched: &mut HashMap<Key, Watched>, open: &OpenSession, lease: Duration, now: Timestamp) {
    for institution in [false, true] {
        if let Some(entry) = watched.get_mut(&key(open, institution)) {
            entry.watch.admit(open.session, lease, now);
        }
    }
}

fn key(open: &OpenSession, institution: bool) -> Key {
    (open.provider.clone(), institution.then(|| open.institution.id.clone()))
}

#[cfg(test)]
mod tests;
