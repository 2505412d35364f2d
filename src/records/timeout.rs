//! How long a call may take, whichever database answers it.

use std::future::Future;
use std::time::Duration;

use sqlx::error::DatabaseError as _;
use sqlx::sqlite::SqliteError;
use tokio::time::timeout;

use super::{RecordsError, Result};

/// How long any call may take, at most. Somebody at a phone waits for it.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_millis(2500);
/// How long a call waits for a connection or for another's lock, at most.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long opening may take, migrations included.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Cuts `work` off when it takes too long.
pub(super) async fn with_timeout<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(CALL_TIMEOUT, work).await.unwrap_or_else(|_| {
        Err(RecordsError::new(format!(
            "no answer after {} ms",
            CALL_TIMEOUT.as_millis()
        )))
    })
}

/// What a database says names tables, columns and users, never values or passwords.
impl From<sqlx::Error> for RecordsError {
    fn from(error: sqlx::Error) -> Self {
        let read_only = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let what = if read_only.is_some_and(|code| code == READ_ONLY) {
            "the database takes no writes: it is a standby, or set to read-only".to_owned()
        } else {
            error.to_string()
        };
        Self {
            what,
            of_connection: says_of_connection(&error),
        }
    }
}

/// PostgreSQL's SQLSTATE for a write in a transaction that may only read.
const READ_ONLY: &str = "25006";

/// Whether an error says that the connection, or the file behind it, is not as it should be: not what was asked of it, and
/// not that all connections were in use.
fn says_of_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error
                .try_downcast_ref::<SqliteError>()
                .and_then(|error| error.code()?.parse().ok());
            // Extended codes carry the plain one in the low byte.
            code.is_some_and(|code: u32| FILE_FAULTS.contains(&(code & 0xff)))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => true,
        _ => false,
    }
}

/// SQLite's result codes for what may have ended a transaction by itself, or tells of the file: BUSY, LOCKED, NOMEM, READONLY,
/// IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
const FILE_FAULTS: [u32; 10] = [5, 6, 7, 8, 10, 11, 13, 14, 15, 26];

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnection;
    use sqlx::{AssertSqlSafe, Connection as _, query};

    use super::*;

    /// Connections are replaced only after what says something of them: a full disk, an unreadable file, a broken pipe. What
    /// was refused for its own sake, or had to wait too long, replaces none.
    #[tokio::test]
    async fn only_faults_of_the_file_are_the_connections() {
        let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for statement in [
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB UNIQUE NOT NULL)",
            "INSERT INTO t VALUES (1, 'x')",
            "PRAGMA max_page_count = 4",
        ] {
            query(statement).execute(&mut db).await.unwrap();
        }
        for (statement, of_connection) in [
            ("INSERT INTO t VALUES (1, 'y')", false),
            ("INSERT INTO t VALUES (2, 'x')", false),
            ("INSERT INTO t VALUES (2, NULL)", false),
            ("SELECT * FROM nothing", false),
            ("INSERT INTO t VALUES (3, randomblob(100000))", true),
        ] {
            let error = query(AssertSqlSafe(statement)).execute(&mut db).await.unwrap_err();
            let error = RecordsError::from(error);
            assert_eq!(error.of_connection, of_connection, "{statement}: {error}");
        }
        for (error, of_connection) in [
            (sqlx::Error::PoolTimedOut, false),
            (sqlx::Error::PoolClosed, false),
            (sqlx::Error::RowNotFound, false),
            (sqlx::Error::WorkerCrashed, true),
            (sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into()), true),
        ] {
            let error = RecordsError::from(error);
            assert_eq!(error.of_connection, of_connection, "{error}");
        }
        let garbage = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(garbage.path(), [7; 4096]).unwrap();
        let opened = async {
            let mut db = SqliteConnection::connect(&format!("sqlite:{}", garbage.path().display())).await?;
            query("SELECT * FROM sqlite_schema").execute(&mut db).await
        };
        assert!(RecordsError::from(opened.await.unwrap_err()).of_connection);
    }
}
