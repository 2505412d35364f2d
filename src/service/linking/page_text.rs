//! The text with the link to a page, for a person who has to open one.
//!
//! It is written under a key that names the attempt and how many there were before, and its link is derived from the same:
//! written twice, it is one text, and its link works.

use std::sync::Arc;

use async_trait::async_trait;

use crate::core::ids::AttemptId;
use crate::core::messages::Locale;
use crate::records::{Attempt, AttemptState, JobType, SmsKind};
use crate::service::deps::Deps;
use crate::service::flow_in_force::FlowInForce;
use crate::service::job::{JobError, JobHandler, JobOutcome};
use crate::service::page_links::PageLinks;
use crate::service::sms::outbox::{OutgoingMessage, SmsOutbox};

/// Sends the first text with the link to an attempt's page.
pub struct SendPageLink;

impl JobType for SendPageLink {
    const NAME: &'static str = "send_page_link";
    type Subject = AttemptId;
}

/// Writes texts with links to pages.
pub struct PageTexts {
    pub deps: Deps,
    pub flow: FlowInForce,
    pub pages: Arc<PageLinks>,
    pub outbox: Arc<SmsOutbox>,
}

#[async_trait]
impl JobHandler<SendPageLink> for PageTexts {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.write(attempt, 0).await
    }
}

impl PageTexts {
    /// Sends the text once more: at most one a minute.
    ///
    /// # Errors
    /// When it cannot be written now.
    pub async fn write_again(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let minutes = self.deps.clock.now().since(attempt.created_at).as_secs() / 60;
        self.write(id, u32::try_from(minutes).unwrap_or(u32::MAX).saturating_add(1))
            .await
    }

    /// Writes the text that has so many before it.
    async fn write(&self, id: AttemptId, nth: u32) -> Result<JobOutcome, JobError> {
        let records = &self.deps.records;
        let Some((attempt, _)) = records.attempt(id).await? else {
            return Ok(JobOutcome::GiveUp("no such attempt"));
        };
        let (Some(until), true) = (attempt.waits_until, attempt.state == AttemptState::Waiting) else {
            return Ok(JobOutcome::Done);
        };
        let now = self.deps.clock.now();
        if until <= now {
            return Ok(JobOutcome::Done);
        }
        let Some(url) = self.pages.issue(id, nth).await? else {
            return Ok(JobOutcome::GiveUp("no public address"));
        };
        let Some(consent) = records.consent(attempt.consent).await? else {
            return Ok(JobOutcome::GiveUp("no consent"));
        };
        let sealing = &self.deps.sealing;
        let to = sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn)?;
        let locale = Locale::from_tag(&consent.locale).unwrap_or_default();
        let partner = self.partner_name(&attempt).await?;
        let text = self.flow.get().page_link_sms(locale, &partner, url.expose());
        let message = OutgoingMessage {
            to: &to,
            // They have just asked for it, on the phone: it is an answer.
            kind: SmsKind::Reply,
            key: format!("page:{id}:{nth}"),
            text: &text,
            route: None,
            valid_for: until.since(now),
        };
        match self.outbox.enqueue(message).await {
            Ok(_) => Ok(JobOutcome::Done),
            Err(error) => error.job_outcome(),
        }
    }

    async fn partner_name(&self, attempt: &Attempt) -> Result<String, JobError> {
        let partner = self.deps.records.partner(attempt.partner).await?;
        Ok(partner.map(|partner| partner.name).unwrap_or_default())
    }
}
