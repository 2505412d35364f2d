//! Work that may safely run twice and must not be lost: rows in the records, claimed with a lease, backed off, given up
//! loudly.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::attempts::settle_key;
use super::linking::{Linking, Trouble};
use super::messages::Outbox;
use super::metrics::{JobOutcome, Keeper, Metrics};
use super::runtime::Runtime;
use crate::core::ids::AttemptId;
use crate::records::{Job, JobKind, Records};

/// How long a claimed job is ours. Longer than any of its provider calls.
const LEASE: Duration = Duration::from_secs(90);

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How many jobs are taken at once.
const BATCH: u32 = 16;

/// After this many tries a job is given up. With the backoff below that is about a day.
const MOST_TRIES: u32 = 300;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// Not yet; look again later.
    Again(&'static str),
    /// Not yet, and not before this pause, where one is asked for.
    Later(&'static str, Option<Duration>),
    /// It can never be done.
    GiveUp(&'static str),
}

/// Runs jobs.
pub struct Jobs {
    /// Where they stand.
    pub records: Arc<dyn Records>,
    /// What most of them do.
    pub linking: Linking,
    /// Sends texts.
    pub outbox: Arc<Outbox>,
    /// Clock, node, tasks.
    pub runtime: Runtime,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

impl Jobs {
    /// Runs due jobs until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let taken = self.round().await;
            if taken == 0 {
                let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
            }
        }
    }

    /// Takes what is due and runs it. Says how much there was.
    async fn round(self: &Arc<Self>) -> usize {
        let now = self.runtime.clock.now();
        let claimed = self.records.claim(self.runtime.node, now, now.plus(LEASE), BATCH).await;
        let jobs = match claimed {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!(%error, "jobs could not be claimed");
                return 0;
            }
        };
        let count = jobs.len();
        let (texts, others): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .partition(|job| matches!(job.kind, JobKind::SendSms(_)));
        // Beside the rest: nobody waits for a gateway that is slow.
        for job in texts {
            let jobs = Arc::clone(self);
            self.runtime.spawn(async move { jobs.perform(job).await });
        }
        let running = others.into_iter().map(|job| self.perform(job));
        futures_util::future::join_all(running).await;
        count
    }

    /// Runs one job now if nobody else does. Says whether there was anything to run.
    pub async fn hurry(&self, key: &str) -> bool {
        let now = self.runtime.clock.now();
        match self
            .records
            .claim_key(key, self.runtime.node, now, now.plus(LEASE))
            .await
        {
            Ok(Some(job)) => self.perform(job).await,
            Ok(None) => return false,
            Err(error) => tracing::warn!(%error, "a job could not be claimed"),
        }
        true
    }

    /// Finds out now what became of an attempt; if that is known since long, and only the store has lost it, tells again.
    pub async fn settle(&self, attempt: AttemptId) {
        if self.hurry(&settle_key(attempt)).await {
            return;
        }
        if let Err(trouble) = self.linking.retell(attempt).await {
            tracing::info!(error = %trouble, "what became of an attempt could not be told again");
        }
    }

    async fn perform(&self, job: Job) {
        let word = word(&job.kind);
        let outcome = match job.kind {
            JobKind::Redeem(attempt) => self.linking.redeem(attempt).await,
            JobKind::Settle(attempt) => self.linking.settle(attempt).await,
            JobKind::ReadAccounts(link) => self.linking.read(link).await,
            JobKind::Unlink(link) => self.linking.unlink(link).await,
            JobKind::SendSms(message) => self.outbox.send(message).await.map_err(Trouble::Records),
        };
        let node = self.runtime.node;
        let written = match outcome {
            Ok(Verdict::Done) => {
                self.metrics.job(word, JobOutcome::Done);
                self.records.finish(job.id, node).await
            }
            Ok(Verdict::GiveUp(reason)) => self.give_up(&job, word, reason).await,
            Ok(Verdict::Again(reason)) => self.again(&job, word, reason, None).await,
            Ok(Verdict::Later(reason, pause)) => self.again(&job, word, reason, pause).await,
            Err(trouble) => {
                tracing::info!(job = word, tries = job.tries, error = %trouble, "a job is to be tried again");
                self.again(&job, word, reason(&trouble), None).await
            }
        };
        if let Err(error) = written {
            self.metrics.keeper_error(Keeper::Records);
            tracing::warn!(job = word, %error, "a job's end could not be written; it will run again");
        }
    }

    async fn again(
        &self,
        job: &Job,
        word: &'static str,
        reason: &str,
        pause: Option<Duration>,
    ) -> crate::records::Result<()> {
        if job.tries >= MOST_TRIES {
            return self.give_up(job, word, reason).await;
        }
        self.metrics.job(word, JobOutcome::Postponed);
        let wait = backoff(job.tries).max(pause.unwrap_or_default());
        let due = self.runtime.clock.now().plus(wait);
        self.records.postpone(job.id, self.runtime.node, due, reason).await
    }

    async fn give_up(&self, job: &Job, word: &'static str, reason: &str) -> crate::records::Result<()> {
        self.metrics.job(word, JobOutcome::GivenUp);
        tracing::error!(job = word, tries = job.tries, reason, "a job was given up");
        if let JobKind::Redeem(attempt) | JobKind::Settle(attempt) = job.kind {
            self.linking.abandon(attempt).await?;
        }
        self.records.give_up(job.id, self.runtime.node, reason).await
    }
}

/// A second, two, four … five minutes.
fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.min(9)).min(Duration::from_mins(5))
}

fn word(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::Redeem(_) => "redeem",
        JobKind::ReadAccounts(_) => "read_accounts",
        JobKind::Unlink(_) => "unlink",
        JobKind::Settle(_) => "settle",
        JobKind::SendSms(_) => "send_sms",
    }
}

fn reason(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Records(_) => "records",
        Trouble::Call(_) => "provider",
        Trouble::Sealed => "sealed",
    }
}
