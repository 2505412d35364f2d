//! From a grant to a link, at a provider that does the unlikely: what is kept, and what the person is told.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::{AttemptId, JobId};
use kiungo::core::linking::{ProviderSession, SessionKind};
use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::Grant;
use kiungo::core::secret::Secret;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::providers::ProviderError;
use kiungo::records::{Attempt, AttemptState, Job, JobKind, LinkState};
use kiungo::service::ProviderHooks as _;
use kiungo::service::attempts::{redeem_key, settle_key};
use kiungo::store::memory::MemoryStore;

use crate::support::one_bank::Account;
use crate::support::parts::{Assembled, Plain, assemble, keyring};
use crate::support::records::{Person, fresh, job, node, partner};

const NUMBER: &str = "+2348031234567";
/// The provider's session of every attempt here.
const SESSION: &str = "s1";
const MINUTE: u64 = 60;

/// The services, and what the tests write into the records behind their back.
pub struct Bench {
    pub parts: Assembled,
    pub person: Person,
    dials: u32,
}

impl Bench {
    pub async fn new() -> Self {
        let parts = assemble(Arc::new(MemoryStore::new(Arc::new(SystemClock))), Plain { sink: None }).await;
        let number = Msisdn::parse(NUMBER, "NG").unwrap();
        let person = Person {
            partner: partner(1).id,
            tag: keyring(&["k1"]).tag(&number),
        };
        Self {
            parts,
            person,
            dials: 0,
        }
    }

    /// A login that was begun this many seconds ago, in a session of its own.
    pub async fn begun(&self, seconds_ago: u64, change: impl FnOnce(&mut Attempt)) -> Attempt {
        let consent = self.person.consent();
        let mut attempt = self.person.attempt(&consent);
        attempt.created_at = ago(seconds_ago);
        change(&mut attempt);
        let session = ProviderSession {
            id: SESSION.to_owned(),
            expires_at: None,
            form: None,
            kind: SessionKind::Link,
        };
        let linking = &self.parts.jobs.linking;
        attempt.provider_session = linking.sealing.session(&attempt.tag, attempt.id, &session).unwrap();
        let settle = self.job(JobKind::Settle(attempt.id), &settle_key(attempt.id));
        let records = &self.parts.jobs.records;
        records.begin_attempt(&consent, &attempt, &settle).await.unwrap();
        attempt
    }

    /// The same, with a grant that is kept.
    pub async fn granted(&self, seconds_ago: u64, change: impl FnOnce(&mut Attempt)) -> Attempt {
        let attempt = self.begun(seconds_ago, change).await;
        let grant = Grant(Secret::new("code_1"));
        let sealing = &self.parts.jobs.linking.sealing;
        let sealed = sealing.grant(&attempt.tag, attempt.id, &grant).unwrap();
        let redeem = self.job(JobKind::Redeem(attempt.id), &redeem_key(attempt.id));
        let records = &self.parts.jobs.records;
        assert!(records.keep_grant(attempt.id, &sealed, &redeem, ago(0)).await.unwrap());
        attempt
    }

    fn job(&self, kind: JobKind, key: &str) -> Job {
        Job {
            id: JobId::from_bytes(fresh()),
            ..job(self.person.partner, kind, key, ago(0))
        }
    }

    /// Runs the job that redeems an attempt's grant.
    pub async fn redeem(&self, attempt: &Attempt) {
        assert!(self.parts.jobs.hurry(&redeem_key(attempt.id)).await);
    }

    /// Runs the job that settles an attempt.
    pub async fn settle(&self, attempt: &Attempt) {
        assert!(self.parts.jobs.hurry(&settle_key(attempt.id)).await);
    }

    pub async fn state(&self, id: AttemptId) -> AttemptState {
        let (attempt, grant) = self.parts.jobs.records.attempt(id).await.unwrap().unwrap();
        assert!(grant.is_none() || attempt.state == AttemptState::Granted);
        attempt.state
    }

    /// The first screen of a dial.
    pub async fn dials(&mut self) -> String {
        self.dials += 1;
        self.parts.answer(&format!("d{} {NUMBER} ", self.dials)).await
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

/// A grant that the provider has never heard of, or that is used up and led to no account, keeps nobody waiting: after
/// the time in which an account must show, the person is told that nothing was linked, and may go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_comes_to_nothing_lapses() {
    for redeemed in [None, Some(vec![])] {
        let mut bench = Bench::new().await;
        bench.parts.bank.script().redeemed.clone_from(&redeemed);
        let attempt = bench.granted(16 * MINUTE, |_| ()).await;
        let shown = bench.dials().await;
        assert!(shown.contains("First Bank"), "{shown}");
        bench.redeem(&attempt).await;
        assert_eq!(bench.state(attempt.id).await, AttemptState::Lapsed, "{redeemed:?}");
        let shown = bench.dials().await;
        assert!(shown.contains("Nothing was linked."), "{shown}");
        assert!(shown.contains("1 Try again"), "{shown}");
    }
}

/// Before that time is over nobody is told no, and the job goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_young_grant_is_looked_for_again() {
    let mut bench = Bench::new().await;
    let attempt = bench.granted(MINUTE, |_| ()).await;
    bench.redeem(&attempt).await;
    assert_eq!(bench.state(attempt.id).await, AttemptState::Granted);
    let shown = bench.dials().await;
    assert!(!shown.contains("Nothing was linked"), "{shown}");
    bench.parts.bank.script().accounts.push(account("a1"));
    bench.redeem(&attempt).await;
    assert_eq!(bench.state(attempt.id).await, AttemptState::Linked);
}

/// A provider that does not let us look keeps nobody waiting either; what it hides is still looked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_search_keeps_nobody_waiting() {
    let bench = Bench::new().await;
    let attempt = bench.granted(16 * MINUTE, |_| ()).await;
    bench.parts.bank.script().unreadable = Some(ProviderError::Refused("no list"));
    bench.settle(&attempt).await;
    assert_eq!(bench.state(attempt.id).await, AttemptState::Lapsed);
    bench.parts.bank.script().unreadable = None;
    bench.parts.bank.script().accounts.push(account("a1"));
    bench.settle(&attempt).await;
    assert_eq!(bench.state(attempt.id).await, AttemptState::Linked);
}

/// A job that is given up ends the waiting: nobody would ever answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_given_up_lapses_its_attempt() {
    for redeem in [true, false] {
        let mut bench = Bench::new().await;
        bench.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        let attempt = bench.granted(MINUTE, |_| ()).await;
        let key = if redeem {
            redeem_key(attempt.id)
        } else {
            settle_key(attempt.id)
        };
        let records = &bench.parts.jobs.records;
        for _ in 0..299 {
            let held = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
            records.postpone(held.id, node(9), ago(0), "test").await.unwrap();
        }
        assert_eq!(bench.state(attempt.id).await, AttemptState::Granted);
        bench.dials().await;
        assert!(bench.parts.jobs.hurry(&key).await);
        assert_eq!(bench.state(attempt.id).await, AttemptState::Lapsed);
        assert!(!bench.parts.jobs.hurry(&key).await, "it goes on");
        let shown = bench.dials().await;
        assert!(shown.contains("Nothing was linked."), "{shown}");
    }
}

/// What shows after an attempt was given up becomes a link, or is undone if the person has moved on; an account of
/// somebody else leaves it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_webhook_is_heard() {
    for moved_on in [false, true] {
        let mut bench = Bench::new().await;
        let attempt = bench.begun(16 * MINUTE, |_| ()).await;
        bench.settle(&attempt).await;
        assert_eq!(bench.state(attempt.id).await, AttemptState::Lapsed);
        if moved_on {
            bench.begun(0, |_| ()).await;
        }
        let other = Account {
            id: "b1",
            session: Some("s2"),
        };
        bench.parts.bank.script().accounts = vec![other, account("a1")];
        for (id, late) in [("b1", false), ("a1", true)] {
            bench.parts.hooks.take("mono", &[], id.as_bytes()).await.unwrap();
            let key = format!("settle:{}:connected {id}", attempt.id);
            assert_eq!(bench.parts.jobs.hurry(&key).await, late, "{id}");
        }
        let unlinked = bench.parts.bank.script().unlinked.clone();
        let made = bench.parts.jobs.records.link_of_attempt(attempt.id).await.unwrap();
        if moved_on {
            assert_eq!((bench.state(attempt.id).await, made), (AttemptState::Undone, None));
            assert_eq!(unlinked, ["a1"]);
        } else {
            assert_eq!(made.map(|link| link.state), Some(LinkState::Active));
            assert_eq!(unlinked, [""; 0]);
            bench.dials().await;
        }
    }
}
