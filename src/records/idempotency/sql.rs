//! Requests that may come twice.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::{Backend, Query};
use crate::core::time::Timestamp;
use crate::records::columns::{Bytes, Nullable};
use crate::records::{IdempotencyOutcome, IdempotencyRecords, RequestFingerprint, Result};

#[async_trait]
impl IdempotencyRecords for Backend {
    async fn begin_request(
        &self,
        request: &RequestFingerprint,
        now: Timestamp,
        lease_until: Timestamp,
        forgotten: Timestamp,
    ) -> Result<IdempotencyOutcome> {
        // Two that come at once take turns, and the later one sees what the earlier one wrote.
        self.transaction_about(&request.key, async |tx| {
            let stored = query_as("SELECT * FROM idempotency WHERE partner = $1 AND caller = $2 AND key = $3");
            let stored = stored
                .bind(request.partner)
                .bind(Bytes(request.caller))
                .bind(Bytes(request.key));
            let stored: Option<StoredRequest> = stored.fetch_optional(&mut *tx).await?;
            let outcome = match stored.filter(|stored| stored.created_at > forgotten) {
                None => IdempotencyOutcome::Acquired { since: now },
                Some(stored) => stored.begin(request, now),
            };
            if let IdempotencyOutcome::Acquired { since } = outcome {
                about(
                    "INSERT INTO idempotency (partner, caller, key, request, created_at, lease_until) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (partner, caller, key) DO UPDATE \
                     SET request = excluded.request, status = NULL, sealed = NULL, \
                     created_at = excluded.created_at, lease_until = excluded.lease_until",
                    request,
                )
                .bind(Bytes(request.request))
                .bind(since)
                .bind(lease_until)
                .execute(tx)
                .await?;
            }
            Ok(outcome)
        })
        .await
    }

    async fn store_response(&self, request: &RequestFingerprint, status: u16, sealed: &[u8]) -> Result<()> {
        let storing = about(
            "UPDATE idempotency SET status = $4, sealed = $5 \
             WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL",
            request,
        );
        self.execute(storing.bind(i64::from(status)).bind(sealed))
            .await
            .map(drop)
    }

    async fn release_request(&self, request: &RequestFingerprint, lease_until: Timestamp, undone: bool) -> Result<()> {
        let statement = if undone {
            "DELETE FROM idempotency \
             WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL AND lease_until = $4"
        } else {
            "UPDATE idempotency SET lease_until = 0 \
             WHERE partner = $1 AND caller = $2 AND key = $3 AND status IS NULL AND lease_until = $4"
        };
        self.execute(about(statement, request).bind(lease_until))
            .await
            .map(drop)
    }
}

/// A statement about one request, with `$1` to `$3` bound.
fn about<'q>(statement: &'static str, request: &RequestFingerprint) -> Query<'q> {
    let statement = query(statement).bind(request.partner);
    statement.bind(Bytes(request.caller)).bind(Bytes(request.key))
}

/// A request as it stands in its row.
#[derive(sqlx::FromRow)]
struct StoredRequest {
    #[sqlx(try_from = "Bytes<32>")]
    request: [u8; 32],
    #[sqlx(try_from = "Nullable<i64>")]
    status: Option<u16>,
    sealed: Option<Vec<u8>>,
    created_at: Timestamp,
    lease_until: Timestamp,
}

impl StoredRequest {
    fn begin(self, request: &RequestFingerprint, now: Timestamp) -> IdempotencyOutcome {
        if self.request != request.request {
            return IdempotencyOutcome::Mismatch;
        }
        match self.status.zip(self.sealed) {
            Some((status, sealed)) => IdempotencyOutcome::Answered { status, sealed },
            None if self.lease_until > now => IdempotencyOutcome::InProgress,
            None => IdempotencyOutcome::Acquired { since: self.created_at },
        }
    }
}
