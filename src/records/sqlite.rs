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
//! No call hangs: waiting for the connection, for the file's lock and for the disk together is cut off after
//! `CALL_TIMEOUT`. A write that was cut off may still have been done; every write here may safely be asked for again.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};
use tokio::time::{Instant, sleep, timeout};

use super::timeout::{LOCK_TIMEOUT, OPEN_TIMEOUT};
use super::{RecordsError, Result, schema};

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
                .map_err(|error| RecordsError(format!("{}: {error}", path.display())))?;
            let writer = open_writer(path).await?;
            let readers = pool(READERS)
                .connect_with(options(path).pragma("query_only", "ON"))
                .await?;
            Ok(Self { writer, readers })
        };
        timeout(OPEN_TIMEOUT, opening)
            .await
            .unwrap_or_else(|_| Err(RecordsError(format!("not open after {} s", OPEN_TIMEOUT.as_secs()))))
    }

    /// Closes all connections after the calls under way.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
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
async fn open_writer(path: &Path) -> Result<SqlitePool> {
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        let opened = async {
            let writer = pool(1)
                .connect_with(options(path).journal_mode(SqliteJournalMode::Wal))
                .await
                .map_err(sqlx::migrate::MigrateError::from)?;
            migrate(&writer).await.map(|()| writer)
        };
        match opened.await {
            Ok(writer) => return Ok(writer),
            Err(error) if is_busy(&error) && Instant::now() < until => sleep(Duration::from_millis(20)).await,
            Err(error) => {
                return Err(RecordsError(format!(
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

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(LOCK_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
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
