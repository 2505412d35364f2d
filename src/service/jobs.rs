//! Work that may safely run twice and must not be lost: rows in the records, claimed with a lease, backed off, given up
//! loudly.

mod lanes;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::attempts::settle_key;
use super::bank_back::BankBacks;
use super::handover::HandOvers;
use super::linking::{Linking, Trouble};
use super::metrics::{JobOutcome, Keeper, Metrics};
use super::people::Erasing;
use super::retention::Retention;
use super::runtime::Runtime;
use super::webhooks::Webhooks;
use crate::core::ids::{AttemptId, IntentId};
use crate::core::time::Timestamp;
use crate::records::{AuditEvent, Job, JobKind, Records, RecordsError};

pub use self::lanes::Lanes;

/// How long a claimed job is ours. Held on to while it runs; when a node dies, another takes its jobs after this long.
const LEASE: Duration = Duration::from_secs(20);

/// How often the lease of a running job is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// How long one try may take. Its calls have bounds of their own, so this is for what should not be.
const LONGEST_TRY: Duration = Duration::from_mins(10);

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How many jobs run at once.
const AT_ONCE: usize = 16;

/// How long what is done is kept: longer than a provider repeats a webhook, or anybody looks into what happened.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// How often what is older than that is forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// How often it is looked for what is over since long. Every node does.
const TIDY_EVERY: Duration = Duration::from_mins(10);

/// How many rows of each table are forgotten at once: the table is not held for long.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

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
    /// Not yet, and after exactly this pause.
    At(&'static str, Duration),
    /// It can never be done.
    GiveUp(&'static str),
}

/// Runs jobs.
pub struct Jobs {
    /// Where they stand.
    pub records: Arc<dyn Records>,
    /// What most of them do.
    pub linking: Linking,
    /// Writes and sends texts.
    pub hand_overs: HandOvers,
    /// Erases people.
    pub erasing: Erasing,
    /// Texts who wanted to know that an institution is back.
    pub bank_backs: BankBacks,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Tells partners.
    pub webhooks: Webhooks,
    /// What goes to partners, kept apart by receiver.
    pub lanes: Lanes,
    /// Clock, node, tasks.
    pub runtime: Runtime,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

impl Jobs {
    /// Runs due jobs until told to stop. Those that run then are waited for with everything else that is under way.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut forget_at = self.runtime.clock.now();
        let mut tidy_at = forget_at;
        while !stop.is_cancelled() {
            let now = self.runtime.clock.now();
            if now >= forget_at {
                self.forget(now).await;
                forget_at = now.plus(FORGET_EVERY);
            }
            if now >= tidy_at {
                // Beside the jobs: nobody waits for it, and it waits for nobody.
                let this = self.clone();
                self.runtime
                    .spawn(async move { this.retention.forget(this.records.as_ref(), now).await });
                tidy_at = now.plus(TIDY_EVERY);
            }
            self.take_lanes(&stop).await;
            if self.take(&room).await {
                // There may be more: as soon as one of them ends.
                let _ = stop.run_until_cancelled(room.acquire()).await;
            } else {
                let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
            }
        }
    }

    /// Takes as many due jobs as there is room for. Each runs by itself: one that is slow holds up no other. Says whether
    /// there may be more.
    async fn take(self: &Arc<Self>, room: &Arc<Semaphore>) -> bool {
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
                this.perform(job).await;
                drop(place);
            });
        }
        more
    }

    /// Forgets what was done long ago.
    async fn forget(&self, now: Timestamp) {
        let forgotten = async {
            let jobs = self.records.forget(now.minus(KEPT_FOR), FORGOTTEN_AT_ONCE).await?;
            let day_ago = now.minus(Duration::from_hours(24));
            let tokens = self.records.forget_tokens(day_ago, FORGOTTEN_AT_ONCE).await?;
            let requests = self.records.forget_requests(day_ago, FORGOTTEN_AT_ONCE).await?;
            Ok::<_, RecordsError>(jobs + tokens + requests)
        };
        match forgotten.await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "what was done long ago is forgotten"),
            Err(error) => tracing::warn!(%error, "what was done long ago could not be forgotten"),
        }
    }

    /// Runs one job now if nobody else does. Says whether there was anything to run.
    pub async fn hurry(&self, key: &str) -> bool {
        let now = self.runtime.clock.now();
        match self
            .records
            .claim_key(key, self.runtime.node, now, now.plus(LEASE))
            .await
        {
            Ok(Some(job)) => {
                self.perform(job).await;
            }
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

    /// Does a job; says whether it is done.
    async fn perform(&self, job: Job) -> bool {
        let word = word(&job.kind);
        let outcome = if job.tries > MOST_TRIES && !endless(&job.kind) {
            // It ends with its process, every time.
            Ok(Verdict::GiveUp("never ends"))
        } else {
            let work = tokio::time::timeout(LONGEST_TRY, self.work(&job.kind));
            self.holding(&job, work).await.unwrap_or(Ok(Verdict::Again("too slow")))
        };
        let node = self.runtime.node;
        let done = matches!(outcome, Ok(Verdict::Done));
        let written = match outcome {
            Ok(Verdict::Done) => {
                self.metrics.job(word, JobOutcome::Done);
                self.records.finish(job.id, node).await
            }
            Ok(Verdict::GiveUp(reason)) => self.give_up(&job, word, reason).await,
            Ok(Verdict::Again(reason)) => self.again(&job, word, reason, backoff(job.tries)).await,
            Ok(Verdict::Later(reason, pause)) => {
                let pause = backoff(job.tries).max(pause.unwrap_or_default());
                self.again(&job, word, reason, pause).await
            }
            Ok(Verdict::At(reason, pause)) => self.again(&job, word, reason, pause).await,
            Err(trouble) => {
                tracing::info!(job = word, tries = job.tries, error = %trouble, "a job is to be tried again");
                self.again(&job, word, reason(&trouble), backoff(job.tries)).await
            }
        };
        if let Err(error) = written {
            self.metrics.keeper_error(Keeper::Records);
            tracing::warn!(job = word, %error, "a job's end could not be written; it will run again");
        }
        done
    }

    async fn work(&self, kind: &JobKind) -> Result<Verdict, Trouble> {
        match *kind {
            JobKind::Redeem(attempt) => self.linking.redeem(attempt).await,
            JobKind::Settle(attempt) => self.linking.settle(attempt).await,
            JobKind::ReadAccounts(link) => self.linking.read(link).await,
            JobKind::Unlink(link) => self.linking.unlink(link).await,
            JobKind::SendSms(message) => {
                self.bank_backs.review(message).await?;
                self.hand_overs.send(message).await
            }
            JobKind::BankBack(watch) => self.bank_backs.look(watch).await,
            JobKind::AskReport(message) => Ok(self.hand_overs.outbox.ask_report(message).await?),
            JobKind::HandOver(attempt) => {
                self.linking.tell_link(attempt).await?;
                self.hand_overs.write(attempt).await
            }
            JobKind::Erase(erasure) => self.erasing.erase(erasure, &self.linking).await,
            JobKind::Publish(event) => Ok(self.webhooks.publish(event).await?),
            JobKind::Deliver(delivery) => Ok(self.webhooks.deliver(delivery).await?),
            JobKind::ExpireIntent(intent) => Ok(self.expire(intent).await?),
        }
    }

    /// Ends a request whose time is over.
    async fn expire(&self, intent: IntentId) -> Result<Verdict, RecordsError> {
        let now = self.runtime.clock.now();
        let later = self.records.expire_intent(intent, now).await?;
        Ok(later.map_or(Verdict::Done, |due| Verdict::At("not yet", due.since(now))))
    }

    /// Keeps a job ours while work on it goes on. Should it be another's meanwhile, both work: it is safe twice.
    async fn holding<T>(&self, job: &Job, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(RENEW_EVERY, &mut work).await {
                return done;
            }
            let until = self.runtime.clock.now().plus(LEASE);
            if let Err(error) = self.records.hold(job.id, self.runtime.node, until).await {
                tracing::warn!(%error, "a job's lease could not be renewed");
            }
        }
    }

    async fn again(&self, job: &Job, word: &'static str, reason: &str, pause: Duration) -> crate::records::Result<()> {
        if job.tries >= MOST_TRIES && !endless(&job.kind) {
            return self.give_up(job, word, reason).await;
        }
        self.metrics.job(word, JobOutcome::Postponed);
        let due = self.runtime.clock.now().plus(pause);
        self.records.postpone(job.id, self.runtime.node, due, reason).await
    }

    async fn give_up(&self, job: &Job, word: &'static str, reason: &str) -> crate::records::Result<()> {
        self.metrics.job(word, JobOutcome::GivenUp);
        tracing::error!(job = word, tries = job.tries, reason, "a job was given up");
        if let JobKind::Redeem(attempt) | JobKind::Settle(attempt) = job.kind {
            self.linking.abandon(attempt).await?;
        }
        if let JobKind::ReadAccounts(link) = job.kind {
            self.linking.unverified(link).await?;
        }
        if let JobKind::Deliver(delivery) = job.kind {
            self.webhooks.abandon(delivery).await?;
        }
        let event = AuditEvent {
            partner: job.partner,
            tag: None,
            kind: "job.given_up",
            detail: format!("{word} {}: {reason}", subject(&job.kind)),
            at: self.runtime.clock.now(),
        };
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

fn reason(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Records(_) => "records",
        Trouble::Call(_) => "provider",
        Trouble::Store(_) => "store",
        Trouble::Sealed => "sealed",
    }
}
