//! Submits secrets at most once.
//!
//! The order of a submission is what makes it safe, and every line of `EffectRunner::submit` is one edge of the table in
//! `core/attempt.rs`: consent and attempt durable, SENT in the store, SENDING in the records, first byte, answer durable,
//! person told. The last secret lives in the [`Submit`] that this task owns and nowhere else; when the task ends, it is gone.

use std::time::Duration;

use backon::Retryable;

use super::runner::{EffectRunner, Submitter, write_backoff};
use crate::core::attempt::AttemptEvent;
use crate::core::flow::{AccountList, AttemptResult, SessionEvent, Submit};
use crate::core::ids::{AttemptId, LinkId};
use crate::core::next_step::{Failure, FailureClass, Grant, NextStep};
use crate::core::seal::{SealError, SubscriberTag};
use crate::providers::{Access, ProviderSession, Submission, SubmitError};
use crate::records::{Attempt, AttemptState, Consent, JobType, RecordsError};
use crate::service::deps::CrashPoint;
use crate::service::linking::redeem::Redeem;
use crate::service::linking::settle::Settle;
use crate::service::metrics::ProviderOutcome;

/// How long after a refused connection the same owner tries once more.
const RESEND_AFTER: Duration = Duration::from_millis(400);

impl EffectRunner {
    /// Submits once, and sees to what follows.
    pub(super) async fn submit(&self, submitter: Submitter, submit: Submit) {
        self.deps.crash_point(CrashPoint::Pending);
        let id = submit.attempt;
        let timeout = submit.lease_until.since(self.deps.clock.now());
        if let Err(refused) = self.health.may_submit(&submit.open, submit.step, timeout) {
            let result = refused
                .submit_failure()
                .map_or(AttemptResult::NotSent, AttemptResult::Failed);
            return self.notify(&submitter.tag, id, result).await;
        }
        let session = match self.session_for(&submit).await {
            Ok(session) => session,
            Err(result) => return self.notify(&submitter.tag, id, result).await,
        };
        match self.begin(&submitter, &submit, &session).await {
            Ok(true) => {}
            // The partner has closed its intent meanwhile: nothing is sent to the bank.
            Ok(false) => return self.notify(&submitter.tag, id, AttemptResult::RequestEnded).await,
            Err(error) => {
                tracing::warn!(%error, "beginning an attempt failed, not sent");
                return self.notify(&submitter.tag, id, AttemptResult::NotSent).await;
            }
        }
        self.deps.crash_point(CrashPoint::Begun);
        if !self.mark_sent(&submitter.tag, id, &session).await {
            self.save_state(id, AttemptState::NotSent).await;
            return self.notify(&submitter.tag, id, AttemptResult::NotSent).await;
        }
        self.deps.crash_point(CrashPoint::Marked);
        if !self.may_send(&submit).await {
            self.save_state(id, AttemptState::NotSent).await;
            return self.notify(&submitter.tag, id, AttemptResult::NotSent).await;
        }
        self.deps.crash_point(CrashPoint::Sent);
        let answer = self.send(&submit, &session).await;
        self.deps.crash_point(CrashPoint::Answered);
        self.conclude(&submitter, &submit, answer).await;
    }

    /// Makes consent, attempt and the job that settles it durable, before anything leaves. `false`: the intent is closed.
    async fn begin(
        &self,
        submitter: &Submitter,
        submit: &Submit,
        session: &ProviderSession,
    ) -> Result<bool, BeginError> {
        let sealing = &self.deps.sealing;
        let consent = match (&submit.open.consent, submit.open.renews) {
            (Some(given), _) => Consent {
                id: given.id,
                intent: given.intent,
                partner: self.partner_of(&submit.open),
                tag: submitter.tag,
                msisdn: sealing.seal_msisdn(&submitter.tag, given.id, &submitter.msisdn)?,
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
            tag: submitter.tag,
            provider: submit.open.provider.clone(),
            institution: submit.open.institution.id.clone(),
            institution_name: submit.open.institution.name.clone(),
            step: submit.step,
            provider_session: sealing.seal_session(&submitter.tag, submit.attempt, session)?,
            session_digest: sealing.session_digest(&submit.open.provider, &session.id),
            renews: submit.open.renews,
            state: AttemptState::Open,
            waits_until: None,
            returned: None,
            created_at: submit.begun_at,
        };
        let settle = Settle::job(self.providers.partner(), submit.attempt, submit.lease_until);
        Ok(self.deps.records.begin_attempt(&consent, &attempt, &settle).await?)
    }

    async fn consent_of(&self, link: LinkId) -> Result<Consent, BeginError> {
        let link = self.deps.records.link(link).await?.ok_or(BeginError::NoConsent)?;
        self.deps
            .records
            .consent(link.consent)
            .await?
            .ok_or(BeginError::NoConsent)
    }

    /// Marks the attempt as sent in the store. If it cannot be marked it is not sent.
    async fn mark_sent(&self, tag: &SubscriberTag, id: AttemptId, session: &ProviderSession) -> bool {
        let (node, clock) = (self.deps.node, self.deps.clock.clone());
        let marked = self.updater.live.update(tag, |state| {
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

    /// Records that it is being sent from now on. If it was settled before this it is closed, and not sent; nor is it
    /// sent when the records cannot be reached, or took so long that nobody waits for it any more.
    async fn may_send(&self, submit: &Submit) -> bool {
        let now = self.deps.clock.now();
        let moved = self
            .deps
            .records
            .move_attempt(submit.attempt, AttemptState::Sending, now)
            .await;
        if let Err(error) = &moved {
            tracing::warn!(%error, "marking an attempt as sending failed, not sent");
        }
        moved == Ok(true) && self.deps.clock.now() <= submit.lease_until
    }

    /// Makes the call. Only a refused connection is tried again, once: nothing has left.
    async fn send(&self, submit: &Submit, session: &ProviderSession) -> Result<NextStep, SubmitError> {
        let (provider, keys) = self
            .providers
            .with_keys(self.partner_of(&submit.open), &submit.open.provider)
            .await
            .map_err(|_| SubmitError::NotSent("no credentials"))?;
        let call = || {
            let submission = Submission {
                session,
                step: submit.step,
                answers: &submit.answers,
                timeout: submit.timeout,
            };
            provider.submit(Access::keys(&keys), submission)
        };
        let started = self.deps.clock.now();
        let mut answer = call().await;
        if matches!(answer, Err(SubmitError::NotSent(_))) {
            tokio::time::sleep(RESEND_AFTER).await;
            answer = call().await;
        }
        let mut answer = answer.map(|stepped| stepped.value.step);
        let took = self.deps.clock.now().since(started);
        let label = self.providers.metric_label(&submit.open.provider);
        self.deps
            .metrics
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
    async fn conclude(&self, submitter: &Submitter, submit: &Submit, answer: Result<NextStep, SubmitError>) {
        let id = submit.attempt;
        let (state, result) = match answer {
            Ok(NextStep::Done(grant)) => return self.granted(submitter, submit, &grant).await,
            Ok(NextStep::Prompt(form)) => (AttemptState::Accepted, AttemptResult::Prompt(form)),
            Ok(NextStep::ChooseAccounts { accounts, many, more }) => {
                let list = AccountList { accounts, many, more };
                (AttemptState::Accepted, AttemptResult::ChooseAccount(list))
            }
            Ok(NextStep::Failed(failure)) => (AttemptState::of_failure(failure.class), AttemptResult::Failed(failure)),
            // The provider accepted what was typed, and wants what cannot be done here.
            Ok(NextStep::OpenLink { .. }) => {
                let failure = Failure::from(FailureClass::Unsupported);
                (AttemptState::of_failure(failure.class), AttemptResult::Failed(failure))
            }
            // It accepted it and goes on without us: the result is found as after a lost answer.
            Ok(NextStep::ApproveElsewhere { .. } | NextStep::Wait { .. }) => {
                (AttemptState::Unknown, AttemptResult::Unknown)
            }
            Err(SubmitError::NotSent(reason)) => {
                tracing::info!(reason, "submission not sent");
                (AttemptState::NotSent, AttemptResult::NotSent)
            }
            Err(SubmitError::Unknown(reason)) => {
                tracing::warn!(reason, "submission without an answer");
                (AttemptState::Unknown, AttemptResult::Unknown)
            }
        };
        self.save_state(id, state).await;
        if state == AttemptState::Unknown {
            // A connection that was reset is often settled by one look, while the person still waits.
            self.settle(id).await;
        }
        self.notify(&submitter.tag, id, result).await;
    }

    /// Stores the grant, which lives only minutes, and exchanges it at once.
    async fn granted(&self, submitter: &Submitter, submit: &Submit, grant: &Grant) {
        let id = submit.attempt;
        let Ok(sealed) = self.deps.sealing.seal_grant(&submitter.tag, id, grant) else {
            return tracing::error!("sealing a grant failed");
        };
        let stored = (|| async {
            let now = self.deps.clock.now();
            let redeem = Redeem::job(self.providers.partner(), id, now);
            self.deps.records.store_grant(id, &sealed, &redeem, now).await
        })
        .retry(write_backoff())
        .await;
        if let Err(error) = stored {
            // The settling job finds the account at the provider.
            return tracing::error!(%error, "storing a grant failed");
        }
        self.deps.crash_point(CrashPoint::Granted);
        self.notify(&submitter.tag, id, AttemptResult::Granted).await;
        self.jobs.run_now::<Redeem>(id).await;
    }

    async fn save_state(&self, id: AttemptId, state: AttemptState) {
        let moved = (|| self.deps.records.move_attempt(id, state, self.deps.clock.now()))
            .retry(write_backoff())
            .await;
        if let Err(error) = moved {
            tracing::error!(%error, "recording an attempt's state failed");
        }
    }

    async fn notify(&self, tag: &SubscriberTag, id: AttemptId, result: AttemptResult) {
        self.updater
            .apply(tag, &SessionEvent::AttemptResolved { id, result })
            .await;
    }
}

/// Why an attempt was not begun.
#[derive(Debug, thiserror::Error)]
enum BeginError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("no consent stands for it")]
    NoConsent,
    #[error(transparent)]
    Seal(#[from] SealError),
}

fn metric_outcome(answer: &Result<NextStep, SubmitError>) -> ProviderOutcome {
    match answer {
        Ok(NextStep::Failed(_)) => ProviderOutcome::Rejected,
        Ok(_) => ProviderOutcome::Answered,
        Err(SubmitError::NotSent(_)) => ProviderOutcome::NotSent,
        Err(SubmitError::Unknown(_)) => ProviderOutcome::Unknown,
    }
}
