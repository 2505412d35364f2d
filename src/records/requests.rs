//! Who asks a person: partners' requests for them, and partners that take whoever dials.

use async_trait::async_trait;

use super::Result;
use crate::core::flow::requesters::RequestTerms;
use crate::core::flow::state::PartnerRef;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// Who asks a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingRequests {
    /// Open requests for this person, newest first, at most twenty; then the partners that take whoever dials and have keys
    /// at a provider, by name, at most fifty.
    pub requests: Vec<RequestTerms>,
    /// The open request behind the code, if one was looked up and anybody may answer it.
    pub by_code: Option<RequestTerms>,
    /// The partners with which this person has ever had to do.
    pub partners: Vec<PartnerRef>,
}

/// Requests, as the person sees them. What partners see of them is told elsewhere.
#[async_trait]
pub trait RequestRecords: Send + Sync {
    /// Who asks this person now; `code` is the keyed digest of a code that they dialled.
    async fn pending_requests(
        &self,
        tag: &SubscriberTag,
        code: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<PendingRequests>;
}
