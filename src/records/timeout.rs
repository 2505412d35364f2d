//! How long a call may take, whichever database answers it.

use std::future::Future;
use std::time::Duration;

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
    timeout(CALL_TIMEOUT, work)
        .await
        .unwrap_or_else(|_| Err(RecordsError(format!("no answer after {} ms", CALL_TIMEOUT.as_millis()))))
}

/// What a database says names tables, columns and users, never values or passwords.
impl From<sqlx::Error> for RecordsError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}
