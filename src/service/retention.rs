//! How long old rows are kept, and deleting what is older.

use std::time::Duration;

use crate::core::time::Timestamp;
use crate::records::{ExpiredData, UpkeepRecords};

/// How many rows of a kind are deleted in one transaction: nobody waits for it long.
const BATCH: u32 = 200;

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

    /// Deletes all that is older, in transactions of so many rows that nobody waits for one long: whatever partners may make,
    /// it does not pile up.
    pub async fn delete_expired(&self, records: &dyn UpkeepRecords, now: Timestamp) {
        for what in ExpiredData::ALL {
            let before = now.minus(self.period(what));
            let mut rows = 0;
            loop {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::records::Result;

    /// What a partner makes in a day at the usual rate limit, of one kind.
    const A_DAY: u64 = 50 * 86_400;

    struct Rows(AtomicU64);

    #[async_trait]
    impl UpkeepRecords for Rows {
        async fn delete_expired(&self, what: ExpiredData, _: Timestamp, limit: u32) -> Result<u64> {
            if what != ExpiredData::Intents {
                return Ok(0);
            }
            let gone = u64::from(limit).min(self.0.load(Ordering::Relaxed));
            self.0.fetch_sub(gone, Ordering::Relaxed);
            Ok(gone)
        }
    }

    /// However many rows of a kind there are, one sweep deletes them all.
    #[tokio::test]
    async fn a_sweep_goes_on_until_nothing_is_left() {
        let day = Duration::from_hours(24);
        let retention = Retention {
            attempts: day,
            removed_links: day,
            consents: day,
            messages: day,
            audit: day,
            events: day,
            intents: day,
            tokens: day,
            idempotency: day,
        };
        let rows = Rows(AtomicU64::new(A_DAY));
        retention.delete_expired(&rows, Timestamp::from_millis(0)).await;
        assert_eq!(rows.0.into_inner(), 0);
    }
}
