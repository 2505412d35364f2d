//! People's own codes.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::PartnerId;
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// People's own codes, as keyed digests with their wrong tries.
#[async_trait]
pub trait PinRecords: Send + Sync {
    /// Stores a code as it is now. A code never takes the place of one that was chosen after it, and of the same code wrong
    /// tries are never replaced by older ones. It is read with the history of its person
    /// ([`super::AttemptRecords::history`]).
    async fn store_pin(&self, partner: PartnerId, tag: &SubscriberTag, pin: &Pin, at: Timestamp) -> Result<()>;
    /// Ends a code. Says whether there was one.
    async fn delete_pin(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<bool>;
}
