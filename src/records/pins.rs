//! People's own codes.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::PartnerId;
use crate::core::pin::Pin;
use crate::core::seal::Tag;
use crate::core::time::Timestamp;

/// People's own codes, as keyed digests with their wrong tries.
#[async_trait]
pub trait PinRecords: Send + Sync {
    /// Somebody's code.
    async fn pin(&self, partner: PartnerId, tag: &Tag) -> Result<Option<Pin>>;
    /// Keeps a code as it is now. Of the same code, wrong tries are never replaced by older ones.
    async fn keep_pin(&self, partner: PartnerId, tag: &Tag, pin: &Pin, at: Timestamp) -> Result<()>;
    /// Ends a code.
    async fn forget_pin(&self, partner: PartnerId, tag: &Tag) -> Result<()>;
}
