//! The end of a consent: told in time, kept to, and moved on only by the person themselves.
//!
//! Each link has two jobs for its end, written with it. The first tells person and partner that it ends soon, the second ends
//! it. After a time in which nothing ran both are due: then the link ends, and the SMS says that it has.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::deps::Deps;
use super::job::{JobError, JobHandler, JobOutcome};
use super::linking::unlink::Unlink;
use super::session_updater::SessionUpdater;
use super::sms::outbox::{OutgoingMessage, SmsOutbox, SmsOutboxError};
use crate::core::flow::{KeepResult, KeepSharing, SessionEvent};
use crate::core::ids::{ConsentId, LinkId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::seal::{SealError, SubscriberTag};
use crate::core::service_codes::ServiceCodes;
use crate::records::{
    AnnounceEnd, AuditEntry, Consent, ConsentReplacement, ExpireLink, JobType, Link, QueuedSms, RecordsError, SmsKind,
};

/// How long it is news that a consent has ended.
const ENDED_VALID_FOR: Duration = Duration::from_hours(24);

const NO_SMS: &str = "the end of a consent cannot be told by SMS";

pub struct ConsentEnd {
    pub deps: Deps,
    pub updater: SessionUpdater,
    pub outbox: Arc<SmsOutbox>,
    pub service_codes: ServiceCodes,
}

#[async_trait]
impl JobHandler<AnnounceEnd> for ConsentEnd {
    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        let link = self.deps.records.link(id).await?;
        // Once it has ended, that is what is told.
        if let Some(link) = link.filter(|link| link.in_use_at(now)) {
            let sms = self.sms(&link, EndNotice::EndsSoon).await?;
            self.deps.records.announce_end(id, sms.as_ref(), now).await?;
        }
        Ok(JobOutcome::Done)
    }
}

#[async_trait]
impl JobHandler<ExpireLink> for ConsentEnd {
    /// The person has a right to it.
    const ENDLESS: bool = true;

    async fn run(&self, id: LinkId) -> Result<JobOutcome, JobError> {
        let now = self.deps.clock.now();
        let link = self.deps.records.link(id).await?;
        let Some(link) = link.filter(|link| link.in_use() && now >= link.until) else {
            return Ok(JobOutcome::Done);
        };
        let sms = self.sms(&link, EndNotice::Ended).await?;
        let unlink = Unlink::job(link.partner, id, now);
        if self.deps.records.expire_link(id, &unlink, sms.as_ref(), now).await? {
            let (partner, tag) = (link.partner, link.tag);
            self.deps
                .audit(partner, Some(tag), "link.expired", id.to_string())
                .await;
            self.updater.apply(&tag, &SessionEvent::Unlinked(id)).await;
        }
        Ok(JobOutcome::Done)
    }
}

/// What an SMS says of a consent.
#[derive(Clone, Copy)]
enum EndNotice {
    EndsSoon,
    Ended,
}

/// Why a new consent was not written.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl ConsentEnd {
    /// The SMS about the end of a link; `None` where none can be sent: the consent ends all the same.
    async fn sms(&self, link: &Link, told: EndNotice) -> Result<Option<QueuedSms>, JobError> {
        let records = &self.deps.records;
        let (consent, partner) = (
            records.consent(link.consent).await?,
            records.partner(link.partner).await?,
        );
        let Some((consent, partner)) = consent.zip(partner).filter(|_| self.outbox.is_available()) else {
            return Ok(None);
        };
        if self.is_long_unused(link).await? {
            return Ok(None);
        }
        let sealing = &self.deps.sealing;
        let to = match sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn) {
            Ok(to) => to,
            Err(error) => {
                tracing::error!(%error, "{NO_SMS}");
                return Ok(None);
            }
        };
        let locale = Locale::from_tag(&consent.locale).unwrap_or_default();
        let code = self.service_codes.of(Some(&consent.channel));
        let flow = self.updater.flow.get();
        let (key, text, valid_for) = match told {
            EndNotice::EndsSoon => {
                let left = link.until.since(self.deps.clock.now());
                ("ends_soon", flow.ends_soon_sms(locale, &partner.name, code), left)
            }
            EndNotice::Ended => ("ended", flow.ended_sms(locale, &partner.name, code), ENDED_VALID_FOR),
        };
        let message = OutgoingMessage {
            to: &to,
            kind: SmsKind::HandOver,
            // One for each end that the consent ever has.
            key: format!("{key}:{}:{}", consent.id, link.until.as_millis()),
            text: &text,
            route: None,
            valid_for,
        };
        match self.outbox.draft(message) {
            Ok(drafted) => Ok(Some(drafted)),
            Err(SmsOutboxError::Records(error)) => Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "{NO_SMS}");
                Ok(None)
            }
        }
    }

    /// Whether a link is one that a dial does not show: then the number may be somebody else's, who is told nothing of it.
    async fn is_long_unused(&self, link: &Link) -> Result<bool, RecordsError> {
        let (flow, now) = (self.updater.flow.get(), self.deps.clock.now());
        let settings = &flow.settings;
        // A PIN can only speak for more.
        if settings.used_after(None, now).is_none_or(|after| link.used_at > after) {
            return Ok(false);
        }
        let operator = settings.default_terms.partner;
        let known = self.deps.records.history(operator, &link.tag, now, true).await?;
        let after = settings.used_after(known.pin.as_ref(), now);
        Ok(after.is_some_and(|after| link.used_at <= after))
    }

    /// Writes a person's new consent for a link, and tells them.
    pub async fn keep(&self, tag: &SubscriberTag, msisdn: &Msisdn, keep: &KeepSharing) {
        let result = match self.try_keep(tag, msisdn, keep).await {
            Ok(Some(ConsentReplacement::Until(until))) => KeepResult::Until(until),
            Ok(Some(ConsentReplacement::Ended) | None) => KeepResult::Ended,
            Err(error) => {
                tracing::warn!(%error, "writing a new consent failed");
                KeepResult::Failed
            }
        };
        let link = keep.link;
        self.updater
            .apply(tag, &SessionEvent::ConsentRenewed { link, result })
            .await;
    }

    async fn try_keep(
        &self,
        tag: &SubscriberTag,
        msisdn: &Msisdn,
        keep: &KeepSharing,
    ) -> Result<Option<ConsentReplacement>, KeepError> {
        let records = &self.deps.records;
        let link = records.link(keep.link).await?.filter(|link| link.tag == *tag);
        let before = match &link {
            Some(link) => records.consent(link.consent).await?,
            None => None,
        };
        let Some(before) = before else { return Ok(None) };
        let consent = self
            .deps
            .sealing
            .given_consent(tag, msisdn, before.partner, &keep.consent)?;
        // It answers what the one before it did.
        let consent = Consent {
            intent: before.intent,
            ..consent
        };
        let audit = AuditEntry::new(
            before.partner,
            "consent.renewed",
            keep.link.to_string(),
            consent.agreed_at,
        );
        let (link, replaced): (LinkId, ConsentId) = (keep.link, keep.replaces);
        let replacing = records
            .replace_consent(link, replaced, &consent, &audit.about(*tag))
            .await?;
        Ok(Some(replacing))
    }
}
