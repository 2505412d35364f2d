//! Sends SMS about what became of an attempt when the person was no longer there to read it on a screen.
//!
//! There is one SMS for each answer to each attempt. Its job is enqueued where the answer is applied and no screen shows it
//! (`service/session_updater.rs`), for a link in the link's own transaction; and again by everything that comes across an
//! answer the person has not seen: the job that settles the attempt, and a gateway that says that a dialog ended before its
//! last screen was seen. The job waits until no dialog can be open any more.
//!
//! The SMS is written first, under a key that names the attempt and the answer, and only then is it noted in the live
//! value. A server that dies in between does both again, and finds the SMS already there. The code in it is derived from
//! that same key instead of being random, so that the code in the SMS is the one that works, however often this is done.
//!
//! Before it is sent it is checked once more: a person who has dialed since knows the answer, and gets no SMS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::deps::Deps;
use super::handover_queue::{HandOver, HandOverLeft};
use super::job::{JobError, JobHandler, JobOutcome};
use super::linking::linker::{link_of, notify_linked};
use super::live::{LiveError, LoadedValue};
use super::session_updater::SessionUpdater;
use super::sms::outbox::{OutgoingMessage, SmsOutbox};
use crate::core::attempt::ToldOutcome;
use crate::core::dial_code::DialCode;
use crate::core::flow::handover::{HandoverDecision, Notification};
use crate::core::flow::recovery::RECOVERY_CODE_TTL;
use crate::core::flow::state::Subscriber;
use crate::core::ids::{AttemptId, MessageId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::service_codes::ServiceCodes;
use crate::core::sms::{MessageState, WithheldReason};
use crate::records::{Attempt, AttemptState, RecordsError, SmsKind, SmsMessage};

/// How long a result is worth an SMS.
const RESULT_VALID_FOR: Duration = Duration::from_hours(6);

/// How long a question is: its code must still work for most of its time when it is read.
const QUESTION_VALID_FOR: Duration = Duration::from_secs(RECOVERY_CODE_TTL.as_secs() / 3);

/// What begins the keys of these SMS; the attempt and the answer follow.
const KEY_PREFIX: &str = "handover:";

pub struct HandoverMessages {
    pub deps: Deps,
    pub updater: SessionUpdater,
    pub outbox: Arc<SmsOutbox>,
    pub service_codes: ServiceCodes,
}

#[async_trait]
impl JobHandler<HandOver> for HandoverMessages {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        if let Some((found, _)) = self.deps.records.attempt(attempt).await? {
            notify_linked(&self.deps, &self.updater, &found).await?;
            if let Some(end) = self.write_receipt(&found).await? {
                return Ok(end);
            }
        }
        self.write(attempt).await
    }
}

#[async_trait]
impl JobHandler<HandOverLeft> for HandoverMessages {
    async fn run(&self, attempt: AttemptId) -> Result<JobOutcome, JobError> {
        self.write(attempt).await
    }
}

/// What the person is told of an attempt by SMS, when its dialog is not asked.
struct Recipient {
    to: Msisdn,
    locale: Locale,
    /// Who asked, as it is called.
    partner: String,
    /// The channel on which they agreed.
    channel: String,
}

impl HandoverMessages {
    /// Writes the SMS about an attempt that is due now, if one is.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn write(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.deps.records.attempt(id).await? else {
            // The person was told before it reached the records, such as that nothing was sent: the next dial says so.
            return Ok(JobOutcome::Done);
        };
        let mut state = match self.updater.live.load(&attempt.tag).await.map(|loaded| loaded.value) {
            Ok(LoadedValue::Subscriber(state)) => *state,
            Ok(LoadedValue::Nothing | LoadedValue::Unreadable(_)) => {
                return self.write_without_live_value(&attempt).await;
            }
            Err(error) => return Ok(store_unavailable(&error.into())),
        };
        if state.attempt_id() != Some(id) {
            // The person has gone on to something else, and nothing there tells them of this one.
            return self.write_without_live_value(&attempt).await;
        }
        let Some(notification) = state.unseen_notification(id) else {
            return Ok(JobOutcome::Done);
        };
        match self.decide(&mut state, id, notification) {
            HandoverDecision::Nothing => Ok(JobOutcome::Done),
            HandoverDecision::Later(at) => {
                let pause = at.since(self.deps.clock.now());
                Ok(JobOutcome::RetryAfter("dialog", Some(pause)))
            }
            HandoverDecision::Send(sms) => {
                if let Some(end) = self.enqueue_sms(&state.msisdn, id, notification, &sms).await? {
                    return Ok(end);
                }
                let noted = self.updater.live.update(&attempt.tag, |state| {
                    let unseen = state.unseen_notification(id) == Some(notification);
                    let sent = unseen && matches!(self.decide(state, id, notification), HandoverDecision::Send(_));
                    sent.then_some(())
                });
                Ok(noted
                    .await
                    .map_or_else(|error| store_unavailable(&error), |_| JobOutcome::Done))
            }
        }
    }

    /// The store has lost this person, or knows of another attempt. Of a link, and that one is none after all, they are told
    /// all the same, unless a screen has; the next dial tells anything else.
    async fn write_without_live_value(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let Some(notification) = self.untold(attempt).await? else {
            return Ok(JobOutcome::Done);
        };
        let Some(told) = self.recipient(attempt).await? else {
            return Ok(JobOutcome::Done);
        };
        let code = self.service_codes.of(Some(&told.channel));
        let flow = self.updater.flow.get();
        let sms = flow.result_sms(told.locale, notification, &told.partner, code);
        let end = self.enqueue_sms(&told.to, attempt.id, notification, &sms).await?;
        Ok(end.unwrap_or(JobOutcome::Done))
    }

    /// Who is told of an attempt, as its consent says; `None` where that is gone.
    async fn recipient(&self, attempt: &Attempt) -> Result<Option<Recipient>, JobError> {
        let records = &self.deps.records;
        let Some(consent) = records.consent(attempt.consent).await? else {
            return Ok(None);
        };
        let sealing = &self.deps.sealing;
        let partner = records.partner(consent.partner).await?;
        Ok(Some(Recipient {
            to: sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn)?,
            locale: Locale::from_tag(&consent.locale).unwrap_or_default(),
            partner: partner.map(|partner| partner.name).unwrap_or_default(),
            channel: consent.channel,
        }))
    }

    /// Whether everybody is told of their links by SMS, also those who have seen it on a screen.
    fn gives_receipts(&self) -> bool {
        self.updater.flow.get().settings.receipts
    }

    /// Writes the SMS that everybody gets for a new link, where the operator wants that; `None` where there is nothing to
    /// write. It is in the place of the one that says only that it is linked, under the same key.
    async fn write_receipt(&self, attempt: &Attempt) -> Result<Option<JobOutcome>, JobError> {
        if !self.gives_receipts() || attempt.renews.is_some() {
            return Ok(None);
        }
        let Some(link) = link_of(&self.deps, attempt).await? else {
            return Ok(None);
        };
        let Some(told) = self.recipient(attempt).await? else {
            return Ok(None);
        };
        let code = self.service_codes.of(Some(&told.channel));
        let sms = self
            .updater
            .flow
            .get()
            .receipt_sms(told.locale, &told.partner, link.until, code);
        let end = self
            .enqueue_sms(&told.to, attempt.id, Notification::Linked, &sms)
            .await?;
        Ok(Some(end.unwrap_or(JobOutcome::Done)))
    }

    /// Sends a queued SMS, unless it says what the person knows by now.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> Result<JobOutcome, JobError> {
        if let Some(message) = self.deps.records.message(id).await?
            && message.state == MessageState::Queued
            && let Some((attempt, notification)) = subject(&message)
        {
            let receipt = match notification {
                Notification::Linked => self.receipt_holds(attempt).await?,
                _ => None,
            };
            let known = match self.updater.live.load(&message.tag).await.map(|loaded| loaded.value) {
                Ok(_) if let Some(holds) = receipt => !holds,
                Ok(LoadedValue::Subscriber(state)) if state.attempt_id() == Some(attempt) => {
                    state.knows(attempt, notification, self.deps.clock.now())
                }
                Ok(LoadedValue::Subscriber(_)) => self.is_known(attempt, notification).await?,
                Ok(_) => false,
                Err(error) => return Ok(store_unavailable(&error.into())),
            };
            if known {
                let withheld = MessageState::Withheld(WithheldReason::PersonDialed);
                let now = self.deps.clock.now();
                self.deps.records.move_message(id, withheld, now).await?;
                return Ok(JobOutcome::Done);
            }
        }
        Ok(self.outbox.send(id).await?)
    }

    /// Whether the link is still in use that an attempt has made and there is a receipt for; `None` where there is none.
    async fn receipt_holds(&self, attempt: AttemptId) -> Result<Option<bool>, JobError> {
        if !self.gives_receipts() {
            return Ok(None);
        }
        Ok(match self.deps.records.attempt(attempt).await? {
            Some((attempt, _)) if attempt.renews.is_some() => None,
            Some((attempt, _)) => Some(link_of(&self.deps, &attempt).await?.is_some()),
            None => Some(false),
        })
    }

    /// Whether a person who has gone on to something else need not be told this.
    async fn is_known(&self, attempt: AttemptId, notification: Notification) -> Result<bool, JobError> {
        let untold = match self.deps.records.attempt(attempt).await? {
            Some((attempt, _)) => self.untold(&attempt).await?,
            None => None,
        };
        Ok(untold != Some(notification))
    }

    /// What the records say of an attempt and no screen has: that it has led to a link which is in use, or that the link to
    /// which it had led is none.
    async fn untold(&self, attempt: &Attempt) -> Result<Option<Notification>, RecordsError> {
        let (records, told) = (&self.deps.records, attempt.told);
        Ok(match attempt.state {
            AttemptState::Linked if told != Some(ToldOutcome::Linked) => {
                link_of(&self.deps, attempt).await?.map(|_| Notification::Linked)
            }
            AttemptState::Undone | AttemptState::OtherAccount if told != Some(ToldOutcome::NotLinked) => {
                let undone = records.made_link_in_use(attempt.id).await?;
                undone.then_some(Notification::NotLinked)
            }
            _ => None,
        })
    }

    /// What the conversation says of it, with the code that belongs to this SMS.
    fn decide(&self, state: &mut Subscriber, id: AttemptId, notification: Notification) -> HandoverDecision {
        let mut context = self.deps.context(self.deps.clock.now(), None, "");
        let parts = [id.as_bytes().as_slice(), notification.as_str().as_bytes()];
        let digest = self.deps.sealing.keyring.digest("hand-over code", &parts);
        context.ids.code = DialCode::from_digest(&digest);
        let channel = state.dialogs.first().map(|dialog| dialog.channel.clone());
        let code = self.service_codes.of(channel.as_deref());
        self.updater.flow.get().handover_sms(state, id, code, &context)
    }

    /// Writes an SMS to be sent, once. What cannot be written ends the job.
    async fn enqueue_sms(
        &self,
        to: &Msisdn,
        id: AttemptId,
        notification: Notification,
        sms: &str,
    ) -> Result<Option<JobOutcome>, JobError> {
        let message = OutgoingMessage {
            to,
            kind: SmsKind::HandOver,
            key: format!("{KEY_PREFIX}{id}:{}", notification.as_str()),
            text: sms,
            route: None,
            valid_for: match notification {
                Notification::Question | Notification::Approval => QUESTION_VALID_FOR,
                Notification::Linked | Notification::NotLinked | Notification::Mismatched => RESULT_VALID_FOR,
            },
        };
        match self.outbox.enqueue(message).await {
            Ok(_) => Ok(None),
            Err(error) => error.job_outcome().map(Some),
        }
    }
}

/// What an SMS is about, if it is one of these.
fn subject(message: &SmsMessage) -> Option<(AttemptId, Notification)> {
    let (attempt, word) = message.key.strip_prefix(KEY_PREFIX)?.split_once(':')?;
    let notification = Notification::ALL.into_iter().find(|one| one.as_str() == word)?;
    Some((AttemptId::parse(attempt).ok()?, notification))
}

fn store_unavailable(error: &LiveError) -> JobOutcome {
    tracing::warn!(%error, "store unavailable, handover SMS to be retried");
    JobOutcome::Retry("store")
}
