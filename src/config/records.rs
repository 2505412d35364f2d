//! `[records]`: where durable records are kept.

use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::secret::{ConfigSecret, UrlSection, redacted_url};
use super::section::Section;
use crate::core::secret::Secret;
use crate::records::DatabaseUrl;

#[derive(Debug)]
pub enum RecordsConfig {
    /// In this SQLite file, which is created if it does not exist. One server only.
    Sqlite(PathBuf),
    /// In PostgreSQL, at this `postgres://` URL. A secret, because it may hold a password.
    Postgres(ConfigSecret),
}

impl Serialize for RecordsConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let url = match self {
            Self::Sqlite(_) => self.address().expose().to_owned(),
            Self::Postgres(url) => redacted_url(url, true),
        };
        UrlSection { url }.serialize(serializer)
    }
}

impl RecordsConfig {
    /// The address, as [`crate::records::connect`] takes it.
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
