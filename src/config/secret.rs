//! A secret of the configuration. It can be serialized, which a [`Secret`] cannot, because it serializes as `(set)`.

use std::ops::Deref;

use serde::{Serialize, Serializer};
use url::Url;

use crate::core::secret::Secret;

pub(super) const REDACTED: &str = "(set)";

/// See the module.
#[derive(Debug)]
pub struct ConfigSecret(Secret);

impl ConfigSecret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    pub fn into_inner(self) -> Secret {
        self.0
    }
}

impl Deref for ConfigSecret {
    type Target = Secret;

    fn deref(&self) -> &Secret {
        &self.0
    }
}

impl Serialize for ConfigSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// A section whose only key is `url`.
#[derive(Serialize)]
pub(super) struct UrlSection {
    pub(super) url: String,
}

/// A database URL without its password. Its query is kept only where `keep_query`: managed Redis services put credentials
/// there.
pub(super) fn redacted_url(url: &Secret, keep_query: bool) -> String {
    let Ok(mut url) = Url::parse(url.expose()) else {
        return REDACTED.to_owned();
    };
    if !keep_query {
        url.set_query(None);
    }
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return REDACTED.to_owned();
    }
    url.to_string()
}
