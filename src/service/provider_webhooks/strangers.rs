//! Limits how many webhooks of strangers are written down.
//!
//! Anyone may send a webhook that nobody signed. Each is refused; that it came is audited, but only so often: nobody may
//! fill the records without a key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket};

/// For one owner of keys at one provider: enough to see that somebody tries, or that a key is wrong.
const AUDIT_RATE: RateLimit = RateLimit {
    per_minute: 1,
    burst: 20,
};

/// Those of this node, by owner and provider. There are no more than there are keys, for only their owners are looked up.
#[derive(Default)]
pub(super) struct StrangerLimit(Mutex<HashMap<(PartnerId, &'static str), TokenBucket>>);

impl StrangerLimit {
    /// Whether one more may be written down.
    pub(super) fn may_audit(&self, owner: PartnerId, provider: &'static str, now: Timestamp) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((owner, provider)).or_default();
        bucket.try_take(AUDIT_RATE, 0, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst is written down, then one a minute; of each owner and provider by itself.
    #[test]
    fn strangers_fill_nothing() {
        let limit = StrangerLimit::default();
        let at = |minutes: i64| Timestamp::from_millis(1_780_000_000_000 + minutes * 60_000);
        let (one, other) = (PartnerId::from_bytes([1; 16]), PartnerId::from_bytes([2; 16]));
        let written = (0..1_000).filter(|_| limit.may_audit(one, "mono", at(0))).count();
        assert_eq!(written, 20);
        assert!(limit.may_audit(other, "mono", at(0)));
        assert!(limit.may_audit(one, "other", at(0)));
        assert!(limit.may_audit(one, "mono", at(1)));
        assert!(!limit.may_audit(one, "mono", at(1)));
    }
}
