//! How often partners may do what is dear, on this node.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::ApiError;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket};

/// As many buckets as partners that have called: few.
pub struct PartnerBuckets {
    rate: RateLimit,
    buckets: Mutex<HashMap<PartnerId, TokenBucket>>,
}

impl PartnerBuckets {
    pub fn new(rate: RateLimit) -> Self {
        Self {
            rate,
            buckets: Mutex::default(),
        }
    }

    /// # Errors
    /// When this partner has done it too often.
    pub(super) fn take(&self, partner: PartnerId, now: Timestamp) -> Result<(), ApiError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(partner).or_default();
        if bucket.try_take(self.rate, 0, now) {
            return Ok(());
        }
        let after = bucket.left(self.rate, now).next;
        Err(ApiError::TooMany { after })
    }
}
