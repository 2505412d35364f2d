//! What providers need to see again of a link.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::Backend;
use super::links::{link_columns, select_links};
use crate::core::ids::{LinkId, NodeId, PartnerId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{Link, LinkAccess, LinkAccessRecords, Result};

#[async_trait]
impl LinkAccessRecords for Backend {
    async fn link_access(&self, id: LinkId) -> Result<Option<LinkAccess>> {
        let access = "SELECT handle_digest, handle, access, access_version FROM links WHERE id = $1";
        self.fetch(query_as(access).bind(id)).await
    }

    async fn put_link_access(&self, id: LinkId, access: &LinkAccess) -> Result<bool> {
        // What stands there already in this version was written by a call that was cut off.
        let putting = query(
            "UPDATE links SET handle_digest = $2, handle = $3, access = $4, access_version = $5, \
             access_lease_node = NULL, access_lease_until = NULL WHERE id = $1 AND ended_at IS NULL \
             AND (access_version = $5 - 1 OR (access_version = $5 AND access = $4))",
        );
        let putting = putting
            .bind(id)
            .bind(access.handle_digest.map(Bytes))
            .bind(&access.handle);
        let putting = putting.bind(&access.sealed).bind(i64::from(access.version));
        Ok(self.execute(putting).await? > 0)
    }

    async fn lease_link_access(
        &self,
        id: LinkId,
        node: NodeId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LinkAccess>> {
        self.transaction(async |tx| {
            let leasing = query_as(
                "UPDATE links SET access_lease_node = $2, access_lease_until = $4 WHERE id = $1 AND ended_at IS NULL \
                 AND (access_lease_until IS NULL OR access_lease_until <= $3) \
                 RETURNING handle_digest, handle, access, access_version",
            );
            let leasing = leasing.bind(id).bind(node).bind(now).bind(until);
            Ok(leasing.fetch_optional(tx).await?)
        })
        .await
    }

    async fn link_by_handle(&self, partner: PartnerId, handle_digest: &[u8; 32]) -> Result<Option<Link>> {
        let statement = select_links!(
            "(SELECT * FROM links WHERE handle_digest = $1 AND partner = $2 \
             ORDER BY CASE WHEN state IN ('removed', 'expired') THEN 1 ELSE 0 END, created_at DESC, nth DESC, id DESC LIMIT 1) l",
            "l.id"
        );
        self.fetch_link(query(statement).bind(&handle_digest[..]).bind(partner))
            .await
    }

    async fn links_at_provider(&self, partner: PartnerId, provider: &str, tag: &SubscriberTag) -> Result<Vec<Link>> {
        let statement = select_links!(
            "(SELECT * FROM links WHERE partner = $1 AND provider = $2 AND tag = $3 AND ended_at IS NULL) l",
            "l.nth"
        );
        self.fetch_links(query(statement).bind(partner).bind(provider).bind(tag))
            .await
    }
}
