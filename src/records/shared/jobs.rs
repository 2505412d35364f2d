//! Work, claimed row by row.
//!
//! Kinds that a newer server wrote are left for it: one row that is not understood must not keep the others from being
//! done.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, CLAIM, CLAIM_IN, Row, add_job, fixed, within};
use crate::core::ids::{JobId, NodeId, PartnerId};
use crate::core::time::Timestamp;
use crate::records::{Job, JobLane, JobRecords, RecordsError, Result, sql, words};

#[async_trait]
impl JobRecords for Backend {
    async fn enqueue(&self, job: &Job) -> Result<()> {
        within(async { add_job(&mut *self.writer.acquire().await?, job).await }).await
    }

    async fn claim(&self, node: NodeId, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Job>> {
        within(async {
            let mut transaction = self.write().await?;
            let rows = sqlx::query(CLAIM)
                .bind(&node.as_bytes()[..])
                .bind(now.as_millis())
                .bind(until.as_millis())
                .bind(i64::from(limit))
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            in_order(&rows)
        })
        .await
    }

    async fn lanes_due(&self, now: Timestamp) -> Result<Vec<JobLane>> {
        within(async {
            let rows = sqlx::query(sql::LANES_DUE)
                .bind(now.as_millis())
                .fetch_all(&self.readers)
                .await?;
            rows.iter()
                .map(|row| fixed(row, "lane").map(JobLane::from_bytes))
                .collect()
        })
        .await
    }

    async fn claim_in(
        &self,
        lane: JobLane,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>> {
        within(async {
            let mut transaction = self.write().await?;
            let rows = sqlx::query(CLAIM_IN)
                .bind(&node.as_bytes()[..])
                .bind(now.as_millis())
                .bind(until.as_millis())
                .bind(i64::from(limit))
                .bind(&lane.as_bytes()[..])
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            in_order(&rows)
        })
        .await
    }

    async fn claim_key(&self, key: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<Option<Job>> {
        within(async {
            let mut transaction = self.write().await?;
            let rows = sqlx::query(sql::CLAIM_KEY)
                .bind(&node.as_bytes()[..])
                .bind(now.as_millis())
                .bind(until.as_millis())
                .bind(key)
                .fetch_all(&mut *transaction)
                .await?;
            let job = rows.first().map(job_of).transpose()?;
            transaction.commit().await?;
            Ok(job)
        })
        .await
    }

    async fn finish(&self, id: JobId, node: NodeId) -> Result<()> {
        within(async {
            sqlx::query(sql::FINISH)
                .bind(&id.as_bytes()[..])
                .bind(&node.as_bytes()[..])
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn postpone(&self, id: JobId, node: NodeId, due_at: Timestamp, reason: &str) -> Result<()> {
        within(async {
            sqlx::query(sql::POSTPONE)
                .bind(&id.as_bytes()[..])
                .bind(&node.as_bytes()[..])
                .bind(due_at.as_millis())
                .bind(reason)
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn reopen(&self, key: &str, due_at: Timestamp) -> Result<bool> {
        within(async {
            let revived = sqlx::query(sql::REVIVE)
                .bind(key)
                .bind(due_at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(revived.rows_affected() > 0)
        })
        .await
    }

    async fn give_up(&self, id: JobId, node: NodeId, reason: &str) -> Result<()> {
        within(async {
            sqlx::query(sql::GIVE_UP)
                .bind(&id.as_bytes()[..])
                .bind(&node.as_bytes()[..])
                .bind(reason)
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn extend_lease(&self, id: JobId, node: NodeId, until: Timestamp) -> Result<bool> {
        within(async {
            let held = sqlx::query(sql::HOLD)
                .bind(&id.as_bytes()[..])
                .bind(&node.as_bytes()[..])
                .bind(until.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(held.rows_affected() > 0)
        })
        .await
    }

    async fn delete_old_work(&self, before: Timestamp, limit: u32) -> Result<u64> {
        within(async {
            let mut forgotten = 0;
            for statement in [
                sql::FORGET_JOBS,
                sql::FORGET_EVENTS,
                sql::bank_wishes::FORGET_BANK_WISHES,
            ] {
                let deleted = sqlx::query(statement)
                    .bind(before.as_millis())
                    .bind(i64::from(limit))
                    .execute(&self.writer)
                    .await?;
                forgotten += deleted.rows_affected();
            }
            Ok(forgotten)
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        within(async {
            let due: Option<i64> = sqlx::query_scalar(sql::NEXT_DUE).fetch_one(&self.readers).await?;
            Ok(due.map(Timestamp::from_millis))
        })
        .await
    }
}

/// Claimed jobs, the longest due first.
fn in_order(rows: &[Row]) -> Result<Vec<Job>> {
    let mut jobs = rows.iter().map(job_of).collect::<Result<Vec<_>>>()?;
    jobs.sort_by_key(|job| job.due_at);
    Ok(jobs)
}

fn job_of(row: &Row) -> Result<Job> {
    Ok(Job {
        id: JobId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        kind: words::job_kind(row.try_get("kind")?, fixed(row, "subject")?)?,
        due_at: Timestamp::from_millis(row.try_get("due_at")?),
        tries: u32::try_from(row.try_get::<i64, _>("tries")?)
            .map_err(|_| RecordsError("tries out of range".to_owned()))?,
        key: row.try_get("key")?,
    })
}
