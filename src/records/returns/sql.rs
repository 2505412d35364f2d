//! Tickets with which a browser finds its attempt.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::jobs::add_jobs;
use super::{Backend, Connection};
use crate::core::ids::AttemptId;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{Job, Result, ReturnRecords, ReturnTicket};

#[async_trait]
impl ReturnRecords for Backend {
    async fn add_tickets(&self, tickets: &[ReturnTicket]) -> Result<()> {
        self.transaction(async |tx| add_tickets(tx, tickets).await).await
    }

    async fn ticket(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<ReturnTicket>> {
        let ticket = query_as("SELECT * FROM return_tickets WHERE digest = $1 AND until > $2");
        self.fetch(ticket.bind(&digest[..]).bind(now)).await
    }

    async fn use_ticket(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<AttemptId>> {
        self.transaction(async |tx| use_ticket(tx, digest, now).await).await
    }

    async fn exchange_ticket(&self, digest: &[u8; 32], next: &ReturnTicket, now: Timestamp) -> Result<bool> {
        self.transaction(async |tx| {
            let used = use_ticket(tx, digest, now).await?.is_some();
            if used {
                add_tickets(tx, std::slice::from_ref(next)).await?;
            }
            Ok(used)
        })
        .await
    }

    async fn return_with_ticket(
        &self,
        digest: &[u8; 32],
        returned: &[u8],
        jobs: &[Job],
        now: Timestamp,
    ) -> Result<Option<AttemptId>> {
        self.transaction(async |tx| {
            let Some(attempt) = use_ticket(tx, digest, now).await? else {
                return Ok(None);
            };
            let keeping = query("UPDATE attempts SET returned = $2 WHERE id = $1 AND state = 'waiting'");
            let kept = keeping.bind(attempt).bind(returned).execute(&mut *tx).await?;
            if kept.rows_affected() > 0 {
                add_jobs(tx, jobs).await?;
            }
            Ok(Some(attempt))
        })
        .await
    }
}

/// Uses a ticket. Of two who come at once one finds the row changed.
async fn use_ticket(tx: &mut Connection, digest: &[u8; 32], now: Timestamp) -> Result<Option<AttemptId>> {
    let using = query_scalar(
        "UPDATE return_tickets SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND until > $2 RETURNING attempt",
    );
    Ok(using.bind(&digest[..]).bind(now).fetch_optional(tx).await?)
}

/// Adds tickets that are not there yet.
pub(super) async fn add_tickets(tx: &mut Connection, tickets: &[ReturnTicket]) -> Result<()> {
    for ticket in tickets {
        query(
            "INSERT INTO return_tickets (digest, partner, attempt, purpose, created_at, until, used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(Bytes(ticket.digest))
        .bind(ticket.partner)
        .bind(ticket.attempt)
        .bind(ticket.purpose)
        .bind(ticket.created_at)
        .bind(ticket.until)
        .bind(ticket.used_at)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
