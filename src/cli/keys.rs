//! `kiungo keys status`: how many values are sealed under each key.

use std::io::Write;

use super::commands::{self, CommandError};
use crate::config::{Config, keys};
use crate::service::resealing;

/// How many values are read between two progress messages.
const PROGRESS_EVERY: u64 = 100_000;

pub(super) fn status(config: &Config, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), CommandError> {
    let ids = keys::sealing_key_ids(&config.keys.dir)?;
    let mut tally = commands::runtime()?.block_on(async {
        let records = commands::open_records(config).await?;
        let mut next = PROGRESS_EVERY;
        let said = |seen| {
            if seen >= next {
                next = seen + PROGRESS_EVERY;
                // Progress only: a failure to print it does not matter.
                let _ = writeln!(err, "{seen} values looked at");
            }
        };
        Ok::<_, CommandError>(resealing::count_keys(records.as_ref(), said).await?)
    })?;
    for id in ids {
        tally.entry(id).or_default();
    }
    for (id, values) in &tally {
        let active = if *id == config.keys.active { ", and seals" } else { "" };
        writeln!(out, "{id:<12} {values:>12} values{active}")?;
    }
    Ok(())
}
