//! Who calls: keys, tokens, and the rows they open.

use std::net::IpAddr;

use async_trait::async_trait;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{Access, AccountApi, ApiError};
use crate::core::access::{AccessDenied, Action, Caller, Object, TenantScope};
use crate::core::api_key::{self, ApiKeyKind};
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::secret::Secret;
use crate::core::token_bucket::TokensLeft;
use crate::records::{AccessToken, AuditEntry};

/// Who a request must be from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredAccess {
    /// The partner itself, by a token of its own.
    Partner,
    /// Any user.
    User,
    /// Whoever may do this: the partner, or a user whose role allows it.
    Permitted(Object, Action),
}

/// What a partner's server shows to get a token.
#[derive(Debug)]
pub struct ClientCredentials {
    /// The partner's id.
    pub id: PartnerId,
    /// Its secret key.
    pub secret: Secret,
}

/// For whom a token is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSubject {
    /// The partner itself.
    Partner,
    /// One of its users.
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
    /// For how many seconds it opens anything.
    pub expires_in: u64,
}

/// The one moment at which a secret leaves us.
pub(super) fn serialize_exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// How many requests a partner has left at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The most there can be left.
    pub limit: u32,
    /// What is left, and when there will be more.
    pub left: TokensLeft,
    /// Whether there was one for this request.
    pub granted: bool,
}

impl RateLimitStatus {
    fn require(self) -> Result<Self, ApiError> {
        if self.granted {
            Ok(self)
        } else {
            Err(ApiError::TooMany { after: self.left.next })
        }
    }
}

#[async_trait]
impl Access for AccountApi {
    async fn authenticate_token(&self, token: &str) -> Result<Caller, ApiError> {
        self.check_key_format(token, ApiKeyKind::Token)?;
        let (digest, asked) = (api_key::digest(token), Instant::now());
        if let Some(caller) = self.token_cache.get(&digest, self.now(), asked) {
            return Ok(caller);
        }
        let bearer = self.records.bearer(&digest, self.now()).await?;
        let bearer = bearer.ok_or(ApiError::Unauthenticated)?;
        let caller = bearer.caller.clone();
        self.token_cache.insert(digest, bearer, asked);
        Ok(caller)
    }

    async fn authenticate_publishable_key(&self, key: &str) -> Result<PartnerId, ApiError> {
        self.key_owner(key, ApiKeyKind::Publishable).await
    }

    async fn authorize(
        &self,
        caller: &Caller,
        need: RequiredAccess,
        entity: Option<EntityId>,
    ) -> Result<TenantScope, ApiError> {
        let reach = match (need, caller) {
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
        // A user's entity is there, or there would be no user; one that a partner has chosen may be anybody's.
        if let (Caller::Partner(_), Some(entity)) = (caller, reach.entity)
            && self.records.entity(&reach, entity).await?.is_none()
        {
            return Err(AccessDenied::Entity.into());
        }
        Ok(reach)
    }

    fn count_request(&self, partner: PartnerId) -> RateLimitStatus {
        self.take_request(partner)
    }

    async fn issue_token(
        &self,
        client: &ClientCredentials,
        grant: TokenSubject,
        from: Option<IpAddr>,
    ) -> Result<(IssuedToken, RateLimitStatus), ApiError> {
        let allowance = self.authenticate_client(client, from).await?;
        let token = api_key::generate(ApiKeyKind::Token, self.settings.side, self.runtime.rng.as_ref());
        let now = self.now();
        let row = AccessToken {
            digest: api_key::digest(token.expose()),
            partner: client.id,
            user: match grant {
                TokenSubject::Partner => None,
                TokenSubject::User(user) => Some(user),
            },
            created_at: now,
            expires_at: now.plus(self.settings.token_lifetime),
        };
        let whom = row
            .user
            .map_or_else(|| "the partner".to_owned(), |user| user.to_string());
        let detail = format!("{} for {whom}", token_fingerprint(&row.digest));
        let deed = AuditEntry::new(client.id, "token.issued", detail, now);
        if !self.records.add_token(&row, &deed).await? {
            return Err(ApiError::field("/user_id", "unknown", "there is no such user"));
        }
        let issued = IssuedToken {
            access_token: token,
            token_type: "Bearer",
            expires_in: self.settings.token_lifetime.as_secs(),
        };
        Ok((issued, allowance))
    }

    async fn revoke_token(
        &self,
        client: &ClientCredentials,
        token: &Secret,
        from: Option<IpAddr>,
    ) -> Result<RateLimitStatus, ApiError> {
        let allowance = self.authenticate_client(client, from).await?;
        let digest = api_key::digest(token.expose());
        let deed = AuditEntry::new(client.id, "token.revoked", token_fingerprint(&digest), self.now());
        self.records.revoke_token(&digest, &deed).await?;
        self.token_cache.remove(&digest);
        Ok(allowance)
    }
}

impl AccountApi {
    /// Whether a text looks like such a key, of our side.
    fn check_key_format(&self, text: &str, kind: ApiKeyKind) -> Result<(), ApiError> {
        match api_key::parse(text) {
            Some((found, side)) if found == kind && side == self.settings.side => Ok(()),
            Some((found, _)) if found == kind => Err(ApiError::WrongEnvironment),
            _ => Err(ApiError::Unauthenticated),
        }
    }

    /// Whose key this is.
    async fn key_owner(&self, text: &str, kind: ApiKeyKind) -> Result<PartnerId, ApiError> {
        self.check_key_format(text, kind)?;
        let found = self.records.key(&api_key::digest(text), self.now()).await?;
        let found = found.filter(|key| key.kind == kind);
        found.map(|key| key.partner).ok_or(ApiError::Unauthenticated)
    }

    /// Whether a client is who it says, and has not asked too often.
    async fn authenticate_client(
        &self,
        client: &ClientCredentials,
        from: Option<IpAddr>,
    ) -> Result<RateLimitStatus, ApiError> {
        let now = self.now();
        self.failed_auth.check(from, now)?;
        let found = match self.key_owner(client.secret.expose(), ApiKeyKind::Secret).await {
            Ok(partner) if partner == client.id => return self.take_request(partner).require(),
            Ok(_) => ApiError::Unauthenticated,
            Err(error) => error,
        };
        if matches!(found, ApiError::Unauthenticated | ApiError::WrongEnvironment) {
            self.failed_auth.record(from, client.id, now)?;
        }
        Err(found)
    }
}

/// By which a token is known again in the audit trail; nothing can be made of it.
fn token_fingerprint(digest: &[u8; 32]) -> String {
    let [a, b, c, d, ..] = digest;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}
