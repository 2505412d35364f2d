//! Numbers that people text to agree to something. Wrong ones are counted: they may be guesses of somebody who forges texts.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::PartnerId;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// How many wrong numbers a person may text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsProofLimit {
    /// So many…
    pub max: u32,
    /// …after this moment.
    pub since: Timestamp,
}

/// A number that somebody texted to agree.
#[derive(Clone, Copy, Debug)]
pub struct SmsProof<'a> {
    /// With whom people's SMS are kept.
    pub partner: PartnerId,
    /// From whom, as far as the gateway says.
    pub tag: SubscriberTag,
    /// The SMS gateway, as the configuration names it.
    pub gateway: &'a str,
    /// Its id of the SMS.
    pub gateway_id: &'a str,
    /// The key of our message that asked for the number.
    pub question: &'a str,
    /// Whether it is the number.
    pub right: bool,
}

/// What becomes of such a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsProofOutcome {
    pub accepted: bool,
    /// How many may still be wrong.
    pub left: u32,
}

/// Numbers that people text to agree.
#[async_trait]
pub trait SmsProofRecords: Send + Sync {
    /// How many wrong numbers a person may still text before what binds is for the phone only.
    async fn sms_proofs_left(&self, partner: PartnerId, tag: &SubscriberTag, limit: SmsProofLimit) -> Result<u32>;
    /// Takes a number that was texted: a wrong one is written down, once for each SMS; a right one is accepted unless too
    /// many were wrong, or our message that asked for it cannot have reached the person. Of several at once no more are
    /// looked at than may be wrong.
    async fn try_sms_proof(&self, proof: &SmsProof<'_>, limit: SmsProofLimit, at: Timestamp)
    -> Result<SmsProofOutcome>;
}
