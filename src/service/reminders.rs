//! Reminds people, once and by SMS, of what they have left in the middle, see `core/flow/reminder.rs`.
//!
//! A job is written when somebody agrees, or begins a dialog with what an intent asks of them, and looks at the live value when
//! they may be gone: while they are not, it waits. It finds them by an index in the store: where the store has lost them,
//! nothing that they could go on with is left. As of every other SMS its row is the gate: written first, under a key that names
//! what it reminds of, with a code that is derived from the same.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backon::Retryable as _;

use super::deps::{Deps, write_backoff};
use super::job::{JobError, JobHandler, JobOutcome};
use super::live::{LiveError, LoadedValue};
use super::session_updater::SessionUpdater;
use super::sms::outbox::{OutgoingMessage, SmsOutbox};
use crate::core::access::TenantScope;
use crate::core::dial_code::DialCode;
use crate::core::flow::ReminderSubject;
use crate::core::flow::handover::HandoverDecision;
use crate::core::flow::recovery::RECOVERY_CODE_TTL;
use crate::core::flow::reminder::REMIND_AFTER;
use crate::core::flow::state::Subscriber;
use crate::core::ids::{ConsentId, IntentId, MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::service_codes::ServiceCodes;
use crate::core::sms::{MessageState, WithheldReason};
use crate::records::{IntentState, Job, JobType, RecordsError, SmsKind, SmsMessage};
use crate::store::IndexKey;

/// For how long it is known who is to be reminded: as long as the live value is kept.
const INDEX_TTL: Duration = Duration::from_hours(24);

/// How long a reminder is worth sending: its code must still work for most of its time when it is read.
const VALID_FOR: Duration = Duration::from_secs(RECOVERY_CODE_TTL.as_secs() / 3);

const AGREED_KEY: &str = "reminder:agreed:";
const ASKED_KEY: &str = "reminder:asked:";

/// Reminds somebody who has agreed.
pub struct RemindAgreed;

impl JobType for RemindAgreed {
    const NAME: &'static str = "remind_agreed";
    type Subject = ConsentId;
}

/// Reminds somebody whom a partner's SMS has asked.
pub struct RemindAsked;

impl JobType for RemindAsked {
    const NAME: &'static str = "remind_asked";
    type Subject = IntentId;
}

pub struct Reminders {
    pub deps: Deps,
    pub updater: SessionUpdater,
    pub outbox: Arc<SmsOutbox>,
    pub service_codes: ServiceCodes,
}

#[async_trait]
impl JobHandler<RemindAgreed> for Reminders {
    async fn run(&self, consent: ConsentId) -> Result<JobOutcome, JobError> {
        self.remind(ReminderSubject::Agreed(consent)).await
    }
}

#[async_trait]
impl JobHandler<RemindAsked> for Reminders {
    async fn run(&self, intent: IntentId) -> Result<JobOutcome, JobError> {
        self.remind(ReminderSubject::Asked(intent)).await
    }
}

impl Reminders {
    /// Sees to it that the person is reminded if they go away now. Where that cannot be written they are not: they can dial
    /// all the same.
    pub async fn schedule(&self, tag: &SubscriberTag, subject: ReminderSubject) {
        let (partner, due) = (self.outbox.partner(), self.deps.clock.now().plus(REMIND_AFTER));
        let job = match subject {
            ReminderSubject::Agreed(id) => RemindAgreed::job(partner, id, due),
            // Those who left by a key were not cut: another dial may be. Dials that are close together have one job.
            ReminderSubject::Asked(id) => {
                let occasion = due.as_millis() / i64::try_from(REMIND_AFTER.as_millis()).unwrap_or(i64::MAX);
                RemindAsked::job(partner, id, due).on_occasion(occasion)
            }
        };
        if let Err(error) = self.try_schedule(tag, subject, &job).await {
            tracing::warn!(%error, "a reminder cannot be scheduled");
        }
    }

    async fn try_schedule(&self, tag: &SubscriberTag, subject: ReminderSubject, job: &Job) -> Result<(), JobError> {
        let name = self.index(subject);
        self.deps
            .store
            .set_index(&name, tag, INDEX_TTL)
            .await
            .map_err(JobError::Store)?;
        let enqueue = || self.deps.records.enqueue(job);
        Ok(enqueue.retry(write_backoff()).await?)
    }

    /// Says nothing to anyone who reads the store.
    fn index(&self, subject: ReminderSubject) -> IndexKey {
        IndexKey(self.deps.sealing.keyring.digest("reminder", &[key(subject).as_bytes()]))
    }

    async fn remind(&self, subject: ReminderSubject) -> Result<JobOutcome, JobError> {
        let found = self.deps.store.look_up(&self.index(subject)).await;
        let Some(tag) = found.map_err(JobError::Store)? else {
            return Ok(JobOutcome::Done);
        };
        let loaded = self.updater.live.load(&tag).await.map_err(JobError::Store)?;
        let LoadedValue::Subscriber(mut state) = loaded.value else {
            return Ok(JobOutcome::Done);
        };
        match self.decide(&mut state, subject) {
            HandoverDecision::Nothing => Ok(JobOutcome::Done),
            HandoverDecision::Later(at) => Ok(JobOutcome::RetryIn("dialog", at.since(self.deps.clock.now()))),
            HandoverDecision::Send(text) => {
                let partner = self.updater.flow.get().partner_in_force(&state);
                let kind = match subject {
                    ReminderSubject::Agreed(_) => SmsKind::HandOver,
                    ReminderSubject::Asked(intent) if self.was_texted(partner, &tag, intent).await? => SmsKind::Request,
                    ReminderSubject::Asked(_) => return Ok(JobOutcome::Done),
                };
                if let Some(end) = self.enqueue_sms(&state, (subject, kind, partner), &text).await? {
                    return Ok(end);
                }
                let noted = self.updater.live.update(&tag, |state| {
                    let sent = matches!(self.decide(state, subject), HandoverDecision::Send(_));
                    sent.then_some(())
                });
                Ok(noted
                    .await
                    .map_or_else(|error| store_unavailable(&error), |_| JobOutcome::Done))
            }
        }
    }

    fn decide(&self, state: &mut Subscriber, subject: ReminderSubject) -> HandoverDecision {
        let mut context = self.deps.context(self.deps.clock.now(), None, "");
        let digest = self
            .deps
            .sealing
            .keyring
            .digest("reminder code", &[key(subject).as_bytes()]);
        context.ids.code = DialCode::from_digest(&digest);
        let channel = state.dialogs.first().map(|dialog| dialog.channel.clone());
        let code = self.service_codes.of(channel.as_deref());
        self.updater.flow.get().reminder_sms(state, subject, code, &context)
    }

    /// Whether the partner's own SMS has asked this person, and still may: its intent is open, and they want SMS.
    async fn was_texted(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        intent: IntentId,
    ) -> Result<bool, RecordsError> {
        let records = &self.deps.records;
        let invitation = records.message_about(partner, &format!("intent:{intent}")).await?;
        if !invitation.is_some_and(|sms| sms.tag == *tag && sms.state.may_be_read()) {
            return Ok(false);
        }
        // A STOP goes to the number that SMS come from, whichever partner they were sent for.
        let preference = records.sms_preference(self.outbox.partner(), tag).await?;
        if preference.is_some_and(|preference| preference.stopped) {
            return Ok(false);
        }
        let scope = TenantScope {
            partner,
            entity: None,
            own: None,
        };
        let now = self.deps.clock.now();
        let found = records.intent(&scope, intent).await?;
        Ok(found.is_some_and(|intent| intent.state == IntentState::Open && intent.expires_at > now))
    }

    /// Writes an SMS to be sent, once. What cannot be written ends the job. One that repeats a partner's own counts as
    /// that partner's.
    async fn enqueue_sms(
        &self,
        state: &Subscriber,
        (subject, kind, partner): (ReminderSubject, SmsKind, PartnerId),
        text: &str,
    ) -> Result<Option<JobOutcome>, JobError> {
        let message = OutgoingMessage {
            to: &state.msisdn,
            kind,
            key: key(subject),
            text,
            route: None,
            valid_for: VALID_FOR,
        };
        let on_behalf = match kind {
            SmsKind::Request => partner,
            SmsKind::HandOver | SmsKind::Reply => self.outbox.partner(),
        };
        match self.outbox.enqueue_for(on_behalf, message).await {
            Ok(_) => Ok(None),
            Err(error) => error.job_outcome().map(Some),
        }
    }

    /// Withholds such an SMS if the person is back before it could be sent.
    ///
    /// # Errors
    /// When the records or the store are not available.
    pub async fn withhold_if_outdated(&self, id: MessageId) -> Result<(), JobError> {
        let queued = self.deps.records.message(id).await?;
        let queued = queued.filter(|message| message.state == MessageState::Queued);
        let Some((message, subject)) = queued.and_then(|message| subject(&message).map(|of| (message, of))) else {
            return Ok(());
        };
        let loaded = self.updater.live.load(&message.tag).await.map_err(JobError::Store)?;
        let now = self.deps.clock.now();
        if let LoadedValue::Subscriber(state) = loaded.value
            && state.came_back(subject, now)
        {
            let withheld = MessageState::Withheld(WithheldReason::PersonDialed);
            self.deps.records.move_message(id, withheld, now).await?;
        }
        Ok(())
    }
}

/// The key of a reminder.
fn key(subject: ReminderSubject) -> String {
    match subject {
        ReminderSubject::Agreed(id) => format!("{AGREED_KEY}{id}"),
        ReminderSubject::Asked(id) => format!("{ASKED_KEY}{id}"),
    }
}

/// What an SMS reminds of, if it is a reminder.
fn subject(message: &SmsMessage) -> Option<ReminderSubject> {
    let agreed = message
        .key
        .strip_prefix(AGREED_KEY)
        .and_then(|id| ConsentId::parse(id).ok());
    let asked = || {
        message
            .key
            .strip_prefix(ASKED_KEY)
            .and_then(|id| IntentId::parse(id).ok())
    };
    let agreed = agreed.map(ReminderSubject::Agreed);
    agreed.or_else(|| asked().map(ReminderSubject::Asked))
}

fn store_unavailable(error: &LiveError) -> JobOutcome {
    tracing::warn!(%error, "store unavailable, reminder to be retried");
    JobOutcome::Retry("store")
}
