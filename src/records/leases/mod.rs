//! Leases: work that one node at a time does for as long as it lives, such as keeping a gateway's connection open.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::NodeId;
use crate::core::time::Timestamp;

#[async_trait]
pub trait LeaseRecords: Send + Sync {
    /// Takes a lease until this moment, or extends it. Says whether this node holds it now: not while another node's lasts.
    async fn take_lease(&self, name: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<bool>;
    /// Lets a lease go, so that another node can take it at once. No-op when this node does not hold it.
    async fn release_lease(&self, name: &str, node: NodeId) -> Result<()>;
}
