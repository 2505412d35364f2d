//! Runs jobs: claims them with a lease, renews the lease while they run, backs off, and gives up loudly.
//!
//! Jobs of a lane (webhooks of one endpoint) take none of the slots of other jobs, and one lane holds up no other, however
//! slow its receiver is. A lane is worked on by one task while anything is due in it, several jobs at a time. Where the last
//! one failed it is one at a time until one succeeds: a receiver that is down is not asked more than it must be, and many
//! such receivers hold few connections.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::deps::Deps;
use super::job::{JobOutcome, JobSet, RegisteredJob};
use super::job_lanes::ActiveLanes;
use super::metrics::Storage;
use super::retention::{Retention, Sweeper};
use crate::core::time::Timestamp;
use crate::records::{ExpiredData, Job, JobLane, JobType, RecordsError, Result as RecordsResult};

/// How long a claimed job is ours. When a node dies, another takes its jobs after this long.
const LEASE: Duration = Duration::from_secs(20);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long one run may take. Its calls have timeouts of their own, so this is for what should not be.
const MAX_RUN_TIME: Duration = Duration::from_mins(10);
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How many jobs of no lane run at once.
const SLOTS: usize = 16;
/// How many jobs of one lane run at once on this node.
const LANE_SLOTS: usize = 8;
/// How long done jobs are kept: longer than a provider repeats a webhook, or anybody looks into what happened.
const DONE_KEPT_FOR: Duration = Duration::from_hours(7 * 24);
const DELETE_OLD_EVERY: Duration = Duration::from_mins(1);
/// How many rows of each table are deleted at once: the table is not locked for long.
const DELETE_BATCH: u32 = 1_000;
/// How many batches of finished jobs at most are deleted at a time: more in a minute than several partners can make.
const DELETE_BATCHES: u32 = 20;
/// Every node applies the retention periods this often.
const RETENTION_EVERY: Duration = Duration::from_mins(10);
/// After this many tries a job is given up. With the backoff below that is about a day.
const MAX_TRIES: u32 = 300;

pub struct JobRunner {
    deps: Deps,
    jobs: JobSet,
    sweeper: Sweeper,
    lanes: ActiveLanes,
}

impl JobRunner {
    pub fn new(deps: Deps, jobs: JobSet, retention: Retention) -> Self {
        Self {
            deps,
            jobs,
            sweeper: Sweeper::new(retention),
            lanes: ActiveLanes::default(),
        }
    }

    /// Runs due jobs until told to stop. Those that run then are waited for with everything else that is under way.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(SLOTS));
        let mut delete_at = self.deps.clock.now();
        let mut retention_at = delete_at;
        while !stop.is_cancelled() {
            let now = self.deps.clock.now();
            if now >= delete_at {
                self.delete_old(now).await;
                delete_at = now.plus(DELETE_OLD_EVERY);
            }
            if now >= retention_at {
                // A task of its own: nobody waits for it, and it waits for nobody.
                let (this, stop) = (self.clone(), stop.clone());
                self.deps
                    .spawn(async move { this.sweeper.sweep(this.deps.records.as_ref(), now, &stop).await });
                retention_at = now.plus(RETENTION_EVERY);
            }
            self.work_on_due_lanes(&stop).await;
            if self.claim_due(&slots).await {
                // There may be more: as soon as one of them ends.
                let _ = stop.run_until_cancelled(slots.acquire()).await;
            } else {
                let _ = tokio::time::timeout(POLL_EVERY, stop.cancelled()).await;
            }
        }
    }

    /// Claims as many due jobs as there are free slots. Each runs in a task of its own: a slow one holds up no other. Says
    /// whether there may be more.
    async fn claim_due(self: &Arc<Self>, slots: &Arc<Semaphore>) -> bool {
        let (now, free) = (self.deps.clock.now(), slots.available_permits());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        let (names, node) = (self.jobs.names(), self.deps.node);
        let claimed = self.deps.records.claim(&names, node, now, now.plus(LEASE), limit).await;
        let jobs = match claimed {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!(%error, "claiming jobs failed");
                return false;
            }
        };
        let more = jobs.len() >= free;
        for job in jobs {
            // Nobody else takes a slot, so there is one for each.
            let takes_slot = self
                .jobs
                .get(&job.kind.name)
                .is_some_and(|registered| registered.takes_slot);
            let slot = slots.clone().try_acquire_owned().ok().filter(|_| takes_slot);
            let this = self.clone();
            self.deps.spawn(async move {
                this.run_claimed(job).await;
                drop(slot);
            });
        }
        more
    }

    /// Sees to it that every lane with something due is worked on.
    async fn work_on_due_lanes(self: &Arc<Self>, stop: &CancellationToken) {
        let due = match self
            .deps
            .records
            .lanes_due(&self.jobs.names(), self.deps.clock.now())
            .await
        {
            Ok(due) => due,
            Err(error) => return tracing::warn!(%error, "reading due job lanes failed"),
        };
        for lane in due {
            let (this, stop) = (self.clone(), stop.clone());
            self.deps.spawn(async move {
                if let Some(guard) = this.lanes.acquire(lane) {
                    this.work_on_lane(guard.lane, &stop).await;
                }
            });
        }
    }

    /// Runs what is due in a lane until nothing is. Each job is a task of its own: one that holds a connection to the records
    /// goes on while this one waits for it.
    async fn work_on_lane(self: &Arc<Self>, lane: JobLane, stop: &CancellationToken) {
        let names = self.jobs.names();
        let mut running = JoinSet::new();
        let mut slots = LANE_SLOTS;
        loop {
            let free = slots.saturating_sub(running.len());
            // A few at a time: each claim is a write of its own.
            if free * 2 >= slots && !stop.is_cancelled() {
                let now = self.deps.clock.now();
                let limit = u32::try_from(free).unwrap_or(u32::MAX);
                let records = &self.deps.records;
                let claimed = records
                    .claim_in(&names, lane, self.deps.node, now, now.plus(LEASE), limit)
                    .await;
                let jobs = claimed.unwrap_or_else(|error| {
                    tracing::warn!(%error, "claiming jobs of a lane failed");
                    Vec::new()
                });
                for job in jobs {
                    let this = self.clone();
                    running.spawn_on(async move { this.run_claimed(job).await }, &self.deps.handle);
                }
            }
            match running.join_next().await {
                Some(done) => slots = if done.unwrap_or(false) { LANE_SLOTS } else { 1 },
                None => break,
            }
        }
    }

    async fn delete_old(&self, now: Timestamp) {
        let records = &self.deps.records;
        let deleted = async {
            let (day_ago, mut rows) = (now.minus(Duration::from_hours(24)), 0);
            for _ in 0..DELETE_BATCHES {
                let jobs = records.delete_old_work(now.minus(DONE_KEPT_FOR), DELETE_BATCH).await?;
                rows += jobs;
                if jobs < u64::from(DELETE_BATCH) {
                    break;
                }
            }
            for what in [ExpiredData::Tokens, ExpiredData::Tickets, ExpiredData::Answers] {
                rows += records.delete_expired(what, day_ago, DELETE_BATCH).await?;
            }
            Ok::<_, RecordsError>(rows)
        };
        match deleted.await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "old rows deleted"),
            Err(error) => tracing::warn!(%error, "deleting old rows failed"),
        }
    }

    /// Runs the job of this type and subject now, if it is open and no other node holds it. Says whether there was anything
    /// to run.
    pub async fn run_now<J: JobType>(&self, subject: J::Subject) -> bool {
        self.run_key(&J::key(subject)).await
    }

    /// The same for the job with this key.
    pub async fn run_key(&self, key: &str) -> bool {
        let now = self.deps.clock.now();
        let claimed = self
            .deps
            .records
            .claim_key(key, self.deps.node, now, now.plus(LEASE))
            .await;
        match claimed {
            Ok(Some(job)) => {
                self.run_claimed(job).await;
            }
            Ok(None) => return false,
            Err(error) => tracing::warn!(%error, "claiming a job failed"),
        }
        true
    }

    /// Runs a job; says whether it is done.
    async fn run_claimed(&self, job: Job) -> bool {
        let Some(registered) = self.jobs.get(&job.kind.name) else {
            // It was claimed by its key. Its lease ends, and a node that knows it takes it.
            return false;
        };
        let result = if job.tries > MAX_TRIES && !registered.endless {
            // It ends with its process, every time.
            Ok(JobOutcome::GiveUp("never ends"))
        } else {
            let run = tokio::time::timeout(MAX_RUN_TIME, registered.run(job.kind.subject));
            let result = self.while_renewing(&job, run).await;
            result.unwrap_or(Ok(JobOutcome::Retry("too slow")))
        };
        let done = matches!(result, Ok(JobOutcome::Done));
        let backoff = backoff(job.tries);
        let written = match result {
            Ok(JobOutcome::Done) => {
                self.deps.metrics.job(registered.name, "done");
                self.deps.records.finish(job.id, self.deps.node).await
            }
            Ok(JobOutcome::GiveUp(reason)) => self.give_up(&job, registered, reason).await,
            Ok(JobOutcome::Retry(reason)) => self.retry(&job, registered, reason, backoff).await,
            Ok(JobOutcome::RetryAfter(reason, pause)) => {
                let pause = backoff.max(pause.unwrap_or_default());
                self.retry(&job, registered, reason, pause).await
            }
            // It is not failing, only not done yet.
            Ok(JobOutcome::RetryIn(reason, pause)) if registered.endless => {
                self.postpone(&job, registered, reason, pause).await
            }
            Ok(JobOutcome::RetryIn(reason, pause)) => self.retry(&job, registered, reason, pause).await,
            Err(error) => {
                tracing::info!(job = registered.name, tries = job.tries, %error, "job failed, to be retried");
                self.retry(&job, registered, error.reason(), backoff).await
            }
        };
        if let Err(error) = written {
            self.deps.metrics.storage_error(Storage::Records);
            tracing::warn!(job = registered.name, %error, "writing a job's outcome failed, it will run again");
        }
        done
    }

    /// Renews a job's lease while it runs. Should another node hold it meanwhile, both run it: that is safe.
    async fn while_renewing<T>(&self, job: &Job, run: impl Future<Output = T>) -> T {
        let mut run = pin!(run);
        loop {
            if let Ok(done) = tokio::time::timeout(RENEW_EVERY, &mut run).await {
                return done;
            }
            let until = self.deps.clock.now().plus(LEASE);
            if let Err(error) = self.deps.records.extend_lease(job.id, self.deps.node, until).await {
                tracing::warn!(%error, "renewing a job's lease failed");
            }
        }
    }

    async fn retry(&self, job: &Job, registered: &RegisteredJob, reason: &str, pause: Duration) -> RecordsResult<()> {
        if job.tries >= MAX_TRIES && !registered.endless {
            return self.give_up(job, registered, reason).await;
        }
        if job.tries == MAX_TRIES {
            tracing::error!(
                job = registered.name,
                tries = job.tries,
                reason,
                "job still fails, and is never given up"
            );
            self.audit(job, registered, "job.failing", reason).await?;
        }
        self.postpone(job, registered, reason, pause).await
    }

    async fn postpone(
        &self,
        job: &Job,
        registered: &RegisteredJob,
        reason: &str,
        pause: Duration,
    ) -> RecordsResult<()> {
        self.deps.metrics.job(registered.name, "postponed");
        let due = self.deps.clock.now().plus(pause);
        self.deps.records.postpone(job.id, self.deps.node, due, reason).await
    }

    async fn give_up(&self, job: &Job, registered: &RegisteredJob, reason: &str) -> RecordsResult<()> {
        let kind = registered.name;
        self.deps.metrics.job(kind, "given_up");
        tracing::error!(job = kind, tries = job.tries, reason, "job given up");
        registered.on_given_up(job.kind.subject).await?;
        self.audit(job, registered, "job.given_up", reason).await?;
        self.deps.records.give_up(job.id, self.deps.node, reason).await
    }

    async fn audit(
        &self,
        job: &Job,
        registered: &RegisteredJob,
        kind: &'static str,
        reason: &str,
    ) -> RecordsResult<()> {
        let subject = registered.subject_text(job.kind.subject);
        let detail = format!("{} {subject}: {reason}", registered.name);
        self.deps.try_audit(job.partner, None, kind, detail).await
    }
}

/// A second, two, four … five minutes.
fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.min(9)).min(Duration::from_mins(5))
}
