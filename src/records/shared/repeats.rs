//! Requests that may come twice.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, Query, Row, fixed, within};
use crate::core::time::Timestamp;
use crate::records::{
    IdempotencyOutcome, IdempotencyRecords, RecordsError, RequestFingerprint, Result, sql::access as sql,
};

#[async_trait]
impl IdempotencyRecords for Backend {
    async fn begin_request(
        &self,
        key: &RequestFingerprint,
        now: Timestamp,
        lease_until: Timestamp,
        forgotten: Timestamp,
    ) -> Result<IdempotencyOutcome> {
        within(async {
            // Two that come at once take turns, and the later one sees what the earlier one wrote.
            let mut transaction = self.write_about(&key.key).await?;
            let found = about(sql::REQUEST, key).fetch_optional(&mut *transaction).await?;
            let found = found.as_ref().map(Found::read).transpose()?;
            let begun = match found.filter(|found| found.since > forgotten) {
                None => IdempotencyOutcome::Acquired { since: now },
                Some(found) => found.begin(key, now)?,
            };
            if let IdempotencyOutcome::Acquired { since } = begun {
                about(sql::TAKE_REQUEST, key)
                    .bind(&key.request[..])
                    .bind(since.as_millis())
                    .bind(lease_until.as_millis())
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            Ok(begun)
        })
        .await
    }

    async fn store_response(&self, key: &RequestFingerprint, status: u16, sealed: &[u8]) -> Result<()> {
        within(async {
            let keeping = about(sql::KEEP_ANSWER, key).bind(i64::from(status)).bind(sealed);
            keeping.execute(&self.writer).await?;
            Ok(())
        })
        .await
    }

    async fn release_request(&self, key: &RequestFingerprint, lease_until: Timestamp, undone: bool) -> Result<()> {
        within(async {
            let statement = if undone {
                sql::UNDO_REQUEST
            } else {
                sql::RELEASE_REQUEST
            };
            let letting = about(statement, key).bind(lease_until.as_millis());
            letting.execute(&self.writer).await?;
            Ok(())
        })
        .await
    }

    async fn forget_requests(&self, before: Timestamp, limit: u32) -> Result<u64> {
        within(async {
            let gone = sqlx::query(sql::FORGET_REQUESTS)
                .bind(before.as_millis())
                .bind(i64::from(limit))
                .execute(&self.writer)
                .await?;
            Ok(gone.rows_affected())
        })
        .await
    }
}

/// A request as it stands in its row.
struct Found {
    request: [u8; 32],
    answer: Option<(i64, Vec<u8>)>,
    since: Timestamp,
    lease_until: Timestamp,
}

impl Found {
    fn read(row: &Row) -> Result<Self> {
        let (status, sealed): (Option<i64>, Option<Vec<u8>>) = (row.try_get("status")?, row.try_get("sealed")?);
        Ok(Self {
            request: fixed(row, "request")?,
            answer: status.zip(sealed),
            since: Timestamp::from_millis(row.try_get("created_at")?),
            lease_until: Timestamp::from_millis(row.try_get("lease_until")?),
        })
    }

    fn begin(self, key: &RequestFingerprint, now: Timestamp) -> Result<IdempotencyOutcome> {
        if self.request != key.request {
            return Ok(IdempotencyOutcome::Mismatch);
        }
        match self.answer {
            Some((status, sealed)) => {
                let out_of_range = |_| RecordsError("a status is out of range".to_owned());
                let status = u16::try_from(status).map_err(out_of_range)?;
                Ok(IdempotencyOutcome::Answered { status, sealed })
            }
            None if self.lease_until > now => Ok(IdempotencyOutcome::InProgress),
            None => Ok(IdempotencyOutcome::Acquired { since: self.since }),
        }
    }
}

/// A statement about one request, with `$1` to `$3` bound.
fn about<'q>(statement: &'static str, key: &'q RequestFingerprint) -> Query<'q> {
    sqlx::query(statement)
        .bind(&key.partner.as_bytes()[..])
        .bind(&key.caller[..])
        .bind(&key.key[..])
}
