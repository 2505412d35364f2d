//! What answers partners' questions about themselves: who may call, in which role, for which entity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access::Allowance;
use super::failures::Failures;
use super::tokens::Known;
use crate::core::api_key::{self, KeyKind, Side};
use crate::core::bucket::{Bucket, Rate};
use crate::core::ids::PartnerId;
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Timestamp};
use crate::records::{AccessRecords, PartnerKey, Records, RecordsError};
use crate::service::partner::Providers;
use crate::service::runtime::Runtime;

/// How partners call.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which keys are ours.
    pub side: Side,
    /// How long a token opens anything.
    pub token_lifetime: Duration,
    /// How many requests of one partner this node takes.
    pub rate: Rate,
}

/// Answers partners.
pub struct Office {
    /// Durable truth.
    pub(super) records: Arc<dyn Records>,
    /// Who takes the partners' keys; the partner they know is the configuration's.
    pub(super) providers: Arc<Providers>,
    /// Recognises and seals.
    pub(super) keyring: Arc<Keyring>,
    /// Clock, chance.
    pub(super) runtime: Runtime,
    /// How partners call.
    pub(super) settings: Settings,
    /// Tokens that were looked up a moment ago.
    pub(super) known: Known,
    /// Who has shown wrong keys.
    pub(super) failures: Failures,
    /// What each partner has taken.
    buckets: Mutex<HashMap<PartnerId, Bucket>>,
}

impl Office {
    /// One at work on these records.
    pub fn new(
        records: Arc<dyn Records>,
        providers: Arc<Providers>,
        keyring: Arc<Keyring>,
        runtime: Runtime,
        settings: Settings,
    ) -> Self {
        Self {
            records,
            providers,
            keyring,
            runtime,
            settings,
            known: Known::default(),
            failures: Failures::default(),
            buckets: Mutex::default(),
        }
    }

    /// The present moment.
    pub(super) fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }

    /// Takes a token of a partner's bucket. There are as many buckets as partners have called: few.
    pub(super) fn take(&self, partner: PartnerId) -> Allowance {
        let now = self.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(partner).or_default();
        let taken = bucket.take(self.settings.rate, 0, now);
        Allowance {
            limit: self.settings.rate.burst,
            left: bucket.left(self.settings.rate, now),
            taken,
        }
    }
}

/// Keeps a key that is given, such as the sandbox's.
///
/// # Errors
/// When the records are not available.
pub async fn enrol_key(
    records: &dyn AccessRecords,
    clock: &dyn Clock,
    partner: PartnerId,
    kind: KeyKind,
    key: &Secret,
) -> Result<(), RecordsError> {
    records.put_key(&new_key(partner, kind, key, clock.now())).await
}

/// A key's row.
pub(super) fn new_key(partner: PartnerId, kind: KeyKind, key: &Secret, at: Timestamp) -> PartnerKey {
    PartnerKey {
        digest: api_key::digest(key.expose()),
        partner,
        kind,
        hint: api_key::hint(key),
        created_at: at,
        until: None,
    }
}
