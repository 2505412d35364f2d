//! `[store]`: where live state is kept.

use serde::{Serialize, Serializer};
use url::Url;

use super::secret::{ConfigSecret, UrlSection, redacted_url};
use super::section::Section;

const MEMORY: &str = "memory:";

#[derive(Debug)]
pub enum StoreConfig {
    /// In this process: one node only, and a restart forgets open dialogs.
    Memory,
    /// In Redis, at this `redis://` or `rediss://` URL. A secret, because it may hold a password.
    Redis(ConfigSecret),
}

impl Serialize for StoreConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let url = match self {
            Self::Memory => MEMORY.to_owned(),
            Self::Redis(url) => redacted_url(url, false),
        };
        UrlSection { url }.serialize(serializer)
    }
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

fn read_url(url: ConfigSecret) -> Option<StoreConfig> {
    if url.expose() == MEMORY {
        return Some(StoreConfig::Memory);
    }
    let parsed = Url::parse(url.expose()).ok()?;
    let redis = matches!(parsed.scheme(), "redis" | "rediss") && parsed.has_host();
    redis.then_some(StoreConfig::Redis(url))
}
