//! Partners, their credentials at providers, and the audit trail.

use async_trait::async_trait;

use super::Result;
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// A business on whose behalf accounts are linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Its id; for the one from the configuration, derived from its name.
    pub id: PartnerId,
    /// The name shown to people.
    pub name: String,
    /// What the data are for, as shown in the consent.
    pub purpose: String,
    /// For how many days people agree, where an intent does not say.
    pub days: u16,
    /// Whether it is offered to whoever dials the plain code.
    pub walk_in: bool,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// Something worth keeping for an auditor. Holds no personal data beyond the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Whose.
    pub partner: PartnerId,
    /// Whom it concerns, if anybody.
    pub tag: Option<SubscriberTag>,
    /// A stable word: `link.created`, `seal.broken`, `webhook.unauthentic`…
    pub kind: &'static str,
    /// A few words more; never typed text, numbers or codes.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// Something that a partner, or one of its users, does to what is theirs. It is kept in the audit trail in the transaction
/// of what it does, so that neither is there without the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whose.
    pub partner: PartnerId,
    /// In which entity, if in one.
    pub entity: Option<EntityId>,
    /// The user who does it; none: the partner itself, or an operator.
    pub user: Option<UserId>,
    /// A stable word: `role.created`, `user.deleted`…
    pub kind: &'static str,
    /// The id of what it is done to, and the like; nothing personal.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

impl AuditEntry {
    /// What a partner itself, or an operator, does to the partner as a whole.
    pub fn new(partner: PartnerId, kind: &'static str, detail: String, at: Timestamp) -> Self {
        Self {
            partner,
            entity: None,
            user: None,
            kind,
            detail,
            at,
        }
    }
}

/// An event of the audit trail, as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Its id. Equal events of the same moment share one.
    pub id: [u8; 16],
    /// In which entity, if in one.
    pub entity: Option<EntityId>,
    /// The user who did it, if one did.
    pub user: Option<UserId>,
    /// A stable word.
    pub kind: String,
    /// A few words more.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// What is to be different in a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerChange {
    /// What the data are for.
    pub purpose: Option<String>,
    /// For how many days people agree.
    pub days: Option<u16>,
    /// Whether it is offered to whoever dials the plain code.
    pub walk_in: Option<bool>,
}

/// Partners and their keys.
#[async_trait]
pub trait PartnerRecords: Send + Sync {
    /// Adds a partner, or brings all but when it was first seen up to date.
    async fn put_partner(&self, partner: &Partner) -> Result<()>;
    /// The partner with this id.
    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>>;
    /// All partners, by name.
    async fn partners(&self) -> Result<Vec<Partner>>;
    /// Keeps a partner's sealed credentials for a provider.
    async fn put_credentials(&self, partner: PartnerId, provider: &str, sealed: &[u8], at: Timestamp) -> Result<()>;
    /// A partner's sealed credentials for a provider.
    async fn credentials(&self, partner: PartnerId, provider: &str) -> Result<Option<Vec<u8>>>;
    /// For which providers a partner has credentials, and since when they are these, by the provider's name.
    async fn providers_of(&self, partner: PartnerId) -> Result<Vec<(String, Timestamp)>>;
    /// Keeps a partner's sealed credentials for a provider, as the partner wishes.
    async fn set_credentials(&self, provider: &str, sealed: &[u8], deed: &AuditEntry) -> Result<()>;
    /// Forgets a partner's credentials for a provider. Says whether there were any.
    async fn forget_credentials(&self, provider: &str, deed: &AuditEntry) -> Result<bool>;
    /// Changes a partner. None: there is no such partner.
    async fn change_partner(&self, change: &PartnerChange, deed: &AuditEntry) -> Result<Option<Partner>>;
    /// Keeps a security event.
    async fn audit(&self, event: &AuditEvent) -> Result<()>;
    /// A page of the audit trail, newest first.
    async fn audit_trail(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<StoredAuditEntry>>;
    /// Whether the database can be read and written now.
    async fn check_ready(&self) -> Result<()>;
}
