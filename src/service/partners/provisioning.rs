//! Partners as an operator sets them up: with their first keys, and with new ones.

use std::time::Duration;

use super::account_api::key_row;
use crate::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng, Timestamp};
use crate::records::{AccessRecords, AuditEntry, Partner, RecordsError};

/// What keys are made with.
#[derive(Clone, Copy)]
pub struct KeyProvisioner<'a> {
    /// Durable truth.
    pub records: &'a dyn AccessRecords,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub entropy: &'a dyn Rng,
    /// The side that the keys work on.
    pub side: ApiEnvironment,
}

/// A partner's first keys, shown once.
pub struct InitialKeys {
    /// The secret one.
    pub secret: Secret,
    /// The publishable one.
    pub publishable: Secret,
}

/// A key that takes the place of another.
pub struct RotatedKey {
    /// It, shown once.
    pub key: Secret,
    /// Until when the one before opens, too.
    pub until: Timestamp,
}

impl KeyProvisioner<'_> {
    /// Adds a partner and makes its keys. None: it is there already.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn add_partner(&self, partner: &Partner) -> Result<Option<InitialKeys>, RecordsError> {
        let keys = InitialKeys {
            secret: api_key::generate(ApiKeyKind::Secret, self.side, self.entropy),
            publishable: api_key::generate(ApiKeyKind::Publishable, self.side, self.entropy),
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
        let deed = AuditEntry::new(partner.id, "partner.added", partner.id.to_string(), partner.created_at);
        let added = self.records.add_partner(partner, &rows, &deed).await?;
        Ok(added.then_some(keys))
    }

    /// Makes a key that replaces the newest of its kind, which opens for `keep` longer. If that is no time at all, the
    /// partner's tokens end with it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn rotate_key(
        &self,
        partner: PartnerId,
        kind: ApiKeyKind,
        keep: Duration,
    ) -> Result<RotatedKey, RecordsError> {
        let key = api_key::generate(kind, self.side, self.entropy);
        let now = self.clock.now();
        let row = key_row(partner, kind, &key, now);
        let word = match kind {
            ApiKeyKind::Publishable => "publishable",
            ApiKeyKind::Secret | ApiKeyKind::Token => "secret",
        };
        let detail = format!("{word} key ..{}", row.hint);
        let (until, deed) = (now.plus(keep), AuditEntry::new(partner, "key.rotated", detail, now));
        self.records.rotate_key(&row, until, &deed).await?;
        Ok(RotatedKey { key, until })
    }
}
