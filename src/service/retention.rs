//! How long what is over is kept, and forgetting what is older.

use std::time::Duration;

use crate::core::time::Timestamp;
use crate::records::{ExpiredData, UpkeepRecords};

/// How many of a kind go in one transaction: nobody waits for it long.
const BATCH: u32 = 200;
/// How many such transactions for one kind follow each other; what is left then goes the next time.
const MAX_BATCHES: usize = 25;

/// How long what is over is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Settled submissions that made no link.
    pub attempts: Duration,
    /// Removed links.
    pub removed_links: Duration,
    /// Consents, after their links were removed.
    pub consents: Duration,
    /// Texts.
    pub messages: Duration,
    /// Security events and erasures.
    pub audit: Duration,
    /// What partners were told.
    pub events: Duration,
    /// Requests that came to nothing.
    pub intents: Duration,
    /// Tokens, after they expired.
    pub tokens: Duration,
    /// Answers to requests with an idempotency key.
    pub idempotency: Duration,
}

impl Retention {
    fn period(&self, what: ExpiredData) -> Duration {
        match what {
            ExpiredData::Attempts => self.attempts,
            ExpiredData::Links => self.removed_links,
            ExpiredData::Consents => self.consents,
            ExpiredData::Messages => self.messages,
            ExpiredData::Audit | ExpiredData::Erasures => self.audit,
            ExpiredData::Events => self.events,
            ExpiredData::Intents => self.intents,
            ExpiredData::Tokens => self.tokens,
            ExpiredData::Answers => self.idempotency,
        }
    }

    /// Forgets what is older, of each kind as much as there is time for.
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
                        tracing::warn!(?what, %error, "what is over since long could not be forgotten");
                        break;
                    }
                }
            }
            if rows > 0 {
                tracing::info!(?what, rows, "what is over since long is forgotten");
            }
        }
    }
}
