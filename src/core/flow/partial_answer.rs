//! Answers that wait for the rest of their form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// An answer kept inside the sealed value until the form is complete. Wiped when dropped; prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PartialAnswer(Zeroizing<String>);

impl PartialAnswer {
    /// Keeps an answer that is not the last one of its form.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for PartialAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartialAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}
