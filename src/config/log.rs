//! `[log]`: how much is logged, and in which format.

use serde::Serialize;

use super::section::Section;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LogConfig {
    pub format: LogFormat,
    /// The least severe level of our own lines; those of libraries are kept at warnings, whatever this says.
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Only what somebody must act on.
    Error,
    /// And what may become an error.
    Warn,
    /// And what happens.
    Info,
    /// And why.
    Debug,
    Trace,
}

impl LogLevel {
    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> LogConfig {
    let format = section.one_of("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
    let levels = [
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ]
    .map(|level| (level.as_str(), level));
    let level = section.one_of("level", &levels);
    section.report_unknown_keys();
    LogConfig {
        format: format.unwrap_or(LogFormat::Text),
        level: level.unwrap_or(LogLevel::Info),
    }
}
