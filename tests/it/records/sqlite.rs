//! What is particular to the SQLite file: who may read it, how it is shared, what stands in it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use kiungo::core::seal::{Keyring, SealContext};
use kiungo::core::time::Rng;
use kiungo::records::sqlite::SqliteRecords;
use kiungo::records::{AccountReading, JobRecords as _, PartnerRecords as _};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::support::machine::Stopwatch;
use crate::support::records::{Backend, TYPES, at, begin, link, node, partner, person, redeem, unique_bytes};

/// The file as somebody else opens it.
async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// Nobody but the server's user reads the file, its log or its folder, even where an older file was open to all.
#[tokio::test]
async fn the_file_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/records.db");
    let records = SqliteRecords::open(&path).await.unwrap();
    records.put_partner(&partner(1)).await.unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    records.close().await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    SqliteRecords::open(&path).await.unwrap();
    assert_eq!(mode(&path), 0o600);
}

/// Several processes may make the same file at the same moment; opening it again and again changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrations_run_once_whoever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let path = path.clone();
        tasks.spawn(async move { SqliteRecords::open(&path).await.map(drop) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
    SqliteRecords::open(&path).await.unwrap().check_ready().await.unwrap();
    let mut other = raw(&path).await;
    let applied: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations")
        .fetch_one(&mut other)
        .await
        .unwrap();
    let hearts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM heartbeat")
        .fetch_one(&mut other)
        .await
        .unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/records/migrations");
    let written = i64::try_from(std::fs::read_dir(folder).unwrap().count()).unwrap();
    assert_eq!((applied, hearts), (written, 1));
}

/// A server of the version before still opens a file that a newer one has migrated further.
#[tokio::test]
async fn a_newer_schema_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    SqliteRecords::open(&path).await.unwrap().close().await;
    let mut other = raw(&path).await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', CURRENT_TIMESTAMP, TRUE, x'00', 1)")
        .execute(&mut other)
        .await
        .unwrap();
    SqliteRecords::open(&path).await.unwrap().check_ready().await.unwrap();
}

/// While another process holds the file's write lock, writing fails within its bound and reading goes on; afterwards
/// all is well.
#[tokio::test]
async fn a_held_lock_fails_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let records = SqliteRecords::open(&path).await.unwrap();
    let mut other = raw(&path).await;
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let (partner, begun) = (partner(1), Stopwatch::start());
    let (put, claimed, ready) = tokio::join!(
        records.put_partner(&partner),
        records.claim(TYPES, node(1), at(0), at(1), 1),
        records.check_ready(),
    );
    assert!(put.is_err() && claimed.is_err() && ready.is_err());
    assert!(begun.fair() < Duration::from_millis(2900), "{:?}", begun.elapsed());
    assert_eq!(records.next_due(TYPES).await.unwrap(), None);
    held.rollback().await.unwrap();
    records.put_partner(&partner).await.unwrap();
    records.check_ready().await.unwrap();
}

/// A file that is no database, or a path that cannot be, is an error that names the trouble.
#[tokio::test]
async fn rubbish_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rubbish.db");
    std::fs::write(&path, "this is not a database, whatever its name may say".repeat(100)).unwrap();
    SqliteRecords::open(&path).await.unwrap_err();
    SqliteRecords::open(&path.join("below")).await.unwrap_err();
    SqliteRecords::open(folder.path()).await.unwrap_err();
}

/// Fills with bytes that no earlier call gave.
struct Counting;

impl Rng for Counting {
    fn fill(&self, out: &mut [u8]) {
        let bytes: [u8; 16] = unique_bytes();
        out.iter_mut()
            .zip(bytes.iter().cycle())
            .for_each(|(out, byte)| *out = *byte);
    }
}

/// A number, a grant, a holder, an account and a session that can be found nowhere by chance.
const CANARIES: [&str; 5] = [
    "+2348031234567",
    "grant-Zw3Qk81",
    "ADA LOVELACE",
    "acct_64779d900000",
    "session-77Hq1",
];

/// Nothing that was sealed by the caller stands readable in any of the files, and a grant that was redeemed is gone.
#[tokio::test]
async fn nothing_personal_stands_in_clear() {
    let [msisdn, grant, holder, account, session] = CANARIES;
    let keys = BTreeMap::from([("k1".to_owned(), Zeroizing::new([5; 32]))]);
    let ring = Keyring::new("k1", keys, Zeroizing::new([6; 32])).unwrap();
    let seal = |plain: &str| {
        let place = SealContext {
            purpose: "test",
            subject: b"ada",
            record: b"1",
            field: "field",
        };
        ring.seal(&place, plain.as_bytes(), &Counting).unwrap()
    };

    let db = Backend::Sqlite.create().await;
    let mut consent = person(1, 1).consent();
    consent.msisdn = seal(msisdn);
    let mut attempt = person(1, 1).attempt(&consent);
    attempt.provider_session = seal(session);
    begin(&*db, &consent, &attempt).await;
    let sealed_grant = seal(grant);
    db.store_grant(attempt.id, &sealed_grant, &redeem(&attempt), at(0))
        .await
        .unwrap();
    let mut link = link(&attempt, 1);
    link.accounts[0].account = seal(account);
    db.complete_link(&link, &[]).await.unwrap();
    let reading = AccountReading {
        masked: "**4521".to_owned(),
        number_digest: ring.digest("number", &[b"0123454521"]),
        holder: Some(seal(holder)),
        kind: None,
        currency: None,
    };
    db.store_account_reading(link.accounts[0].id, &reading).await.unwrap();

    let path = db.folder.path().join("deep/er");
    let contains = |needle: &[u8]| {
        std::fs::read_dir(&path).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
    };
    assert!(
        contains(&consent.msisdn),
        "the search itself must be able to find something"
    );
    for canary in CANARIES.into_iter().chain(["0123454521"]) {
        assert!(!contains(canary.as_bytes()), "{canary}");
    }
    let mut other = raw(&path.join("records.db")).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut other)
        .await
        .unwrap();
    assert!(!contains(&sealed_grant), "the sealed grant outlives its use");
    assert!(contains(&consent.msisdn));
}
