//! How long old rows are kept, and deleting what is older.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

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
}

/// Deletes what is older than it is kept for.
pub struct Sweeper {
    retention: Retention,
    /// Held by the sweep that is under way.
    sweeping: Mutex<()>,
}

impl Sweeper {
    pub fn new(retention: Retention) -> Self {
        Self {
            retention,
            sweeping: Mutex::default(),
        }
    }

    /// Deletes all that is older, in transactions of so many rows that nobody waits for one long: whatever partners may make,
    /// it does not pile up. While another sweep is under way here, however long, nothing is done; told to stop, it stops
    /// before the next transaction.
    pub async fn sweep(&self, records: &dyn UpkeepRecords, now: Timestamp, stop: &CancellationToken) {
        let Ok(_sweeping) = self.sweeping.try_lock() else {
            return tracing::info!("deleting expired rows has not ended yet");
        };
        for what in ExpiredData::ALL {
            let before = now.minus(self.retention.period(what));
            let mut rows = 0;
            while !stop.is_cancelled() {
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
    use tokio::sync::Semaphore;

    use super::*;
    use crate::records::Result;

    /// What a partner makes in a day at the usual rate limit, of one kind.
    const A_DAY: u64 = 50 * 86_400;

    const NOW: Timestamp = Timestamp::from_millis(0);

    struct Rows {
        left: AtomicU64,
        /// How many transactions may still be made.
        turns: Semaphore,
    }

    impl Rows {
        fn new(turns: usize) -> Self {
            Self {
                left: AtomicU64::new(A_DAY),
                turns: Semaphore::new(turns),
            }
        }

        fn left(&self) -> u64 {
            self.left.load(Ordering::Relaxed)
        }
    }

    #[async_trait]
    impl UpkeepRecords for Rows {
        async fn delete_expired(&self, what: ExpiredData, _: Timestamp, limit: u32) -> Result<u64> {
            if what != ExpiredData::Intents {
                return Ok(0);
            }
            self.turns.acquire().await.unwrap().forget();
            let gone = u64::from(limit).min(self.left());
            self.left.fetch_sub(gone, Ordering::Relaxed);
            Ok(gone)
        }
    }

    fn sweeper() -> Sweeper {
        let day = Duration::from_hours(24);
        Sweeper::new(Retention {
            attempts: day,
            removed_links: day,
            consents: day,
            messages: day,
            audit: day,
            events: day,
            intents: day,
            tokens: day,
            idempotency: day,
        })
    }

    /// However many rows of a kind there are, one sweep deletes them all.
    #[tokio::test]
    async fn a_sweep_goes_on_until_nothing_is_left() {
        let rows = Rows::new(Semaphore::MAX_PERMITS);
        sweeper().sweep(&rows, NOW, &CancellationToken::new()).await;
        assert_eq!(rows.left(), 0);
    }

    /// A sweep that takes longer than the time to the next one stays the only one, and ends when the server does.
    #[tokio::test]
    async fn sweeps_do_not_pile_up_and_stop() {
        let (sweeper, rows, stop) = (sweeper(), Rows::new(3), CancellationToken::new());
        let mut first = Box::pin(sweeper.sweep(&rows, NOW, &stop));
        assert!(futures_util::poll!(&mut first).is_pending());
        let after_three = A_DAY - 3 * u64::from(BATCH);
        assert_eq!(rows.left(), after_three);
        // It would wait for a turn, too.
        sweeper.sweep(&rows, NOW, &stop).await;
        stop.cancel();
        rows.turns.add_permits(5);
        first.await;
        assert_eq!(rows.left(), after_three - u64::from(BATCH));
    }
}
