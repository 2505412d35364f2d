//! `kiungo config check`: what is wrong with a configuration that could be read, without starting anything.

use std::io::Write;

use super::commands::CommandError;
use crate::app::limits::{open_file_limit, too_few_open_files};
use crate::app::preflight;
use crate::config::Config;

/// Prints warnings, then whether it would be served.
///
/// # Errors
/// When it would not, or there are warnings and `strict`.
pub(super) fn check(mut config: Config, strict: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut warnings: Vec<_> = config.warnings.drain(..).map(|warning| warning.to_string()).collect();
    warnings.extend(too_few_open_files(open_file_limit()));
    let ways = config.linking_ways();
    warnings.extend(
        ways.iter()
            .filter(|ways| ways.nobody_can_link())
            .map(ToString::to_string),
    );
    let faults = preflight(&mut config);
    for warning in &warnings {
        writeln!(out, "warning: {warning}")?;
    }
    if !faults.is_empty() {
        return Err(CommandError::NotServed(faults));
    }
    match warnings.len() {
        0 => writeln!(out, "The configuration is good.")?,
        count => writeln!(
            out,
            "The configuration can be served, with {count} warning{}.",
            if count == 1 { "" } else { "s" }
        )?,
    }
    if strict && !warnings.is_empty() {
        return Err(CommandError::Warnings);
    }
    Ok(())
}
