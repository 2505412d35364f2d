//! What is particular to PostgreSQL: how it is reached, and what its schema has in common with SQLite's.

mod faults;
mod nodes;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kiungo::records::connect;
use rstest::rstest;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};
use tokio::task::JoinSet;

use crate::support::postgres::{PASSWORD, PostgresServer};
use crate::support::records::Backend;
use crate::support::tls::Authority;

/// Several nodes may start on an empty database at the same moment; starting again and again changes nothing, and a
/// server of the version before starts on a database that a newer one has migrated further.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrations_run_once_whoever_comes_first() {
    let server = PostgresServer::start().await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let url = server.url();
        tasks.spawn(async move { connect(&url).await.map(drop) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
    let mut raw = server.raw().await;
    let counts = "SELECT (SELECT COUNT(*) FROM _sqlx_migrations WHERE version = 1), (SELECT COUNT(*) FROM heartbeat)";
    let row = sqlx::query(counts).fetch_one(&mut raw).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (1, 1));
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '', 1)")
        .execute(&mut raw)
        .await
        .unwrap();
    connect(&server.url()).await.unwrap().check_ready().await.unwrap();
}

/// Both databases have the same tables with the same columns, of the types that both know, and the same named indexes.
#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let (lite, postgres) = (Backend::Sqlite.create().await, Backend::Postgres.create().await);
    let options = SqliteConnectOptions::new().filename(lite.folder.path().join("deep/er/records.db"));
    let mut lite = SqliteConnection::connect_with(&options).await.unwrap();
    let statement = "SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" FROM sqlite_master t \
         JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE '\\_%' ESCAPE '\\' \
         UNION SELECT 'index ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
    let ours: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut lite).await.unwrap();
    let statement = "SELECT table_name || ' ' || column_name || ' ' || \
         CASE data_type WHEN 'bytea' THEN 'BLOB' ELSE UPPER(data_type) END || ' ' || \
         CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' \
         UNION SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public' \
         AND indexname NOT LIKE '%\\_key' AND indexname NOT LIKE '%\\_pkey'";
    let mut raw = postgres.postgres.as_ref().unwrap().raw().await;
    let theirs: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut raw).await.unwrap();
    let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) = (ours.into_iter().collect(), theirs.into_iter().collect());
    assert!(
        ours.contains("jobs lease_until BIGINT 0") && ours.contains("index jobs_open"),
        "{ours:?}"
    );
    let different: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(different.is_empty(), "{different:?}");
}

/// A Unix socket is a way to a server, too.
#[tokio::test]
async fn a_socket_will_do() {
    let server = PostgresServer::start().await;
    connect(&server.socket_url())
        .await
        .unwrap()
        .check_ready()
        .await
        .unwrap();
}

/// Wants a password and TLS of everybody who comes over the network, and shows a certificate for `localhost`.
fn guarded(data: &Path, authority: &Authority) -> Vec<String> {
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
    fs::write(data.join("pg_hba.conf"), rules).unwrap();
    let (certificate, key) = authority.issue_pem("localhost", 2100);
    fs::write(data.join("server.crt"), certificate).unwrap();
    fs::write(data.join("server.key"), key).unwrap();
    fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    vec!["ssl=on".to_owned()]
}

/// Over TLS the server proves who it is, unless told that it need not; without TLS, or with the wrong password, nobody
/// gets in, and no message repeats a password.
#[rstest]
#[case::proven("localhost", PASSWORD, "sslmode=verify-full&sslrootcert=ROOT", "")]
#[case::authority_only("127.0.0.1", PASSWORD, "sslmode=verify-ca&sslrootcert=ROOT", "")]
#[case::anybody("127.0.0.1", PASSWORD, "sslmode=require", "")]
#[case::other_name("127.0.0.1", PASSWORD, "sslmode=verify-full&sslrootcert=ROOT", "certificate")]
#[case::other_authority("localhost", PASSWORD, "sslmode=verify-full&sslrootcert=OTHER", "certificate")]
#[case::no_authority("localhost", PASSWORD, "sslmode=verify-full", "certificate")]
#[case::no_tls("localhost", PASSWORD, "sslmode=disable", "pg_hba.conf")]
#[case::no_password("localhost", "", "sslmode=require", "password")]
#[case::wrong_password("localhost", "wrong-0123456789", "sslmode=require", "password authentication failed")]
#[tokio::test]
async fn tls_and_passwords(#[case] host: &str, #[case] password: &str, #[case] query: &str, #[case] why: &str) {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = PostgresServer::with(|data| guarded(data, &authority)).await;
    let dir = tempfile::tempdir().unwrap();
    let (root, wrong) = (dir.path().join("root.pem"), dir.path().join("other.pem"));
    fs::write(&root, &authority.pem).unwrap();
    fs::write(&wrong, &other.pem).unwrap();
    let query = query
        .replace("ROOT", root.to_str().unwrap())
        .replace("OTHER", wrong.to_str().unwrap());
    let written = password.replace('/', "%2F");
    let url = format!("postgres://kiungo:{written}@{host}:{}/kiungo?{query}", server.port());
    let opened = connect(&url).await;
    if why.is_empty() {
        opened.unwrap().check_ready().await.unwrap();
    } else {
        let error = opened.map(drop).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains("0123456789"), "{error}");
    }
}
