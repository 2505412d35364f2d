//! Opens sessions at providers: early, when the institution is picked, or just before a submission.

use std::time::Duration;

use super::rows::{BeginError, NewAttempt};
use super::runner::{EffectRunner, Opening, Submitter};
use crate::core::flow::{AccountList, AttemptResult, OpenResult, OpenSession, Submit, Waiting, WaitingFor};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::next_step::{Failure, FailureClass, Form, Grant, NextStep};
use crate::providers::{
    Advance, AuthMethod, Journey, ProviderError, ProviderSession, SessionRequest, SessionResponse, SubmissionStep,
};
use crate::records::{AttemptState, Link, RecordsError};
use crate::service::job::JobError;
use crate::service::linking::advance::Wait;
use crate::service::linking::page_text::SendPageLink;
use crate::service::linking::redeem::Redeem;
use crate::service::provider_access::MADE_MEANWHILE;
use crate::service::providers::{ProviderCallError, person_reference, session_reference};

/// How long a grant that came with a new session may take to be stored: at once, unless the process ends.
const GRANT_WAITS: Duration = Duration::from_mins(1);

impl EffectRunner {
    /// The provider's session to submit to: the one opened early, or one opened now if that did not work out or is over.
    pub(super) async fn session_for(
        &self,
        submitter: &Submitter,
        submit: &Submit,
    ) -> Result<ProviderSession, AttemptResult> {
        let now = self.deps.clock.now();
        if let Some(session) = &submit.provider_session
            && session.expires_at.is_none_or(|end| end > now)
        {
            return Ok(session.clone());
        }
        if submit.step != SubmissionStep::Login {
            return Err(AttemptResult::Failed(FailureClass::SessionExpired.into()));
        }
        match self.open_for(submitter, &submit.open, Opening::ForSubmission).await {
            OpenResult::Open(session) => {
                let changed = match (&session.form, &submit.form) {
                    (Some(form), Some(filled_in)) => !filled_in.asks_the_same(form),
                    _ => false,
                };
                if changed {
                    Err(AttemptResult::FormChanged(session))
                } else {
                    Ok(session)
                }
            }
            OpenResult::Unavailable(Some(pause)) => Err(AttemptResult::Failed(Failure {
                retry_after: Some(pause),
                ..FailureClass::Busy.into()
            })),
            OpenResult::Failed(failure) => Err(AttemptResult::Failed(failure)),
            OpenResult::RequestEnded => Err(AttemptResult::RequestEnded),
            // It would go on without what was typed, and that is not sent.
            OpenResult::Renewed
            | OpenResult::Waiting { .. }
            | OpenResult::Accounts { .. }
            | OpenResult::Granted { .. }
            | OpenResult::Unavailable(None) => Err(AttemptResult::NotSent),
            OpenResult::Blocked => Err(AttemptResult::Failed(FailureClass::Misconfigured.into())),
        }
    }

    /// The partner that a session is opened for.
    pub(super) fn partner_of(&self, open: &OpenSession) -> PartnerId {
        open.partner.unwrap_or(self.providers.partner())
    }

    /// Opens a session at the provider. Nothing secret reaches a bank yet, so it may be repeated.
    pub(super) async fn open_for(&self, person: &Submitter, open: &OpenSession, why: Opening) -> OpenResult {
        if let Err(refused) = self.health.may_open(open) {
            return refused.open_result();
        }
        let opened = self.try_open(person, open, why).await;
        self.health.record_open(open, &opened);
        match opened {
            Ok(opened) => opened,
            Err(ProviderCallError::Provider(ProviderError::Refused(reason))) => {
                tracing::error!(provider = open.provider, reason, "provider refuses our credentials");
                OpenResult::Blocked
            }
            Err(error) => {
                tracing::warn!(provider = open.provider, %error, "opening a provider session failed");
                OpenResult::Unavailable(self.health.remaining_pause(open))
            }
        }
    }

    async fn try_open(
        &self,
        person: &Submitter,
        open: &OpenSession,
        why: Opening,
    ) -> Result<OpenResult, ProviderCallError> {
        if let Some(under_way) = self.under_way(person, open).await? {
            return Ok(under_way);
        }
        let now = || self.deps.clock.now();
        let Some(link) = open.renews else {
            let opened = match self.open_link_session(person, open).await {
                Err(ProviderCallError::Provider(error)) if error == MADE_MEANWHILE => {
                    self.open_link_session(person, open).await?
                }
                opened => opened?,
            };
            return match opened {
                SessionResponse::Session(session) => Ok(OpenResult::Open(session.on_our_clock(now()))),
                SessionResponse::Next(..) if why == Opening::ForSubmission => Ok(OpenResult::Unavailable(None)),
                SessionResponse::Next(session, step) => {
                    self.go_on(person, open, session.on_our_clock(now()), step).await
                }
                SessionResponse::Done(_) => Err(ProviderError::Malformed("done before anything was asked").into()),
            };
        };
        let link = self.deps.records.link(link).await?.ok_or(ProviderCallError::NotSetUp)?;
        let account = link.accounts.first().ok_or(ProviderCallError::NotSetUp)?;
        let sealing = &self.deps.sealing;
        let account = sealing
            .open_account(&link.tag, account.id, &account.account)
            .map_err(|_| ProviderCallError::NotSetUp)?;
        let client = self.providers.of_link(&link).await?;
        let opening = SessionRequest::Reauth {
            account: &account,
            link: client.link_handle(),
        };
        let opened = client.api.open_session(client.access(), opening).await;
        match self.providers.keep(client, opened).await?.0 {
            SessionResponse::Next(..) if why == Opening::ForSubmission => Ok(OpenResult::Unavailable(None)),
            SessionResponse::Next(session, step) => self.go_on(person, open, session.on_our_clock(now()), step).await,
            SessionResponse::Done(grant) => match self.renew_at_once(person, open, &link, grant).await {
                Ok(true) => Ok(OpenResult::Renewed),
                Ok(false) => Ok(OpenResult::Blocked),
                Err(JobError::Call(error)) => Err(error),
                Err(JobError::Records(error)) => Err(error.into()),
                Err(JobError::Sealed | JobError::Store(_) | JobError::Overtaken) => Err(ProviderCallError::NotSetUp),
            },
            SessionResponse::Session(mut session) => {
                self.catalogue.prepare(link.partner).await;
                session.form = self.renewal_form(&link, session.form);
                Ok(OpenResult::Open(session.on_our_clock(now())))
            }
        }
    }

    /// Renews a link that needs no login, on what was just agreed to or on the consent that it has.
    async fn renew_at_once(
        &self,
        person: &Submitter,
        open: &OpenSession,
        link: &Link,
        grant: Option<Grant>,
    ) -> Result<bool, JobError> {
        let consent = match self.consent_for(person, open).await {
            Ok(consent) => consent,
            Err(BeginError::Records(error)) => return Err(error.into()),
            Err(BeginError::NoConsent | BeginError::Seal(_)) => return Err(JobError::Sealed),
        };
        self.deps.records.store_consent(&consent).await?;
        self.linking.renew_at_once(link, consent.id, grant).await
    }

    async fn open_link_session(
        &self,
        person: &Submitter,
        open: &OpenSession,
    ) -> Result<SessionResponse, ProviderCallError> {
        let partner = self.partner_of(open);
        let client = self
            .providers
            .to_open_link(partner, &open.provider, &person.tag)
            .await?;
        let reference = session_reference(open.session);
        let keyring = &self.deps.sealing.keyring;
        let reference_of_person = person_reference(keyring, partner, &open.provider, &person.tag);
        let opening = SessionRequest::Link {
            institution: &open.institution,
            method: &open.method,
            reference: &reference,
            person: &reference_of_person,
            phone: Some(&person.msisdn),
        };
        let opened = client.api.open_session(client.access(), opening).await;
        Ok(self.providers.keep(client, opened).await?.0)
    }

    /// What became of this try if its session was opened before and needs no submission: the process that opened it may have
    /// ended before it told anybody. Such a session is not opened twice.
    async fn under_way(&self, person: &Submitter, open: &OpenSession) -> Result<Option<OpenResult>, ProviderCallError> {
        let id = AttemptId::without_submission(open.session);
        let mut methods = open.institution.methods.iter();
        let method = methods.find(|method| method.id == open.method);
        if method.is_some_and(|method| method.journey == Journey::Keypad) {
            return Ok(None);
        }
        let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
            return Ok(None);
        };
        let session = self
            .deps
            .sealing
            .open_session(&attempt.tag, id, &attempt.provider_session)
            .map_err(|_| ProviderCallError::NotSetUp)?;
        match attempt.state {
            AttemptState::Waiting => {
                let client = self.providers.of_attempt(&attempt).await?;
                let answer = client.api.advance(client.access(), &session, Advance::Poll).await;
                let (stepped, _) = self.providers.keep(client, answer).await?;
                let session = match stepped.session {
                    Some(changed) => {
                        let changed = session.known_as(changed);
                        let saved = self.linking.save_session(&attempt, &changed).await;
                        saved.map_err(|_| ProviderCallError::NotSetUp)?;
                        changed
                    }
                    None => session,
                };
                self.go_on(person, open, session, stepped.step).await.map(Some)
            }
            AttemptState::Granted | AttemptState::Linked => Ok(Some(OpenResult::Granted { session, attempt: id })),
            _ => Ok(Some(OpenResult::Unavailable(None))),
        }
    }

    /// Goes on from a session that asks nothing first.
    async fn go_on(
        &self,
        person: &Submitter,
        open: &OpenSession,
        mut session: ProviderSession,
        step: NextStep,
    ) -> Result<OpenResult, ProviderCallError> {
        let id = AttemptId::without_submission(open.session);
        match self.linking.wait_of(step, &session, Some(&person.msisdn)) {
            Ok(wait) => {
                if self.begin_waiting(person, open, &session, &wait).await? {
                    self.jobs.run_now::<SendPageLink>(id).await;
                    let waiting = wait.waiting;
                    return Ok(OpenResult::Waiting {
                        session,
                        attempt: id,
                        waiting,
                    });
                }
                Ok(OpenResult::RequestEnded)
            }
            Err(NextStep::Prompt(form)) => {
                session.form = Some(form);
                Ok(OpenResult::Open(session))
            }
            Err(NextStep::ChooseAccounts { accounts, many, more }) => {
                let list = AccountList { accounts, many, more };
                Ok(OpenResult::Accounts { session, list })
            }
            Err(NextStep::Done(grant)) => {
                let until = self.deps.clock.now().plus(GRANT_WAITS);
                let wait = Wait {
                    waiting: Waiting {
                        what: WaitingFor::Time,
                        until,
                    },
                    poll_every: GRANT_WAITS,
                };
                if !self.begin_waiting(person, open, &session, &wait).await? {
                    return Ok(OpenResult::RequestEnded);
                }
                let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
                    return Err(ProviderCallError::NotSetUp);
                };
                if !self.store_grant(&attempt, &grant).await {
                    return Err(RecordsError::new("storing a grant failed").into());
                }
                let jobs = self.jobs.clone();
                self.deps.spawn(async move {
                    jobs.run_now::<Redeem>(id).await;
                });
                Ok(OpenResult::Granted { session, attempt: id })
            }
            Err(NextStep::Failed(failure)) => Ok(OpenResult::Failed(failure)),
            Err(NextStep::OpenLink { .. } | NextStep::ApproveElsewhere { .. } | NextStep::Wait { .. }) => {
                Err(ProviderError::Malformed("a wait that is none").into())
            }
        }
    }

    /// Writes the attempt that waits, with its consent. `false`: the partner's intent is over.
    async fn begin_waiting(
        &self,
        person: &Submitter,
        open: &OpenSession,
        session: &ProviderSession,
        wait: &Wait,
    ) -> Result<bool, ProviderCallError> {
        let begun = async {
            let consent = self.consent_for(person, open).await?;
            let new = NewAttempt {
                id: AttemptId::without_submission(open.session),
                ordinal: 0,
                step: SubmissionStep::Login,
                session,
                state: AttemptState::Waiting,
                waits_until: Some(wait.waiting.until),
                created_at: self.deps.clock.now(),
            };
            let attempt = self.attempt_row(open, &consent, &new)?;
            Ok::<_, BeginError>(self.linking.begin_waiting(&consent, &attempt, wait).await?)
        };
        begun.await.map_err(|error| match error {
            BeginError::Records(error) => error.into(),
            BeginError::NoConsent | BeginError::Seal(_) => ProviderCallError::NotSetUp,
        })
    }

    /// The form that may be shown to renew a link. Mono documents no form for a renewal: what its institution asks at a login
    /// is asked again, by an auth method that may be offered. A form that belongs to another method is never shown.
    fn renewal_form(&self, link: &Link, asked: Option<Form>) -> Option<Form> {
        let (partner, provider) = (link.partner, &link.provider);
        let all = self.catalogue.institution(partner, provider, &link.institution);
        let usable = self.catalogue.usable_methods(partner, provider, &link.institution);
        let Some(form) = asked else {
            return usable.into_iter().next().map(|method| method.form);
        };
        let of = |methods: &[AuthMethod]| methods.iter().any(|method| method.form.asks_same_fields(&form));
        let forbidden = all.is_some_and(|bank| of(&bank.methods)) && !of(&usable);
        (!forbidden).then_some(form)
    }
}
