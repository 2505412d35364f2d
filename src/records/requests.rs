//! Who asks a person: partners' requests for them, and partners that take whoever dials.

use async_trait::async_trait;

use super::Result;
use crate::core::flow::asking::Terms;
use crate::core::flow::state::Business;
use crate::core::seal::Tag;
use crate::core::time::Timestamp;

/// Who asks a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// Open requests for this person, newest first, at most twenty; then the partners that take whoever dials and have keys
    /// at a provider, by name, at most fifty.
    pub asks: Vec<Terms>,
    /// The open request behind the code, if one was looked up and anybody may answer it.
    pub coded: Option<Terms>,
    /// The partners with which this person has ever had to do.
    pub businesses: Vec<Business>,
}

/// Requests, as the person sees them. What partners see of them is told elsewhere.
#[async_trait]
pub trait RequestRecords: Send + Sync {
    /// Who asks this person now; `code` is the keyed digest of a code that they dialled.
    async fn asking(&self, tag: &Tag, code: Option<&[u8; 32]>, now: Timestamp) -> Result<Asking>;
}
