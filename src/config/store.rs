//! `[store]`: where live state is kept.

use url::Url;

use super::section::Section;
use crate::core::secret::Secret;

/// Where live state is kept.
#[derive(Debug)]
pub enum StoreConfig {
    /// In this process: one node, and a restart forgets open dialogs.
    Memory,
    /// In Redis, at this `redis://` or `rediss://` URL. A secret, for it may hold a password.
    Redis(Secret),
}

pub(super) fn read(mut section: Section<'_>) -> Option<StoreConfig> {
    let url = section.required_secret("url");
    let store = url.and_then(|url| {
        let read = read_url(url);
        if read.is_none() {
            section.report(
                "url",
                "is neither \"memory:\" nor a Redis URL",
                "write \"memory:\", \"redis://HOST:PORT\" or \"rediss://USER:PASSWORD@HOST:PORT\"",
            );
        }
        read
    });
    section.report_unknown_keys();
    store
}

fn read_url(url: Secret) -> Option<StoreConfig> {
    if url.expose() == "memory:" {
        return Some(StoreConfig::Memory);
    }
    let parsed = Url::parse(url.expose()).ok()?;
    let redis = matches!(parsed.scheme(), "redis" | "rediss") && parsed.has_host();
    redis.then_some(StoreConfig::Redis(url))
}
