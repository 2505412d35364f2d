//! Writes texts down, and hands them to their gateways one try at a time.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{Line, Lines};
use crate::core::gsm7;
use crate::core::ids::{JobId, MessageId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::{Keyring, Place, Tag};
use crate::core::secret::Secret;
use crate::core::sms::{self, Failure, MessageState, Withheld};
use crate::core::time::Timestamp;
use crate::records::{
    Allowance, Job, JobKind, Message, MessageKind, Records, RecordsError, Result as RecordsResult, Wish,
};
use crate::service::jobs::Verdict;
use crate::service::runtime::Runtime;
use crate::sms::{OutgoingSms, ReportKind, SendError};

/// The span in which a person's texts are counted.
const CAP_SPAN: Duration = Duration::from_hours(24);
/// When a gateway that does not report by itself is asked for the first time what became of a text, and until when.
const ASK_AFTER: Duration = Duration::from_secs(30);
const ASK_UNTIL: Duration = Duration::from_hours(24);
/// How many texts this node hands over at once. A gateway that is slow holds up other texts, never other work.
const AT_ONCE: usize = 16;

/// Something to say to a person.
pub struct Note<'a> {
    /// To whom.
    pub to: &'a Msisdn,
    /// What it is for.
    pub kind: MessageKind,
    /// The fact it tells: the same fact is told once.
    pub key: String,
    /// The words; brought into the GSM alphabet.
    pub text: &'a str,
    /// By which gateway, and from which number or name if not its usual one; without, the one that serves the number.
    pub by: Option<(&'a Line, Option<String>)>,
    /// For how long it is worth sending.
    pub within: Duration,
}

/// Why something cannot be said by text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
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
pub struct Outbox {
    records: Arc<dyn Records>,
    keyring: Arc<Keyring>,
    partner: PartnerId,
    lines: Lines,
    runtime: Runtime,
    places: Semaphore,
}

impl Outbox {
    /// Sends by these gateways, on behalf of this partner.
    pub fn new(
        records: Arc<dyn Records>,
        keyring: Arc<Keyring>,
        partner: PartnerId,
        lines: Lines,
        runtime: Runtime,
    ) -> Self {
        Self {
            records,
            keyring,
            partner,
            lines,
            runtime,
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// On whose behalf.
    pub fn partner(&self) -> PartnerId {
        self.partner
    }

    /// Whether there is a gateway to send anything by.
    pub fn can_text(&self) -> bool {
        !self.lines.is_empty()
    }

    /// A text and the job that sends it, neither of them written yet. To send it with a fact: keep the text without the
    /// job ([`crate::records::MessageRecords::keep_message`]), then give the job to the fact's own transaction.
    ///
    /// # Errors
    /// When there is no gateway for it, or it is too long.
    pub fn draft(&self, note: Note<'_>) -> Result<(Message, Job), PostError> {
        self.draft_of(self.partner, note)
    }

    /// The same, on behalf of this partner.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub fn draft_of(&self, partner: PartnerId, note: Note<'_>) -> Result<(Message, Job), PostError> {
        let (line, from) = match note.by {
            Some((line, from)) => (line, from),
            None => (&**self.lines.serving(note.to).ok_or(PostError::NoGateway)?, None),
        };
        let text = gsm7::fold_lines(note.text);
        if sms::size(&text).parts > line.gateway.capabilities().most_parts {
            return Err(PostError::TooLong);
        }
        let envelope = Envelope {
            to: note.to.clone(),
            from: from.or_else(|| line.sender.clone()),
            text: Zeroizing::new(text),
        };
        let (id, tag) = (
            MessageId::draw(self.runtime.entropy.as_ref()),
            self.keyring.tag(note.to),
        );
        let plain = Zeroizing::new(serde_json::to_vec(&envelope).map_err(|_| PostError::Sealed)?);
        let sealed = self
            .keyring
            .seal(&place(&tag, &id), &plain, self.runtime.entropy.as_ref())
            .map_err(|_| PostError::Sealed)?;
        let now = self.runtime.clock.now();
        let message = Message {
            id,
            partner,
            tag,
            kind: note.kind,
            key: note.key,
            line: line.name.clone(),
            state: MessageState::Queued,
            sealed: Some(sealed),
            gateway_id: None,
            tries: 0,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(note.within),
        };
        let job = Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
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
    pub async fn post(&self, note: Note<'_>) -> Result<bool, PostError> {
        let (message, job) = self.draft(note)?;
        Ok(self.records.keep_message(&message, &[job]).await?)
    }

    /// Hands one text over if that is still to be done.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn send(&self, id: MessageId) -> RecordsResult<Verdict> {
        let Some(message) = self.records.message(id).await? else {
            return Ok(Verdict::GiveUp("no such text"));
        };
        match message.state {
            MessageState::Queued => {}
            // Whoever was at it did not come back: it may have gone.
            MessageState::Sending => return self.end(&message, MessageState::Unknown).await,
            _ => return Ok(Verdict::Done),
        }
        let now = self.runtime.clock.now();
        if now >= message.expires_at {
            return self.end(&message, MessageState::Withheld(Withheld::Expired)).await;
        }
        let opened = self.lines.named(&message.line).zip(self.open(&message));
        let Some((line, outgoing)) = opened else {
            tracing::error!(
                line = message.line,
                "a text cannot be sent: its gateway is gone, or it does not open"
            );
            return self.end(&message, MessageState::Withheld(Withheld::Unsendable)).await;
        };
        let Ok(_place) = self.places.try_acquire() else {
            return Ok(Verdict::Again("crowded"));
        };
        let allowance = Allowance {
            most: line.daily_cap,
            since: now.minus(CAP_SPAN),
        };
        if let Some(state) = self.records.begin_sending(id, allowance, now).await? {
            tracing::info!(tag = ?message.tag, ?state, "a text is not sent");
            return Ok(Verdict::Done);
        }
        self.hand_over(&message, line, &outgoing).await
    }

    async fn hand_over(&self, message: &Message, line: &Line, outgoing: &OutgoingSms) -> RecordsResult<Verdict> {
        let (line_name, tag) = (&line.name, &message.tag);
        match line.gateway.send(outgoing).await {
            Ok(sent) => {
                tracing::info!(
                    line = line_name,
                    ?tag,
                    cost = sent.cost,
                    "a text was taken by its gateway"
                );
                if line.gateway.capabilities().reports == ReportKind::Asked {
                    // Before the text has its id: a job that finds none waits for it or ends.
                    self.records.enqueue(&self.question(message)).await?;
                }
                self.records
                    .took(message.id, &sent.message_id, self.runtime.clock.now())
                    .await?;
                Ok(Verdict::Done)
            }
            Err(SendError::NotSent(why, pause)) => {
                tracing::warn!(
                    line = line_name,
                    ?tag,
                    why,
                    "a text was not sent; it will be tried again"
                );
                let now = self.runtime.clock.now();
                self.records.put_back(message.id, now).await?;
                Ok(Verdict::Later("gateway", pause))
            }
            Err(SendError::Refused(why)) => {
                tracing::info!(line = line_name, ?tag, ?why, "a text was refused for good");
                if why == Failure::OptedOut {
                    self.stopped(message.partner, tag, self.runtime.clock.now()).await?;
                }
                self.end(message, MessageState::Failed(why)).await
            }
            Err(SendError::Unknown(why)) => {
                tracing::warn!(
                    line = line_name,
                    ?tag,
                    why,
                    "whether a text was sent is not known; it is not repeated"
                );
                self.end(message, MessageState::Unknown).await
            }
        }
    }

    /// The job that asks what became of a text.
    fn question(&self, message: &Message) -> Job {
        Job {
            id: JobId::draw(self.runtime.entropy.as_ref()),
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
    pub async fn ask_report(&self, id: MessageId) -> RecordsResult<Verdict> {
        let Some(message) = self.records.message(id).await? else {
            return Ok(Verdict::GiveUp("no such text"));
        };
        let age = self.runtime.clock.now().since(message.created_at);
        if message.state.is_final() || age > ASK_UNTIL {
            return Ok(Verdict::Done);
        }
        let later = Verdict::Later("not delivered yet", Some(age / 2));
        let Some(gateway_id) = &message.gateway_id else {
            // Its answer is being written, or was lost.
            let lost = message.state == MessageState::Unknown;
            return Ok(if lost { Verdict::Done } else { later });
        };
        let Some(line) = self.lines.named(&message.line) else {
            return Ok(Verdict::Done);
        };
        let Some(state) = line.gateway.ask(gateway_id).await else {
            return Ok(later);
        };
        let state = MessageState::from(state);
        self.records.move_message(id, state, self.runtime.clock.now()).await?;
        Ok(if state.is_final() { Verdict::Done } else { later })
    }

    /// Somebody told the gateway instead of us that they want no texts.
    pub(super) async fn stopped(&self, partner: PartnerId, tag: &Tag, at: Timestamp) -> RecordsResult<()> {
        self.records.put_wish(partner, tag, Wish { stopped: true, at }).await
    }

    async fn end(&self, message: &Message, state: MessageState) -> RecordsResult<Verdict> {
        let now = self.runtime.clock.now();
        self.records.move_message(message.id, state, now).await?;
        Ok(Verdict::Done)
    }

    fn open(&self, message: &Message) -> Option<OutgoingSms> {
        let place = place(&message.tag, &message.id);
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

fn place<'a>(tag: &'a Tag, id: &'a MessageId) -> Place<'a> {
    Place {
        purpose: "message",
        subject: tag.as_bytes(),
        record: id.as_bytes(),
        field: "text",
    }
}
