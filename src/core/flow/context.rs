//! What surrounds one step of the conversation.

use super::offers::OfferList;
use crate::core::dial_code::DialCode;
use crate::core::health::HealthMap;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, NodeId};
use crate::core::time::Timestamp;

/// What surrounds one step.
pub struct StepContext<'a> {
    pub now: Timestamp,
    /// When a waiting turn must be answered at the latest.
    pub answer_by: Timestamp,
    /// This server process.
    pub node: NodeId,
    pub ids: FreshIds,
    /// What can be linked, already without what this channel cannot do; `None` when the list cannot be had.
    pub offers: Option<&'a OfferList>,
    /// Whether every list that these come from has been read: what is not among them cannot be linked here then.
    pub all_lists_read: bool,
    pub health: &'a HealthMap,
    /// The channel's country, ISO 3166-1 alpha-2.
    pub country: &'a str,
}

/// Ids generated for one step; each is used at most once.
#[derive(Clone, Copy, Debug)]
pub struct FreshIds {
    pub session: ConnectSessionId,
    pub consent: ConsentId,
    /// For the consent's implicit intent.
    pub intent: IntentId,
    pub attempt: AttemptId,
    /// For a recovery code.
    pub code: DialCode,
}
