//! Leases: work that one node at a time does.

use async_trait::async_trait;
use sqlx::query;

use super::Backend;
use crate::core::ids::NodeId;
use crate::core::time::Timestamp;
use crate::records::{LeaseRecords, Result};

#[async_trait]
impl LeaseRecords for Backend {
    async fn take_lease(&self, name: &str, node: NodeId, now: Timestamp, until: Timestamp) -> Result<bool> {
        // Of two nodes that ask at once, the later one finds the row of the first.
        let taking = query(
            "INSERT INTO leases (name, node, until) VALUES ($1, $2, $4) \
             ON CONFLICT (name) DO UPDATE SET node = excluded.node, until = excluded.until \
             WHERE leases.node = excluded.node OR leases.until <= $3",
        );
        let taking = taking.bind(name).bind(node).bind(now).bind(until);
        Ok(self.execute(taking).await? > 0)
    }

    async fn release_lease(&self, name: &str, node: NodeId) -> Result<()> {
        let releasing = query("DELETE FROM leases WHERE name = $1 AND node = $2");
        self.execute(releasing.bind(name).bind(node)).await.map(drop)
    }
}
