//! What grants were exchanged for.

use async_trait::async_trait;
use sqlx::{query, query_scalar};

use super::Backend;
use super::attempts::move_attempt_in;
use super::jobs::add_job;
use crate::core::ids::AttemptId;
use crate::core::time::Timestamp;
use crate::records::{ExchangeRecords, RejectedAccounts, Result};

#[async_trait]
impl ExchangeRecords for Backend {
    async fn store_exchanged(&self, id: AttemptId, exchanged: &[u8]) -> Result<()> {
        let storing = query("UPDATE attempts SET exchanged = $2 WHERE id = $1 AND state = 'granted'");
        self.execute(storing.bind(id).bind(exchanged)).await.map(drop)
    }

    async fn exchanged(&self, id: AttemptId) -> Result<Option<Vec<u8>>> {
        let found = query_scalar("SELECT exchanged FROM attempts WHERE id = $1 AND exchanged IS NOT NULL").bind(id);
        self.call(async { Ok(found.fetch_optional(&self.readers).await?) })
            .await
    }

    async fn reject_accounts(&self, id: AttemptId, rejected: &RejectedAccounts<'_>, at: Timestamp) -> Result<bool> {
        let nothing: &[u8] = &[];
        self.transaction(async |tx| {
            let storing = query(
                "UPDATE attempts SET to_end = $2, exchanged = $3 WHERE id = $1 AND COALESCE(to_end, $4) = $5 \
                 AND state IN ('open', 'sending', 'unknown', 'waiting', 'granted', 'lapsed') \
                 AND NOT EXISTS (SELECT 1 FROM links WHERE attempt = $1)",
            );
            let storing = storing.bind(id).bind(rejected.to_end).bind(rejected.own).bind(nothing);
            let storing = storing.bind(rejected.before.unwrap_or(nothing)).execute(&mut *tx);
            if storing.await?.rows_affected() == 0 {
                return Ok(false);
            }
            add_job(tx, rejected.end).await?;
            if let Some(state) = rejected.state {
                move_attempt_in(tx, id, state, at).await?;
            }
            Ok(true)
        })
        .await
    }

    async fn rejected_accounts(&self, id: AttemptId) -> Result<Option<Vec<u8>>> {
        let found = query_scalar("SELECT to_end FROM attempts WHERE id = $1 AND to_end IS NOT NULL").bind(id);
        self.call(async { Ok(found.fetch_optional(&self.readers).await?) })
            .await
    }

    async fn rejected_accounts_ended(&self, id: AttemptId, ended: &[u8]) -> Result<()> {
        let wiping = query("UPDATE attempts SET to_end = NULL WHERE id = $1 AND to_end = $2");
        self.execute(wiping.bind(id).bind(ended)).await.map(drop)
    }
}
