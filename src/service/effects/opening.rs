//! Opens sessions at providers: early, when the institution is picked, or just before a submission.

use super::runner::EffectRunner;
use crate::core::flow::{AttemptResult, OpenResult, OpenSession, Submit};
use crate::core::ids::PartnerId;
use crate::core::next_step::{Failure, FailureClass, Form};
use crate::providers::{
    Access, AuthMethod, ProviderError, ProviderSession, SessionRequest, SessionResponse, SubmissionStep,
};
use crate::records::Link;
use crate::service::job::JobError;
use crate::service::providers::{ProviderCallError, session_reference};

impl EffectRunner {
    /// The provider's session to submit to: the one opened early, or one opened now if that did not work out or is over.
    pub(super) async fn session_for(&self, submit: &Submit) -> Result<ProviderSession, AttemptResult> {
        let now = self.deps.clock.now();
        if let Some(session) = &submit.provider_session
            && session.expires_at.is_none_or(|end| end > now)
        {
            return Ok(session.clone());
        }
        if submit.step != SubmissionStep::Login {
            return Err(AttemptResult::Failed(FailureClass::SessionExpired.into()));
        }
        match self.open_for(&submit.open).await {
            OpenResult::Open(session) => {
                let filled_in = submit
                    .open
                    .institution
                    .methods
                    .iter()
                    .find(|method| method.id == submit.open.method);
                let changed = match (&session.form, filled_in) {
                    (Some(form), Some(method)) => !method.form.asks_same_fields(form),
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
            // It has gone on without what was typed, which is not sent.
            OpenResult::Waiting { .. } | OpenResult::Accounts { .. } | OpenResult::Granted { .. } => {
                Err(AttemptResult::NotSent)
            }
            OpenResult::Renewed | OpenResult::Unavailable(None) => Err(AttemptResult::NotSent),
            OpenResult::Blocked => Err(AttemptResult::Failed(FailureClass::Misconfigured.into())),
        }
    }

    /// The partner that a session is opened for.
    pub(super) fn partner_of(&self, open: &OpenSession) -> PartnerId {
        open.partner.unwrap_or(self.providers.partner())
    }

    /// Opens a session at the provider. Nothing reaches a bank yet, so it may be repeated.
    pub(super) async fn open_for(&self, open: &OpenSession) -> OpenResult {
        if let Err(refused) = self.health.may_open(open) {
            return refused.open_result();
        }
        let opened = self.try_open(open).await;
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

    async fn try_open(&self, open: &OpenSession) -> Result<OpenResult, ProviderCallError> {
        let (provider, keys) = self.providers.with_keys(self.partner_of(open), &open.provider).await?;
        let access = Access::keys(&keys);
        let reference = session_reference(open.session);
        let Some(link) = open.renews else {
            let opening = SessionRequest::Link {
                institution: &open.institution,
                method: &open.method,
                reference: &reference,
                phone: None,
            };
            return match provider.open_session(access, opening).await?.value {
                SessionResponse::Session(session) => Ok(OpenResult::Open(session)),
                SessionResponse::Next(..) | SessionResponse::Done(_) => {
                    Err(ProviderError::Malformed("done before anything was asked").into())
                }
            };
        };
        let link = self.deps.records.link(link).await?.ok_or(ProviderCallError::NotSetUp)?;
        let account = link.accounts.first().ok_or(ProviderCallError::NotSetUp)?;
        let account = self
            .deps
            .sealing
            .open_account(&link.tag, account.id, &account.account)
            .map_err(|_| ProviderCallError::NotSetUp)?;
        let opening = SessionRequest::Reauth {
            account: &account,
            link: None,
        };
        match provider.open_session(access, opening).await?.value {
            SessionResponse::Next(..) => Err(ProviderError::Malformed("a renewal that leaves the phone").into()),
            SessionResponse::Done(grant) => match self.linking.renew_at_once(&link, grant).await {
                Ok(true) => Ok(OpenResult::Renewed),
                Ok(false) => Ok(OpenResult::Blocked),
                Err(JobError::Call(error)) => Err(error),
                Err(JobError::Records(error)) => Err(error.into()),
                Err(JobError::Sealed | JobError::Store(_)) => Err(ProviderCallError::NotSetUp),
            },
            SessionResponse::Session(mut session) => {
                session.form = self.renewal_form(&link, session.form);
                Ok(OpenResult::Open(session))
            }
        }
    }

    /// The form that may be shown to renew a link. Mono documents no form for a renewal: what its institution asks at a login
    /// is asked again, by an auth method that may be offered. A form that belongs to another method is never shown.
    fn renewal_form(&self, link: &Link, asked: Option<Form>) -> Option<Form> {
        let all = self.catalogue.institution(&link.provider, &link.institution);
        let usable = self.catalogue.usable_methods(&link.provider, &link.institution);
        let Some(form) = asked else {
            return usable.into_iter().next().map(|method| method.form);
        };
        let of = |methods: &[AuthMethod]| methods.iter().any(|method| method.form.asks_same_fields(&form));
        let forbidden = all.is_some_and(|bank| of(&bank.methods)) && !of(&usable);
        (!forbidden).then_some(form)
    }
}
