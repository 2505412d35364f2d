//! The partners' side: what a request of a partner's server means. Routes are in `http`, rows in `records`.
//!
//! Whoever calls is found once, by the gate in front of all routes; from then on there is an [`Asked`]: who it is, and the
//! rows this request may touch. Everything here hands its reach to the records.

pub mod access;
pub mod account_api;
pub mod dealings;
pub mod entities;
pub mod events;
mod failed_auth;
pub mod idempotency;
pub mod profile;
pub mod provisioning;
pub mod roles;
pub mod schemas;
pub mod subscribers;
mod token_cache;
pub mod users;
mod validation;
pub mod views;
pub mod webhook_endpoints;

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

pub use self::access::{ClientCredentials, IssuedToken, RateLimitStatus, RequiredAccess, TokenSubject};
pub use self::account_api::{AccountApi, ApiSettings};
pub use self::dealings::{
    AccountView, ConsentView, EndedLinkView, IntentListQuery, IntentView, Intents, LinkListQuery, LinkView, LinkingApi,
    Links, NewExpected, NewIntent, PublicIntent, SessionView, Sessions,
};
pub use self::entities::{EntityEdit, EntityView, NewEntity};
pub use self::events::{EventListQuery, EventView, EventWithDeliveries, Events, Replay, Replayed};
pub use self::idempotency::{IdempotencyLease, IdempotentRequest};
pub use self::profile::{AuditView, CredentialsView, NewCredentials, PartnerEdit, PartnerView};
pub use self::roles::{NewRole, RoleEdit, RoleView};
pub use self::subscribers::{ErasureView, SubscriberApi, SubscriberNumber, Subscribers};
pub use self::users::{NewUser, UserEdit, UserView};
pub use self::validation::Validation;
pub use self::views::{ApiTime, List};
pub use self::webhook_endpoints::{
    EndpointEdit, EndpointView, EndpointWithSecret, NewEndpoint, RotatedSecret, SecretRotation, WebhookEndpointApi,
    WebhookEndpoints,
};
use crate::core::access::{AccessDenied, Caller, TenantScope};
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::PageRequest;
use crate::core::secret::Secret;
use crate::core::time::{Rng, Timestamp};
use crate::records::{AuditEntry, RecordsError, WriteOutcome};

/// Who asks, and for which rows.
#[derive(Clone)]
pub struct RequestContext {
    /// Who calls.
    pub caller: Caller,
    /// The rows that this request may touch.
    pub reach: TenantScope,
    /// Where the ids and secrets of what this request makes come from.
    pub rng: std::sync::Arc<dyn Rng>,
}

impl RequestContext {
    /// What is done by this request, for the audit trail.
    fn audit_entry(&self, kind: &'static str, to: impl std::fmt::Display, at: Timestamp) -> AuditEntry {
        AuditEntry {
            partner: self.reach.partner,
            entity: self.reach.entity,
            tag: None,
            user: self.caller.user(),
            kind,
            detail: to.to_string(),
            at,
        }
    }
}

/// Why a request is not answered as asked. The words are for the partner's engineer; nothing of the request is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No token or key, or one that opens nothing.
    #[error("there is no valid token or key with this request")]
    Unauthenticated,
    /// A live key in the sandbox, or the other way round.
    #[error("this key or token belongs to the other environment")]
    WrongEnvironment,
    /// Whoever calls may not do this.
    #[error("{}", match .0 {
        AccessDenied::Role => "the role does not allow this",
        AccessDenied::Entity => "the entity is not one that this token may act for",
    })]
    Forbidden(AccessDenied),
    /// It is not there, or somebody else's.
    #[error("there is nothing here that this token may see")]
    NotFound,
    /// It cannot be done as things stand; says why.
    #[error("{0}")]
    Conflict(&'static str),
    /// The same request is being worked on.
    #[error("a request with this idempotency key is being worked on; ask again")]
    InProgress,
    /// The idempotency key was used for something else.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    /// What was sent is not right.
    #[error("something in the request is not right")]
    Invalid(Vec<FieldError>),
    /// Too often.
    #[error("too many requests")]
    TooMany {
        /// When to ask again.
        after: Duration,
    },
    /// The records cannot be reached: nobody is let in, nothing is done.
    #[error("this cannot be answered now; ask again")]
    Unavailable,
}

/// What is not right, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the body; `?name` is a parameter of the query, a bare name a header.
    pub pointer: String,
    /// A stable word.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
}

impl ApiError {
    /// One thing that is not right.
    pub fn field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        }])
    }
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        tracing::warn!(%error, "a partner's request could not be answered");
        Self::Unavailable
    }
}

impl From<AccessDenied> for ApiError {
    fn from(refused: AccessDenied) -> Self {
        Self::Forbidden(refused)
    }
}

/// What the records did, as an answer; `role` points to the role in the request, where there is one.
fn into_result<T>(kept: WriteOutcome<T>, role: &str) -> Result<T, ApiError> {
    match kept {
        WriteOutcome::Done(done) => Ok(done),
        WriteOutcome::NotFound => Err(ApiError::NotFound),
        WriteOutcome::NoEntity => Err(ApiError::Forbidden(AccessDenied::Entity)),
        WriteOutcome::NoRole => Err(unknown_role(role)),
        WriteOutcome::Taken => Err(ApiError::Conflict("another user of the entity has this login")),
        WriteOutcome::InUse => Err(ApiError::Conflict(
            "the role is still in use: take it from its users and entities first",
        )),
        WriteOutcome::TooMany => Err(ApiError::Conflict(
            "there are as many of these as there may be: delete one first",
        )),
    }
}

fn unknown_role(pointer: &str) -> ApiError {
    ApiError::field(pointer, "unknown", "there is no such role for this entity")
}

/// Finds out who calls, and hands out tokens.
#[async_trait]
pub trait Access: Send + Sync {
    /// Who this token stands for.
    async fn authenticate_token(&self, token: &str) -> Result<Caller, ApiError>;
    /// Whose publishable key this is.
    async fn authenticate_publishable_key(&self, key: &str) -> Result<PartnerId, ApiError>;
    /// The rows that a caller may touch for this need, having chosen an entity.
    async fn authorize(
        &self,
        caller: &Caller,
        need: RequiredAccess,
        entity: Option<EntityId>,
    ) -> Result<TenantScope, ApiError>;
    /// Counts a request of a partner.
    fn count_request(&self, partner: PartnerId) -> RateLimitStatus;
    /// Hands out a token to who calls from this address. Says, too, how many requests are left.
    async fn issue_token(
        &self,
        client: &ClientCredentials,
        grant: TokenSubject,
        from: Option<IpAddr>,
    ) -> Result<(IssuedToken, RateLimitStatus), ApiError>;
    /// Ends a token of this client. One that is unknown has ended (RFC 7009).
    async fn revoke_token(
        &self,
        client: &ClientCredentials,
        token: &Secret,
        from: Option<IpAddr>,
    ) -> Result<RateLimitStatus, ApiError>;
}

/// The partner itself: its settings, its keys at providers, what has happened.
#[async_trait]
pub trait Profile: Send + Sync {
    /// Its settings.
    async fn get_partner(&self, asked: &RequestContext) -> Result<PartnerView, ApiError>;
    /// Changes them.
    async fn update_partner(&self, asked: &RequestContext, edit: PartnerEdit) -> Result<PartnerView, ApiError>;
    /// The providers there are, and since when it has keys at each.
    async fn list_credentials(&self, asked: &RequestContext) -> Result<List<CredentialsView>, ApiError>;
    /// Keeps keys at a provider, once the provider has taken them.
    async fn set_credentials(
        &self,
        asked: &RequestContext,
        provider: &str,
        new: NewCredentials,
    ) -> Result<CredentialsView, ApiError>;
    /// Forgets keys at a provider.
    async fn delete_credentials(&self, asked: &RequestContext, provider: &str) -> Result<(), ApiError>;
    /// A page of the audit trail, newest first.
    async fn list_audit_entries(&self, asked: &RequestContext, page: PageRequest) -> Result<List<AuditView>, ApiError>;
}

/// Requests that may come twice.
#[async_trait]
pub trait Repeats: Send + Sync {
    /// Whether a request with this key is to be done. `request` is all that makes it the same request.
    async fn begin(&self, asked: &RequestContext, key: &str, request: &[&[u8]]) -> Result<IdempotentRequest, ApiError>;
    /// What a request that was to be done was answered with.
    async fn finish(&self, held: &IdempotencyLease, status: u16, body: &[u8]);
}

/// Roles.
#[async_trait]
pub trait Roles: Send + Sync {
    /// A page of them, newest first.
    async fn list_roles(&self, asked: &RequestContext, page: PageRequest) -> Result<List<RoleView>, ApiError>;
    /// Makes one.
    async fn create_role(&self, asked: &RequestContext, new: NewRole) -> Result<RoleView, ApiError>;
    /// One of them.
    async fn get_role(&self, asked: &RequestContext, id: RoleId) -> Result<RoleView, ApiError>;
    /// Changes one.
    async fn update_role(&self, asked: &RequestContext, id: RoleId, edit: RoleEdit) -> Result<RoleView, ApiError>;
    /// Deletes one that is not in use.
    async fn delete_role(&self, asked: &RequestContext, id: RoleId) -> Result<(), ApiError>;
}

/// Entities.
#[async_trait]
pub trait Entities: Send + Sync {
    /// A page of them, newest first.
    async fn list_entities(&self, asked: &RequestContext, page: PageRequest) -> Result<List<EntityView>, ApiError>;
    /// Makes one.
    async fn create_entity(&self, asked: &RequestContext, new: NewEntity) -> Result<EntityView, ApiError>;
    /// One of them.
    async fn get_entity(&self, asked: &RequestContext, id: EntityId) -> Result<EntityView, ApiError>;
    /// Changes one.
    async fn update_entity(
        &self,
        asked: &RequestContext,
        id: EntityId,
        edit: EntityEdit,
    ) -> Result<EntityView, ApiError>;
    /// Deletes one with its users.
    async fn delete_entity(&self, asked: &RequestContext, id: EntityId) -> Result<(), ApiError>;
}

/// Users.
#[async_trait]
pub trait Users: Send + Sync {
    /// A page of them, newest first.
    async fn list_users(&self, asked: &RequestContext, page: PageRequest) -> Result<List<UserView>, ApiError>;
    /// Makes one, in the entity that was chosen.
    async fn create_user(&self, asked: &RequestContext, new: NewUser) -> Result<UserView, ApiError>;
    /// The user who calls.
    async fn get_current_user(&self, asked: &RequestContext) -> Result<UserView, ApiError>;
    /// One of them.
    async fn get_user(&self, asked: &RequestContext, id: UserId) -> Result<UserView, ApiError>;
    /// Changes one.
    async fn update_user(&self, asked: &RequestContext, id: UserId, edit: UserEdit) -> Result<UserView, ApiError>;
    /// Deletes one, whose tokens open nothing from then on.
    async fn delete_user(&self, asked: &RequestContext, id: UserId) -> Result<(), ApiError>;
}
