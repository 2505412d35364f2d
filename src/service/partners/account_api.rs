//! What answers partners' questions about themselves: who may call, in which role, for which entity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access::RateLimitStatus;
use super::failed_auth::FailedAuth;
use super::token_cache::TokenCache;
use crate::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use crate::core::ids::PartnerId;
use crate::core::seal::Keyring;
use crate::core::secret::Secret;
use crate::core::time::{Clock, Timestamp};
use crate::core::token_bucket::{RateLimit, TokenBucket};
use crate::records::{AccessRecords, PartnerKey, Records, RecordsError};
use crate::service::deps::Deps;
use crate::service::providers::Providers;

/// How partners call.
#[derive(Clone, Copy, Debug)]
pub struct ApiSettings {
    /// Which keys are ours.
    pub side: ApiEnvironment,
    /// How long a token opens anything.
    pub token_lifetime: Duration,
    /// How many requests of one partner this node takes.
    pub rate: RateLimit,
}

/// Answers partners.
pub struct AccountApi {
    /// Durable truth.
    pub(super) records: Arc<dyn Records>,
    /// Who takes the partners' keys; the partner they know is the configuration's.
    pub(super) providers: Arc<Providers>,
    /// Recognises and seals.
    pub(super) keyring: Arc<Keyring>,
    /// Clock, chance.
    pub(super) runtime: Deps,
    /// How partners call.
    pub(super) settings: ApiSettings,
    /// Tokens that were looked up a moment ago.
    pub(super) token_cache: TokenCache,
    /// Who has shown wrong keys.
    pub(super) failed_auth: FailedAuth,
    /// What each partner has taken.
    buckets: Mutex<HashMap<PartnerId, TokenBucket>>,
}

impl AccountApi {
    /// One at work on these records.
    pub fn new(
        records: Arc<dyn Records>,
        providers: Arc<Providers>,
        keyring: Arc<Keyring>,
        runtime: Deps,
        settings: ApiSettings,
    ) -> Self {
        Self {
            records,
            providers,
            keyring,
            runtime,
            settings,
            token_cache: TokenCache::default(),
            failed_auth: FailedAuth::default(),
            buckets: Mutex::default(),
        }
    }

    /// The present moment.
    pub(super) fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }

    /// Takes a token of a partner's bucket. There are as many buckets as partners have called: few.
    pub(super) fn take_request(&self, partner: PartnerId) -> RateLimitStatus {
        let now = self.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(partner).or_default();
        let taken = bucket.try_take(self.settings.rate, 0, now);
        RateLimitStatus {
            limit: self.settings.rate.burst,
            left: bucket.left(self.settings.rate, now),
            granted: taken,
        }
    }
}

/// Keeps a key that is given, such as the sandbox's.
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

/// A key's row.
pub(super) fn key_row(partner: PartnerId, kind: ApiKeyKind, key: &Secret, at: Timestamp) -> PartnerKey {
    PartnerKey {
        digest: api_key::digest(key.expose()),
        partner,
        kind,
        hint: api_key::last_four(key),
        created_at: at,
        until: None,
    }
}
