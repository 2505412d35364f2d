//! Records in one SQLite file, for one host.
//!
//! SQLite has one writer at a time. A transaction that reads first and writes later may find that somebody else wrote in
//! between, and then fails at once instead of waiting; so every transaction that writes says so at its beginning
//! (`BEGIN IMMEDIATE`), and within a process they queue at one connection instead of at the file's lock. Readers have
//! connections of their own and, thanks to the write-ahead log, never wait for the writer.
//!
//! A commit is on the disk before it is answered (`synchronous = FULL`): what was said to a person survives a power cut.
//! What is wiped is overwritten (`secure_delete`). The file belongs to the server's user alone.
//!
//! **What has failed is not used again.** SQLite ends a transaction by itself when the disk is full or cannot be read, and the
//! library, which then cannot roll it back, takes its connection for one inside a transaction for ever. So a connection that
//! comes back like that is replaced, and after a call that failed for the file's sake all that were open then are: the file
//! may be another one, or on a disk that was away. What was refused for its own sake says nothing of a connection. They are opened again by the next call, in about a millisecond. A file that is gone, or was
//! replaced, is noticed by `check_ready`; what is written into a file that nobody finds again is not written.
//!
//! No call hangs: waiting for the connection, for the file's lock and for the disk together is cut off after
//! `CALL_TIMEOUT`. A write that was cut off may still have been done; every write here may safely be asked for again.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use tokio::time::{Instant, sleep, timeout};

use super::timeout::{LOCK_TIMEOUT, OPEN_TIMEOUT};
use super::{RecordsError, Result, schema};
use crate::core::time::Timestamp;

#[path = "shared.rs"]
mod shared;

/// What the shared code calls its backend, a connection of it, a row, and the kind of database.
type Backend = SqliteRecords;
type Connection = SqliteConnection;
type Row = SqliteRow;
type Db = Sqlite;

/// The statement that claims jobs. With one writer at a time, one `UPDATE` that picks its rows in a subquery can hand no
/// row to two nodes.
fn claim(which: &str) -> String {
    format!(
        "UPDATE jobs SET node = $1, lease_until = $3, tries = tries + 1 \
         WHERE id IN (SELECT id FROM jobs WHERE {which}) RETURNING *"
    )
}

/// Connections for reading. Reads are short; more threads than this only take turns.
const READERS: u32 = 4;

/// Records in one SQLite file.
#[derive(Debug)]
pub struct SqliteRecords {
    writer: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
    trust: Trust,
}

/// Since when connections are trusted: those opened before are replaced.
#[derive(Clone, Debug, Default)]
struct Trust(Arc<Mutex<TrustState>>);

#[derive(Debug, Default)]
struct TrustState {
    since: Option<Instant>,
    /// Device and number of the file that the connections are open on.
    file: Option<(u64, u64)>,
}

impl Trust {
    fn renew(&self) {
        self.state(|state| state.since = Some(Instant::now()));
    }

    /// Notes which file it is; connections to another one are not trusted any more.
    fn now_on(&self, file: (u64, u64)) {
        self.state(|state| {
            if state.file.replace(file).is_some_and(|before| before != file) {
                state.since = Some(Instant::now());
            }
        });
    }

    fn covers(&self, age: Duration) -> bool {
        self.state(|state| state.since.is_none_or(|since| age < since.elapsed()))
    }

    fn state<T>(&self, work: impl FnOnce(&mut TrustState) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SqliteRecords {
    /// Opens the file at `path`, making it and its folder if there are none (readable by nobody else), and brings its
    /// tables up to date. Several processes may open the same file at once.
    ///
    /// # Errors
    /// When the path cannot be used or is no database of ours.
    pub async fn open(path: &Path) -> Result<Self> {
        let opening = async {
            prepare(path)
                .await
                .map_err(|error| RecordsError::new(format!("{}: {error}", path.display())))?;
            let trust = Trust::default();
            let writer = open_writer(path, &trust).await?;
            let readers = pool(READERS, &trust)
                .connect_with(options(path).pragma("query_only", "ON"))
                .await?;
            let records = Self {
                writer,
                readers,
                path: path.to_owned(),
                trust,
            };
            records.check_file().await?;
            Ok(records)
        };
        timeout(OPEN_TIMEOUT, opening).await.unwrap_or_else(|_| {
            Err(RecordsError::new(format!(
                "not open after {} s",
                OPEN_TIMEOUT.as_secs()
            )))
        })
    }

    /// Closes all connections after the calls under way.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// After a call that has failed for the sake of the file or the connection.
    fn distrust_connections(&self) {
        self.trust.renew();
    }

    /// Whether the file is there, and the one that the connections are open on.
    async fn check_file(&self) -> Result<()> {
        let gone = |error| RecordsError::new(format!("{}: {error}", self.path.display()));
        let file = tokio::fs::metadata(&self.path).await.map_err(gone)?;
        self.trust.now_on((file.dev(), file.ino()));
        Ok(())
    }

    /// The file is on this machine: who opens it has the same clock.
    #[expect(clippy::unused_async, reason = "the other backend asks its server")]
    async fn read_clock(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// A transaction for reading: all it reads is of the same moment.
    async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.readers.begin().await?)
    }

    /// A transaction that holds the file's write lock from its beginning.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Empties the write-ahead log into the file, for it still holds pages as they were before something was wiped. Not
    /// while somebody reads what was before: then `false`.
    async fn checkpoint(&self) -> Result<bool> {
        let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.writer)
            .await?;
        Ok(busy == 0)
    }

    /// A transaction beside which nobody writes about the same subject: here, nobody writes at all.
    async fn write_about(&self, _subject: &[u8; 32]) -> Result<Transaction<'static, Sqlite>> {
        self.write().await
    }
}

/// Opens the writing connection and migrates. Turning on the write-ahead log takes a lock that SQLite does not wait for,
/// so of two processes that make the same file one may have to ask again.
async fn open_writer(path: &Path, trust: &Trust) -> Result<SqlitePool> {
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        let opened = async {
            let writer = pool(1, trust)
                .connect_with(options(path).journal_mode(SqliteJournalMode::Wal))
                .await
                .map_err(sqlx::migrate::MigrateError::from)?;
            migrate(&writer).await.map(|()| writer)
        };
        match opened.await {
            Ok(writer) => return Ok(writer),
            Err(error) if is_busy(&error) && Instant::now() < until => sleep(Duration::from_millis(20)).await,
            Err(error) => {
                return Err(RecordsError::new(format!(
                    "the tables cannot be brought up to date: {error}"
                )));
            }
        }
    }
}

/// Runs the migrations in one transaction that keeps other processes out.
async fn migrate(writer: &SqlitePool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let migrations = schema::migrations();
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrations.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

fn is_busy(error: &sqlx::migrate::MigrateError) -> bool {
    /// SQLite's result code for a lock held by somebody else; its extended codes carry it in the low byte.
    const BUSY: u32 = 5;
    let (sqlx::migrate::MigrateError::Execute(sqlx::Error::Database(error))
    | sqlx::migrate::MigrateError::ExecuteMigration(sqlx::Error::Database(error), _)) = error
    else {
        return false;
    };
    error
        .code()
        .and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == BUSY)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK_TIMEOUT)
        .foreign_keys(true)
        .pragma("secure_delete", "ON")
}

fn pool(connections: u32, trust: &Trust) -> SqlitePoolOptions {
    let trust = trust.clone();
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(LOCK_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .before_acquire(move |connection, its| {
            // A sign of life has come before this, so that a rollback under way has ended.
            let good = !connection.is_in_transaction() && trust.covers(its.age);
            Box::pin(async move { Ok(good) })
        })
}

/// Makes the folder and the file, for the server's user only. SQLite gives the files beside it the same mode.
async fn prepare(path: &Path) -> std::io::Result<()> {
    let (mut folder, mut file) = (tokio::fs::DirBuilder::new(), tokio::fs::OpenOptions::new());
    folder.recursive(true);
    file.create(true).append(true);
    #[cfg(unix)]
    {
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create(parent).await?;
    }
    let file = file.open(path).await?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata().await?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).await?;
        }
    }
    drop(file);
    Ok(())
}
