//! Texts to people: their rows, and how their states are spelt in them.

use std::time::Duration;

use async_trait::async_trait;

use super::{Job, RecordsError, Result};
use crate::core::ids::{MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, SmsFailureReason, WithheldReason};
use crate::core::time::Timestamp;

/// How long a report is kept that no text belongs to yet.
pub(super) const EARLY_FOR: Duration = Duration::from_hours(24);

/// A text of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsMessage {
    /// Its id.
    pub id: MessageId,
    /// On whose behalf.
    pub partner: PartnerId,
    /// To whom.
    pub tag: SubscriberTag,
    /// What it is for.
    pub kind: SmsKind,
    /// The fact it tells: of one partner no two texts may carry the same key.
    pub key: String,
    /// The SMS gateway, as the configuration names it.
    pub gateway: String,
    /// Where it stands.
    pub state: MessageState,
    /// Number and words, sealed; wiped once it has left or never will.
    pub sealed: Option<Vec<u8>>,
    /// The gateway's id of it.
    pub gateway_id: Option<String>,
    /// How often it was handed to the gateway.
    pub tries: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// From then on it is not sent any more.
    pub expires_at: Timestamp,
}

impl SmsMessage {
    /// The stable names of what it is for and of where it stands.
    pub fn names(&self) -> (&'static str, &'static str) {
        (kind_word(self.kind), state_columns(self.state).0)
    }
}

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsKind {
    /// Says what became of something after the dialog had ended. Not sent to people who want no texts.
    HandOver,
    /// Answers a text of the person's own, so it is sent whatever they want otherwise.
    Reply,
    /// Tells of a partner's request. Not sent to people who want no texts.
    Request,
}

/// What a person wants of our texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsPreference {
    /// Whether they want none.
    pub stopped: bool,
    /// When they said so. Of two wishes the later counts, and of two at once the one for silence.
    pub at: Timestamp,
}

/// How many texts a person may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsLimit {
    /// So many…
    pub max: u32,
    /// …written after this moment.
    pub since: Timestamp,
}

/// A delivery report, by the ids it names.
#[derive(Clone, Copy, Debug)]
pub struct SmsReport<'a> {
    /// The SMS gateway, as the configuration names it.
    pub gateway: &'a str,
    /// Its id of the text.
    pub gateway_id: &'a str,
    /// Our id of it, where the gateway carries that.
    pub reference: Option<MessageId>,
    /// Where it stands.
    pub state: MessageState,
}

/// What a delivery report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsReportOutcome {
    /// The text moved.
    Moved {
        /// On whose behalf it was sent.
        partner: PartnerId,
        /// To whom.
        tag: SubscriberTag,
        /// When it was written.
        created_at: Timestamp,
    },
    /// As much was known before.
    Known,
    /// No text has this id yet: kept for a day, for its answer may be on the way.
    Early,
}

/// A text from a person, and what follows from it.
#[derive(Debug)]
pub struct InboundSms<'a> {
    /// The SMS gateway, as the configuration names it.
    pub gateway: &'a str,
    /// Its id of the text.
    pub gateway_id: &'a str,
    /// For which partner.
    pub partner: PartnerId,
    /// From whom.
    pub tag: SubscriberTag,
    /// What they want of our texts, if they said so.
    pub preference: Option<SmsPreference>,
    /// The answer with the job that sends it, if there is one.
    pub reply: Option<(SmsMessage, Job)>,
}

/// Texts to people, and from them.
#[async_trait]
pub trait MessageRecords: Send + Sync {
    /// Writes a text with the jobs that follow, in one transaction. When the partner has a text with its key already,
    /// nothing is written; says whether it was. A text without a job waits for somebody to write one.
    async fn add_message(&self, message: &SmsMessage, jobs: &[Job]) -> Result<bool>;
    /// The text with this id.
    async fn message(&self, id: MessageId) -> Result<Option<SmsMessage>>;
    /// Marks a queued text as being sent and counts a try, if the person wants it and has not had too many: then, and
    /// only then, `None`. Otherwise the state it is in, which may be one that this has just put it in.
    async fn begin_sending(&self, id: MessageId, allowance: SmsLimit, at: Timestamp) -> Result<Option<MessageState>>;
    /// Puts a text that is being sent, and provably was not, back into the queue. The one way back there is.
    async fn requeue_message(&self, id: MessageId, at: Timestamp) -> Result<bool>;
    /// The gateway took it under this id: at least accepted, and further if a report has come already.
    async fn accepted_by_gateway(&self, id: MessageId, gateway_id: &str, at: Timestamp) -> Result<()>;
    /// Moves a text, only forward, and wipes its words once it has left. Says whether it moved.
    async fn move_message(&self, id: MessageId, to: MessageState, at: Timestamp) -> Result<bool>;
    /// Takes a delivery report.
    async fn apply_report(&self, report: SmsReport<'_>, at: Timestamp) -> Result<SmsReportOutcome>;
    /// Takes a text from a person with everything that follows from it, in one transaction. A text that was taken before
    /// changes nothing; says whether this was the first time.
    async fn receive_sms(&self, incoming: &InboundSms<'_>, at: Timestamp) -> Result<bool>;
    /// Whether a text from a person with this gateway's id was taken before.
    async fn has_received_sms(&self, line: &str, gateway_id: &str) -> Result<bool>;
    /// What a person wants of our texts, if they ever said so.
    async fn sms_preference(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<SmsPreference>>;
    /// Keeps what a person wants of our texts, unless they said something else later.
    async fn put_sms_preference(&self, partner: PartnerId, tag: &SubscriberTag, wish: SmsPreference) -> Result<()>;
}

/// A state as it stands in its two columns.
pub(super) fn state_columns(state: MessageState) -> (&'static str, Option<&'static str>) {
    match state {
        MessageState::Queued => ("queued", None),
        MessageState::Withheld(why) => (
            "withheld",
            Some(match why {
                WithheldReason::OptedOut => "opted_out",
                WithheldReason::PersonDialed => "told",
                WithheldReason::DailyCap => "cap",
                WithheldReason::Expired => "expired",
                WithheldReason::Unsendable => "unsendable",
            }),
        ),
        MessageState::Sending => ("sending", None),
        MessageState::Unknown => ("unknown", None),
        MessageState::Accepted => ("accepted", None),
        MessageState::Sent => ("sent", None),
        MessageState::Failed(why) => (
            "failed",
            Some(match why {
                SmsFailureReason::Undelivered => "undelivered",
                SmsFailureReason::Expired => "expired",
                SmsFailureReason::Rejected => "rejected",
                SmsFailureReason::InvalidNumber => "number",
                SmsFailureReason::OptedOut => "opted_out",
            }),
        ),
        MessageState::Delivered => ("delivered", None),
    }
}

/// The state in two columns.
///
/// # Errors
/// When a newer server, or a hand, wrote words that this one does not know.
pub(super) fn read_state(word: &str, reason: Option<&str>) -> Result<MessageState> {
    Ok(match (word, reason) {
        ("queued", _) => MessageState::Queued,
        ("withheld", Some("opted_out")) => MessageState::Withheld(WithheldReason::OptedOut),
        ("withheld", Some("told")) => MessageState::Withheld(WithheldReason::PersonDialed),
        ("withheld", Some("cap")) => MessageState::Withheld(WithheldReason::DailyCap),
        ("withheld", Some("expired")) => MessageState::Withheld(WithheldReason::Expired),
        ("withheld", Some("unsendable")) => MessageState::Withheld(WithheldReason::Unsendable),
        ("sending", _) => MessageState::Sending,
        ("unknown", _) => MessageState::Unknown,
        ("accepted", _) => MessageState::Accepted,
        ("sent", _) => MessageState::Sent,
        ("failed", Some("undelivered")) => MessageState::Failed(SmsFailureReason::Undelivered),
        ("failed", Some("expired")) => MessageState::Failed(SmsFailureReason::Expired),
        ("failed", Some("rejected")) => MessageState::Failed(SmsFailureReason::Rejected),
        ("failed", Some("number")) => MessageState::Failed(SmsFailureReason::InvalidNumber),
        ("failed", Some("opted_out")) => MessageState::Failed(SmsFailureReason::OptedOut),
        ("delivered", _) => MessageState::Delivered,
        _ => return Err(unknown("MessageState")),
    })
}

/// A kind as it stands in a row.
pub(super) fn kind_word(kind: SmsKind) -> &'static str {
    match kind {
        SmsKind::HandOver => "hand_over",
        SmsKind::Reply => "reply",
        SmsKind::Request => "request",
    }
}

/// The kind that a word stands for.
///
/// # Errors
/// As [`read_state`].
pub(super) fn read_kind(word: &str) -> Result<SmsKind> {
    match word {
        "hand_over" => Ok(SmsKind::HandOver),
        "reply" => Ok(SmsKind::Reply),
        "request" => Ok(SmsKind::Request),
        _ => Err(unknown("MessageKind")),
    }
}

fn unknown(what: &str) -> RecordsError {
    RecordsError(format!("a row holds a word for {what} that this version does not know"))
}
