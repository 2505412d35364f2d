//! Texts people what became of a submission when nobody was there any more to read it.
//!
//! There is one text for each answer to each attempt. Its job is asked for where the answer is told and no screen shows it
//! (`service/news.rs`), for a link in the link's own transaction; and again by whoever comes across an answer that is still
//! owed: the job that settles the attempt, and a gateway that says that a dialog ended before its last screen was seen. The
//! job waits until no dialog can be on any more.
//!
//! The text is written first, under a key that names the attempt and the answer, and only then is it remembered in the live
//! value. A server that dies in between does both again, and the text is there already. The code in it is derived from
//! that same key instead of being drawn, so that the one in the text is the one that works, however often this is done.
//!
//! Before it leaves it is looked at once more: who has dialled since knows, and gets no text.

use std::sync::Arc;
use std::time::Duration;

use super::deps::Deps;
use super::jobs::JobOutcome;
use super::linking::JobError;
use super::live::{LiveError, LoadedValue};
use super::sealing::Sealing;
use super::session_updater::SessionUpdater;
use super::sms::{OutgoingMessage, SmsOutbox, SmsOutboxError};
use crate::core::dial_code::DialCode;
use crate::core::flow::handover::{HandoverDecision, Notification};
use crate::core::flow::recovery::RECOVERY_CODE_TTL;
use crate::core::flow::state::Subscriber;
use crate::core::ids::{AttemptId, JobId, MessageId, PartnerId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::sms::{MessageState, WithheldReason};
use crate::core::time::Timestamp;
use crate::records::{Attempt, AttemptState, Job, JobKind, Records, SmsKind, SmsMessage};

/// For how long a result is worth a text.
const RESULT_VALID_FOR: Duration = Duration::from_hours(6);

/// For how long a question is: its code must still work for most of its time when it is read.
const QUESTION_VALID_FOR: Duration = Duration::from_secs(RECOVERY_CODE_TTL.as_secs() / 3);

/// Asks for hand-overs.
#[derive(Clone)]
pub struct HandoverQueue {
    /// Where jobs stand.
    pub records: Arc<dyn Records>,
    /// On whose behalf.
    pub partner: PartnerId,
    /// Clock, chance.
    pub runtime: Deps,
}

impl HandoverQueue {
    /// The job that sees to this text, if it is still owed then.
    pub fn job(&self, attempt: AttemptId, tidings: Notification, due_at: Timestamp) -> Job {
        Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: self.partner,
            kind: JobKind::HandOver(attempt),
            due_at,
            tries: 0,
            key: key(attempt, tidings),
        }
    }

    /// Asks for this text. Asked for twice on the same occasion it is asked for once; an occasion of its own is a dialog,
    /// by the digest of its name, that was closed before its answer was seen.
    pub async fn enqueue(&self, attempt: AttemptId, tidings: Notification, closed: Option<&[u8; 32]>) {
        let mut job = self.job(attempt, tidings, self.runtime.clock.now());
        if let Some(dialog) = closed {
            let dialog = dialog.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
            job.key = format!("{}:{dialog:016x}", job.key);
        }
        if let Err(error) = self.records.enqueue(&job).await {
            tracing::warn!(%error, "a text could not be asked for");
        }
    }
}

/// Writes these texts, and sends all.
pub struct HandoverMessages {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// The conversation, live values.
    pub newsroom: SessionUpdater,
    /// Opens numbers.
    pub sealing: Sealing,
    /// Takes texts.
    pub outbox: Arc<SmsOutbox>,
    /// Each channel's name and the code that people dial, in the order of the configuration.
    pub service_codes: Vec<(String, String)>,
}

impl HandoverMessages {
    /// Writes what is to be texted about an attempt now.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn write(&self, id: AttemptId) -> Result<JobOutcome, JobError> {
        let Some((attempt, _)) = self.records.attempt(id).await? else {
            // It was told before it came as far as the records, such as that nothing was sent: the next dial says so.
            return Ok(JobOutcome::Done);
        };
        let mut state = match self.newsroom.live.load(&attempt.tag).await.map(|loaded| loaded.value) {
            Ok(LoadedValue::Subscriber(state)) => *state,
            Ok(LoadedValue::Nothing | LoadedValue::Unreadable(_)) => {
                return self.write_without_live_value(&attempt).await;
            }
            Err(error) => return Ok(store_unavailable(&error.into())),
        };
        let Some(tidings) = state.unseen_notification(id) else {
            return Ok(JobOutcome::Done);
        };
        match self.hand_over(&mut state, id, tidings) {
            HandoverDecision::Nothing => Ok(JobOutcome::Done),
            HandoverDecision::Later(at) => {
                let pause = at.since(self.newsroom.runtime.clock.now());
                Ok(JobOutcome::RetryAfter("dialog", Some(pause)))
            }
            HandoverDecision::Send(text) => {
                if let Some(end) = self.enqueue_sms(&state.msisdn, id, tidings, &text).await? {
                    return Ok(end);
                }
                let remembered = self.newsroom.live.update(&attempt.tag, |state| {
                    let owed = state.unseen_notification(id) == Some(tidings);
                    let texted = owed && matches!(self.hand_over(state, id, tidings), HandoverDecision::Send(_));
                    texted.then_some(())
                });
                Ok(remembered
                    .await
                    .map_or_else(|error| store_unavailable(&error), |_| JobOutcome::Done))
            }
        }
    }

    /// The store has lost this person. Of a link they are told all the same; anything else the next dial tells.
    async fn write_without_live_value(&self, attempt: &Attempt) -> Result<JobOutcome, JobError> {
        let consent = match attempt.state {
            AttemptState::Linked => self.records.consent(attempt.consent).await?,
            _ => None,
        };
        let Some(consent) = consent else {
            return Ok(JobOutcome::Done);
        };
        let to = self
            .sealing
            .open_msisdn(&consent.tag, consent.id, &consent.msisdn)
            .map_err(|_| JobError::Sealed)?;
        let locale = Locale::from_tag(&consent.locale).unwrap_or_default();
        let partner = self.records.partner(consent.partner).await?;
        let partner = partner.map(|partner| partner.name).unwrap_or_default();
        let text = self
            .newsroom
            .flow
            .linked_sms(locale, &partner, self.service_code(Some(&consent.channel)));
        let end = self.enqueue_sms(&to, attempt.id, Notification::Linked, &text).await?;
        Ok(end.unwrap_or(JobOutcome::Done))
    }

    /// Hands a text over to its gateway, unless it tells what the person knows by now.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> Result<JobOutcome, JobError> {
        if let Some(message) = self.records.message(id).await?
            && message.state == MessageState::Queued
            && let Some((attempt, tidings)) = subject(&message)
        {
            match self.newsroom.live.load(&message.tag).await.map(|loaded| loaded.value) {
                Ok(LoadedValue::Subscriber(state)) if state.unseen_notification(attempt) != Some(tidings) => {
                    let (now, told) = (
                        self.newsroom.runtime.clock.now(),
                        MessageState::Withheld(WithheldReason::PersonDialed),
                    );
                    self.records.move_message(id, told, now).await?;
                    return Ok(JobOutcome::Done);
                }
                Ok(_) => {}
                Err(error) => return Ok(store_unavailable(&error.into())),
            }
        }
        Ok(self.outbox.send(id).await?)
    }

    /// What the conversation says of it, with the code that belongs to this text.
    fn hand_over(&self, state: &mut Subscriber, id: AttemptId, tidings: Notification) -> HandoverDecision {
        let runtime = &self.newsroom.runtime;
        let mut context = runtime.context(runtime.clock.now(), None, "");
        let parts = [id.as_bytes().as_slice(), tidings.as_str().as_bytes()];
        let digest = self.sealing.keyring.digest("hand-over code", &parts);
        context.ids.code = DialCode::from_digest(&digest);
        let channel = state.dialogs.first().map(|dialog| dialog.channel.clone());
        self.newsroom
            .flow
            .handover_sms(state, id, self.service_code(channel.as_deref()), &context)
    }

    /// Writes a text down, once. What cannot be written ends the job.
    async fn enqueue_sms(
        &self,
        to: &Msisdn,
        id: AttemptId,
        tidings: Notification,
        text: &str,
    ) -> Result<Option<JobOutcome>, JobError> {
        let note = OutgoingMessage {
            to,
            kind: SmsKind::HandOver,
            key: key(id, tidings),
            text,
            route: None,
            valid_for: match tidings {
                Notification::Question => QUESTION_VALID_FOR,
                Notification::Linked | Notification::NotLinked | Notification::Mismatched => RESULT_VALID_FOR,
            },
        };
        match self.outbox.enqueue(note).await {
            Ok(_) => Ok(None),
            Err(SmsOutboxError::Records(error)) => Err(error.into()),
            Err(SmsOutboxError::NoGateway) => Ok(Some(JobOutcome::GiveUp("no gateway"))),
            Err(SmsOutboxError::TooLong) => Ok(Some(JobOutcome::GiveUp("too long"))),
            Err(SmsOutboxError::Sealed) => Err(JobError::Sealed),
        }
    }

    /// What is dialled on this channel; on one that is not set up any more, what is dialled on the first.
    fn service_code(&self, channel: Option<&str>) -> &str {
        service_code_of(&self.service_codes, channel)
    }
}

/// What is dialled on this channel, by the names and codes of all; on one that is not set up any more, the first's.
pub(super) fn service_code_of<'a>(codes: &'a [(String, String)], channel: Option<&str>) -> &'a str {
    let named = codes.iter().find(|(name, _)| Some(name.as_str()) == channel);
    named.or(codes.first()).map_or("", |(_, code)| code)
}

/// The fact that a text tells.
fn key(attempt: AttemptId, tidings: Notification) -> String {
    format!("handover:{attempt}:{}", tidings.as_str())
}

/// What a text is about, if it is one of these.
fn subject(message: &SmsMessage) -> Option<(AttemptId, Notification)> {
    let (attempt, word) = message.key.strip_prefix("handover:")?.split_once(':')?;
    let tidings = Notification::ALL.into_iter().find(|tidings| tidings.as_str() == word)?;
    Some((AttemptId::parse(attempt).ok()?, tidings))
}

fn store_unavailable(error: &LiveError) -> JobOutcome {
    tracing::warn!(%error, "whether a text is still owed cannot be told now");
    JobOutcome::Retry("store")
}
