//! Reseals the records under the active key, in the background, so that an old key can be removed.
//!
//! A pass walks through every sealed column, some rows at a time, looks at the key that each value names, and reseals what
//! is sealed under another key than the active one. A value that somebody writes meanwhile is left as they wrote it. At the
//! end the pass knows how many values are sealed under which key: the log and `kiungo_sealed_values` say so.
//!
//! Every node does so by itself. While keys are being rotated, a node that still seals with the former key may put some
//! values back under it; its next start with the new one, or the next pass of any other, corrects that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use super::sealing::Sealing;
use crate::core::seal::{SealContext, key_id};
use crate::records::{Records, RecordsError, SEALED, SealedColumn, SealedCursor, SealedRecords, SealedValue};

/// How many rows are read, and at most replaced, at once.
const BATCH: u32 = 200;
/// The pause between them: people's turns come first.
const PAUSE: Duration = Duration::from_millis(10);
/// How long after a pass the next one begins.
const PASS_EVERY: Duration = Duration::from_hours(1);
/// And after one that left something to do.
const RETRY_AFTER: Duration = Duration::from_mins(5);

/// How many values are sealed under each key, by its id; under `unreadable` those that name none.
pub type KeyCounts = BTreeMap<String, u64>;

pub struct Resealing {
    pub records: Arc<dyn Records>,
    pub sealing: Sealing,
    pub metrics: Arc<Metrics>,
}

impl Resealing {
    /// Makes pass after pass until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match stop.run_until_cancelled(self.pass()).await {
                Some(Ok(counts)) if self.all_active(&counts) => PASS_EVERY,
                Some(Ok(_)) => RETRY_AFTER,
                Some(Err(error)) => {
                    tracing::warn!(%error, "resealing failed, to be retried");
                    RETRY_AFTER
                }
                None => return,
            };
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
    }

    fn all_active(&self, counts: &KeyCounts) -> bool {
        counts.keys().all(|key| key == self.sealing.keyring.active())
    }

    /// Walks through everything once and reseals what can be opened. Says how many values are then under which key.
    ///
    /// # Errors
    /// When the records are not available. What was resealed until then stays so.
    pub async fn pass(&self) -> Result<KeyCounts, RecordsError> {
        let mut counts = KeyCounts::from([(self.sealing.keyring.active().to_owned(), 0)]);
        let mut resealed = 0;
        for column in SEALED {
            resealed += self.reseal_column(column, &mut counts).await?;
        }
        self.metrics.set_sealed_values(&counts);
        if resealed > 0 || !self.all_active(&counts) {
            tracing::info!(resealed, ?counts, "resealing pass done");
        }
        Ok(counts)
    }

    /// Walks through one column. Says how many values were resealed.
    async fn reseal_column(&self, column: &SealedColumn, counts: &mut KeyCounts) -> Result<u64, RecordsError> {
        let (mut resealed, mut stuck) = (0, 0u64);
        let mut after = SealedCursor::default();
        loop {
            let values = self.records.sealed_values(column, &after, BATCH).await?;
            let Some(last) = values.last() else { break };
            after = last.cursor();
            let more = values.len() >= BATCH as usize;
            let mut replacements = Vec::new();
            for value in values {
                let key = key_id(&value.bytes).unwrap_or("unreadable").to_owned();
                if key != self.sealing.keyring.active()
                    && let Some(bytes) = self.reseal(column, &value)
                {
                    replacements.push((value, bytes));
                } else {
                    stuck += u64::from(key != self.sealing.keyring.active());
                    *counts.entry(key).or_default() += 1;
                }
            }
            resealed += self.replace(column, &replacements, counts).await?;
            if !more {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if stuck > 0 {
            tracing::error!(
                table = column.table,
                column = column.column,
                stuck,
                "sealed values do not open: a key is missing, or they were altered"
            );
        }
        Ok(resealed)
    }

    /// A value under the active key, if it can be opened.
    fn reseal(&self, column: &SealedColumn, value: &SealedValue) -> Option<Vec<u8>> {
        let context = SealContext {
            purpose: column.purpose,
            subject: &value.subject,
            record: value.record(),
            field: column.field,
        };
        let Sealing { keyring, rng } = &self.sealing;
        let plain = keyring.open(&context, &value.bytes).ok()?;
        keyring.seal(&context, &plain, rng.as_ref()).ok()
    }

    /// Writes resealed values. Those that somebody else wrote meanwhile are counted as what they were: the next pass looks at
    /// them.
    async fn replace(
        &self,
        column: &SealedColumn,
        replacements: &[(SealedValue, Vec<u8>)],
        counts: &mut KeyCounts,
    ) -> Result<u64, RecordsError> {
        if replacements.is_empty() {
            return Ok(0);
        }
        let mut resealed = 0;
        let replaced = self.records.replace_sealed(column, replacements).await?;
        for ((value, bytes), replaced) in replacements.iter().zip(replaced) {
            let now = if replaced { bytes } else { &value.bytes };
            let key = key_id(now).unwrap_or("unreadable").to_owned();
            *counts.entry(key).or_default() += 1;
            resealed += u64::from(replaced);
        }
        Ok(resealed)
    }
}

/// How many values are sealed under each key. It takes no key: the key ids in the values are not secret.
///
/// # Errors
/// When the records are not available.
pub async fn count_keys(records: &dyn SealedRecords, mut looked: impl FnMut(u64)) -> Result<KeyCounts, RecordsError> {
    let (mut counts, mut seen) = (KeyCounts::new(), 0);
    for column in SEALED {
        let mut after = SealedCursor::default();
        loop {
            let values = records.sealed_values(column, &after, BATCH).await?;
            let Some(last) = values.last() else { break };
            after = last.cursor();
            for value in &values {
                let key = key_id(&value.bytes).unwrap_or("unreadable").to_owned();
                *counts.entry(key).or_default() += 1;
                seen += 1;
            }
            looked(seen);
            if values.len() < BATCH as usize {
                break;
            }
        }
    }
    Ok(counts)
}
