//! Keys and tokens: who may call, and on whose behalf. Neither is stored itself, only a digest that recognises it.

use async_trait::async_trait;

use super::{AuditEntry, Partner, Result};
use crate::core::access::Caller;
use crate::core::api_key::ApiKeyKind;
use crate::core::ids::{PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;

/// A key that names a partner.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PartnerKey {
    /// See [`crate::core::api_key::digest`].
    #[sqlx(try_from = "Bytes<32>")]
    pub digest: [u8; 32],
    pub partner: PartnerId,
    pub kind: ApiKeyKind,
    /// Its last four characters, to tell keys apart.
    pub hint: String,
    pub created_at: Timestamp,
    /// From then on it opens nothing; `None`: until it is replaced.
    pub until: Option<Timestamp>,
}

/// A token as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    pub digest: [u8; 32],
    /// For whom it speaks.
    pub partner: PartnerId,
    /// For which of its users; `None`: for the partner itself.
    pub user: Option<UserId>,
    pub created_at: Timestamp,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}

/// Who a token stands for, at the moment it was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Who calls, with what they may do.
    pub caller: Caller,
    /// From then on the token opens nothing.
    pub expires_at: Timestamp,
}

/// Keys and tokens. Tokens that have expired are deleted as [`super::ExpiredData::Tokens`].
#[async_trait]
pub trait AccessRecords: Send + Sync {
    /// Adds a partner with its keys. Says whether it was: one that is there already stays as it is.
    async fn add_partner(&self, partner: &Partner, keys: &[PartnerKey], audit: &AuditEntry) -> Result<bool>;
    /// Stores a key. One that is stored already is from now on as said here.
    async fn put_key(&self, key: &PartnerKey) -> Result<()>;
    /// Stores a key that replaces those of its kind: the newest of them opens until `until`, older ones no more, so that at
    /// most two are valid at a time. If that is not after the new key's beginning, the partner's tokens are revoked as
    /// well: anyone who had the old key may have made some.
    async fn rotate_key(&self, key: &PartnerKey, until: Timestamp, audit: &AuditEntry) -> Result<()>;
    /// The key with this digest, if it is valid now.
    async fn key(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PartnerKey>>;
    /// All keys of a partner, newest first, those that open nothing any more included.
    async fn keys(&self, partner: PartnerId) -> Result<Vec<PartnerKey>>;
    /// Writes a token. Says whether it was: a user who is not there, or has been deleted, gets none.
    async fn add_token(&self, token: &AccessToken, audit: &AuditEntry) -> Result<bool>;
    /// Who this token stands for. Nobody, if it is unknown, expired or revoked, or its user or their entity was deleted.
    /// Permissions are those of the user's role, or else of the entity's default role, as they are now.
    async fn bearer(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Bearer>>;
    /// Ends a token of the partner, if it is one and has not ended.
    async fn revoke_token(&self, digest: &[u8; 32], audit: &AuditEntry) -> Result<()>;
}
