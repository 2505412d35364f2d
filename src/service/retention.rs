//! How long old rows are kept, and deleting what is older.

use std::time::Duration;

use crate::core::time::Timestamp;
use crate::records::{ExpiredData, UpkeepRecords};

/// How many rows of a kind are deleted in one transaction: nobody waits for it long.
const BATCH: u32 = 200;
/// How many such transactions of one kind are made at a time; the rest is deleted the next time.
const MAX_BATCHES: usize = 25;

/// How long return tickets are kept after their end.
const TICKETS: Duration = Duration::from_hours(24);

/// How long each kind of row is kept after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Settled attempts that made no link.
    pub attempts: Duration,
    /// Removed links.
    pub removed_links: Duration,
    /// Consents, after their links were removed.
    pub consents: Duration,
    pub messages: Duration,
    /// Audit entries and erasures.
    pub audit: Duration,
    pub events: Duration,
    /// Intents that made no link.
    pub intents: Duration,
    /// Tokens, after they expired.
    pub tokens: Duration,
    /// Responses to requests with an idempotency key.
    pub idempotency: Duration,
}

impl Retention {
    fn period(&self, what: ExpiredData) -> Duration {
        match what {
            ExpiredData::Attempts => self.attempts,
            ExpiredData::Links | ExpiredData::ProviderPersons => self.removed_links,
            ExpiredData::Consents => self.consents,
            ExpiredData::Messages => self.messages,
            ExpiredData::Audit | ExpiredData::Erasures => self.audit,
            ExpiredData::Events => self.events,
            ExpiredData::Intents => self.intents,
            ExpiredData::Tokens => self.tokens,
            ExpiredData::Tickets => TICKETS,
            ExpiredData::Answers => self.idempotency,
        }
    }

    /// Deletes what is older, up to a number of rows of each kind.
    pub async fn delete_expired(&self, records: &dyn UpkeepRecords, now: Timestamp) {
        for what in ExpiredData::ALL {
            let before = now.minus(self.period(what));
            let mut rows = 0;
            for _ in 0..MAX_BATCHES {
                match records.delete_expired(what, before, BATCH).await {
                    Ok(gone) => {
                        rows += gone;
                        if gone < u64::from(BATCH) {
                            break;
                        }
                    }
                    Err(error) => {
                        tracing::warn!(?what, %error, "deleting expired rows failed");
                        break;
                    }
                }
            }
            if rows > 0 {
                tracing::info!(?what, rows, "expired rows deleted");
            }
        }
    }
}
