//! Records in a PostgreSQL database, for several hosts.
//!
//! **Who writes at the same time.** In the SQLite file all writers stand in one queue; here they write side by side, each
//! statement seeing what was committed before it began (READ COMMITTED). That is kept right without serializable
//! transactions, whose retries would take their time just when many people dial:
//!
//! * A single `UPDATE` that says in its `WHERE` what must still hold needs no more: it waits for anyone who is changing the
//!   row, and then looks again. So it is with moving attempts and links, keeping a grant, finishing and claiming jobs.
//! * What may exist once has a unique key and is inserted with `ON CONFLICT DO NOTHING`, which waits for anyone who inserts
//!   the same: jobs by their key, a provider's events, the link of an attempt.
//! * What is concluded from reading rows that others may add to goes through `write_about`: the number of a person's
//!   next attempt or link is the highest so far plus one, and who reads an account wants to see anyone who reads another one
//!   with the same number. Such transactions take a lock by their subject first, before any row, and one each: so nobody
//!   who holds a row waits for such a lock, and there is no deadlock to come from it. It is a lock that the transaction's
//!   end lets go (`pg_advisory_xact_lock`). Two subjects that share a lock by chance take turns needlessly, no more.
//! * What a person's dialog is told is read from one snapshot (REPEATABLE READ, which only readers use: it then never
//!   fails).
//! * The number of the next event about something is drawn by counting up its row, which is held until the event is
//!   there: a transaction holds the row of what it changes first, and that row after it, always in this order.
//! * Jobs are claimed with `FOR UPDATE SKIP LOCKED`: nodes take different rows and wait for nobody.
//! * Migrations run in one transaction under a lock of their own, so that several nodes may start at once.
//!
//! **What takes too long.** No call hangs: a caller waits at most `CALL_TIMEOUT`. The server itself
//! ends what it is still busy with a little before, and a transaction whose client is gone; so what nobody waits for
//! holds no rows. A write that was cut off may still have been done; every write here may safely be asked for again.
//!
//! **Lost servers.** A connection is asked for a sign of life before it is used, and when it comes back, and is given
//! that long to answer; one that does not is replaced. So is one for writing whose server takes no writes any more: it was
//! demoted, and its name may lead to another by now. One in the middle of a transaction when its user went away is
//! not used again: nobody knows how far it came. So a server that restarts, or another that takes over its name, is found
//! by the next call, and none that is silent keeps a place in the pool.
//!
//! A commit is on the disk before it is answered, whatever the server's default (`synchronous_commit`).

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{Connection as _, Executor as _, Postgres, Row as _};
use tokio::time::timeout;

use super::timeout::{LOCK_TIMEOUT, OPEN_TIMEOUT};
use super::{RecordsError, Result, schema};
use crate::core::time::Timestamp;

mod address;
#[expect(clippy::duplicate_mod, reason = "the same code for the types of another database")]
#[path = "../shared.rs"]
mod shared;
mod transaction;

pub(super) use self::address::options;
use self::transaction::PgTransaction;

/// What the shared code calls its backend, a connection of it, a row, and the kind of database.
type Backend = PostgresRecords;
type Connection = PgConnection;
type Row = PgRow;
type Db = Postgres;

/// The statement that claims jobs. Rows that another node is about to take are passed over. The list is made once
/// (`MATERIALIZED`), so no more than the limit are locked.
fn claim(which: &str) -> String {
    format!(
        "WITH mine AS MATERIALIZED (SELECT id FROM jobs WHERE {which} FOR UPDATE SKIP LOCKED) \
         UPDATE jobs SET node = $1, lease_until = $3, tries = jobs.tries + 1 FROM mine WHERE jobs.id = mine.id \
         RETURNING jobs.*"
    )
}

/// Connections for reading and for writing. Those who wait for each other's rows leave some to those who only read.
const READERS: u32 = 4;
const WRITERS: u32 = 8;
/// How long a server that is not there yet is waited for at the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take for a sign of life.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// Connections that were not used for this long are closed, and all are replaced now and then.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);
const MAX_LIFETIME: Duration = Duration::from_mins(30);
/// The key of the lock under which migrations run.
const MIGRATION_LOCK: i64 = 0x6b69_756e_676f;

/// What the server is told of each connection, in milliseconds where it is a time. It gives up before the caller does.
const SETTINGS: [(&str, &str); 3] = [
    ("statement_timeout", "2200"),
    ("idle_in_transaction_session_timeout", "5000"),
    ("synchronous_commit", "on"),
];

/// Records in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresRecords {
    writer: PgPool,
    readers: PgPool,
}

impl PostgresRecords {
    /// Connects and brings the tables up to date. Several nodes may do so at once.
    ///
    /// # Errors
    /// When the server cannot be reached or does not let us in, or the tables cannot be brought up to date.
    pub async fn open(options: PgConnectOptions) -> Result<Self> {
        let options = options.application_name("kiungo").options(SETTINGS);
        let opening = async {
            let first = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(CONNECT_TIMEOUT)
                .connect_with(options.clone())
                .await?;
            migrate(&first)
                .await
                .map_err(|error| RecordsError::new(format!("the tables cannot be brought up to date: {error}")))?;
            first.close().await;
            Ok(Self {
                writer: pool(WRITERS)
                    .before_acquire(|connection, _| Box::pin(is_writable(connection)))
                    .connect_lazy_with(options.clone()),
                readers: pool(READERS).connect_lazy_with(options.options([("default_transaction_read_only", "on")])),
            })
        };
        timeout(OPEN_TIMEOUT, opening).await.unwrap_or_else(|_| {
            Err(RecordsError::new(format!(
                "not open after {} s",
                OPEN_TIMEOUT.as_secs()
            )))
        })
    }

    /// Connections are looked at before they are used.
    #[expect(clippy::unused_self, reason = "the other backend notes it")]
    fn distrust_connections(&self) {}

    #[expect(clippy::unused_async, reason = "the other backend looks at its file")]
    async fn check_file(&self) -> Result<()> {
        Ok(())
    }

    /// The statement's own moment, not that of a transaction's beginning.
    async fn read_clock(&self) -> Result<Option<Timestamp>> {
        let now = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT";
        let millis: i64 = sqlx::query_scalar(now).fetch_one(&self.readers).await?;
        Ok(Some(Timestamp::from_millis(millis)))
    }

    /// A transaction for reading: all it reads is of the same moment.
    async fn snapshot(&self) -> Result<PgTransaction> {
        Ok(PgTransaction::begin(&self.readers, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
    }

    /// A transaction beside which others may write.
    async fn write(&self) -> Result<PgTransaction> {
        Ok(PgTransaction::begin(&self.writer, "BEGIN").await?)
    }

    /// Old versions of rows are the server's to remove (`VACUUM`), and so are its log and archives: nothing to wait for.
    #[expect(clippy::unused_async, reason = "the other backend has something to do")]
    async fn checkpoint(&self) -> Result<bool> {
        Ok(true)
    }

    /// A transaction beside which nobody writes about the same subject, a keyed digest.
    async fn write_about(&self, subject: &[u8; 32]) -> Result<PgTransaction> {
        let mut transaction = self.write().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(i64::from_be_bytes(std::array::from_fn(|place| subject[place])))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(LOCK_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_alive(connection)))
        .after_release(|connection, _| Box::pin(is_alive(connection)))
}

/// Whether the connection answers at once.
async fn is_alive(connection: &mut PgConnection) -> sqlx::Result<bool> {
    Ok(timeout(PING_TIMEOUT, connection.ping())
        .await
        .is_ok_and(|answer| answer.is_ok()))
}

/// The same, of a connection that is for writing.
async fn is_writable(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let asked = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection);
    let Ok(Ok(row)) = timeout(PING_TIMEOUT, asked).await else {
        return Ok(false);
    };
    Ok(row.try_get::<String, _>(0).is_ok_and(|read_only| read_only == "off"))
}

/// Runs the migrations in one transaction, under a lock that keeps other nodes out, for as long as they take.
async fn migrate(pool: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let mut transaction = pool.begin().await?;
    transaction.execute("SET LOCAL statement_timeout = 0").await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *transaction)
        .await?;
    schema::migrations_for_postgres()
        .run_direct(None, &mut *transaction, false)
        .await?;
    Ok(transaction.commit().await?)
}
