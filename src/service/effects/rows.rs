//! What is written before anything is sent or waited for: the consent that allows it, and the attempt.

use super::runner::{EffectRunner, Submitter};
use crate::core::flow::OpenSession;
use crate::core::ids::{AttemptId, LinkId};
use crate::core::seal::SealError;
use crate::core::time::Timestamp;
use crate::providers::{ProviderSession, SubmissionStep};
use crate::records::{Attempt, AttemptState, Consent, RecordsError};

/// Why an attempt was not begun.
#[derive(Debug, thiserror::Error)]
pub(super) enum BeginError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("no consent stands for it")]
    NoConsent,
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What an attempt is, apart from who makes it and for what.
pub(super) struct NewAttempt<'a> {
    pub id: AttemptId,
    /// Which submission of its series; 0 for one that needs none.
    pub ordinal: u32,
    pub step: SubmissionStep,
    pub session: &'a ProviderSession,
    pub state: AttemptState,
    pub waits_until: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl EffectRunner {
    /// The consent that allows an attempt: the one just given, or for a renewal without one that of its link.
    pub(super) async fn consent_for(&self, person: &Submitter, open: &OpenSession) -> Result<Consent, BeginError> {
        let before = match open.renews {
            Some(link) => Some(self.consent_of(link).await?),
            None => None,
        };
        let Some(given) = &open.consent else {
            return before.ok_or(BeginError::NoConsent);
        };
        let partner = before.as_ref().map_or(self.partner_of(open), |before| before.partner);
        let consent = self
            .deps
            .sealing
            .given_consent(&person.tag, &person.msisdn, partner, given)?;
        if self.deps.clock.now() >= consent.until() {
            return Err(BeginError::NoConsent);
        }
        // A new one for a link answers what the one before it did.
        Ok(Consent {
            intent: before.map_or(consent.intent, |before| before.intent),
            ..consent
        })
    }

    async fn consent_of(&self, link: LinkId) -> Result<Consent, BeginError> {
        let link = self.deps.records.link(link).await?.ok_or(BeginError::NoConsent)?;
        let consent = self.deps.records.consent(link.consent).await?;
        consent.ok_or(BeginError::NoConsent)
    }

    pub(super) fn attempt_row(
        &self,
        open: &OpenSession,
        consent: &Consent,
        new: &NewAttempt<'_>,
    ) -> Result<Attempt, SealError> {
        let sealing = &self.deps.sealing;
        Ok(Attempt {
            id: new.id,
            session: open.session,
            series: open.series,
            ordinal: i64::from(new.ordinal),
            consent: consent.id,
            partner: consent.partner,
            tag: consent.tag,
            provider: open.provider.clone(),
            institution: open.institution.id.clone(),
            provider_institution: open.institution.provider_id.clone(),
            institution_name: open.institution.name.clone(),
            step: new.step,
            provider_session: sealing.seal_session(&consent.tag, new.id, new.session)?,
            session_digest: sealing.session_digest(&open.provider, &new.session.id),
            renews: open.renews,
            state: new.state,
            told: None,
            waits_until: new.waits_until,
            returned: None,
            created_at: new.created_at,
        })
    }
}
