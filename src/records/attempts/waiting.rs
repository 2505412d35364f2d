//! Attempts with which the provider goes on without a secret.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, query, query_as};

use super::attempts::begin;
use super::jobs::add_jobs;
use super::returns::add_tickets;
use super::{Backend, Connection, Query};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::time::Timestamp;
use crate::records::{
    Attempt, AttemptState, Consent, Job, ProviderWait, RecordsError, Result, ReturnTicket, WaitingRecords,
};

#[async_trait]
impl WaitingRecords for Backend {
    async fn begin_waiting(
        &self,
        consent: &Consent,
        attempt: &Attempt,
        jobs: &[Job],
        tickets: &[ReturnTicket],
    ) -> Result<bool> {
        if attempt.state != AttemptState::Waiting {
            return Err(RecordsError::new("an attempt that is to be sent does not wait"));
        }
        // Attempts of one person are numbered in the order in which they are written.
        self.transaction_about(attempt.tag.as_bytes(), async |tx| {
            let begun = begin(tx, consent, attempt, jobs).await?;
            if begun == Some(true) {
                add_tickets(tx, tickets).await?;
            }
            Ok(begun.is_some())
        })
        .await
    }

    async fn move_to_waiting(&self, id: AttemptId, wait: &ProviderWait<'_>, at: Timestamp) -> Result<bool> {
        let moving = query(AssertSqlSafe(format!(
            "UPDATE attempts SET provider_session = $2, session_digest = $3, waits_until = $4, returned = NULL, \
             state = 'waiting', moved_at = $5 WHERE id = $1 AND state IN {}",
            AttemptState::Waiting.sources()
        )));
        let moving = bind(moving, id, wait).bind(at);
        self.transaction(async |tx| write(tx, moving, wait).await).await
    }

    async fn go_on_waiting(&self, before: &Attempt, wait: &ProviderWait<'_>) -> Result<bool> {
        let replacing = query(
            "UPDATE attempts SET provider_session = $2, session_digest = $3, waits_until = $4, returned = NULL \
             WHERE id = $1 AND state = 'waiting' AND provider_session = $5 AND returned IS NOT DISTINCT FROM $6",
        );
        let replacing = bind(replacing, before.id, wait).bind(&before.provider_session);
        let replacing = replacing.bind(&before.returned);
        self.transaction(async |tx| write(tx, replacing, wait).await).await
    }

    async fn replace_session(&self, id: AttemptId, session: &[u8], session_digest: &[u8; 32]) -> Result<()> {
        let replacing = query("UPDATE attempts SET provider_session = $2, session_digest = $3 WHERE id = $1");
        let replacing = replacing.bind(id).bind(session).bind(&session_digest[..]);
        self.execute(replacing).await?;
        Ok(())
    }

    async fn attempt_by_session(&self, partner: PartnerId, session_digest: &[u8; 32]) -> Result<Option<Attempt>> {
        let newest =
            query_as("SELECT * FROM attempts WHERE session_digest = $1 AND partner = $2 ORDER BY nth DESC LIMIT 1");
        self.fetch(newest.bind(&session_digest[..]).bind(partner)).await
    }
}

/// Binds `$1` to `$4`.
fn bind<'q>(statement: Query<'q>, id: AttemptId, wait: &ProviderWait<'q>) -> Query<'q> {
    let statement = statement.bind(id).bind(wait.session);
    statement.bind(&wait.session_digest[..]).bind(wait.until)
}

/// Runs a statement, and writes what follows if it wrote anything.
async fn write(tx: &mut Connection, statement: Query<'_>, wait: &ProviderWait<'_>) -> Result<bool> {
    let written = statement.execute(&mut *tx).await?.rows_affected() > 0;
    if written {
        add_jobs(tx, wait.jobs).await?;
        add_tickets(tx, wait.tickets).await?;
    }
    Ok(written)
}
