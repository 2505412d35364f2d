//! How closed enums are spelt in rows. Spellings are for ever: rows outlive the code that wrote them.

use super::{
    AttemptState, DeliveryState, EndpointState, ErasureBlocker, ErasureState, IntentState, JobKind, LinkState,
    RecordsError, Result,
};
use crate::core::api_key::ApiKeyKind;
use crate::core::ids::{AttemptId, DeliveryId, ErasureId, EventId, IntentId, LinkId, MessageId, WatchId};
use crate::providers::SubmissionStep;

/// A value that stands in a row as one lower-case word.
pub(super) trait Word: Copy + Sized {
    /// The word.
    fn word(self) -> &'static str;

    /// The value that `word` stands for.
    ///
    /// # Errors
    /// When a newer server, or a hand, wrote a word that this one does not know.
    fn read(word: &str) -> Result<Self>;
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl Word for $type {
            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn read(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(unknown(stringify!($type))),
                }
            }
        }
    };
}

words!(AttemptState {
    Open => "open",
    Sending => "sending",
    Accepted => "accepted",
    Refused => "refused",
    WrongCode => "wrong_code",
    NotSent => "not_sent",
    Unknown => "unknown",
    Granted => "granted",
    Linked => "linked",
    Undone => "undone",
    Lapsed => "lapsed",
});

words!(LinkState {
    Verifying => "verifying",
    Active => "active",
    ReauthRequired => "reauth_required",
    Removing => "removing",
    Removed => "removed",
});

words!(IntentState {
    Open => "open",
    Completed => "completed",
    Cancelled => "cancelled",
    Expired => "expired",
    Mismatched => "mismatched",
});

words!(ApiKeyKind {
    Secret => "secret",
    Publishable => "publishable",
    Token => "token",
});

words!(EndpointState {
    Enabled => "enabled",
    Disabled => "disabled",
    Deleted => "deleted",
});

words!(DeliveryState {
    Pending => "pending",
    Delivered => "delivered",
    Failed => "failed",
});

words!(SubmissionStep {
    Login => "login",
    Code => "code",
    Choose => "choose",
});

words!(ErasureState {
    Begun => "begun",
    Redacted => "blanked",
    Done => "done",
});

words!(ErasureBlocker {
    Attempts => "attempts",
    Links => "links",
    Work => "work",
    Store => "store",
    Readers => "readers",
});

/// A kind of job as its word and the id of what it is done to.
pub(super) fn job_columns(kind: &JobKind) -> (&'static str, &[u8; 16]) {
    match kind {
        JobKind::Redeem(attempt) => ("redeem", attempt.as_bytes()),
        JobKind::ReadAccounts(link) => ("read_accounts", link.as_bytes()),
        JobKind::Unlink(link) => ("unlink", link.as_bytes()),
        JobKind::Settle(attempt) => ("settle", attempt.as_bytes()),
        JobKind::SendSms(message) => ("send_sms", message.as_bytes()),
        JobKind::HandOver(attempt) => ("hand_over", attempt.as_bytes()),
        JobKind::AskReport(message) => ("ask_report", message.as_bytes()),
        JobKind::Erase(erasure) => ("erase", erasure.as_bytes()),
        JobKind::BankBack(watch) => ("bank_back", watch.as_bytes()),
        JobKind::Publish(event) => ("publish", event.as_bytes()),
        JobKind::Deliver(delivery) => ("deliver", delivery.as_bytes()),
        JobKind::ExpireIntent(intent) => ("expire_intent", intent.as_bytes()),
    }
}

/// The kind of job that these columns stand for.
///
/// # Errors
/// When the word is not known.
pub(super) fn job_kind(word: &str, subject: [u8; 16]) -> Result<JobKind> {
    match word {
        "redeem" => Ok(JobKind::Redeem(AttemptId::from_bytes(subject))),
        "read_accounts" => Ok(JobKind::ReadAccounts(LinkId::from_bytes(subject))),
        "unlink" => Ok(JobKind::Unlink(LinkId::from_bytes(subject))),
        "settle" => Ok(JobKind::Settle(AttemptId::from_bytes(subject))),
        "send_sms" => Ok(JobKind::SendSms(MessageId::from_bytes(subject))),
        "hand_over" => Ok(JobKind::HandOver(AttemptId::from_bytes(subject))),
        "ask_report" => Ok(JobKind::AskReport(MessageId::from_bytes(subject))),
        "erase" => Ok(JobKind::Erase(ErasureId::from_bytes(subject))),
        "bank_back" => Ok(JobKind::BankBack(WatchId::from_bytes(subject))),
        "publish" => Ok(JobKind::Publish(EventId::from_bytes(subject))),
        "deliver" => Ok(JobKind::Deliver(DeliveryId::from_bytes(subject))),
        "expire_intent" => Ok(JobKind::ExpireIntent(IntentId::from_bytes(subject))),
        _ => Err(unknown("JobKind")),
    }
}

pub(super) fn unknown(what: &str) -> RecordsError {
    RecordsError(format!("a row holds a word for {what} that this version does not know"))
}
