//! `[records]`: where what must not be lost is kept.

use std::path::PathBuf;

use super::section::Section;

/// Where durable records are kept.
#[derive(Debug)]
pub enum RecordsConfig {
    /// In this SQLite file, which is made when it is not there. One server only.
    Sqlite(PathBuf),
}

pub(super) fn read(mut section: Section<'_>) -> Option<RecordsConfig> {
    let url = section.required("url", "write \"sqlite:PATH\"", |text| {
        text.strip_prefix("sqlite:")
            .filter(|path| !path.is_empty() && !path.starts_with("//") && !path.starts_with(':'))
            .map(|path| RecordsConfig::Sqlite(PathBuf::from(path)))
            .ok_or_else(|| "is not a SQLite file".to_owned())
    });
    section.finish();
    url
}
