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

/// A secret as it was meant: variables and files bring line ends, blanks and byte order marks with them that nobody typed,
/// and with them it would match nothing. What is inside cannot be told from the secret itself, and is refused.
pub(super) fn trimmed_secret(text: &str) -> Result<&str, &'static str> {
    let secret = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    if secret.is_empty() {
        return Err("holds nothing but blanks");
    }
    if secret.lines().nth(1).is_some() {
        return Err("has more than one line");
    }
    if secret.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("holds a sign that cannot be seen");
    }
    Ok(secret)
}

/// Byte order marks, and other signs without width that come along when text is copied.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
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

#[cfg(test)]
mod tests {
    use super::trimmed_secret;

    /// What variables and files bring along is taken away, and what could be meant is not guessed at.
    #[test]
    fn a_secret_is_what_was_meant() {
        for given in [
            "s3cret",
            "s3cret\n",
            " s3cret \r\n",
            "\u{feff}s3cret",
            "\t s3cret\u{a0}\u{200b}\n\n",
            "s3cret\0",
        ] {
            assert_eq!(trimmed_secret(given), Ok("s3cret"), "{given:?}");
        }
        for given in [
            "",
            " \r\n",
            "\u{feff}",
            "s3\ncret",
            "s3\rcret",
            "s3\u{200b}cret",
            "s3\u{feff}cret",
            "s3\tcret",
            "s3\0cret",
        ] {
            assert!(trimmed_secret(given).is_err(), "{given:?}");
        }
        assert_eq!(trimmed_secret("two words\n"), Ok("two words"));
    }
}
