//! The partners' side: what a request of a partner's server means. Routes are in `http`, rows in `records`.
//!
//! Whoever calls is found once, by the gate in front of all routes; from then on there is an [`Asked`]: who it is, and the
//! rows this request may touch. Everything here hands its reach to the records.

pub mod access;
pub mod dealings;
pub mod enrolling;
pub mod entities;
pub mod events;
mod failures;
mod faults;
pub mod office;
pub mod profile;
pub mod repeats;
pub mod roles;
pub mod schemas;
pub mod subscribers;
mod tokens;
pub mod users;
pub mod views;
pub mod webhook_endpoints;

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

pub use self::access::{Allowance, Client, Grant, Issued, Need};
pub use self::dealings::{
    AccountView, ConsentView, Dealings, EndedView, IntentView, Intents, LinkView, Links, NewExpected, NewIntent,
    PublicIntent, SessionView, Sessions, WhichIntents, WhichLinks,
};
pub use self::entities::{EntityEdit, EntityView, NewEntity};
pub use self::events::{EventView, EventWithDeliveries, Events, EventsWanted, Replay, Replayed};
pub use self::faults::Faults;
pub use self::office::{Office, Settings};
pub use self::profile::{AuditView, CredentialsView, NewCredentials, PartnerEdit, PartnerView};
pub use self::repeats::{Held, Repeat};
pub use self::roles::{NewRole, RoleEdit, RoleView};
pub use self::subscribers::{ErasureView, Registry, Subscribers, Whose};
pub use self::users::{NewUser, UserEdit, UserView};
pub use self::views::{List, When};
pub use self::webhook_endpoints::{
    EndpointEdit, EndpointMade, EndpointView, NewEndpoint, Receivers, Rotated, Rotation, WebhookEndpoints,
};
use crate::core::access::{Caller, Reach, Refused};
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::Page;
use crate::core::secret::Secret;
use crate::core::time::{Entropy, Timestamp};
use crate::records::{Deed, Kept, RecordsError};

/// Who asks, and for which rows.
#[derive(Clone)]
pub struct Asked {
    /// Who calls.
    pub caller: Caller,
    /// The rows that this request may touch.
    pub reach: Reach,
    /// Where the ids and secrets of what this request makes come from.
    pub fresh: std::sync::Arc<dyn Entropy>,
}

impl Asked {
    /// What is done by this request, for the audit trail.
    fn deed(&self, kind: &'static str, to: impl std::fmt::Display, at: Timestamp) -> Deed {
        Deed {
            partner: self.reach.partner,
            entity: self.reach.entity,
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
        Refused::Role => "the role does not allow this",
        Refused::Entity => "the entity is not one that this token may act for",
    })]
    Forbidden(Refused),
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

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::Forbidden(refused)
    }
}

/// What the records did, as an answer; `role` points to the role in the request, where there is one.
fn answered<T>(kept: Kept<T>, role: &str) -> Result<T, ApiError> {
    match kept {
        Kept::Done(done) => Ok(done),
        Kept::NotFound => Err(ApiError::NotFound),
        Kept::NoEntity => Err(ApiError::Forbidden(Refused::Entity)),
        Kept::NoRole => Err(unknown_role(role)),
        Kept::Taken => Err(ApiError::Conflict("another user of the entity has this login")),
        Kept::InUse => Err(ApiError::Conflict(
            "the role is still in use: take it from its users and entities first",
        )),
        Kept::TooMany => Err(ApiError::Conflict(
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
    async fn bearer(&self, token: &str) -> Result<Caller, ApiError>;
    /// Whose publishable key this is.
    async fn publishable(&self, key: &str) -> Result<PartnerId, ApiError>;
    /// The rows that a caller may touch for this need, having chosen an entity.
    async fn reach(&self, caller: &Caller, need: Need, entity: Option<EntityId>) -> Result<Reach, ApiError>;
    /// Counts a request of a partner.
    fn count(&self, partner: PartnerId) -> Allowance;
    /// Hands out a token to who calls from this address. Says, too, how many requests are left.
    async fn issue(&self, client: &Client, grant: Grant, from: Option<IpAddr>)
    -> Result<(Issued, Allowance), ApiError>;
    /// Ends a token of this client. One that is unknown has ended (RFC 7009).
    async fn revoke(&self, client: &Client, token: &Secret, from: Option<IpAddr>) -> Result<Allowance, ApiError>;
}

/// The partner itself: its settings, its keys at providers, what has happened.
#[async_trait]
pub trait Profile: Send + Sync {
    /// Its settings.
    async fn partner(&self, asked: &Asked) -> Result<PartnerView, ApiError>;
    /// Changes them.
    async fn change_partner(&self, asked: &Asked, edit: PartnerEdit) -> Result<PartnerView, ApiError>;
    /// The providers there are, and since when it has keys at each.
    async fn credentials(&self, asked: &Asked) -> Result<List<CredentialsView>, ApiError>;
    /// Keeps keys at a provider, once the provider has taken them.
    async fn put_credentials(
        &self,
        asked: &Asked,
        provider: &str,
        new: NewCredentials,
    ) -> Result<CredentialsView, ApiError>;
    /// Forgets keys at a provider.
    async fn end_credentials(&self, asked: &Asked, provider: &str) -> Result<(), ApiError>;
    /// A page of the audit trail, newest first.
    async fn audited(&self, asked: &Asked, page: Page) -> Result<List<AuditView>, ApiError>;
}

/// Requests that may come twice.
#[async_trait]
pub trait Repeats: Send + Sync {
    /// Whether a request with this key is to be done. `request` is all that makes it the same request.
    async fn begin(&self, asked: &Asked, key: &str, request: &[&[u8]]) -> Result<Repeat, ApiError>;
    /// What a request that was to be done was answered with.
    async fn end(&self, held: &Held, status: u16, body: &[u8]);
}

/// Roles.
#[async_trait]
pub trait Roles: Send + Sync {
    /// A page of them, newest first.
    async fn roles(&self, asked: &Asked, page: Page) -> Result<List<RoleView>, ApiError>;
    /// Makes one.
    async fn add_role(&self, asked: &Asked, new: NewRole) -> Result<RoleView, ApiError>;
    /// One of them.
    async fn role(&self, asked: &Asked, id: RoleId) -> Result<RoleView, ApiError>;
    /// Changes one.
    async fn change_role(&self, asked: &Asked, id: RoleId, edit: RoleEdit) -> Result<RoleView, ApiError>;
    /// Deletes one that is not in use.
    async fn end_role(&self, asked: &Asked, id: RoleId) -> Result<(), ApiError>;
}

/// Entities.
#[async_trait]
pub trait Entities: Send + Sync {
    /// A page of them, newest first.
    async fn entities(&self, asked: &Asked, page: Page) -> Result<List<EntityView>, ApiError>;
    /// Makes one.
    async fn add_entity(&self, asked: &Asked, new: NewEntity) -> Result<EntityView, ApiError>;
    /// One of them.
    async fn entity(&self, asked: &Asked, id: EntityId) -> Result<EntityView, ApiError>;
    /// Changes one.
    async fn change_entity(&self, asked: &Asked, id: EntityId, edit: EntityEdit) -> Result<EntityView, ApiError>;
    /// Deletes one with its users.
    async fn end_entity(&self, asked: &Asked, id: EntityId) -> Result<(), ApiError>;
}

/// Users.
#[async_trait]
pub trait Users: Send + Sync {
    /// A page of them, newest first.
    async fn users(&self, asked: &Asked, page: Page) -> Result<List<UserView>, ApiError>;
    /// Makes one, in the entity that was chosen.
    async fn add_user(&self, asked: &Asked, new: NewUser) -> Result<UserView, ApiError>;
    /// The user who calls.
    async fn me(&self, asked: &Asked) -> Result<UserView, ApiError>;
    /// One of them.
    async fn user(&self, asked: &Asked, id: UserId) -> Result<UserView, ApiError>;
    /// Changes one.
    async fn change_user(&self, asked: &Asked, id: UserId, edit: UserEdit) -> Result<UserView, ApiError>;
    /// Deletes one, whose tokens open nothing from then on.
    async fn end_user(&self, asked: &Asked, id: UserId) -> Result<(), ApiError>;
}
