//! Work, claimed row by row.
//!
//! Types that a newer server wrote are left for it: one row that is not understood must not keep the others from being
//! done.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, query, query_as};

use super::{Backend, Connection, Query, Select, claim};
use crate::core::ids::{JobId, NodeId};
use crate::core::time::Timestamp;
use crate::records::columns::sql_list;
use crate::records::{Job, JobLane, JobRecords, Result};

/// Type names as an SQL list: they are words of our own sources.
fn list(types: &[&str]) -> String {
    sql_list(types.iter().copied())
}

#[async_trait]
impl JobRecords for Backend {
    async fn enqueue(&self, job: &Job) -> Result<()> {
        self.execute(insert(None, job)).await.map(drop)
    }

    async fn claim(
        &self,
        types: &[&str],
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let claiming = claiming("lane IS NULL", types);
        self.claim_jobs(claiming.bind(node).bind(now).bind(until).bind(i64::from(limit)))
            .await
    }

    async fn claim_in(
        &self,
        types: &[&str],
        lane: JobLane,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>> {
        let claiming = claiming("lane = $5", types).bind(node).bind(now).bind(until);
        self.claim_jobs(claiming.bind(i64::from(limit)).bind(lane)).await
    }

    async fn lanes_due(&self, types: &[&str], now: Timestamp) -> Result<Vec<JobLane>> {
        let lanes = query_as(AssertSqlSafe(format!(
            "SELECT DISTINCT lane FROM jobs WHERE state = 'open' AND lane IS NOT NULL AND due_at <= $1 \
             AND (lease_until IS NULL OR lease_until <= $1) AND kind IN {}",
            list(types)
        )));
        let lanes: Vec<(JobLane,)> = self.fetch_all(lanes.bind(now)).await?;
        Ok(lanes.into_iter().map(|(lane,)| lane).collect())
    }

    async fn claim_key(&self, key: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<Option<Job>> {
        self.transaction(async |tx| {
            // Two nodes that ask at once take turns at the row; the later one finds it held.
            let claiming = query_as(
                "UPDATE jobs SET node = $1, lease_until = $3, tries = tries + 1 WHERE key = $4 AND state = 'open' \
                 AND (lease_until IS NULL OR lease_until <= $2) RETURNING *",
            );
            let claiming = claiming.bind(node).bind(now).bind(until).bind(key);
            Ok(claiming.fetch_optional(tx).await?)
        })
        .await
    }

    async fn finish(&self, id: JobId, node: NodeId) -> Result<()> {
        let finishing = query(
            "UPDATE jobs SET state = 'done', node = NULL, lease_until = NULL \
             WHERE id = $1 AND node = $2 AND state = 'open'",
        );
        self.execute(finishing.bind(id).bind(node)).await.map(drop)
    }

    async fn postpone(&self, id: JobId, node: NodeId, due_at: Timestamp, reason: &str) -> Result<()> {
        let postponing = query(
            "UPDATE jobs SET due_at = $3, reason = $4, node = NULL, lease_until = NULL \
             WHERE id = $1 AND node = $2 AND state = 'open'",
        );
        let postponing = postponing.bind(id).bind(node).bind(due_at).bind(reason);
        self.execute(postponing).await.map(drop)
    }

    async fn reopen(&self, key: &str, due_at: Timestamp) -> Result<bool> {
        let reopening = query(
            "UPDATE jobs SET state = 'open', due_at = $2, tries = 0, reason = NULL \
             WHERE key = $1 AND state = 'given_up'",
        );
        Ok(self.execute(reopening.bind(key).bind(due_at)).await? > 0)
    }

    async fn give_up(&self, id: JobId, node: NodeId, reason: &str) -> Result<()> {
        let giving_up = query(
            "UPDATE jobs SET state = 'given_up', reason = $3, node = NULL, lease_until = NULL \
             WHERE id = $1 AND node = $2 AND state = 'open'",
        );
        self.execute(giving_up.bind(id).bind(node).bind(reason)).await.map(drop)
    }

    async fn extend_lease(&self, id: JobId, node: NodeId, until: Timestamp) -> Result<bool> {
        let extending = query("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND node = $2 AND state = 'open'");
        Ok(self.execute(extending.bind(id).bind(node).bind(until)).await? > 0)
    }

    async fn delete_old_work(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let statements = [
            "DELETE FROM jobs WHERE id IN (\
             SELECT id FROM jobs WHERE state = 'done' AND due_at < $1 ORDER BY due_at LIMIT $2)",
            "DELETE FROM provider_events WHERE (provider, event) IN (\
             SELECT provider, event FROM provider_events WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)",
            "DELETE FROM provider_event_order WHERE (subject, provider, partner) IN (\
             SELECT subject, provider, partner FROM provider_event_order WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)",
            "DELETE FROM bank_alerts WHERE id IN (\
             SELECT id FROM bank_alerts WHERE until < $1 ORDER BY until LIMIT $2)",
            "DELETE FROM sms_wrong_proofs WHERE (gateway, gateway_id) IN (\
             SELECT gateway, gateway_id FROM sms_wrong_proofs WHERE tried_at < $1 ORDER BY tried_at LIMIT $2)",
        ];
        self.call(async {
            let mut deleted = 0;
            for statement in statements {
                let deleting = query(statement).bind(before).bind(i64::from(limit));
                deleted += self.execute(deleting).await?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn next_due(&self, types: &[&str]) -> Result<Option<Timestamp>> {
        // A job that is held becomes due again when its lease ends: anyone who sleeps until then does not spin.
        let due = query_as(AssertSqlSafe(format!(
            "SELECT MIN(CASE WHEN lease_until IS NOT NULL AND lease_until > due_at THEN lease_until ELSE due_at END) \
             FROM jobs WHERE state = 'open' AND kind IN {}",
            list(types)
        )));
        let due: Option<(Option<Timestamp>,)> = self.fetch(due).await?;
        Ok(due.and_then(|(due,)| due))
    }
}

impl Backend {
    /// Claimed jobs, the longest due first.
    async fn claim_jobs(&self, claiming: Select<'_, Job>) -> Result<Vec<Job>> {
        let mut jobs = self.transaction(async |tx| Ok(claiming.fetch_all(tx).await?)).await?;
        jobs.sort_by_key(|job| job.due_at);
        Ok(jobs)
    }
}

/// Claims due jobs: `$1` is the node, `$2` now, `$3` until when it holds them, `$4` how many.
fn claiming(lane: &str, types: &[&str]) -> Select<'static, Job> {
    query_as(AssertSqlSafe(claim(&format!(
        "state = 'open' AND due_at <= $2 AND (lease_until IS NULL OR lease_until <= $2) AND {lane} \
         AND kind IN {} ORDER BY due_at LIMIT $4",
        list(types)
    ))))
}

/// Adds a job unless its key is taken.
pub(super) async fn add_job(tx: &mut Connection, job: &Job) -> Result<()> {
    insert(None, job).execute(tx).await?;
    Ok(())
}

/// Adds jobs, each unless its key is taken.
pub(super) async fn add_jobs(tx: &mut Connection, jobs: &[Job]) -> Result<()> {
    for job in jobs {
        add_job(tx, job).await?;
    }
    Ok(())
}

/// Adds a job of a lane unless its key is taken.
pub(super) async fn add_job_in(tx: &mut Connection, lane: JobLane, job: &Job) -> Result<()> {
    insert(Some(lane), job).execute(tx).await?;
    Ok(())
}

fn insert(lane: Option<JobLane>, job: &Job) -> Query<'_> {
    query(
        "INSERT INTO jobs (id, partner, kind, subject, key, state, due_at, tries, lane) \
         VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(job.id)
    .bind(job.partner)
    .bind(&job.kind.name)
    .bind(&job.kind.subject[..])
    .bind(&job.key)
    .bind(job.due_at)
    .bind(i64::from(job.tries))
    .bind(lane)
}
