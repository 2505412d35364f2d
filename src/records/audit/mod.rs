//! The audit trail: who did what to what is a partner's, and what happened to its security.

use async_trait::async_trait;

use super::Result;
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;

/// An entry of the trail. What a partner or one of its users does is written in the transaction that does it, so that
/// neither is there without the other. Holds no personal data beyond the tag, and the name of who states that a partner is
/// eligible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub partner: PartnerId,
    /// In which entity, if in one.
    pub entity: Option<EntityId>,
    /// The user who did it; `None`: the partner itself, an operator or nobody.
    pub user: Option<UserId>,
    /// Whom it concerns, if anybody.
    pub tag: Option<SubscriberTag>,
    /// A stable word: `role.created`, `link.created`, `seal.broken`…
    pub kind: &'static str,
    /// The id of what it is done to, and the like; never what subscribers type, numbers or codes.
    pub detail: String,
    pub at: Timestamp,
}

impl AuditEntry {
    /// What a partner itself, or an operator, does to the partner as a whole.
    pub fn new(partner: PartnerId, kind: &'static str, detail: String, at: Timestamp) -> Self {
        Self {
            partner,
            entity: None,
            user: None,
            tag: None,
            kind,
            detail,
            at,
        }
    }

    /// The same, concerning a person.
    #[must_use]
    pub fn about(self, tag: SubscriberTag) -> Self {
        Self { tag: Some(tag), ..self }
    }
}

/// An entry as it is read.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredAuditEntry {
    /// Equal entries of the same moment share one.
    #[sqlx(try_from = "Bytes<16>")]
    pub id: [u8; 16],
    pub entity: Option<EntityId>,
    #[sqlx(rename = "user_id")]
    pub user: Option<UserId>,
    pub kind: String,
    pub detail: String,
    #[sqlx(rename = "happened_at")]
    pub at: Timestamp,
}

/// The audit trail.
#[async_trait]
pub trait AuditRecords: Send + Sync {
    /// Writes an entry that no other change goes with.
    async fn audit(&self, entry: &AuditEntry) -> Result<()>;
    /// A page of the trail, newest first.
    async fn audit_trail(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<StoredAuditEntry>>;
}
