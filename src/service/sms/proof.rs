//! What is asked of the records about a number that is texted to agree, see [`crate::core::flow::sms_proof`].

use crate::core::flow::sms_proof;
use crate::core::time::Timestamp;
use crate::records::SmsProofLimit;

/// The key of our message that answers this SMS.
pub fn reply_key(route: &str, message_id: &str) -> String {
    format!("reply:{route}:{message_id}")
}

/// How many wrong numbers a person may text.
pub fn proof_limit(now: Timestamp) -> SmsProofLimit {
    SmsProofLimit {
        max: sms_proof::MAX_WRONG,
        since: now.minus(sms_proof::WINDOW),
    }
}
