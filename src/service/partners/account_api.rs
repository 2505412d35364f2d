//! A partner's account: its access, settings, entities, roles, users, events, and idempotent requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::ApiError;
use super::failed_auth::FailedAuth;
use super::token_cache::TokenCache;
use crate::core::api_key::ApiEnvironment;
use crate::core::ids::PartnerId;
use crate::core::seal::Keyring;
use crate::core::time::Timestamp;
use crate::core::token_bucket::{RateLimit, TokenBucket, TokensLeft};
use crate::records::Records;
use crate::service::deps::Deps;
use crate::service::providers::Providers;

/// How partners may call.
#[derive(Clone, Copy, Debug)]
pub struct ApiSettings {
    /// The environment whose keys are accepted.
    pub environment: ApiEnvironment,
    pub token_lifetime: Duration,
    /// For each partner, on this node.
    pub rate: RateLimit,
}

/// How many requests a partner has left on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    pub limit: u32,
    pub left: TokensLeft,
    /// Whether this request was within the limit.
    pub granted: bool,
}

impl RateLimitStatus {
    pub(crate) fn require(self) -> Result<Self, ApiError> {
        if self.granted {
            Ok(self)
        } else {
            Err(ApiError::TooMany { after: self.left.next })
        }
    }
}

/// The part of the API that is about the partner itself.
pub struct AccountApi {
    pub(super) records: Arc<dyn Records>,
    /// The partner they know is the one of the configuration.
    pub(super) providers: Arc<Providers>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) deps: Deps,
    /// How partners may call.
    pub(super) settings: ApiSettings,
    pub(super) token_cache: TokenCache,
    pub(super) failed_auth: FailedAuth,
    buckets: Mutex<HashMap<PartnerId, TokenBucket>>,
}

impl AccountApi {
    pub fn new(
        records: Arc<dyn Records>,
        providers: Arc<Providers>,
        keyring: Arc<Keyring>,
        deps: Deps,
        settings: ApiSettings,
    ) -> Self {
        Self {
            records,
            providers,
            keyring,
            deps,
            settings,
            token_cache: TokenCache::default(),
            failed_auth: FailedAuth::default(),
            buckets: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Counts a request. There are as many buckets as partners that have called: few.
    pub(crate) fn count_request(&self, partner: PartnerId) -> RateLimitStatus {
        let now = self.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(partner).or_default();
        let granted = bucket.try_take(self.settings.rate, 0, now);
        RateLimitStatus {
            limit: self.settings.rate.burst,
            left: bucket.left(self.settings.rate, now),
            granted,
        }
    }
}
