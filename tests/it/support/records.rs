//! Records to test against, and sample rows.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::consent::ends_at;
use kiungo::core::ids::{
    AttemptId, ConnectSessionId, ConsentId, IntentId, JobId, LinkId, LinkedAccountId, NodeId, PartnerId, SeriesId,
};
use kiungo::core::scope::Scope;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::time::{Clock as _, Timestamp};
use kiungo::providers::SubmissionStep;
use kiungo::records::{
    Attempt, AttemptState, AuditEntry, Begun, Consent, Deliver, ExpireIntent, Job, JobKind, JobType as _, Link,
    LinkAccess, LinkCompletion, LinkState, LinkedAccount, Partner, Publish, Records, ReturnTicket, TicketPurpose,
    connect,
};
use kiungo::service::bank_alerts::BankBack;
use kiungo::service::data_subject::Erase;
use kiungo::service::handover_queue::HandOver;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::redeem::Redeem;
use kiungo::service::linking::settle::Settle;
use kiungo::service::linking::unlink::Unlink;
use kiungo::service::sms::outbox::{AskReport, SendSms};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

use super::postgres::PostgresServer;

/// A day in spring: the present of most tests.
pub const NOW: i64 = 1_780_000_000_000;

/// The implementations that must all behave alike.
#[derive(Clone, Copy, Debug)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Empty records that know the partners 1 to 3, and go away with the fixture.
pub struct Fixture {
    records: Arc<dyn Records>,
    pub url: String,
    pub folder: TempDir,
    pub postgres: Option<PostgresServer>,
}

impl Backend {
    pub async fn create(self) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let postgres = match self {
            Self::Sqlite => None,
            Self::Postgres => Some(PostgresServer::start().await),
        };
        let url = postgres.as_ref().map_or_else(
            || format!("sqlite:{}", folder.path().join("deep/er/records.db").display()),
            PostgresServer::url,
        );
        let records = connect(&url).await.unwrap();
        for n in 1..=3 {
            records.put_partner(&partner(n)).await.unwrap();
        }
        Fixture {
            records,
            url,
            folder,
            postgres,
        }
    }
}

impl Fixture {
    /// Another handle on the same records, as a second process has it.
    pub async fn second_handle(&self) -> Arc<dyn Records> {
        connect(&self.url).await.unwrap()
    }

    /// How many audit entries of this kind there are.
    pub async fn audit_count(&self, kind: &str) -> i64 {
        let counting = "SELECT COUNT(*) FROM audit WHERE kind = $1";
        if let Some(postgres) = &self.postgres {
            let mut raw = postgres.raw().await;
            let events = sqlx::query_scalar(counting).bind(kind.to_owned());
            return events.fetch_one(&mut raw).await.unwrap();
        }
        let mut raw = self.raw_sqlite().await;
        sqlx::query_scalar(counting)
            .bind(kind.to_owned())
            .fetch_one(&mut raw)
            .await
            .unwrap()
    }

    /// What a statement that counts says.
    pub async fn count(&self, statement: &'static str) -> i64 {
        if let Some(postgres) = &self.postgres {
            return sqlx::query_scalar(statement)
                .fetch_one(&mut postgres.raw().await)
                .await
                .unwrap();
        }
        sqlx::query_scalar(statement)
            .fetch_one(&mut self.raw_sqlite().await)
            .await
            .unwrap()
    }

    /// Runs a statement past everything that is tested.
    pub async fn execute(&self, statement: &'static str) {
        if let Some(postgres) = &self.postgres {
            postgres.raw().await.execute(statement).await.unwrap();
        } else {
            self.raw_sqlite().await.execute(statement).await.unwrap();
        }
    }

    /// Runs a statement past everything that is tested, with these bytes for `$1`, `$2`…
    pub async fn execute_with(&self, statement: &'static str, bytes: &[&[u8]]) {
        if let Some(postgres) = &self.postgres {
            let query = bytes
                .iter()
                .fold(sqlx::query(statement), |query, bytes| query.bind(bytes.to_vec()));
            query.execute(&mut postgres.raw().await).await.unwrap();
        } else {
            let query = bytes
                .iter()
                .fold(sqlx::query(statement), |query, bytes| query.bind(bytes.to_vec()));
            query.execute(&mut self.raw_sqlite().await).await.unwrap();
        }
    }

    async fn raw_sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("deep/er/records.db"));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// This handle, to share with tasks.
    pub fn shared(&self) -> Arc<dyn Records> {
        Arc::clone(&self.records)
    }
}

impl Deref for Fixture {
    type Target = dyn Records;

    fn deref(&self) -> &Self::Target {
        &*self.records
    }
}

/// Bytes that no other call returns.
pub fn unique_bytes<const N: usize>() -> [u8; N] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; N];
    bytes[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// For how many days people agree: longer than these tests are of use.
pub const DAYS: u16 = 3_650;

pub fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(NOW + offset)
}

pub fn partner(n: u8) -> Partner {
    Partner {
        id: PartnerId::from_bytes([n; 16]),
        name: format!("Partner {n}"),
        purpose: "loans".into(),
        days: 90,
        walk_in: false,
        contact: None,
        created_at: at(0),
    }
}

/// The operator's own partner.
pub fn operator_partner() -> Partner {
    Partner {
        name: "Umoja Credit".to_owned(),
        purpose: "a loan".into(),
        walk_in: true,
        ..partner(1)
    }
}

/// An audit entry of a partner.
pub fn audit_entry(n: u8, offset: i64) -> AuditEntry {
    AuditEntry::new(partner(n).id, "test.done", String::new(), at(offset))
}

pub fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

/// A person as one partner knows them.
#[derive(Clone, Copy, Debug)]
pub struct RecordedPerson {
    pub partner: PartnerId,
    pub tag: SubscriberTag,
}

pub fn person(partner: u8, tag: u8) -> RecordedPerson {
    RecordedPerson {
        partner: PartnerId::from_bytes([partner; 16]),
        tag: SubscriberTag::from_bytes([tag; 32]),
    }
}

impl RecordedPerson {
    pub fn consent(&self) -> Consent {
        Consent {
            id: ConsentId::from_bytes(unique_bytes()),
            intent: IntentId::from_bytes(unique_bytes()),
            partner: self.partner,
            tag: self.tag,
            msisdn: vec![1, 2, 3],
            text: "Partner 1 may see your account for loans.".to_owned(),
            version: "v1".to_owned(),
            locale: "en".to_owned(),
            channel: "at-ng".to_owned(),
            agreed_at: at(0),
            purpose: "loans".to_owned(),
            purposes: None,
            days: DAYS,
            scope: Scope::default(),
        }
    }

    /// A login of this person in a session of its own.
    pub fn attempt(&self, consent: &Consent) -> Attempt {
        Attempt {
            id: AttemptId::from_bytes(unique_bytes()),
            session: ConnectSessionId::from_bytes(unique_bytes()),
            series: SeriesId::from_bytes(unique_bytes()),
            ordinal: 1,
            consent: consent.id,
            partner: self.partner,
            tag: self.tag,
            provider: "mono".to_owned(),
            // A bank of its own: at one bank only one may be under way.
            institution: "first:p".to_owned(),
            provider_institution: format!("bank-{}", u128::from_be_bytes(unique_bytes())),
            institution_name: "First Bank".to_owned(),
            step: SubmissionStep::Login,
            provider_session: vec![9, 9],
            session_digest: unique_bytes(),
            renews: None,
            state: AttemptState::Open,
            told: None,
            waits_until: None,
            returned: None,
            created_at: at(0),
        }
    }

    /// Begins a login changed by `change`, with a consent of its own, and moves it to `state`.
    pub async fn attempted(&self, db: &dyn Records, state: AttemptState, change: impl FnOnce(&mut Attempt)) -> Attempt {
        let consent = self.consent();
        let mut attempt = self.attempt(&consent);
        change(&mut attempt);
        begin(db, &consent, &attempt).await;
        if state != AttemptState::Open {
            assert!(db.move_attempt(attempt.id, state, attempt.created_at).await.unwrap());
        }
        Attempt { state, ..attempt }
    }

    /// A durable link of this person, made just now, for tests in which a server runs beside: it leaves the login alone for
    /// an hour, and keeps what was told of the link.
    pub async fn links_now(&self, db: &dyn Records) -> Link {
        let now = SystemClock.now();
        let later = now.plus(Duration::from_hours(1));
        let attempt = self.attempted(db, AttemptState::Unknown, |attempt| attempt.created_at = later);
        let link = Link {
            created_at: now,
            ..link(&attempt.await, 1)
        };
        assert_eq!(
            db.complete_link(&link, &[]).await.unwrap(),
            LinkCompletion::Written(link.id)
        );
        link
    }

    /// A durable link of this person with `accounts` accounts, in `state`.
    pub async fn linked(&self, db: &dyn Records, accounts: usize, state: LinkState) -> Link {
        let attempt = self.attempted(db, AttemptState::Unknown, |_| ()).await;
        let link = Link {
            state,
            ..link(&attempt, accounts)
        };
        assert_eq!(
            db.complete_link(&link, &[]).await.unwrap(),
            LinkCompletion::Written(link.id)
        );
        link
    }
}

pub async fn begin(db: &dyn Records, consent: &Consent, attempt: &Attempt) {
    let begun = db.begin_attempt(consent, attempt, None, &settle(attempt)).await;
    assert_eq!(begun.unwrap(), Begun::New);
}

/// The job types that this version knows, but for those at the end of a consent: every link has them.
pub const TYPES: &[&str] = &[
    Redeem::NAME,
    Settle::NAME,
    ReadAccounts::NAME,
    Unlink::NAME,
    HandOver::NAME,
    SendSms::NAME,
    AskReport::NAME,
    BankBack::NAME,
    Erase::NAME,
    Publish::NAME,
    Deliver::NAME,
    ExpireIntent::NAME,
];

pub fn settle(attempt: &Attempt) -> Job {
    let key = Settle::key(attempt.id);
    job(attempt.partner, Settle::of(attempt.id), &key, attempt.created_at)
}

/// A ticket that leads to an attempt, for an hour.
pub fn ticket(attempt: &Attempt, purpose: TicketPurpose) -> ReturnTicket {
    ReturnTicket {
        digest: unique_bytes(),
        partner: attempt.partner,
        attempt: attempt.id,
        purpose,
        created_at: at(0),
        until: at(3_600_000),
        used_at: None,
    }
}

pub fn redeem(attempt: &Attempt) -> Job {
    let key = Redeem::key(attempt.id);
    job(attempt.partner, Redeem::of(attempt.id), &key, at(0))
}

pub fn job(partner: PartnerId, kind: JobKind, key: &str, due_at: Timestamp) -> Job {
    Job {
        id: JobId::from_bytes(unique_bytes()),
        partner,
        kind,
        due_at,
        tries: 0,
        key: key.to_owned(),
    }
}

pub fn link(attempt: &Attempt, accounts: usize) -> Link {
    Link {
        id: LinkId::from_bytes(unique_bytes()),
        partner: attempt.partner,
        tag: attempt.tag,
        consent: attempt.consent,
        attempt: attempt.id,
        provider: attempt.provider.clone(),
        institution: attempt.institution.clone(),
        provider_institution: attempt.provider_institution.clone(),
        institution_name: attempt.institution_name.clone(),
        state: LinkState::Active,
        until: ends_at(at(0), DAYS),
        notice_from: ends_at(at(0), DAYS - 7),
        access_until: None,
        created_at: at(0),
        used_at: at(0),
        access: LinkAccess::default(),
        accounts: (0..accounts).map(|_| account()).collect(),
    }
}

pub fn account() -> LinkedAccount {
    LinkedAccount {
        id: LinkedAccountId::from_bytes(unique_bytes()),
        account: vec![7, 7, 7],
        account_digest: unique_bytes(),
        masked: None,
        number_digest: None,
        holder: None,
        kind: None,
        currency: None,
    }
}
