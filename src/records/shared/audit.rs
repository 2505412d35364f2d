//! The audit trail.

use sha2::{Digest, Sha256};
use sqlx::Row as _;

use super::{Connection, Query, Row, fixed, maybe};
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{AuditEntry, Result, StoredAuditEntry, sql};

/// A line of the trail.
pub(super) struct Line<'a> {
    pub(super) partner: PartnerId,
    pub(super) tag: Option<SubscriberTag>,
    pub(super) entity: Option<EntityId>,
    pub(super) user: Option<UserId>,
    pub(super) kind: &'a str,
    pub(super) detail: &'a str,
    pub(super) at: Timestamp,
}

impl<'a> Line<'a> {
    /// The statement that writes it.
    pub(super) fn written(&self) -> Query<'a> {
        sqlx::query(sql::AUDIT)
            .bind(self.partner.as_bytes().to_vec())
            .bind(self.tag.map(|tag| tag.as_bytes().to_vec()))
            .bind(self.kind)
            .bind(self.detail)
            .bind(self.at.as_millis())
            .bind(self.id().to_vec())
            .bind(self.entity.map(|entity| entity.as_bytes().to_vec()))
            .bind(self.user.map(|user| user.as_bytes().to_vec()))
    }

    /// An id for lists: out of what the line says, so that equal lines of the same moment are one.
    fn id(&self) -> [u8; 16] {
        let mut digest = Sha256::new();
        let none = [0; 16];
        digest.update(self.partner.as_bytes());
        digest.update(self.tag.as_ref().map_or(&[0; 32], SubscriberTag::as_bytes));
        digest.update(self.entity.as_ref().map_or(&none, EntityId::as_bytes));
        digest.update(self.user.as_ref().map_or(&none, UserId::as_bytes));
        digest.update(self.at.as_millis().to_be_bytes());
        digest.update(self.kind);
        digest.update([0]);
        digest.update(self.detail);
        let mut id = none;
        id.iter_mut().zip(digest.finalize()).for_each(|(id, byte)| *id = byte);
        id
    }
}

/// Writes a deed into the trail, in the transaction of what it does.
pub(super) async fn note(connection: &mut Connection, deed: &AuditEntry) -> Result<()> {
    let line = Line {
        partner: deed.partner,
        tag: None,
        entity: deed.entity,
        user: deed.user,
        kind: deed.kind,
        detail: &deed.detail,
        at: deed.at,
    };
    line.written().execute(connection).await?;
    Ok(())
}

pub(super) fn audited_of(row: &Row) -> Result<StoredAuditEntry> {
    Ok(StoredAuditEntry {
        id: fixed(row, "id")?,
        entity: maybe(row, "entity", EntityId::from_bytes)?,
        user: maybe(row, "user_id", UserId::from_bytes)?,
        kind: row.try_get("kind")?,
        detail: row.try_get("detail")?,
        at: Timestamp::from_millis(row.try_get("happened_at")?),
    })
}
