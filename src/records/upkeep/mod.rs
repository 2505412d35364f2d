//! What is kept for a while only.

use async_trait::async_trait;

use super::Result;
use crate::core::time::Timestamp;

/// What is kept for a while only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredData {
    /// Settled submissions that made no link, from when they were settled; and with them consents that came to nothing.
    Attempts,
    /// Removed links with their accounts and the submissions that made them, from their removal. Their consents stay.
    Links,
    /// What belongs to people at providers where no link and no submission of theirs is left, from when it was last written.
    ProviderPersons,
    /// Consents whose links are deleted, from when the last of them was removed; and with them the intents that they
    /// completed.
    Consents,
    /// SMS, from when they were written.
    Messages,
    /// Audit entries, from when they happened.
    Audit,
    /// What partners were told, and how that went, from when it happened. The last of each subject stays, for the next
    /// one's number follows it.
    Events,
    /// Intents that were cancelled, expired or mismatched, since then.
    Intents,
    /// Tokens, from when they expired.
    Tokens,
    /// Return tickets, from when their time was over.
    Tickets,
    /// Answers to requests with an idempotency key, from the request.
    Answers,
    /// Erasures, from when they were done.
    Erasures,
}

impl ExpiredData {
    /// All of them, in an order in which nothing points at what goes.
    pub const ALL: [Self; 12] = [
        Self::Links,
        Self::Attempts,
        Self::ProviderPersons,
        Self::Consents,
        Self::Intents,
        Self::Messages,
        Self::Events,
        Self::Tokens,
        Self::Tickets,
        Self::Answers,
        Self::Audit,
        Self::Erasures,
    ];
}

/// Deleting what has expired.
#[async_trait]
pub trait UpkeepRecords: Send + Sync {
    /// Deletes at most `limit` of these that were over before then, the oldest first. What a row that stays still points
    /// at stays, too. Says how many went.
    async fn delete_expired(&self, what: ExpiredData, before: Timestamp, limit: u32) -> Result<u64>;
}
