//! The services over one bank that does what it is told, and one person with a phone.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::flow::forget::Remainder;
use kiungo::core::ids::{AttemptId, IntentId, JobId};
use kiungo::core::linking::{ProviderSession, SessionKind};
use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::Grant;
use kiungo::core::secret::Secret;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::records::{Attempt, AttemptState, Begun, Job, JobKind, JobType as _, Link};
use kiungo::service::linking::redeem::Redeem;
use kiungo::service::linking::settle::Settle;
use kiungo::store::memory::MemoryStore;

use crate::support::app_fixture::{AppOptions, TestApp, Trip, assemble_in, keyring};
use crate::support::doubles::PlainGateway;
use crate::support::eventually;
use crate::support::one_bank::Account;
use crate::support::records::{RecordedPerson, job, partner, unique_bytes};

/// The one person's number.
pub const NUMBER: &str = "+2348031234567";
/// The provider's session of every attempt here.
const SESSION: &str = "s1";
/// In seconds.
pub const MINUTE: u64 = 60;

/// The services, and what the tests write into the records behind their back.
pub struct Harness {
    pub parts: TestApp,
    pub person: RecordedPerson,
    /// The partner's intent that their logins answer; `None` for a walk-in.
    pub asked: Option<IntentId>,
    /// The last digits of the accounts that they chose, in the provider's session of every attempt.
    pub chosen: Vec<String>,
    /// How often they have dialed: the name of the last dialog.
    pub dials: u32,
}

impl Harness {
    pub async fn new() -> Self {
        Self::tripped(|_, _| ()).await
    }

    /// A harness that does something to the records at a crash point.
    pub async fn tripped(trip: Trip) -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let around = AppOptions {
            trip,
            ..AppOptions::default()
        };
        let parts = assemble_in(store, PlainGateway { sink: None }, around).await;
        let person = person();
        Self {
            parts,
            person,
            asked: None,
            chosen: Vec::new(),
            dials: 0,
        }
    }

    /// A login that was begun this many seconds ago, in a session of its own.
    pub async fn begun(&self, seconds_ago: u64, change: impl FnOnce(&mut Attempt)) -> Attempt {
        let sealing = &self.parts.deps.sealing;
        let (mut consent, number) = (self.person.consent(), Msisdn::parse(NUMBER, "NG").unwrap());
        consent.intent = self.asked.unwrap_or(consent.intent);
        consent.msisdn = sealing.seal_msisdn(&consent.tag, consent.id, &number).unwrap();
        let mut attempt = self.person.attempt(&consent);
        attempt.created_at = ago(seconds_ago);
        change(&mut attempt);
        let session = ProviderSession {
            id: SESSION.to_owned(),
            expires_at: None,
            told_at: None,
            form: None,
            kind: SessionKind::Link,
            chosen: self.chosen.clone(),
        };
        attempt.provider_session = sealing.seal_session(&attempt.tag, attempt.id, &session).unwrap();
        let settle = self.job(Settle::of(attempt.id), &Settle::key(attempt.id));
        let records = &self.parts.deps.records;
        let begun = records.begin_attempt(&consent, &attempt, None, &settle).await;
        assert_eq!(begun.unwrap(), Begun::New);
        attempt
    }

    /// The same, with a stored grant.
    pub async fn granted(&self, seconds_ago: u64, change: impl FnOnce(&mut Attempt)) -> Attempt {
        let attempt = self.begun(seconds_ago, change).await;
        let grant = Grant(Secret::new("code_1"));
        let sealing = &self.parts.deps.sealing;
        let sealed = sealing.seal_grant(&attempt.tag, attempt.id, &grant).unwrap();
        let redeem = self.job(Redeem::of(attempt.id), &Redeem::key(attempt.id));
        let records = &self.parts.deps.records;
        assert!(records.store_grant(attempt.id, &sealed, &redeem, ago(0)).await.unwrap());
        attempt
    }

    fn job(&self, kind: JobKind, key: &str) -> Job {
        Job {
            id: JobId::from_bytes(unique_bytes()),
            ..job(self.person.partner, kind, key, ago(0))
        }
    }

    /// Runs the job that redeems an attempt's grant.
    pub async fn redeem(&self, attempt: &Attempt) {
        assert!(self.parts.jobs.run_now::<Redeem>(attempt.id).await);
    }

    /// Runs the job that settles an attempt.
    pub async fn settle(&self, attempt: &Attempt) {
        assert!(self.parts.jobs.run_now::<Settle>(attempt.id).await);
    }

    pub async fn state(&self, id: AttemptId) -> AttemptState {
        let (attempt, grant) = self.parts.deps.records.attempt(id).await.unwrap().unwrap();
        assert!(grant.is_none() || attempt.state == AttemptState::Granted);
        attempt.state
    }

    /// Waits until all that turns have begun is done: what a screen has told is written beside the turn, and the next dial reads
    /// it.
    pub async fn settled(&self) {
        eventually(Duration::from_secs(30), async || self.parts.tasks.is_empty()).await;
    }

    /// The first screen of a dial.
    pub async fn dials(&mut self) -> String {
        self.dials += 1;
        self.parts.answer(&format!("d{} {NUMBER} ", self.dials)).await
    }

    /// The screen after the last of these lines, in a dialog of its own.
    pub async fn types(&mut self, lines: &[&str]) -> String {
        let mut shown = self.dials().await;
        for typed in 1..=lines.len() {
            let text = lines[..typed].join("*");
            shown = self.parts.answer(&format!("d{} {NUMBER} {text}", self.dials)).await;
        }
        shown
    }

    /// The screen after one more line than before, in the same dialog.
    pub async fn goes_on(&self, lines: &[&str]) -> String {
        let text = lines.join("*");
        self.parts.answer(&format!("d{} {NUMBER} {text}", self.dials)).await
    }

    /// A link to the account `a1` at the one bank.
    pub async fn linked(&mut self) -> Link {
        self.parts.bank.script().redeemed = Some(vec!["a1"]);
        self.parts.bank.script().accounts = vec![account("a1")];
        let at_the_bank = |attempt: &mut Attempt| "b1:p".clone_into(&mut attempt.institution);
        let attempt = self.granted(0, at_the_bank).await;
        self.redeem(&attempt).await;
        self.link_of(&attempt).await.unwrap()
    }

    pub async fn link_of(&self, attempt: &Attempt) -> Option<Link> {
        self.parts.deps.records.link_of_attempt(attempt.id).await.unwrap()
    }

    /// The live value of the one person is lost.
    pub async fn forgotten(&self) {
        let live = &self.parts.service.0.live;
        live.prune(&self.person.tag, |_| Remainder::Nothing).await.unwrap();
    }

    pub fn unlinked(&self) -> Vec<String> {
        self.parts.bank.script().unlinked.clone()
    }
}

/// The one person.
pub fn person() -> RecordedPerson {
    let number = Msisdn::parse(NUMBER, "NG").unwrap();
    RecordedPerson {
        partner: partner(1).id,
        tag: keyring(&["k1"]).tag(&number),
    }
}

pub fn ago(seconds: u64) -> Timestamp {
    SystemClock.now().minus(Duration::from_secs(seconds))
}

pub fn account(id: &'static str) -> Account {
    Account {
        id,
        session: Some(SESSION),
    }
}
