//! Sets partners up as an operator does: with their first keys, and with new ones.

use std::time::Duration;

use crate::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng, Timestamp};
use crate::records::{AccessRecords, AuditEntry, Partner, PartnerKey, RecordsError};

/// Generates and stores keys.
#[derive(Clone, Copy)]
pub struct KeyProvisioner<'a> {
    pub records: &'a dyn AccessRecords,
    pub clock: &'a dyn Clock,
    pub rng: &'a dyn Rng,
    /// The environment of the keys.
    pub environment: ApiEnvironment,
}

/// A partner's first keys, shown once.
pub struct InitialKeys {
    pub secret: Secret,
    pub publishable: Secret,
}

/// A key that replaces another.
pub struct RotatedKey {
    /// Shown once.
    pub key: Secret,
    /// Until then the previous key is valid too.
    pub until: Timestamp,
}

impl KeyProvisioner<'_> {
    /// Adds a partner and generates its keys. `None` if it exists already.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn add_partner(&self, partner: &Partner) -> Result<Option<InitialKeys>, RecordsError> {
        let keys = InitialKeys {
            secret: api_key::generate(ApiKeyKind::Secret, self.environment, self.rng),
            publishable: api_key::generate(ApiKeyKind::Publishable, self.environment, self.rng),
        };
        let rows = [
            key_row(partner.id, ApiKeyKind::Secret, &keys.secret, partner.created_at),
            key_row(
                partner.id,
                ApiKeyKind::Publishable,
                &keys.publishable,
                partner.created_at,
            ),
        ];
        let audit = AuditEntry::new(partner.id, "partner.added", partner.id.to_string(), partner.created_at);
        let added = self.records.add_partner(partner, &rows, &audit).await?;
        Ok(added.then_some(keys))
    }

    /// Generates a key that replaces the newest of its kind, which stays valid for `keep`. If that is zero, the partner's
    /// tokens end with it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn rotate_key(
        &self,
        partner: PartnerId,
        kind: ApiKeyKind,
        keep: Duration,
    ) -> Result<RotatedKey, RecordsError> {
        let key = api_key::generate(kind, self.environment, self.rng);
        let now = self.clock.now();
        let row = key_row(partner, kind, &key, now);
        let word = match kind {
            ApiKeyKind::Publishable => "publishable",
            ApiKeyKind::Secret | ApiKeyKind::Token => "secret",
        };
        let detail = format!("{word} key ..{}", row.hint);
        let (until, audit) = (now.plus(keep), AuditEntry::new(partner, "key.rotated", detail, now));
        self.records.rotate_key(&row, until, &audit).await?;
        Ok(RotatedKey { key, until })
    }
}

/// Stores a given key, such as the one of the sandbox.
///
/// # Errors
/// When the records are not available.
pub async fn store_key(
    records: &dyn AccessRecords,
    clock: &dyn Clock,
    partner: PartnerId,
    kind: ApiKeyKind,
    key: &Secret,
) -> Result<(), RecordsError> {
    records.put_key(&key_row(partner, kind, key, clock.now())).await
}

fn key_row(partner: PartnerId, kind: ApiKeyKind, key: &Secret, at: Timestamp) -> PartnerKey {
    PartnerKey {
        digest: api_key::digest(key.expose()),
        partner,
        kind,
        hint: api_key::last_four(key),
        created_at: at,
        until: None,
    }
}
