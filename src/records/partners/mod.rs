//! Partners and their credentials at providers.

use async_trait::async_trait;

use super::{AuditEntry, Result};
use crate::core::ids::PartnerId;
use crate::core::purpose::Purpose;
use crate::core::time::Timestamp;

/// A business on whose behalf accounts are linked.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Partner {
    /// For the one from the configuration, derived from its name.
    pub id: PartnerId,
    /// The name shown to people.
    pub name: String,
    /// What the data are for, as shown in the consent.
    pub purpose: Purpose,
    /// For how many days people agree, where an intent does not say.
    #[sqlx(try_from = "i64")]
    pub days: u16,
    /// Whether it is offered to anyone who dials the plain code.
    pub walk_in: bool,
    /// The telephone number that people can call for help, if it has given one.
    pub contact: Option<String>,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// What is to be different in a partner; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerChange {
    pub purpose: Option<Purpose>,
    pub days: Option<u16>,
    pub walk_in: Option<bool>,
    /// `Some(None)`: there is none any more.
    pub contact: Option<Option<String>>,
}

/// Partners and their keys at providers.
#[async_trait]
pub trait PartnerRecords: Send + Sync {
    /// Adds a partner, or brings all but when it was first seen up to date.
    async fn put_partner(&self, partner: &Partner) -> Result<()>;
    /// The partner with this id.
    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>>;
    /// All partners, by name.
    async fn partners(&self) -> Result<Vec<Partner>>;
    /// Stores a partner's sealed credentials for a provider.
    async fn put_credentials(&self, partner: PartnerId, provider: &str, sealed: &[u8], at: Timestamp) -> Result<()>;
    /// A partner's sealed credentials for a provider.
    async fn credentials(&self, partner: PartnerId, provider: &str) -> Result<Option<Vec<u8>>>;
    /// Notes that an account, linked with these credentials, has named the session it was linked in.
    async fn note_session_match(&self, partner: PartnerId, provider: &str) -> Result<()>;
    /// Whether one has, since the partner set these credentials.
    async fn session_matched(&self, partner: PartnerId, provider: &str) -> Result<bool>;
    /// For which providers a partner has credentials, and since when they are these, by the provider's name.
    async fn providers_of(&self, partner: PartnerId) -> Result<Vec<(String, Timestamp)>>;
    /// Stores a partner's sealed credentials for a provider at the partner's own request.
    async fn set_credentials(&self, provider: &str, sealed: &[u8], audit: &AuditEntry) -> Result<()>;
    /// Deletes a partner's credentials for a provider. Says whether there were any.
    async fn forget_credentials(&self, provider: &str, audit: &AuditEntry) -> Result<bool>;
    /// Changes a partner. `None`: there is no such partner.
    async fn change_partner(&self, change: &PartnerChange, audit: &AuditEntry) -> Result<Option<Partner>>;
    /// Whether the database can be read and written now.
    async fn check_ready(&self) -> Result<()>;

    /// What the database's clock says, for nodes on several hosts to agree on; `None` where the database has the clock of
    /// this host.
    async fn server_time(&self) -> Result<Option<Timestamp>>;
}
