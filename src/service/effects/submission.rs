//! Submits secrets at most once.
//!
//! The order of a submission is what makes it safe, and every line of `EffectRunner::submit` is one edge of the table in
//! `core/attempt.rs`: consent and attempt durable, SENT in the store, SENDING in the records, first byte, answer durable,
//! person told. The last secret lives in the [`Submit`] that this task owns and nowhere else; when the task ends, it is gone.

use std::time::Duration;

use backon::Retryable;

use super::rows::{BeginError, NewAttempt};
use super::runner::{EffectRunner, Submitter};
use crate::core::attempt::{AttemptEvent, LiveAttemptState};
use crate::core::flow::{AccountList, AttemptResult, SessionEvent, Submit};
use crate::core::ids::AttemptId;
use crate::core::next_step::{FailureClass, Grant, NextStep};
use crate::core::seal::SubscriberTag;
use crate::providers::{ProviderSession, Stepped, Submission, SubmitError};
use crate::records::{Attempt, AttemptState, Begun, JobType};
use crate::service::deps::{CrashPoint, answer_backoff};
use crate::service::linking::advance::Wait;
use crate::service::linking::page_text::SendPageLink;
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
        let session = match self.session_for(&submitter, &submit).await {
            Ok(session) => session,
            Err(result) => return self.notify(&submitter.tag, id, result).await,
        };
        let Some(attempt) = self.begin(&submitter, &submit, &session).await else {
            return;
        };
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
        let answer = self.send(&attempt, &submit, &session).await;
        self.deps.crash_point(CrashPoint::Answered);
        self.conclude(&submitter, &attempt, session, answer).await;
    }

    /// Makes consent, attempt and the job that settles it durable, before anything leaves. `None`: it is not to be sent, and
    /// the person was told why.
    async fn begin(&self, submitter: &Submitter, submit: &Submit, session: &ProviderSession) -> Option<Attempt> {
        let result = match self.try_begin(submitter, submit, session).await {
            Ok((attempt, Begun::New)) => return Some(attempt),
            // The partner has closed its intent meanwhile: nothing is sent to the bank.
            Ok((_, Begun::RequestEnded)) => AttemptResult::RequestEnded,
            Ok((_, Begun::TooManyLogins(times))) => AttemptResult::TooManyLogins(times),
            Ok((_, Begun::TooManyCodes)) => AttemptResult::Failed(FailureClass::Refused.into()),
            Ok((_, Begun::Refused(standing))) => {
                self.tell_standing(submitter, submit, *standing).await;
                return None;
            }
            // It may have been written all the same: the job that settles it closes it. Not from here, for what stands there
            // may be somebody else's who has the same id, and is about to send it.
            Err(error) => {
                tracing::warn!(%error, "beginning an attempt failed, not sent");
                AttemptResult::NotSent
            }
        };
        self.notify(&submitter.tag, submit.attempt, result).await;
        None
    }

    async fn try_begin(
        &self,
        submitter: &Submitter,
        submit: &Submit,
        session: &ProviderSession,
    ) -> Result<(Attempt, Begun), BeginError> {
        let consent = self.consent_for(submitter, &submit.open).await?;
        let new = NewAttempt {
            id: submit.attempt,
            ordinal: submit.ordinal,
            step: submit.step,
            session,
            state: AttemptState::Open,
            waits_until: None,
            created_at: submit.begun_at,
        };
        let attempt = self.attempt_row(&submit.open, &consent, &new)?;
        let settle = Settle::job(self.providers.partner(), submit.attempt, submit.lease_until);
        let records = &self.deps.records;
        let begun = records
            .begin_attempt(&consent, &attempt, submit.follows, &settle)
            .await?;
        Ok((attempt, begun))
    }

    /// Another attempt stands in the way, or this very one, begun before: the live value has lost it. Nothing is sent; the
    /// person is told what became of that one, or waits for it.
    async fn tell_standing(&self, submitter: &Submitter, submit: &Submit, standing: Attempt) {
        tracing::info!("a submission was refused: the live value has lost an earlier one");
        let (id, state) = (standing.id, standing.state);
        let lease = submit.lease_until.since(submit.begun_at);
        let lease_until = standing.created_at.plus(lease);
        let at_work =
            matches!(state, AttemptState::Open | AttemptState::Sending) && self.deps.clock.now() <= lease_until;
        let standing = match self.facts.standing(standing).await {
            Ok(Some(standing)) => standing,
            found => {
                if let Err(error) = found {
                    tracing::warn!(%error, "reading a submission that stands failed");
                }
                return;
            }
        };
        let mut standing = Box::new(standing);
        if at_work {
            standing.attempt.state = LiveAttemptState::Sent;
            standing.attempt.lease_until = lease_until;
        }
        let refused = SessionEvent::AttemptRefused {
            id: submit.attempt,
            standing,
        };
        self.updater.apply(&submitter.tag, &refused).await;
        if !at_work {
            self.settle(id).await;
        }
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
    async fn send(
        &self,
        attempt: &Attempt,
        submit: &Submit,
        session: &ProviderSession,
    ) -> Result<Stepped, SubmitError> {
        let client = self
            .providers
            .of_attempt(attempt)
            .await
            .map_err(|_| SubmitError::NotSent("no credentials"))?;
        let call = || {
            let submission = Submission {
                session,
                step: submit.step,
                form: submit.form.as_ref(),
                answers: &submit.answers,
                timeout: submit.timeout,
            };
            client.api.submit(client.access(), submission)
        };
        let started = self.deps.clock.now();
        let mut answer = call().await;
        if matches!(answer, Err(SubmitError::NotSent(_))) {
            tokio::time::sleep(RESEND_AFTER).await;
            answer = call().await;
        }
        let took = self.deps.clock.now().since(started);
        let mut answer = self.providers.keep(client, answer).await.map(|(stepped, _)| stepped);
        let step = answer.as_ref().map(|stepped| &stepped.step).map_err(|error| *error);
        let label = self.providers.metric_label(&submit.open.provider);
        self.deps
            .metrics
            .provider_call(label, "submit", metric_outcome(step), took);
        self.health.record_submit(&submit.open, step, took);
        if let Ok(Stepped {
            step: NextStep::Failed(failure),
            ..
        }) = &mut answer
            && failure.class == FailureClass::Busy
        {
            failure.retry_after = self.health.remaining_pause(&submit.open);
        }
        answer
    }

    /// Makes the answer durable, then tells the person.
    async fn conclude(
        &self,
        submitter: &Submitter,
        attempt: &Attempt,
        mut session: ProviderSession,
        answer: Result<Stepped, SubmitError>,
    ) {
        let step = match answer {
            Ok(stepped) => {
                if let Some(changed) = stepped.session {
                    session = session.known_as(changed);
                    self.linking.replace_live_session(attempt, &session).await;
                    let saved = (|| self.linking.save_session(attempt, &session))
                        .retry(answer_backoff())
                        .await;
                    if let Err(error) = saved {
                        tracing::error!(%error, "recording a provider's session failed");
                    }
                }
                Ok(stepped.step)
            }
            Err(error) => Err(error),
        };
        let to = Some(&submitter.msisdn);
        let (state, result) = match step.map(|step| self.linking.wait_of(step, &session, to)) {
            Ok(Ok(wait)) => return self.wait(attempt, &session, wait).await,
            Ok(Err(NextStep::Done(grant))) => return self.granted(attempt, &grant).await,
            Ok(Err(step)) => settled(step),
            Err(SubmitError::NotSent(reason)) => {
                tracing::info!(reason, "submission not sent");
                (AttemptState::NotSent, AttemptResult::NotSent)
            }
            Err(SubmitError::Unknown(reason)) => {
                tracing::warn!(reason, "submission without an answer");
                (AttemptState::Unknown, AttemptResult::Unknown)
            }
        };
        self.save_state(attempt.id, state).await;
        if state == AttemptState::Unknown {
            // A connection that was reset is often settled by one look, while the person still waits.
            self.settle(attempt.id).await;
        }
        self.notify(&attempt.tag, attempt.id, result).await;
    }

    /// The provider took what was typed, and goes on without it.
    async fn wait(&self, attempt: &Attempt, session: &ProviderSession, wait: Wait) {
        let moved = (|| self.linking.move_to_waiting(attempt, session, &wait))
            .retry(answer_backoff())
            .await;
        let result = match moved {
            Ok(_) => AttemptResult::Waiting(wait.waiting),
            // The job that settles it looks for the account instead.
            Err(error) => {
                tracing::error!(%error, "recording that an attempt waits failed");
                AttemptResult::Unknown
            }
        };
        self.notify(&attempt.tag, attempt.id, result).await;
        self.jobs.run_now::<SendPageLink>(attempt.id).await;
    }

    /// Stores the grant, which lives only minutes, and exchanges it at once.
    async fn granted(&self, attempt: &Attempt, grant: &Grant) {
        if !self.store_grant(attempt, grant).await {
            return;
        }
        self.deps.crash_point(CrashPoint::Granted);
        self.notify(&attempt.tag, attempt.id, AttemptResult::Granted).await;
        self.jobs.run_now::<Redeem>(attempt.id).await;
    }

    /// Makes a grant durable, with the job that exchanges it. Says whether it is.
    pub(super) async fn store_grant(&self, attempt: &Attempt, grant: &Grant) -> bool {
        let Ok(sealed) = self.deps.sealing.seal_grant(&attempt.tag, attempt.id, grant) else {
            tracing::error!("sealing a grant failed");
            return false;
        };
        let stored = (|| async {
            let now = self.deps.clock.now();
            let redeem = Redeem::job(self.providers.partner(), attempt.id, now);
            self.deps.records.store_grant(attempt.id, &sealed, &redeem, now).await
        })
        .retry(answer_backoff())
        .await;
        if let Err(error) = &stored {
            // The settling job finds the account at the provider.
            tracing::error!(%error, "storing a grant failed");
        }
        stored.is_ok()
    }

    async fn save_state(&self, id: AttemptId, state: AttemptState) {
        let moved = (|| self.deps.records.move_attempt(id, state, self.deps.clock.now()))
            .retry(answer_backoff())
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

/// What a step that ends the attempt means: it was accepted, or not.
fn settled(step: NextStep) -> (AttemptState, AttemptResult) {
    match step {
        NextStep::Prompt(form) => (AttemptState::Accepted, AttemptResult::Prompt(form)),
        NextStep::ChooseAccounts { accounts, many, more } => {
            let list = AccountList { accounts, many, more };
            (AttemptState::Accepted, AttemptResult::ChooseAccount(list))
        }
        NextStep::Failed(failure) => (AttemptState::of_failure(failure.class), AttemptResult::Failed(failure)),
        NextStep::Done(_) | NextStep::OpenLink { .. } | NextStep::ApproveElsewhere { .. } | NextStep::Wait { .. } => {
            (AttemptState::Unknown, AttemptResult::Unknown)
        }
    }
}

fn metric_outcome(answer: Result<&NextStep, SubmitError>) -> ProviderOutcome {
    match answer {
        Ok(NextStep::Failed(_)) => ProviderOutcome::Rejected,
        Ok(_) => ProviderOutcome::Answered,
        Err(SubmitError::NotSent(_)) => ProviderOutcome::NotSent,
        Err(SubmitError::Unknown(_)) => ProviderOutcome::Unknown,
    }
}
