//! A partner's account: its access, settings, entities, roles, users, events, and idempotent requests.

use std::sync::Arc;
use std::time::Duration;

use super::budgets::{Budgets, RateLimitStatus, Spender};
use super::failed_auth::FailedAuth;
use super::token_cache::TokenCache;
use crate::core::api_key::ApiEnvironment;
use crate::core::seal::Keyring;
use crate::core::time::Timestamp;
use crate::core::token_bucket::RateLimit;
use crate::records::Records;
use crate::service::catalogue::Catalogue;
use crate::service::deps::Deps;
use crate::service::providers::Providers;

/// How partners may call.
#[derive(Clone, Copy, Debug)]
pub struct ApiSettings {
    /// The environment whose keys are accepted.
    pub environment: ApiEnvironment,
    pub token_lifetime: Duration,
    /// For each partner, on this node; for its users together and for its publishable key as much again.
    pub rate: RateLimit,
}

/// The part of the API that is about the partner itself.
pub struct AccountApi {
    pub(super) records: Arc<dyn Records>,
    /// The partner they know is the one of the configuration.
    pub(super) providers: Arc<Providers>,
    /// Whose names a partner must not speak in.
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) deps: Deps,
    /// How partners may call.
    pub(super) settings: ApiSettings,
    pub(super) token_cache: TokenCache,
    pub(super) failed_auth: FailedAuth,
    budgets: Budgets,
}

impl AccountApi {
    pub fn new(
        records: Arc<dyn Records>,
        providers: Arc<Providers>,
        catalogue: Arc<Catalogue>,
        keyring: Arc<Keyring>,
        deps: Deps,
        settings: ApiSettings,
    ) -> Self {
        Self {
            records,
            providers,
            catalogue,
            keyring,
            deps,
            settings,
            token_cache: TokenCache::default(),
            failed_auth: FailedAuth::default(),
            budgets: Budgets::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Counts a request.
    pub(crate) fn count_request(&self, by: Spender) -> RateLimitStatus {
        self.budgets.count(by, self.settings.rate, self.now())
    }
}
