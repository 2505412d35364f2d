//! The audit trail.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use sqlx::query;

use super::{Backend, Connection, Query, select_scoped};
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::seal::SubscriberTag;
use crate::records::columns::Bytes;
use crate::records::{AuditEntry, AuditRecords, Result, StoredAuditEntry};

#[async_trait]
impl AuditRecords for Backend {
    async fn audit(&self, entry: &AuditEntry) -> Result<()> {
        self.execute(insert(entry)).await.map(drop)
    }

    async fn audit_trail(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<StoredAuditEntry>> {
        let entries = select_scoped(
            "SELECT DISTINCT id, entity, user_id, kind, detail, happened_at FROM audit \
             WHERE partner = $1 AND ($2 IS NULL OR entity = $2) AND ($3 IS NULL OR user_id = $3) \
             AND (happened_at < $4 OR (happened_at = $4 AND id < $5)) ORDER BY happened_at DESC, id DESC LIMIT $6",
            scope,
        );
        self.fetch_page(entries, page, |entry: &StoredAuditEntry| (entry.at, entry.id))
            .await
    }
}

impl Backend {
    /// Runs a statement of a partner's and, if it wrote anything, the audit entry that tells so, in one transaction. Says
    /// whether it did.
    pub(super) async fn execute_audited(&self, statement: Query<'_>, entry: &AuditEntry) -> Result<bool> {
        self.transaction(async |tx| execute_audited(tx, statement, entry).await)
            .await
    }
}

/// The same, within a transaction.
pub(super) async fn execute_audited(tx: &mut Connection, statement: Query<'_>, entry: &AuditEntry) -> Result<bool> {
    let wrote = statement.execute(&mut *tx).await?.rows_affected() > 0;
    if wrote {
        add_audit(tx, entry).await?;
    }
    Ok(wrote)
}

/// Writes an entry, in the transaction of what it tells.
pub(super) async fn add_audit(tx: &mut Connection, entry: &AuditEntry) -> Result<()> {
    insert(entry).execute(tx).await?;
    Ok(())
}

fn insert(entry: &AuditEntry) -> Query<'_> {
    query(
        "INSERT INTO audit (id, partner, entity, user_id, tag, kind, detail, happened_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Bytes(id_of(entry)))
    .bind(entry.partner)
    .bind(entry.entity)
    .bind(entry.user)
    .bind(entry.tag)
    .bind(entry.kind)
    .bind(&entry.detail)
    .bind(entry.at)
}

/// An id for lists: made from what the entry says, so that equal entries of the same moment are one.
fn id_of(entry: &AuditEntry) -> [u8; 16] {
    const NONE: [u8; 16] = [0; 16];
    let mut digest = Sha256::new();
    digest.update(entry.partner.as_bytes());
    digest.update(entry.tag.as_ref().map_or(&[0; 32], SubscriberTag::as_bytes));
    digest.update(entry.entity.as_ref().map_or(&NONE, EntityId::as_bytes));
    digest.update(entry.user.as_ref().map_or(&NONE, UserId::as_bytes));
    digest.update(entry.at.as_millis().to_be_bytes());
    digest.update(entry.kind);
    digest.update([0]);
    digest.update(&entry.detail);
    let digest: [u8; 32] = digest.finalize().into();
    *digest.first_chunk().unwrap_or(&NONE)
}
