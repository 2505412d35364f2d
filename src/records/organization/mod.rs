//! A partner's organization: its entities, its users, and their roles.

use async_trait::async_trait;

use super::{AuditEntry, Result};
use crate::core::access::{Permissions, TenantScope};
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::time::Timestamp;

/// What users may do, under a name.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Role {
    pub id: RoleId,
    pub partner: PartnerId,
    /// For users of this entity; `None`: of all.
    pub entity: Option<EntityId>,
    pub name: String,
    pub permissions: Permissions,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be different in a role; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    pub name: Option<String>,
    pub permissions: Option<Permissions>,
}

/// A brand or branch of a partner.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entity {
    pub id: EntityId,
    pub partner: PartnerId,
    pub name: String,
    /// The role of its users who have none of their own.
    pub default_role: Option<RoleId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be different in an entity; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityChange {
    pub name: Option<String>,
    /// The default role, or that there is none.
    pub default_role: Option<Option<RoleId>>,
}

/// Somebody who works for a partner.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    pub id: UserId,
    pub partner: PartnerId,
    pub entity: EntityId,
    /// As the partner's own system knows them; one user of an entity has it.
    pub login: String,
    /// As shown to colleagues.
    pub name: String,
    /// What they may do; `None`: what the entity's default role allows.
    pub role: Option<RoleId>,
    /// The user who made them, if a user did.
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be different in a user; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub login: Option<String>,
    pub name: Option<String>,
    /// Their role, or that they have none of their own.
    pub role: Option<Option<RoleId>>,
}

/// What became of writing something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome<T> {
    /// It is written, and is now this.
    Done(T),
    /// There is nothing with this id in scope.
    NotFound,
    /// The entity has been deleted.
    NoEntity,
    /// There is no such role for this entity.
    NoRole,
    /// Another user of the entity has this login, or another intent this code.
    Taken,
    /// It is still used.
    InUse,
    /// There are as many as there may be.
    TooMany,
    /// It can more than who acts, or would.
    BeyondOwn,
    /// Nobody would be left who can put things right.
    LastAdministrator,
}

/// Roles. A user who acts, the one of the audit entry, neither gives nor changes nor deletes what can more than they can, be
/// it a role or a user. Those that were deleted are not there. Adding one under an id that is taken changes nothing and gives what
/// stands there, so a creation may safely be asked for again; so it is with entities and users. Every change goes into the
/// audit trail.
#[async_trait]
pub trait RoleRecords: Send + Sync {
    /// Adds a role.
    async fn add_role(&self, role: &Role, audit: &AuditEntry) -> Result<WriteOutcome<Role>>;
    /// A role. Within an entity also those for all entities, unless only own ones are in scope.
    async fn role(&self, scope: &TenantScope, id: RoleId) -> Result<Option<Role>>;
    /// Roles, newest first; see [`RoleRecords::role`].
    async fn roles(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<Role>>;
    /// Changes a role. Within an entity only one for that entity.
    async fn change_role(
        &self,
        scope: &TenantScope,
        id: RoleId,
        change: &RoleChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<Role>>;
    /// Deletes a role that no user has and that is no entity's default. Within an entity only one for that entity.
    async fn delete_role(&self, scope: &TenantScope, id: RoleId, audit: &AuditEntry) -> Result<WriteOutcome<()>>;
}

/// Entities. A scope of own rows holds none: no user makes one.
#[async_trait]
pub trait EntityRecords: Send + Sync {
    /// Adds an entity, whose default role, if any, must be for all entities.
    async fn add_entity(&self, entity: &Entity, audit: &AuditEntry) -> Result<WriteOutcome<Entity>>;
    /// An entity; where one was chosen, only that one.
    async fn entity(&self, scope: &TenantScope, id: EntityId) -> Result<Option<Entity>>;
    /// Entities, newest first.
    async fn entities(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<Entity>>;
    /// Changes an entity, whose default role, if any, must be for it or for all.
    async fn change_entity(
        &self,
        scope: &TenantScope,
        id: EntityId,
        change: &EntityChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<Entity>>;
    /// Deletes an entity with its users and the roles that are for it alone.
    async fn delete_entity(&self, scope: &TenantScope, id: EntityId, audit: &AuditEntry) -> Result<WriteOutcome<()>>;
}

/// Users.
#[async_trait]
pub trait UserRecords: Send + Sync {
    /// Adds a user, whose role, if any, must be for their entity or for all.
    async fn add_user(&self, user: &User, audit: &AuditEntry) -> Result<WriteOutcome<User>>;
    /// A user.
    async fn user(&self, scope: &TenantScope, id: UserId) -> Result<Option<User>>;
    /// Users, newest first.
    async fn users(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<User>>;
    /// Changes a user, whose role, if any, must be for their entity or for all.
    async fn change_user(
        &self,
        scope: &TenantScope,
        id: UserId,
        change: &UserChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<User>>;
    /// Deletes a user: their tokens open nothing from then on.
    async fn delete_user(&self, scope: &TenantScope, id: UserId, audit: &AuditEntry) -> Result<WriteOutcome<()>>;
}
