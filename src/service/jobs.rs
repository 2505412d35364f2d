//! Work that may safely run twice and must not be lost: rows in the records, claimed with a lease, backed off, given up
//! loudly.

mod lanes;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::bank_alerts::BankAlerts;
use super::data_subject::Eraser;
use super::deps::Deps;
use super::effects::settle_key;
use super::handover::HandoverMessages;
use super::linking::{JobError, Linking};
use super::metrics::{JobResult, Metrics, Storage};
use super::retention::Retention;
use super::webhooks::WebhookDeliveries;
use crate::core::ids::{AttemptId, IntentId};
use crate::core::time::Timestamp;
use crate::records::{AuditEntry, ExpiredData, Job, JobKind, Records, RecordsError};

pub use self::lanes::ActiveLanes;

/// How long a claimed job is ours. Held on to while it runs; when a node dies, another takes its jobs after this long.
const LEASE: Duration = Duration::from_secs(20);

/// How often the lease of a running job is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// How long one try may take. Its calls have bounds of their own, so this is for what should not be.
const MAX_RUN_TIME: Duration = Duration::from_mins(10);

/// How often the table is looked at.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// How many jobs run at once.
const MAX_CONCURRENT: usize = 16;

/// How long what is done is kept: longer than a provider repeats a webhook, or anybody looks into what happened.
const DONE_JOBS_KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// How often what is older than that is forgotten.
const DELETE_OLD_EVERY: Duration = Duration::from_mins(1);

/// How often it is looked for what is over since long. Every node does.
const RETENTION_EVERY: Duration = Duration::from_mins(10);

/// How many rows of each table are forgotten at once: the table is not held for long.
const DELETE_BATCH: u32 = 1_000;

/// After this many tries a job is given up. With the backoff below that is about a day.
const MAX_TRIES: u32 = 300;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It is done.
    Done,
    /// Not yet; look again later.
    Retry(&'static str),
    /// Not yet, and not before this pause, where one is asked for.
    RetryAfter(&'static str, Option<Duration>),
    /// Not yet, and after exactly this pause.
    RetryIn(&'static str, Duration),
    /// It can never be done.
    GiveUp(&'static str),
}

/// Runs jobs.
pub struct JobRunner {
    /// Where they stand.
    pub records: Arc<dyn Records>,
    /// What most of them do.
    pub linking: Linking,
    /// Writes and sends texts.
    pub handover_messages: HandoverMessages,
    /// Erases people.
    pub erasing: Eraser,
    /// Texts who wanted to know that an institution is back.
    pub bank_alerts: BankAlerts,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Tells partners.
    pub webhooks: WebhookDeliveries,
    /// What goes to partners, kept apart by receiver.
    pub lanes: ActiveLanes,
    /// Clock, node, tasks.
    pub runtime: Deps,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

impl JobRunner {
    /// Runs due jobs until told to stop. Those that run then are waited for with everything else that is under way.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(MAX_CONCURRENT));
        let mut forget_at = self.runtime.clock.now();
        let mut tidy_at = forget_at;
        while !stop.is_cancelled() {
            let now = self.runtime.clock.now();
            if now >= forget_at {
                self.delete_old(now).await;
                forget_at = now.plus(DELETE_OLD_EVERY);
            }
            if now >= tidy_at {
                // Beside the jobs: nobody waits for it, and it waits for nobody.
                let this = self.clone();
                self.runtime
                    .spawn(async move { this.retention.delete_expired(this.records.as_ref(), now).await });
                tidy_at = now.plus(RETENTION_EVERY);
            }
            self.drive_due_lanes(&stop).await;
            if self.claim_due(&room).await {
                // There may be more: as soon as one of them ends.
                let _ = stop.run_until_cancelled(room.acquire()).await;
            } else {
                let _ = tokio::time::timeout(POLL_EVERY, stop.cancelled()).await;
            }
        }
    }

    /// Takes as many due jobs as there is room for. Each runs by itself: one that is slow holds up no other. Says whether
    /// there may be more.
    async fn claim_due(self: &Arc<Self>, room: &Arc<Semaphore>) -> bool {
        let (now, free) = (self.runtime.clock.now(), room.available_permits());
        let most = u32::try_from(free).unwrap_or(u32::MAX);
        let claimed = self.records.claim(self.runtime.node, now, now.plus(LEASE), most).await;
        let jobs = match claimed {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!(%error, "jobs could not be claimed");
                return false;
            }
        };
        let more = jobs.len() >= free;
        for job in jobs {
            // Nobody else takes a place, so there is one for each. A text needs none: its gateway may be slow for a long
            // time, and how many are sent at once is the outbox's to say.
            let place = room.clone().try_acquire_owned();
            let place = place
                .ok()
                .filter(|_| !matches!(job.kind, JobKind::SendSms(_) | JobKind::AskReport(_)));
            let this = self.clone();
            self.runtime.spawn(async move {
                this.run_claimed(job).await;
                drop(place);
            });
        }
        more
    }

    /// Forgets what was done long ago.
    async fn delete_old(&self, now: Timestamp) {
        let forgotten = async {
            let jobs = self
                .records
                .delete_old_work(now.minus(DONE_JOBS_KEPT_FOR), DELETE_BATCH)
                .await?;
            let day_ago = now.minus(Duration::from_hours(24));
            let tokens = self
                .records
                .delete_expired(ExpiredData::Tokens, day_ago, DELETE_BATCH)
                .await?;
            let requests = self
                .records
                .delete_expired(ExpiredData::Answers, day_ago, DELETE_BATCH)
                .await?;
            Ok::<_, RecordsError>(jobs + tokens + requests)
        };
        match forgotten.await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "what was done long ago is forgotten"),
            Err(error) => tracing::warn!(%error, "what was done long ago could not be forgotten"),
        }
    }

    /// Runs one job now if nobody else does. Says whether there was anything to run.
    pub async fn run_now(&self, key: &str) -> bool {
        let now = self.runtime.clock.now();
        match self
            .records
            .claim_key(key, self.runtime.node, now, now.plus(LEASE))
            .await
        {
            Ok(Some(job)) => {
                self.run_claimed(job).await;
            }
            Ok(None) => return false,
            Err(error) => tracing::warn!(%error, "a job could not be claimed"),
        }
        true
    }

    /// Finds out now what became of an attempt; if that is known since long, and only the store has lost it, tells again.
    pub async fn settle(&self, attempt: AttemptId) {
        if self.run_now(&settle_key(attempt)).await {
            return;
        }
        if let Err(trouble) = self.linking.notify_again(attempt).await {
            tracing::info!(error = %trouble, "what became of an attempt could not be told again");
        }
    }

    /// Does a job; says whether it is done.
    async fn run_claimed(&self, job: Job) -> bool {
        let word = word(&job.kind);
        let outcome = if job.tries > MAX_TRIES && !endless(&job.kind) {
            // It ends with its process, every time.
            Ok(JobOutcome::GiveUp("never ends"))
        } else {
            let work = tokio::time::timeout(MAX_RUN_TIME, self.run_kind(&job.kind));
            self.while_renewing(&job, work)
                .await
                .unwrap_or(Ok(JobOutcome::Retry("too slow")))
        };
        let node = self.runtime.node;
        let done = matches!(outcome, Ok(JobOutcome::Done));
        let written = match outcome {
            Ok(JobOutcome::Done) => {
                self.metrics.job(word, JobResult::Done);
                self.records.finish(job.id, node).await
            }
            Ok(JobOutcome::GiveUp(reason)) => self.give_up(&job, word, reason).await,
            Ok(JobOutcome::Retry(reason)) => self.retry(&job, word, reason, backoff(job.tries)).await,
            Ok(JobOutcome::RetryAfter(reason, pause)) => {
                let pause = backoff(job.tries).max(pause.unwrap_or_default());
                self.retry(&job, word, reason, pause).await
            }
            Ok(JobOutcome::RetryIn(reason, pause)) => self.retry(&job, word, reason, pause).await,
            Err(trouble) => {
                tracing::info!(job = word, tries = job.tries, error = %trouble, "a job is to be tried again");
                self.retry(&job, word, reason(&trouble), backoff(job.tries)).await
            }
        };
        if let Err(error) = written {
            self.metrics.storage_error(Storage::Records);
            tracing::warn!(job = word, %error, "a job's end could not be written; it will run again");
        }
        done
    }

    async fn run_kind(&self, kind: &JobKind) -> Result<JobOutcome, JobError> {
        match *kind {
            JobKind::Redeem(attempt) => self.linking.redeem(attempt).await,
            JobKind::Settle(attempt) => self.linking.settle(attempt).await,
            JobKind::ReadAccounts(link) => self.linking.read_accounts(link).await,
            JobKind::Unlink(link) => self.linking.unlink(link).await,
            JobKind::SendSms(message) => {
                self.bank_alerts.withhold_if_outdated(message).await?;
                self.handover_messages.send(message).await
            }
            JobKind::BankBack(watch) => self.bank_alerts.check(watch).await,
            JobKind::AskReport(message) => Ok(self.handover_messages.outbox.poll_report(message).await?),
            JobKind::HandOver(attempt) => {
                self.linking.notify_linked(attempt).await?;
                self.handover_messages.write(attempt).await
            }
            JobKind::Erase(erasure) => self.erasing.erase(erasure, &self.linking).await,
            JobKind::Publish(event) => Ok(self.webhooks.publish(event).await?),
            JobKind::Deliver(delivery) => Ok(self.webhooks.deliver(delivery).await?),
            JobKind::ExpireIntent(intent) => Ok(self.expire_intent(intent).await?),
        }
    }

    /// Ends a request whose time is over.
    async fn expire_intent(&self, intent: IntentId) -> Result<JobOutcome, RecordsError> {
        let now = self.runtime.clock.now();
        let later = self.records.expire_intent(intent, now).await?;
        Ok(later.map_or(JobOutcome::Done, |due| JobOutcome::RetryIn("not yet", due.since(now))))
    }

    /// Keeps a job ours while work on it goes on. Should it be another's meanwhile, both work: it is safe twice.
    async fn while_renewing<T>(&self, job: &Job, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(RENEW_EVERY, &mut work).await {
                return done;
            }
            let until = self.runtime.clock.now().plus(LEASE);
            if let Err(error) = self.records.extend_lease(job.id, self.runtime.node, until).await {
                tracing::warn!(%error, "a job's lease could not be renewed");
            }
        }
    }

    async fn retry(&self, job: &Job, word: &'static str, reason: &str, pause: Duration) -> crate::records::Result<()> {
        if job.tries >= MAX_TRIES && !endless(&job.kind) {
            return self.give_up(job, word, reason).await;
        }
        self.metrics.job(word, JobResult::Postponed);
        let due = self.runtime.clock.now().plus(pause);
        self.records.postpone(job.id, self.runtime.node, due, reason).await
    }

    async fn give_up(&self, job: &Job, word: &'static str, reason: &str) -> crate::records::Result<()> {
        self.metrics.job(word, JobResult::GivenUp);
        tracing::error!(job = word, tries = job.tries, reason, "a job was given up");
        if let JobKind::Redeem(attempt) | JobKind::Settle(attempt) = job.kind {
            self.linking.give_up_attempt(attempt).await?;
        }
        if let JobKind::ReadAccounts(link) = job.kind {
            self.linking.give_up_verification(link).await?;
        }
        if let JobKind::Deliver(delivery) = job.kind {
            self.webhooks.give_up_delivery(delivery).await?;
        }
        let event = AuditEntry::new(
            job.partner,
            "job.given_up",
            format!("{word} {}: {reason}", subject(&job.kind)),
            self.runtime.clock.now(),
        );
        self.records.audit(&event).await?;
        self.records.give_up(job.id, self.runtime.node, reason).await
    }
}

/// A second, two, four … five minutes.
fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.min(9)).min(Duration::from_mins(5))
}

/// Whether it is never given up: somebody has a right to it.
fn endless(kind: &JobKind) -> bool {
    matches!(kind, JobKind::Erase(_))
}

fn word(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::Redeem(_) => "redeem",
        JobKind::ReadAccounts(_) => "read_accounts",
        JobKind::Unlink(_) => "unlink",
        JobKind::Settle(_) => "settle",
        JobKind::SendSms(_) => "send_sms",
        JobKind::HandOver(_) => "hand_over",
        JobKind::AskReport(_) => "ask_report",
        JobKind::Erase(_) => "erase",
        JobKind::BankBack(_) => "bank_back",
        JobKind::Publish(_) => "publish",
        JobKind::Deliver(_) => "deliver",
        JobKind::ExpireIntent(_) => "expire_intent",
    }
}

/// What a job is done to.
fn subject(kind: &JobKind) -> String {
    match kind {
        JobKind::Redeem(attempt) | JobKind::Settle(attempt) | JobKind::HandOver(attempt) => attempt.to_string(),
        JobKind::ReadAccounts(link) | JobKind::Unlink(link) => link.to_string(),
        JobKind::SendSms(message) | JobKind::AskReport(message) => message.to_string(),
        JobKind::Erase(erasure) => erasure.to_string(),
        JobKind::BankBack(watch) => watch.to_string(),
        JobKind::Publish(event) => event.to_string(),
        JobKind::Deliver(delivery) => delivery.to_string(),
        JobKind::ExpireIntent(intent) => intent.to_string(),
    }
}

fn reason(trouble: &JobError) -> &'static str {
    match trouble {
        JobError::Records(_) => "records",
        JobError::Call(_) => "provider",
        JobError::Store(_) => "store",
        JobError::Sealed => "sealed",
    }
}
