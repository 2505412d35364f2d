//! Runs the effects of a step: opens sessions, and submits secrets at most once.
//!
//! The order of a submission is what makes it safe, and every line of `Attempts::submit` is one edge of the table in
//! `core/attempt.rs`: consent and attempt durable, SENT in the store, SENDING in the records, first byte, answer durable,
//! person told. The last secret lives in the [`Submit`] that this task owns and nowhere else; when the task ends, it is gone.

mod opening;

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::catalogue::Catalogue;
use super::deps::{CrashPoint, Deps};
use super::institution_health::InstitutionHealth;
use super::jobs::JobRunner;
use super::live::LiveValues;
use super::metrics::{Metrics, ProviderOutcome};
use super::providers::Providers;
use super::sealing::Sealing;
use super::session_updater::SessionUpdater;
use crate::core::attempt::AttemptEvent;
use crate::core::flow::{AttemptResult, Effect, SessionEvent, Submit};
use crate::core::ids::{AttemptId, JobId, LinkId};
use crate::core::msisdn::Msisdn;
use crate::core::next_step::{Failure, FailureClass, Grant, NextStep};
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::providers::{ProviderSession, Submission, SubmitError};
use crate::records::{Attempt, AttemptState, Consent, Job, JobKind, LinkState, Records};

/// How long after a refused connection the same owner tries once more.
const RESEND_AFTER: Duration = Duration::from_millis(400);

/// Runs effects.
pub struct EffectRunner {
    /// Live values.
    pub live: LiveValues,
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Providers with the partner's credentials.
    pub providers: Arc<Providers>,
    /// Seals fields.
    pub sealing: Sealing,
    /// Tells people what became of it.
    pub newsroom: SessionUpdater,
    /// Runs what may run twice.
    pub jobs: Arc<JobRunner>,
    /// Knows who is to be called now.
    pub health: Arc<InstitutionHealth>,
    /// Knows the forms of institutions.
    pub catalogue: Arc<Catalogue>,
    /// Clock, chance, tasks.
    pub runtime: Deps,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// Whose submission it is.
struct Submitter {
    tag: SubscriberTag,
    msisdn: Msisdn,
}

impl EffectRunner {
    /// Starts the effects of a step that has won its swap. None is waited for.
    pub fn run(self: &Arc<Self>, tag: &SubscriberTag, msisdn: &Msisdn, effects: Vec<Effect>) {
        for effect in effects {
            let (this, tag, msisdn) = (self.clone(), *tag, msisdn.clone());
            if let Effect::OpenSession(open) = &effect {
                self.health.reserve_probe(open);
            }
            self.runtime.spawn(async move {
                match effect {
                    Effect::OpenSession(open) => {
                        let result = this.open_for(&open).await;
                        this.newsroom
                            .apply(
                                &tag,
                                &SessionEvent::ProviderSessionOpened {
                                    session: open.session,
                                    result,
                                },
                            )
                            .await;
                    }
                    Effect::Submit(submit) => this.submit(Submitter { tag, msisdn }, *submit).await,
                    Effect::Unlink(link) => this.unlink(&tag, link).await,
                    Effect::ResolveAttempt(attempt) => this.jobs.settle(attempt).await,
                    Effect::SavePin(pin) => this.save_pin(&tag, &pin).await,
                    Effect::RequestBankAlert(asked) => this.jobs.bank_alerts.subscribe(&tag, &msisdn, &asked).await,
                }
            });
        }
    }

    /// Submits, once, and sees to what follows.
    async fn submit(&self, whose: Submitter, submit: Submit) {
        self.runtime.crash_point(CrashPoint::Pending);
        let id = submit.attempt;
        let takes = submit.lease_until.since(self.runtime.clock.now());
        if let Err(not_now) = self.health.may_submit(&submit.open, submit.step, takes) {
            let fate = not_now
                .submit_failure()
                .map_or(AttemptResult::NotSent, AttemptResult::Failed);
            return self.notify(&whose.tag, id, fate).await;
        }
        let session = match self.session_for(&submit).await {
            Ok(session) => session,
            Err(fate) => return self.notify(&whose.tag, id, fate).await,
        };
        match self.begin(&whose, &submit, &session).await {
            Ok(true) => {}
            // The partner has ended its request meanwhile: the bank hears nothing of it.
            Ok(false) => return self.notify(&whose.tag, id, AttemptResult::RequestEnded).await,
            Err(error) => {
                tracing::warn!(%error, "an attempt could not be made durable; it was not sent");
                return self.notify(&whose.tag, id, AttemptResult::NotSent).await;
            }
        }
        self.runtime.crash_point(CrashPoint::Begun);
        if !self.mark_sent(&whose.tag, id, &session).await {
            self.save_state(id, AttemptState::NotSent).await;
            return self.notify(&whose.tag, id, AttemptResult::NotSent).await;
        }
        self.runtime.crash_point(CrashPoint::Marked);
        if !self.may_send(&submit).await {
            self.save_state(id, AttemptState::NotSent).await;
            return self.notify(&whose.tag, id, AttemptResult::NotSent).await;
        }
        self.runtime.crash_point(CrashPoint::Sent);
        let answer = self.send(&submit, &session).await;
        self.runtime.crash_point(CrashPoint::Answered);
        self.conclude(&whose, &submit, answer).await;
    }

    /// Consent, attempt and the job that settles it, durable before anything leaves. `false`: the request is over.
    async fn begin(&self, whose: &Submitter, submit: &Submit, session: &ProviderSession) -> Result<bool, BeginError> {
        let consent = match (&submit.consent, submit.open.renews) {
            (Some(given), _) => Consent {
                id: given.id,
                intent: given.intent,
                partner: self.partner_of(&submit.open),
                tag: whose.tag,
                msisdn: self
                    .sealing
                    .seal_msisdn(&whose.tag, given.id, &whose.msisdn)
                    .map_err(|_| BeginError::Seal)?,
                text: given.text.clone(),
                version: given.version.clone(),
                locale: given.locale.tag().to_owned(),
                channel: given.channel.clone(),
                agreed_at: given.at,
            },
            (None, Some(link)) => self.consent_of(link).await?,
            (None, None) => return Err(BeginError::NoConsent),
        };
        let attempt = Attempt {
            id: submit.attempt,
            session: submit.open.session,
            consent: consent.id,
            partner: consent.partner,
            tag: whose.tag,
            provider: submit.open.provider.clone(),
            institution: submit.open.institution.id.clone(),
            institution_name: submit.open.institution.name.clone(),
            step: submit.step,
            provider_session: self
                .sealing
                .seal_session(&whose.tag, submit.attempt, session)
                .map_err(|_| BeginError::Seal)?,
            renews: submit.open.renews,
            state: AttemptState::Open,
            created_at: submit.begun_at,
        };
        let settle = self.job(
            JobKind::Settle(submit.attempt),
            settle_key(submit.attempt),
            submit.lease_until,
        );
        Ok(self.records.begin_attempt(&consent, &attempt, &settle).await?)
    }

    async fn consent_of(&self, link: LinkId) -> Result<Consent, BeginError> {
        let link = self.records.link(link).await?.ok_or(BeginError::NoConsent)?;
        self.records.consent(link.consent).await?.ok_or(BeginError::NoConsent)
    }

    /// Marks the attempt as sent in the store. If it cannot be marked it is not sent.
    async fn mark_sent(&self, tag: &SubscriberTag, id: AttemptId, session: &ProviderSession) -> bool {
        let (node, clock) = (self.runtime.node, self.runtime.clock.clone());
        let marked = self.live.update(tag, |state| {
            state
                .attempt_mut(id)?
                .apply(AttemptEvent::Send(node), clock.now())
                .ok()?;
            if let Some(live) = &mut state.session {
                live.provider_session = Some(session.clone());
            }
            Some(())
        });
        matches!(marked.await, Ok(Some(())))
    }

    /// Tells the records that it is being sent from now on. Whoever settles it before this has closed it, and it is not
    /// sent; nor is it when the records cannot be reached, or took so long that nobody waits for it any more.
    async fn may_send(&self, submit: &Submit) -> bool {
        let now = self.runtime.clock.now();
        let moved = self
            .records
            .move_attempt(submit.attempt, AttemptState::Sending, now)
            .await;
        if let Err(error) = &moved {
            tracing::warn!(%error, "an attempt could not be marked in the records; it was not sent");
        }
        moved == Ok(true) && self.runtime.clock.now() <= submit.lease_until
    }

    /// Makes the call. Only a connection that was refused is tried again, once: nothing has left.
    async fn send(&self, submit: &Submit, session: &ProviderSession) -> Result<NextStep, SubmitError> {
        let (provider, credentials) = self
            .providers
            .with_credentials(self.partner_of(&submit.open), &submit.open.provider)
            .await
            .map_err(|_| SubmitError::NotSent("no credentials"))?;
        let call = || {
            let submission = Submission {
                session,
                step: submit.step,
                answers: &submit.answers,
                timeout: submit.timeout,
            };
            provider.submit(&credentials, submission)
        };
        let started = self.runtime.clock.now();
        let mut answer = call().await;
        if matches!(answer, Err(SubmitError::NotSent(_))) {
            tokio::time::sleep(RESEND_AFTER).await;
            answer = call().await;
        }
        let took = self.runtime.clock.now().since(started);
        let label = self.providers.metric_label(&submit.open.provider);
        self.metrics
            .provider_call(label, "submit", metric_outcome(&answer), took);
        self.health.record_submit(&submit.open, &answer, took);
        if let Ok(NextStep::Failed(failure)) = &mut answer
            && failure.class == FailureClass::Busy
        {
            failure.retry_after = self.health.remaining_pause(&submit.open);
        }
        answer
    }

    /// Makes the answer durable, then tells the person.
    async fn conclude(&self, whose: &Submitter, submit: &Submit, answer: Result<NextStep, SubmitError>) {
        let id = submit.attempt;
        let (state, fate) = match answer {
            Ok(NextStep::Done(grant)) => return self.granted(whose, submit, &grant).await,
            Ok(NextStep::Prompt(form)) => (AttemptState::Accepted, AttemptResult::Prompt(form)),
            Ok(NextStep::ChooseAccounts { accounts, .. }) => {
                (AttemptState::Accepted, AttemptResult::ChooseAccount(accounts))
            }
            Ok(NextStep::Failed(failure)) => (AttemptState::of_failure(failure.class), AttemptResult::Failed(failure)),
            // The provider took what was typed, and wants what cannot be done here.
            Ok(NextStep::OpenLink { .. }) => {
                let failure = Failure {
                    class: FailureClass::Unsupported,
                    retry_after: None,
                };
                (AttemptState::of_failure(failure.class), AttemptResult::Failed(failure))
            }
            // It took it and goes on without us: what comes of it is found like a lost answer.
            Ok(NextStep::ApproveElsewhere { .. } | NextStep::Wait { .. }) => {
                (AttemptState::Unknown, AttemptResult::Unknown)
            }
            Err(SubmitError::NotSent(reason)) => {
                tracing::info!(reason, "nothing was sent");
                (AttemptState::NotSent, AttemptResult::NotSent)
            }
            Err(SubmitError::Unknown(reason)) => {
                tracing::warn!(reason, "the provider did not say yes or no");
                (AttemptState::Unknown, AttemptResult::Unknown)
            }
        };
        self.save_state(id, state).await;
        if state == AttemptState::Unknown {
            // A connection that was reset is often settled by one look, while the person still waits.
            self.jobs.settle(id).await;
        }
        self.notify(&whose.tag, id, fate).await;
    }

    /// Keeps the grant, which lives only minutes, and exchanges it at once.
    async fn granted(&self, whose: &Submitter, submit: &Submit, grant: &Grant) {
        let id = submit.attempt;
        let key = redeem_key(id);
        let Ok(sealed) = self.sealing.seal_grant(&whose.tag, id, grant) else {
            return tracing::error!("a grant could not be sealed");
        };
        let kept = (|| async {
            let now = self.runtime.clock.now();
            let job = self.job(JobKind::Redeem(id), key.clone(), now);
            self.records.store_grant(id, &sealed, &job, now).await
        })
        .retry(write_backoff())
        .await;
        if let Err(error) = kept {
            // The settling job finds the account at the provider.
            return tracing::error!(%error, "a grant could not be kept");
        }
        self.runtime.crash_point(CrashPoint::Granted);
        self.notify(&whose.tag, id, AttemptResult::Granted).await;
        self.jobs.run_now(&key).await;
    }

    /// Ends a link durably; the provider is told by a job.
    async fn unlink(&self, tag: &SubscriberTag, link: LinkId) {
        let now = self.runtime.clock.now();
        let key = format!("unlink:{link}");
        let job = self.job(JobKind::Unlink(link), key.clone(), now);
        match self.records.move_link(link, LinkState::Removing, &[job], now).await {
            Ok(_) => {
                self.newsroom.apply(tag, &SessionEvent::Unlinked(link)).await;
                self.jobs.run_now(&key).await;
            }
            Err(error) => tracing::warn!(%error, "a link could not be ended"),
        }
    }

    /// Keeps a person's own code as it is now. What cannot be written stays in the live value for its day.
    async fn save_pin(&self, tag: &SubscriberTag, pin: &Pin) {
        let partner = self.providers.partner();
        let kept = (|| self.records.store_pin(partner, tag, pin, self.runtime.clock.now()))
            .retry(write_backoff())
            .await;
        if let Err(error) = kept {
            return tracing::error!(%error, "a person's own code could not be kept");
        }
        if let Err(error) = self.live.update(tag, |state| state.mark_pin_saved(pin)).await {
            tracing::debug!(%error, "that a person's own code is kept could not be noted; the next dial finds it");
        }
    }

    async fn save_state(&self, id: AttemptId, state: AttemptState) {
        let moved = (|| self.records.move_attempt(id, state, self.runtime.clock.now()))
            .retry(write_backoff())
            .await;
        if let Err(error) = moved {
            tracing::error!(%error, "what became of an attempt could not be recorded");
        }
    }

    async fn notify(&self, tag: &SubscriberTag, id: AttemptId, fate: AttemptResult) {
        self.newsroom
            .apply(tag, &SessionEvent::AttemptResolved { id, result: fate })
            .await;
    }

    fn job(&self, kind: JobKind, key: String, due_at: Timestamp) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: self.providers.partner(),
            kind,
            due_at,
            tries: 0,
            key,
        }
    }
}

/// Why an attempt was not begun.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Records(#[from] crate::records::RecordsError),
    #[error("no consent stands for it")]
    NoConsent,
    #[error("it could not be sealed")]
    Seal,
}

/// The key of the job that settles an attempt.
pub fn settle_key(attempt: AttemptId) -> String {
    format!("settle:{attempt}")
}

/// The key of the job that redeems an attempt's grant.
pub fn redeem_key(attempt: AttemptId) -> String {
    format!("redeem:{attempt}")
}

/// For what must be written down although the database has a bad moment.
fn write_backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_times(6)
}

fn metric_outcome(answer: &Result<NextStep, SubmitError>) -> ProviderOutcome {
    match answer {
        Ok(NextStep::Failed(_)) => ProviderOutcome::Rejected,
        Ok(_) => ProviderOutcome::Answered,
        Err(SubmitError::NotSent(_)) => ProviderOutcome::NotSent,
        Err(SubmitError::Unknown(_)) => ProviderOutcome::Unknown,
    }
}
