//! Writes texts down, and hands them to their gateways one try at a time.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{SmsRoute, SmsRoutes};
use crate::core::gsm7;
use crate::core::ids::{JobId, MessageId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::{Keyring, SealContext, SubscriberTag};
use crate::core::secret::Secret;
use crate::core::sms::{self, MessageState, SmsFailureReason, WithheldReason};
use crate::core::time::Timestamp;
use crate::gateways::sms::{OutgoingSms, ReportMode, SmsSendError};
use crate::records::{
    Job, JobKind, Records, RecordsError, Result as RecordsResult, SmsKind, SmsLimit, SmsMessage, SmsPreference,
};
use crate::service::deps::Deps;
use crate::service::jobs::JobOutcome;

/// The span in which a person's texts are counted.
const CAP_SPAN: Duration = Duration::from_hours(24);
/// When a gateway that does not report by itself is asked for the first time what became of a text, and until when.
const ASK_AFTER: Duration = Duration::from_secs(30);
const ASK_UNTIL: Duration = Duration::from_hours(24);
/// How many texts this node hands over at once. A gateway that is slow holds up other texts, never other work.
const MAX_CONCURRENT: usize = 16;

/// Something to say to a person.
pub struct OutgoingMessage<'a> {
    /// To whom.
    pub to: &'a Msisdn,
    /// What it is for.
    pub kind: SmsKind,
    /// The fact it tells: the same fact is told once.
    pub key: String,
    /// The words; brought into the GSM alphabet.
    pub text: &'a str,
    /// By which gateway, and from which number or name if not its usual one; without, the one that serves the number.
    pub route: Option<(&'a SmsRoute, Option<String>)>,
    /// For how long it is worth sending.
    pub valid_for: Duration,
}

/// Why something cannot be said by text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsOutboxError {
    /// No SMS gateway is set up.
    #[error("no SMS gateway is set up")]
    NoGateway,
    /// The gateway does not take so many parts.
    #[error("the text is too long for its gateway")]
    TooLong,
    /// It cannot be sealed.
    #[error("the text cannot be sealed")]
    Sealed,
    /// The records are not available.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// What is sealed in a text's row.
#[derive(Serialize, Deserialize)]
struct Envelope {
    to: Msisdn,
    from: Option<String>,
    text: Zeroizing<String>,
}

/// Sends texts.
pub struct SmsOutbox {
    records: Arc<dyn Records>,
    keyring: Arc<Keyring>,
    partner: PartnerId,
    routes: SmsRoutes,
    runtime: Deps,
    slots: Semaphore,
}

impl SmsOutbox {
    /// Sends by these gateways, on behalf of this partner.
    pub fn new(
        records: Arc<dyn Records>,
        keyring: Arc<Keyring>,
        partner: PartnerId,
        routes: SmsRoutes,
        runtime: Deps,
    ) -> Self {
        Self {
            records,
            keyring,
            partner,
            routes,
            runtime,
            slots: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// On whose behalf.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    /// Whether there is a gateway to send anything by.
    pub fn is_available(&self) -> bool {
        !self.routes.is_empty()
    }

    /// A text and the job that sends it, neither of them written yet. To send it with a fact: keep the text without the
    /// job ([`crate::records::MessageRecords::add_message`]), then give the job to the fact's own transaction.
    ///
    /// # Errors
    /// When there is no gateway for it, or it is too long.
    pub fn draft(&self, note: OutgoingMessage<'_>) -> Result<(SmsMessage, Job), SmsOutboxError> {
        self.draft_for(self.partner, note)
    }

    /// The same, on behalf of this partner.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub fn draft_for(
        &self,
        partner: PartnerId,
        note: OutgoingMessage<'_>,
    ) -> Result<(SmsMessage, Job), SmsOutboxError> {
        let (line, from) = match note.route {
            Some((line, from)) => (line, from),
            None => (
                &**self.routes.for_number(note.to).ok_or(SmsOutboxError::NoGateway)?,
                None,
            ),
        };
        let text = gsm7::fold_lines(note.text);
        if sms::measure(&text).parts > line.gateway.capabilities().max_parts {
            return Err(SmsOutboxError::TooLong);
        }
        let envelope = Envelope {
            to: note.to.clone(),
            from: from.or_else(|| line.sender.clone()),
            text: Zeroizing::new(text),
        };
        let (id, tag) = (
            MessageId::generate(self.runtime.rng.as_ref()),
            self.keyring.tag(note.to),
        );
        let plain = Zeroizing::new(serde_json::to_vec(&envelope).map_err(|_| SmsOutboxError::Sealed)?);
        let sealed = self
            .keyring
            .seal(&seal_context(&tag, &id), &plain, self.runtime.rng.as_ref())
            .map_err(|_| SmsOutboxError::Sealed)?;
        let now = self.runtime.clock.now();
        let message = SmsMessage {
            id,
            partner,
            tag,
            kind: note.kind,
            key: note.key,
            gateway: line.name.clone(),
            state: MessageState::Queued,
            sealed: Some(sealed),
            gateway_id: None,
            tries: 0,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(note.valid_for),
        };
        let job = Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner,
            kind: JobKind::SendSms(id),
            due_at: now,
            tries: 0,
            key: format!("sms:{id}"),
        };
        Ok((message, job))
    }

    /// Writes a text down to be sent, unless its fact was told before; says whether it was written.
    ///
    /// # Errors
    /// As [`Self::draft`], and when the records are not available.
    pub async fn enqueue(&self, note: OutgoingMessage<'_>) -> Result<bool, SmsOutboxError> {
        let (message, job) = self.draft(note)?;
        Ok(self.records.add_message(&message, &[job]).await?)
    }

    /// Hands one text over if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> RecordsResult<JobOutcome> {
        let Some(message) = self.records.message(id).await? else {
            return Ok(JobOutcome::GiveUp("no such text"));
        };
        match message.state {
            MessageState::Queued => {}
            // Whoever was at it did not come back: it may have gone.
            MessageState::Sending => return self.set_state(&message, MessageState::Unknown).await,
            _ => return Ok(JobOutcome::Done),
        }
        let now = self.runtime.clock.now();
        if now >= message.expires_at {
            return self
                .set_state(&message, MessageState::Withheld(WithheldReason::Expired))
                .await;
        }
        let opened = self.routes.by_name(&message.gateway).zip(self.open(&message));
        let Some((line, outgoing)) = opened else {
            tracing::error!(
                line = message.gateway,
                "a text cannot be sent: its gateway is gone, or it does not open"
            );
            return self
                .set_state(&message, MessageState::Withheld(WithheldReason::Unsendable))
                .await;
        };
        let Ok(_place) = self.slots.try_acquire() else {
            return Ok(JobOutcome::Retry("crowded"));
        };
        let allowance = SmsLimit {
            max: line.daily_cap,
            since: now.minus(CAP_SPAN),
        };
        if let Some(state) = self.records.begin_sending(id, allowance, now).await? {
            tracing::info!(tag = ?message.tag, ?state, "a text is not sent");
            return Ok(JobOutcome::Done);
        }
        self.send_by(&message, line, &outgoing).await
    }

    async fn send_by(
        &self,
        message: &SmsMessage,
        line: &SmsRoute,
        outgoing: &OutgoingSms,
    ) -> RecordsResult<JobOutcome> {
        let (line_name, tag) = (&line.name, &message.tag);
        match line.gateway.send(outgoing).await {
            Ok(sent) => {
                tracing::info!(
                    line = line_name,
                    ?tag,
                    cost = sent.cost,
                    "a text was taken by its gateway"
                );
                if line.gateway.capabilities().reports == ReportMode::Polled {
                    // Before the text has its id: a job that finds none waits for it or ends.
                    self.records.enqueue(&self.report_job(message)).await?;
                }
                self.records
                    .accepted_by_gateway(message.id, &sent.message_id, self.runtime.clock.now())
                    .await?;
                Ok(JobOutcome::Done)
            }
            Err(SmsSendError::NotSent(why, pause)) => {
                tracing::warn!(
                    line = line_name,
                    ?tag,
                    why,
                    "a text was not sent; it will be tried again"
                );
                let now = self.runtime.clock.now();
                self.records.requeue_message(message.id, now).await?;
                Ok(JobOutcome::RetryAfter("gateway", pause))
            }
            Err(SmsSendError::Refused(why)) => {
                tracing::info!(line = line_name, ?tag, ?why, "a text was refused for good");
                if why == SmsFailureReason::OptedOut {
                    self.record_opt_out(message.partner, tag, self.runtime.clock.now())
                        .await?;
                }
                self.set_state(message, MessageState::Failed(why)).await
            }
            Err(SmsSendError::Unknown(why)) => {
                tracing::warn!(
                    line = line_name,
                    ?tag,
                    why,
                    "whether a text was sent is not known; it is not repeated"
                );
                self.set_state(message, MessageState::Unknown).await
            }
        }
    }

    /// The job that asks what became of a text.
    fn report_job(&self, message: &SmsMessage) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: message.partner,
            kind: JobKind::AskReport(message.id),
            due_at: self.runtime.clock.now().plus(ASK_AFTER),
            tries: 0,
            key: format!("sms-report:{}", message.id),
        }
    }

    /// Asks a gateway once what became of a text, and again later if that is not known: ever more rarely, for a day.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn poll_report(&self, id: MessageId) -> RecordsResult<JobOutcome> {
        let Some(message) = self.records.message(id).await? else {
            return Ok(JobOutcome::GiveUp("no such text"));
        };
        let age = self.runtime.clock.now().since(message.created_at);
        if message.state.is_final() || age > ASK_UNTIL {
            return Ok(JobOutcome::Done);
        }
        let later = JobOutcome::RetryAfter("not delivered yet", Some(age / 2));
        let Some(gateway_id) = &message.gateway_id else {
            // Its answer is being written, or was lost.
            let lost = message.state == MessageState::Unknown;
            return Ok(if lost { JobOutcome::Done } else { later });
        };
        let Some(line) = self.routes.by_name(&message.gateway) else {
            return Ok(JobOutcome::Done);
        };
        let Some(state) = line.gateway.query_delivery(gateway_id).await else {
            return Ok(later);
        };
        let state = MessageState::from(state);
        self.records.move_message(id, state, self.runtime.clock.now()).await?;
        Ok(if state.is_final() { JobOutcome::Done } else { later })
    }

    /// Somebody told the gateway instead of us that they want no texts.
    pub(super) async fn record_opt_out(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        at: Timestamp,
    ) -> RecordsResult<()> {
        self.records
            .put_sms_preference(partner, tag, SmsPreference { stopped: true, at })
            .await
    }

    async fn set_state(&self, message: &SmsMessage, state: MessageState) -> RecordsResult<JobOutcome> {
        let now = self.runtime.clock.now();
        self.records.move_message(message.id, state, now).await?;
        Ok(JobOutcome::Done)
    }

    fn open(&self, message: &SmsMessage) -> Option<OutgoingSms> {
        let place = seal_context(&message.tag, &message.id);
        let plain = self.keyring.open(&place, message.sealed.as_deref()?).ok()?;
        let envelope: Envelope = serde_json::from_slice(&plain).ok()?;
        Some(OutgoingSms {
            to: envelope.to,
            from: envelope.from,
            text: Secret::new(envelope.text.as_str()),
            reference: message.id.to_string(),
        })
    }
}

fn seal_context<'a>(tag: &'a SubscriberTag, id: &'a MessageId) -> SealContext<'a> {
    SealContext {
        purpose: "message",
        subject: tag.as_bytes(),
        record: id.as_bytes(),
        field: "text",
    }
}
