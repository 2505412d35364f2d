//! What goes on without the phone: a page that the person opens, an approval in their bank's application, or only time.
//!
//! The attempt stands at `waiting` then, with a job of its own that asks the provider how far it is. Asking sends no secret,
//! so it may be done by any node and as often as one likes: the job may run twice, a webhook, a browser that comes back and
//! a person who presses "check again" all run it at once. What the provider says next is told to the person first and
//! written after: a node that dies in between finds the attempt still waiting, asks again, and tells it again.

use std::time::Duration;

use async_trait::async_trait;

use super::linker::Linking;
use super::page_text::SendPageLink;
use super::redeem::Redeem;
use crate::core::flow::{AccountList, AttemptResult, Waiting, WaitingFor};
use crate::core::ids::AttemptId;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::{FailureClass, Grant, NextStep};
use crate::core::seal::SealError;
use crate::core::time::Timestamp;
use crate::providers::{Advance as How, ProviderError, ProviderSession, Stepped};
use crate::records::{Attempt, AttemptState, Consent, Job, JobType, ProviderWait, RecordsError};
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::metrics::ProviderOutcome;

/// How long a person has to open a page and to come back from it, where the provider's session does not end before.
const PAGE_OPEN_FOR: Duration = Duration::from_mins(15);

/// How often it is looked whether a page has led anywhere: a browser that comes back says so by itself.
const PAGE_POLL: Duration = Duration::from_secs(15);

/// No provider is asked more often than this, whatever it says.
const MIN_POLL: Duration = Duration::from_secs(1);

/// How soon the provider is asked again after it could not be.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Asks the provider how far a waiting attempt is.
pub struct Advance;

impl JobType for Advance {
    const NAME: &'static str = "advance";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<Advance> for Linking {
    /// It ends when the wait does.
    const ENDLESS: bool = true;

    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.advance(attempt).await
    }
}

/// Asks once more, because there is reason to think that something has happened. [`Advance`] goes on by itself.
pub struct AdvanceNow;

impl JobType for AdvanceNow {
    const NAME: &'static str = "advance_now";
    type Subject = AttemptId;
}

#[async_trait]
impl JobHandler<AdvanceNow> for Linking {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        match self.advance(attempt).await? {
            JobOutcome::RetryIn(..) => Ok(JobOutcome::Done),
            outcome => Ok(outcome),
        }
    }
}

/// A step that is waited for.
pub struct Wait {
    pub waiting: Waiting,
    pub poll_every: Duration,
}

impl Wait {
    /// What is waited for; the step itself if nothing is.
    ///
    /// # Errors
    /// The step, where it is another kind.
    fn of(step: NextStep, session: &ProviderSession, now: Timestamp) -> Result<Self, NextStep> {
        let (what, poll_every, until) = match step {
            NextStep::OpenLink { purpose } => {
                let until = now.plus(PAGE_OPEN_FOR);
                let until = session.expires_at.map_or(until, |end| until.min(end));
                (WaitingFor::Page(purpose), PAGE_POLL, until)
            }
            NextStep::ApproveElsewhere {
                message,
                binding,
                poll_every,
                until,
            } => (WaitingFor::Approval { message, binding }, poll_every, until),
            NextStep::Wait { poll_every, until } => (WaitingFor::Time, poll_every, until),
            other => return Err(other),
        };
        Ok(Self {
            waiting: Waiting { what, until },
            poll_every: poll_every.max(MIN_POLL),
        })
    }
}

impl Linking {
    /// Whether a page can reach a person, or this one: by a text, at an address of ours.
    fn sends_pages(&self, to: Option<&Msisdn>) -> bool {
        let reached = |to| self.updater.flow.get().settings.texts_reach(to);
        self.updater.handovers.is_some() && self.pages.is_available() && to.is_none_or(reached)
    }

    /// What a step waits for. A page that cannot reach the person, where that is known, is a failure instead.
    ///
    /// # Errors
    /// The step, where it does not wait.
    pub fn wait_of(&self, step: NextStep, session: &ProviderSession, to: Option<&Msisdn>) -> Result<Wait, NextStep> {
        if matches!(step, NextStep::OpenLink { .. }) && !self.sends_pages(to) {
            return Err(NextStep::Failed(FailureClass::Unsupported.into()));
        }
        Wait::of(step, session, self.deps.clock.now())
    }

    /// Begins an attempt that needs no secret, with what allows it. `false`: the partner's intent is over.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn begin_waiting(&self, consent: &Consent, attempt: &Attempt, wait: &Wait) -> Result<bool, RecordsError> {
        let jobs = self.jobs_of(attempt, wait);
        self.deps.records.begin_waiting(consent, attempt, &jobs, &[]).await
    }

    /// Moves an attempt that was submitted to waiting.
    ///
    /// # Errors
    /// When the records are not available, or the session cannot be sealed.
    pub async fn move_to_waiting(
        &self,
        attempt: &Attempt,
        session: &ProviderSession,
        wait: &Wait,
    ) -> Result<bool, JobError> {
        let sealed = self.sealed_session(attempt, session)?;
        let jobs = self.jobs_of(attempt, wait);
        let now = self.deps.clock.now();
        let records = &self.deps.records;
        Ok(records
            .move_to_waiting(attempt.id, &sealed.wait(wait, &jobs), now)
            .await?)
    }

    fn jobs_of(&self, attempt: &Attempt, wait: &Wait) -> Vec<Job> {
        let now = self.deps.clock.now();
        let page = matches!(wait.waiting.what, WaitingFor::Page(_));
        let text = page.then(|| SendPageLink::job(attempt.partner, attempt.id, now));
        let poll = Advance::job(attempt.partner, attempt.id, now.plus(wait.poll_every));
        [poll].into_iter().chain(text).collect()
    }

    fn sealed_session(&self, attempt: &Attempt, session: &ProviderSession) -> Result<SealedSession, SealError> {
        let sealing = &self.deps.sealing;
        Ok(SealedSession {
            sealed: sealing.seal_session(&attempt.tag, attempt.id, session)?,
            digest: sealing.session_digest(&attempt.provider, &session.id),
        })
    }

    /// Asks how far a waiting attempt is, and follows it.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn advance(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        if attempt.state != AttemptState::Waiting {
            return self.settle(id).await;
        }
        let over = attempt.waits_until.is_none_or(|until| self.deps.clock.now() >= until);
        let session = self.open_session_of(&attempt)?;
        let sealing = &self.deps.sealing;
        let returned = attempt.returned.as_deref();
        let returned = returned
            .map(|sealed| sealing.open_returned(&attempt.tag, id, sealed))
            .transpose()?;
        let how = returned.as_ref().map_or(How::Poll, How::Returned);
        match self.carry_on(&attempt, &session, how).await {
            Ok(stepped) => self.follow(&attempt, session, stepped, over).await,
            Err(error) if over || error.is_permanent() => {
                tracing::info!(provider = attempt.provider, %error, "a wait ended without an answer");
                self.end_wait(&attempt).await?;
                Ok(JobOutcome::Done)
            }
            // Soon again: a wait is short, and its backoff would outlast it.
            Err(error) => {
                tracing::info!(provider = attempt.provider, %error, "asking how far a wait is failed, to be retried");
                Ok(JobOutcome::RetryIn(error.reason(), RETRY_AFTER))
            }
        }
    }

    pub(super) async fn carry_on(
        &self,
        attempt: &Attempt,
        session: &ProviderSession,
        how: How<'_>,
    ) -> Result<Stepped, JobError> {
        let client = self.providers.of_attempt(attempt).await?;
        let started = self.deps.clock.now();
        let answer = client.api.advance(client.access(), session, how).await;
        let took = self.deps.clock.now().since(started);
        let label = self.providers.metric_label(&attempt.provider);
        let outcome = match &answer {
            Ok(_) => ProviderOutcome::Answered,
            Err(ProviderError::Unreachable(_)) => ProviderOutcome::NotSent,
            Err(ProviderError::Refused(_) | ProviderError::NotFound) => ProviderOutcome::Rejected,
            Err(_) => ProviderOutcome::Unknown,
        };
        self.deps.metrics.provider_call(label, "advance", outcome, took);
        Ok(self.providers.keep(client, answer).await?.0)
    }

    /// Makes durable what comes next, and tells the person.
    async fn follow(
        &self,
        attempt: &Attempt,
        mut session: ProviderSession,
        stepped: Stepped,
        over: bool,
    ) -> Result<JobOutcome, JobError> {
        let changed = stepped.session.is_some();
        if let Some(changed) = stepped.session {
            session = session.known_as(changed);
        }
        let to = self.reader_of(attempt, &stepped.step).await?;
        let step = match self.wait_of(stepped.step, &session, to.as_ref()) {
            Ok(_) if over => {
                self.end_wait(attempt).await?;
                return Ok(JobOutcome::Done);
            }
            Ok(wait) => return self.go_on_waiting(attempt, &session, wait).await,
            Err(step) => step,
        };
        let (result, state) = match step {
            NextStep::Done(grant) => {
                if changed {
                    self.save_session(attempt, &session).await?;
                }
                return self.grant(attempt, &grant).await;
            }
            NextStep::Prompt(form) => (AttemptResult::Prompt(form), AttemptState::Accepted),
            NextStep::ChooseAccounts { accounts, many, more } => {
                let list = AccountList { accounts, many, more };
                (AttemptResult::ChooseAccount(list), AttemptState::Accepted)
            }
            // It was waited for in vain, as where our own time is over: the person, who is away, is told.
            NextStep::Failed(failure) if failure.class == FailureClass::SessionExpired => {
                self.end_wait(attempt).await?;
                return Ok(JobOutcome::Done);
            }
            NextStep::Failed(failure) => {
                let state = AttemptState::of_failure(failure.class);
                (AttemptResult::Failed(failure), state)
            }
            NextStep::OpenLink { .. } | NextStep::ApproveElsewhere { .. } | NextStep::Wait { .. } => {
                return Ok(JobOutcome::Retry("waiting"));
            }
        };
        if state == AttemptState::Accepted {
            // What the person answers goes into this session.
            self.replace_live_session(attempt, &session).await;
        }
        self.notify(attempt, result).await;
        let now = self.deps.clock.now();
        self.deps.records.move_attempt(attempt.id, state, now).await?;
        Ok(JobOutcome::Done)
    }

    /// Whom the link to a page has to reach, where the step is one and that can be told.
    async fn reader_of(&self, attempt: &Attempt, step: &NextStep) -> Result<Option<Msisdn>, RecordsError> {
        if !matches!(step, NextStep::OpenLink { .. }) {
            return Ok(None);
        }
        let (consent, sealing) = (self.deps.records.consent(attempt.consent).await?, &self.deps.sealing);
        Ok(consent.and_then(|consent| sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn).ok()))
    }

    /// Stores the grant that ends a wait, and exchanges it.
    pub(super) async fn grant(&self, attempt: &Attempt, grant: &Grant) -> Result<JobOutcome, JobError> {
        let sealed = self.deps.sealing.seal_grant(&attempt.tag, attempt.id, grant)?;
        let now = self.deps.clock.now();
        let redeem = Redeem::job(attempt.partner, attempt.id, now);
        self.deps.records.store_grant(attempt.id, &sealed, &redeem, now).await?;
        self.notify(attempt, AttemptResult::Granted).await;
        self.redeem(attempt.id).await
    }

    async fn go_on_waiting(
        &self,
        attempt: &Attempt,
        session: &ProviderSession,
        wait: Wait,
    ) -> Result<JobOutcome, JobError> {
        let until = match wait.waiting.what {
            WaitingFor::Page(_) => self.promised(attempt).await?.unwrap_or(wait.waiting.until),
            WaitingFor::Approval { .. } | WaitingFor::Time => wait.waiting.until,
        };
        let wait = Wait {
            waiting: Waiting { until, ..wait.waiting },
            ..wait
        };
        let sealed = self.sealed_session(attempt, session)?;
        let changed = sealed.digest != attempt.session_digest || Some(until) != attempt.waits_until;
        if changed || attempt.returned.is_some() {
            let jobs = self.jobs_of(attempt, &wait);
            let records = &self.deps.records;
            if !records.go_on_waiting(attempt, &sealed.wait(&wait, &jobs)).await? {
                // The browser came, or somebody else has gone on: looked at again at once.
                return Ok(JobOutcome::RetryIn("waiting", MIN_POLL));
            }
        }
        // Told again although nothing may be new: a turn may be waiting for just that.
        let pause = wait.poll_every;
        self.notify(attempt, AttemptResult::Waiting(wait.waiting)).await;
        Ok(JobOutcome::RetryIn("waiting", pause))
    }

    /// Until when the text with the link to a page has promised it, if one was sent.
    async fn promised(&self, attempt: &Attempt) -> Result<Option<Timestamp>, RecordsError> {
        let Some(until) = attempt.waits_until else {
            return Ok(None);
        };
        let Some(link) = self.pages.link(attempt.partner, attempt.id, 0, until) else {
            return Ok(None);
        };
        let sent = self
            .deps
            .records
            .ticket(&link.ticket.digest, self.deps.clock.now())
            .await?;
        Ok(sent.map(|_| until))
    }

    /// Ends a wait in which nothing was heard from the session.
    async fn end_wait(&self, attempt: &Attempt) -> Result<(), JobError> {
        if self.was_renewed(attempt).await? {
            self.complete_renewed(attempt).await?;
            return Ok(());
        }
        Ok(self.lapse(attempt).await?)
    }

    /// Writes what the provider knows the session by from now on.
    ///
    /// # Errors
    /// When the records are not available, or it cannot be sealed.
    pub async fn save_session(&self, attempt: &Attempt, session: &ProviderSession) -> Result<(), JobError> {
        let sealed = self.sealed_session(attempt, session)?;
        let records = &self.deps.records;
        Ok(records
            .replace_session(attempt.id, &sealed.sealed, &sealed.digest)
            .await?)
    }

    /// The next submission goes into this session: the provider may know it by something else by now, or the store may have
    /// lost it.
    pub async fn replace_live_session(&self, attempt: &Attempt, session: &ProviderSession) {
        let replaced = self.updater.live.update(&attempt.tag, |state| {
            state.attempt_mut(attempt.id)?;
            state.session.as_mut()?.provider_session = Some(session.clone());
            Some(())
        });
        if let Err(error) = replaced.await {
            tracing::warn!(%error, "replacing a provider's session failed");
        }
    }
}

/// A session as its row has it.
struct SealedSession {
    sealed: Vec<u8>,
    digest: [u8; 32],
}

impl SealedSession {
    fn wait<'a>(&'a self, wait: &Wait, jobs: &'a [Job]) -> ProviderWait<'a> {
        ProviderWait {
            session: &self.sealed,
            session_digest: &self.digest,
            until: wait.waiting.until,
            jobs,
            tickets: &[],
        }
    }
}
