//! Collects the raw values: a TOML file, or the sandbox's settings, overlaid with environment variables.
//!
//! `KIUNGO_SERVER__LISTEN` stands for `server.listen`, `KIUNGO_CHANNELS__0__SECRET` for `secret` of the first channel.
//! Variables without a double underscore are ignored: cluster schedulers set `KIUNGO_PORT` and the like for a service of that
//! name. The origin of each override is kept, so that an error is reported where the value was written.

use std::collections::BTreeMap;
use std::path::Path;

use config::{File, FileFormat, Map, Value, ValueKind};

use super::error::{ConfigError, ConfigOrigin};
use crate::core::text_line::line_at;

/// No installation has more channels than this; a higher index is a mistake, and would allocate memory for the gap.
const HIGHEST_INDEX: usize = 63;

pub(super) struct ConfigSource {
    pub(super) root: Map<String, Value>,
    /// The origin of values that no variable overrides.
    pub(super) origin: ConfigOrigin,
    /// The variable that overrides a key.
    pub(super) overrides: BTreeMap<String, String>,
}

pub(super) fn from_file(path: &Path, env: &[(String, String)]) -> Result<ConfigSource, Vec<ConfigError>> {
    let origin = ConfigOrigin::File(path.to_owned());
    let text = std::fs::read_to_string(path).map_err(|error| {
        vec![ConfigError {
            origin: origin.clone(),
            key: String::new(),
            problem: format!("cannot be read ({error})"),
            remedy: "name a readable file with --config".to_owned(),
        }]
    })?;
    from_text(&text, origin, env)
}

pub(super) fn from_text(
    text: &str,
    base: ConfigOrigin,
    env: &[(String, String)],
) -> Result<ConfigSource, Vec<ConfigError>> {
    // Parsed here first, because this parser gives the position of an error without quoting the line, which may contain a
    // secret.
    if let Err(error) = toml::from_str::<toml::Table>(text) {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        return Err(vec![ConfigError {
            origin: base,
            key: format!("line {line}"),
            problem: "is not TOML".to_owned(),
            remedy: "check quotes, brackets and keys given twice".to_owned(),
        }]);
    }
    let (overrides, mut faults) = overrides(env);
    let mut builder = config::Config::builder().add_source(File::from_str(text, FileFormat::Toml));
    let mut kept = BTreeMap::new();
    for (key, (variable, value)) in overrides {
        match builder.clone().set_override(&key, value) {
            Ok(next) => {
                builder = next;
                kept.insert(key, variable);
            }
            Err(_) => faults.push(invalid_variable_name(&variable)),
        }
    }
    let root = builder.build().map(|built| built.cache.kind);
    match root {
        Ok(ValueKind::Table(root)) if faults.is_empty() => Ok(ConfigSource {
            root,
            origin: base,
            overrides: kept,
        }),
        Ok(_) => Err(faults),
        Err(_) => Err(vec![ConfigError {
            origin: base,
            key: String::new(),
            problem: "cannot be combined with the environment".to_owned(),
            remedy: "check the KIUNGO_…__… variables".to_owned(),
        }]),
    }
}

type Overrides = BTreeMap<String, (String, String)>;

fn overrides(env: &[(String, String)]) -> (Overrides, Vec<ConfigError>) {
    let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
    for (variable, value) in env {
        let Some(name) = variable.strip_prefix("KIUNGO_").filter(|name| name.contains("__")) else {
            continue;
        };
        match key_from_variable(name) {
            Some(key) => {
                found.insert(key, (variable.clone(), value.clone()));
            }
            None => faults.push(invalid_variable_name(variable)),
        }
    }
    (found, faults)
}

/// `CHANNELS__0__SECRET` to `channels[0].secret`.
fn key_from_variable(name: &str) -> Option<String> {
    let mut key = String::new();
    for part in name.split("__") {
        match part.parse::<usize>() {
            Ok(index) if index <= HIGHEST_INDEX && !key.is_empty() => key = format!("{key}[{index}]"),
            Ok(_) => return None,
            Err(_) if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => return None,
            Err(_) => {
                if !key.is_empty() {
                    key.push('.');
                }
                key.push_str(&part.to_ascii_lowercase());
            }
        }
    }
    Some(key)
}

fn invalid_variable_name(variable: &str) -> ConfigError {
    ConfigError {
        origin: ConfigOrigin::Environment(variable.to_owned()),
        key: String::new(),
        problem: "does not name a setting".to_owned(),
        remedy: "write KIUNGO_SECTION__KEY, or KIUNGO_CHANNELS__0__KEY for the first channel".to_owned(),
    }
}
