//! `[records]`: where what must not be lost is kept.

use std::path::PathBuf;

use super::section::Section;
use crate::core::secret::Secret;
use crate::records::DatabaseUrl;

/// Where durable records are kept.
#[derive(Debug)]
pub enum RecordsConfig {
    /// In this SQLite file, which is made when it is not there. One server only.
    Sqlite(PathBuf),
    /// In PostgreSQL, at this `postgres://` URL. A secret, for it may hold a password.
    Postgres(Secret),
}

impl RecordsConfig {
    /// The address, as the records take it.
    pub fn address(&self) -> Secret {
        match self {
            Self::Sqlite(path) => Secret::new(format!("sqlite:{}", path.display())),
            Self::Postgres(url) => Secret::new(url.expose()),
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> Option<RecordsConfig> {
    let url = section.required_secret("url");
    let records = url.and_then(|url| match DatabaseUrl::parse(url.expose()) {
        Ok(_) => Some(match url.expose().strip_prefix("sqlite:") {
            Some(path) => RecordsConfig::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            None => RecordsConfig::Postgres(url),
        }),
        Err(problem) => {
            let remedy = "write \"sqlite:PATH\" or \"postgres://USER:PASSWORD@HOST:PORT/DATABASE\"";
            section.report("url", problem, remedy);
            None
        }
    });
    section.report_unknown_keys();
    records
}
