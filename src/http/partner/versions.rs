//! The versions of the API. A version is a date.

use actix_web::http::header::HeaderMap;

/// All versions, the newest last.
pub(super) const VERSIONS: &[&str] = &["2026-11-01"];
pub(super) const VERSION_HEADER: &str = "kiungo-version";

/// The version that a request asks for; `None` if it does not exist.
pub(super) fn requested_version(headers: &HeaderMap) -> Option<&'static str> {
    let Some(requested) = headers.get(VERSION_HEADER) else {
        return Some(latest_version());
    };
    VERSIONS.iter().find(|known| requested == **known).copied()
}

pub(super) fn latest_version() -> &'static str {
    VERSIONS.last().copied().unwrap_or_default()
}
