//! Partners as an operator sets them up: with their first keys, and with new ones.

use std::time::Duration;

use super::office::new_key;
use crate::core::api_key::{self, KeyKind, Side};
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Entropy, Timestamp};
use crate::records::{AccessRecords, Deed, Partner, RecordsError};

/// What keys are made with.
#[derive(Clone, Copy)]
pub struct Maker<'a> {
    /// Durable truth.
    pub records: &'a dyn AccessRecords,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub entropy: &'a dyn Entropy,
    /// The side that the keys work on.
    pub side: Side,
}

/// A partner's first keys, shown once.
pub struct FirstKeys {
    /// The secret one.
    pub secret: Secret,
    /// The publishable one.
    pub publishable: Secret,
}

/// A key that takes the place of another.
pub struct NextKey {
    /// It, shown once.
    pub key: Secret,
    /// Until when the one before opens, too.
    pub until: Timestamp,
}

impl Maker<'_> {
    /// Adds a partner and makes its keys. None: it is there already.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn add(&self, partner: &Partner) -> Result<Option<FirstKeys>, RecordsError> {
        let keys = FirstKeys {
            secret: api_key::draw(KeyKind::Secret, self.side, self.entropy),
            publishable: api_key::draw(KeyKind::Publishable, self.side, self.entropy),
        };
        let rows = [
            new_key(partner.id, KeyKind::Secret, &keys.secret, partner.created_at),
            new_key(partner.id, KeyKind::Publishable, &keys.publishable, partner.created_at),
        ];
        let deed = Deed::of(partner.id, "partner.added", partner.id.to_string(), partner.created_at);
        let added = self.records.add_partner(partner, &rows, &deed).await?;
        Ok(added.then_some(keys))
    }

    /// Makes a key that replaces the newest of its kind, which opens for `keep` longer. If that is no time at all, the
    /// partner's tokens end with it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn replace(&self, partner: PartnerId, kind: KeyKind, keep: Duration) -> Result<NextKey, RecordsError> {
        let key = api_key::draw(kind, self.side, self.entropy);
        let now = self.clock.now();
        let row = new_key(partner, kind, &key, now);
        let word = match kind {
            KeyKind::Publishable => "publishable",
            KeyKind::Secret | KeyKind::Token => "secret",
        };
        let detail = format!("{word} key ..{}", row.hint);
        let (until, deed) = (now.plus(keep), Deed::of(partner, "key.rotated", detail, now));
        self.records.rotate_key(&row, until, &deed).await?;
        Ok(NextKey { key, until })
    }
}
