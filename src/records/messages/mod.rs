//! SMS to people, and what they want of them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::error::BoxDynError;

use super::columns::{DbEnum, db_enum, db_words, unknown};
use super::{Job, Result};
use crate::core::ids::{MessageId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, SmsFailureReason, WithheldReason};
use crate::core::time::Timestamp;

/// How long a report is kept that no SMS belongs to yet.
pub(super) const EARLY_REPORTS_KEPT_FOR: Duration = Duration::from_hours(24);

/// An SMS of ours.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SmsMessage {
    pub id: MessageId,
    /// On whose behalf.
    pub partner: PartnerId,
    /// To whom.
    pub tag: SubscriberTag,
    pub kind: SmsKind,
    /// The fact it tells: of one partner no two messages may carry the same key.
    pub key: String,
    /// The SMS gateway, as the configuration names it.
    pub gateway: String,
    #[sqlx(flatten, try_from = "StateColumns")]
    pub state: MessageState,
    /// Number and words, sealed; wiped once it has left or never will.
    pub sealed: Option<Vec<u8>>,
    /// The gateway's id of it.
    pub gateway_id: Option<String>,
    /// How often it was handed to the gateway.
    #[sqlx(try_from = "i64")]
    pub tries: u32,
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// From then on it is not sent any more.
    pub expires_at: Timestamp,
}

impl SmsMessage {
    /// The stable names of what it is for and of where it stands.
    pub fn names(&self) -> (&'static str, &'static str) {
        (self.kind.as_str(), state_columns(self.state).0)
    }
}

db_enum! {
    /// What an SMS is for.
    pub enum SmsKind {
        /// Says what became of something after the dialog had ended. Not sent to people who want no SMS.
        HandOver = "hand_over",
        /// Answers the person at once, an SMS of theirs or a link that they go on with, so it is sent whatever they want
        /// otherwise.
        Reply = "reply",
        /// Tells of a partner's intent. Not sent to people who want no SMS.
        Request = "request",
    }
}

/// What a person wants of our SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SmsPreference {
    /// Whether they want none.
    pub stopped: bool,
    /// When they said so. Of two preferences the later counts, and of two at once the one for silence.
    #[sqlx(rename = "changed_at")]
    pub at: Timestamp,
}

/// How many SMS a person may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsLimit {
    /// So many…
    pub max: u32,
    /// …written after this moment.
    pub since: Timestamp,
    pub invitations: InvitationCaps,
}

/// How many invitations, which partners have sent to numbers that they name, are sent in that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvitationCaps {
    /// On behalf of one partner.
    pub of_partner: u32,
    /// To one number, on behalf of all partners.
    pub to_number: u32,
}

/// How many invitations there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvitationCounts {
    pub of_partner: u32,
    pub to_number: u32,
    pub of_partner_to_number: u32,
}

impl InvitationCounts {
    /// Whether there is no room for another. No partner takes more than half of what a number may get, rounded up: the
    /// others have the rest.
    pub fn reach(self, caps: InvitationCaps) -> bool {
        self.of_partner >= caps.of_partner
            || self.to_number >= caps.to_number
            || self.of_partner_to_number >= caps.to_number.div_ceil(2)
    }
}

/// A delivery report, by the ids it names.
#[derive(Clone, Copy, Debug)]
pub struct SmsReport<'a> {
    /// The SMS gateway, as the configuration names it.
    pub gateway: &'a str,
    /// Its id of the message.
    pub gateway_id: &'a str,
    /// Our id of it, where the gateway carries that.
    pub reference: Option<MessageId>,
    pub state: MessageState,
}

/// What a delivery report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsReportOutcome {
    /// The message moved.
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
    /// No message has this id yet: kept for a day, for the gateway's answer may be on the way.
    Early,
}

/// An SMS from a person, and what follows from it.
#[derive(Debug)]
pub struct InboundSms<'a> {
    /// The SMS gateway, as the configuration names it.
    pub gateway: &'a str,
    /// Its id of the message.
    pub gateway_id: &'a str,
    /// For which partner.
    pub partner: PartnerId,
    /// From whom.
    pub tag: SubscriberTag,
    /// What they want of our SMS, if they said so.
    pub preference: Option<SmsPreference>,
    /// The answer with the job that sends it, if there is one.
    pub reply: Option<(SmsMessage, Job)>,
    /// The answer instead, where they said something else later than [`Self::preference`].
    pub overruled: Option<(SmsMessage, Job)>,
}

/// SMS to people, and from them.
#[async_trait]
pub trait MessageRecords: Send + Sync {
    /// Writes a message with the jobs that follow, in one transaction. When the partner has a message with its key already,
    /// nothing is written; says whether it was. A message without a job waits for somebody to write one.
    async fn add_message(&self, message: &SmsMessage, jobs: &[Job]) -> Result<bool>;
    /// The message with this id.
    async fn message(&self, id: MessageId) -> Result<Option<SmsMessage>>;
    /// The partner's message with this key.
    async fn message_about(&self, partner: PartnerId, key: &str) -> Result<Option<SmsMessage>>;
    /// Marks a queued message as being sent and counts a try, if the person wants it and has not had too many: then, and
    /// only then, `None`. Otherwise the state it is in, which may be one that this has just put it in.
    async fn begin_sending(&self, id: MessageId, limit: SmsLimit, at: Timestamp) -> Result<Option<MessageState>>;
    /// How many invitations of a partner, and to a person from all partners, were written since then and not withheld.
    async fn invitations(&self, partner: PartnerId, tag: &SubscriberTag, since: Timestamp) -> Result<InvitationCounts>;
    /// Puts a message that is being sent, and provably was not, back into the queue. The one way back there is.
    async fn requeue_message(&self, id: MessageId, at: Timestamp) -> Result<bool>;
    /// The gateway took it under this id: at least accepted, and further if a report has come already.
    async fn accepted_by_gateway(&self, id: MessageId, gateway_id: &str, at: Timestamp) -> Result<()>;
    /// Moves a message, only forward, and wipes its words once it has left. Says whether it moved.
    async fn move_message(&self, id: MessageId, to: MessageState, at: Timestamp) -> Result<bool>;
    /// Applies a delivery report.
    async fn apply_report(&self, report: SmsReport<'_>, at: Timestamp) -> Result<SmsReportOutcome>;
    /// Writes an SMS from a person with everything that follows from it, in one transaction. One that was received before
    /// changes nothing; says whether this was the first time.
    async fn receive_sms(&self, sms: &InboundSms<'_>, at: Timestamp) -> Result<bool>;
    /// Whether an SMS from a person with this gateway's id was received before.
    async fn has_received_sms(&self, gateway: &str, gateway_id: &str) -> Result<bool>;
    /// What a person wants of our SMS, if they ever said so.
    async fn sms_preference(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<SmsPreference>>;
    /// Stores what a person wants of our SMS, unless they said something else later.
    async fn put_sms_preference(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        preference: SmsPreference,
    ) -> Result<()>;
}

db_words! {
    WithheldReason {
        OptedOut = "opted_out",
        PersonDialed = "told",
        DailyCap = "cap",
        NoRoute = "no_route",
        Expired = "expired",
        Unsendable = "unsendable",
    }
    SmsFailureReason {
        Undelivered = "undelivered",
        Expired = "expired",
        Rejected = "rejected",
        InvalidNumber = "number",
        OptedOut = "opted_out",
    }
}

/// A state as it stands in two columns.
#[derive(sqlx::FromRow)]
pub struct StateColumns {
    state: String,
    reason: Option<String>,
}

/// The words that [`StateColumns`] holds for a state.
pub(super) fn state_columns(state: MessageState) -> (&'static str, Option<&'static str>) {
    match state {
        MessageState::Queued => ("queued", None),
        MessageState::Withheld(why) => ("withheld", Some(why.as_str())),
        MessageState::Sending => ("sending", None),
        MessageState::Unknown => ("unknown", None),
        MessageState::Accepted => ("accepted", None),
        MessageState::Sent => ("sent", None),
        MessageState::Failed(why) => ("failed", Some(why.as_str())),
        MessageState::Delivered => ("delivered", None),
    }
}

impl TryFrom<StateColumns> for MessageState {
    type Error = BoxDynError;

    fn try_from(row: StateColumns) -> std::result::Result<Self, BoxDynError> {
        let reason = row.reason.unwrap_or_default();
        let state = match row.state.as_str() {
            "queued" => Some(Self::Queued),
            "withheld" => WithheldReason::parse(&reason).map(Self::Withheld),
            "sending" => Some(Self::Sending),
            "unknown" => Some(Self::Unknown),
            "accepted" => Some(Self::Accepted),
            "sent" => Some(Self::Sent),
            "failed" => SmsFailureReason::parse(&reason).map(Self::Failed),
            "delivered" => Some(Self::Delivered),
            _ => None,
        };
        state.ok_or_else(|| unknown("MessageState"))
    }
}
