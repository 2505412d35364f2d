//! Authentication and authorisation: keys, tokens, and the rows they give access to.

use std::net::IpAddr;

use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::account_api::AccountApi;
use super::budgets::{RateLimitStatus, Spender};
use super::error::ApiError;
use super::views::serialize_exposed;
use crate::core::access::{AccessDenied, Action, Caller, Object, TenantScope};
use crate::core::api_key::{self, ApiKeyKind};
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::secret::Secret;
use crate::records::{AccessToken, AuditEntry};
use crate::service::strangers::StrangerKind;

/// Who may call a route with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredAccess {
    /// The partner itself.
    Partner,
    User,
    /// The partner, or a user whose role permits this action.
    Permitted(Object, Action),
}

/// What a partner's server authenticates with.
#[derive(Debug)]
pub struct ClientCredentials {
    pub id: PartnerId,
    pub secret: Secret,
}

/// For whom a token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSubject {
    Partner,
    User(UserId),
}

/// A token, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct IssuedToken {
    /// The token.
    #[serde(serialize_with = "serialize_exposed")]
    #[schema(value_type = String, format = Password)]
    pub access_token: Secret,
    /// Always `Bearer`.
    #[schema(value_type = String)]
    pub token_type: &'static str,
    /// Lifetime in seconds.
    pub expires_in: u64,
}

impl AccountApi {
    pub(crate) async fn authenticate_token(&self, token: &str) -> Result<Caller, ApiError> {
        let found = self.caller_of(token).await;
        self.note_stranger(StrangerKind::Token, found)
    }

    async fn caller_of(&self, token: &str) -> Result<Caller, ApiError> {
        self.check_key_format(token, ApiKeyKind::Token)?;
        let (digest, asked_at) = (api_key::digest(token), Instant::now());
        if let Some(caller) = self.token_cache.get(&digest, self.now(), asked_at) {
            return Ok(caller);
        }
        let bearer = self.records.bearer(&digest, self.now()).await?;
        let bearer = bearer.ok_or(ApiError::Unauthenticated)?;
        let caller = bearer.caller.clone();
        self.token_cache.insert(digest, bearer, asked_at);
        Ok(caller)
    }

    pub(crate) async fn authenticate_publishable_key(&self, key: &str) -> Result<PartnerId, ApiError> {
        let found = self.key_owner(key, ApiKeyKind::Publishable).await;
        self.note_stranger(StrangerKind::PublishableKey, found)
    }

    /// Counts those whose key or token is wrong.
    fn note_stranger<T>(&self, tried: StrangerKind, found: Result<T, ApiError>) -> Result<T, ApiError> {
        if matches!(found, Err(ApiError::Unauthenticated | ApiError::WrongEnvironment)) {
            self.deps.strangers.count(tried);
        }
        found
    }

    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        access: RequiredAccess,
        entity: Option<EntityId>,
    ) -> Result<TenantScope, ApiError> {
        let scope = match (access, caller) {
            (RequiredAccess::Permitted(object, action), caller) => caller.tenant_scope(object, action, entity)?,
            (RequiredAccess::Partner, Caller::Partner(partner)) => TenantScope {
                partner: *partner,
                entity,
                own: None,
            },
            (RequiredAccess::User, Caller::User { entity: theirs, .. })
                if entity.is_some_and(|entity| entity != *theirs) =>
            {
                return Err(AccessDenied::Entity.into());
            }
            (
                RequiredAccess::User,
                Caller::User {
                    partner, entity, user, ..
                },
            ) => TenantScope {
                partner: *partner,
                entity: Some(*entity),
                own: Some(*user),
            },
            (RequiredAccess::Partner, Caller::User { .. }) | (RequiredAccess::User, Caller::Partner(_)) => {
                return Err(AccessDenied::Role.into());
            }
        };
        // A user's entity exists, or there would be no user; an entity that a partner names may be anybody's.
        if let (Caller::Partner(_), Some(entity)) = (caller, scope.entity)
            && self.records.entity(&scope, entity).await?.is_none()
        {
            return Err(AccessDenied::Entity.into());
        }
        Ok(scope)
    }

    pub(crate) async fn issue_token(
        &self,
        client: &ClientCredentials,
        subject: TokenSubject,
        from: Option<IpAddr>,
    ) -> Result<(IssuedToken, RateLimitStatus), ApiError> {
        let rate_limit = self.authenticate_client(client, from).await?;
        let token = api_key::generate(ApiKeyKind::Token, self.settings.environment, self.deps.rng.as_ref());
        let now = self.now();
        let row = AccessToken {
            digest: api_key::digest(token.expose()),
            partner: client.id,
            user: match subject {
                TokenSubject::Partner => None,
                TokenSubject::User(user) => Some(user),
            },
            created_at: now,
            expires_at: now.plus(self.settings.token_lifetime),
        };
        let holder = row
            .user
            .map_or_else(|| "the partner".to_owned(), |user| user.to_string());
        let detail = format!("{} for {holder}", token_fingerprint(&row.digest));
        let audit = AuditEntry::new(client.id, "token.issued", detail, now);
        if !self.records.add_token(&row, &audit).await? {
            return Err(ApiError::field("/user_id", "unknown", "there is no such user"));
        }
        let issued = IssuedToken {
            access_token: token,
            token_type: "Bearer",
            expires_in: self.settings.token_lifetime.as_secs(),
        };
        Ok((issued, rate_limit))
    }

    pub(crate) async fn revoke_token(
        &self,
        client: &ClientCredentials,
        token: &Secret,
        from: Option<IpAddr>,
    ) -> Result<RateLimitStatus, ApiError> {
        let rate_limit = self.authenticate_client(client, from).await?;
        let digest = api_key::digest(token.expose());
        let audit = AuditEntry::new(client.id, "token.revoked", token_fingerprint(&digest), self.now());
        self.records.revoke_token(&digest, &audit).await?;
        self.token_cache.remove(&digest);
        Ok(rate_limit)
    }

    /// Whether a text has the form of such a key, for this environment.
    fn check_key_format(&self, text: &str, kind: ApiKeyKind) -> Result<(), ApiError> {
        match api_key::parse(text) {
            Some((found, side)) if found == kind && side == self.settings.environment => Ok(()),
            Some((found, _)) if found == kind => Err(ApiError::WrongEnvironment),
            _ => Err(ApiError::Unauthenticated),
        }
    }

    async fn key_owner(&self, text: &str, kind: ApiKeyKind) -> Result<PartnerId, ApiError> {
        self.check_key_format(text, kind)?;
        let found = self.records.key(&api_key::digest(text), self.now()).await?;
        let found = found.filter(|key| key.kind == kind);
        found.map(|key| key.partner).ok_or(ApiError::Unauthenticated)
    }

    /// Authenticates a client, and counts the request against its rate limit. A right key opens however many wrong ones
    /// came before, from wherever: behind a balancer everybody may have one address.
    async fn authenticate_client(
        &self,
        client: &ClientCredentials,
        from: Option<IpAddr>,
    ) -> Result<RateLimitStatus, ApiError> {
        let owner = self.key_owner(client.secret.expose(), ApiKeyKind::Secret).await;
        let owner = owner.and_then(|owner| {
            let named = owner == client.id;
            named.then_some(owner).ok_or(ApiError::Unauthenticated)
        });
        match self.note_stranger(StrangerKind::Key, owner) {
            Ok(partner) => self.count_request(Spender::Key(partner)).require(),
            Err(error @ (ApiError::Unauthenticated | ApiError::WrongEnvironment)) => {
                self.failed_auth.record(from, client.id, self.now())?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

/// Identifies a token in the audit trail, without revealing it.
fn token_fingerprint(digest: &[u8; 32]) -> String {
    let [a, b, c, d, ..] = digest;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}
