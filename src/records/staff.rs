//! A partner's entities, its users, and their roles.

use async_trait::async_trait;

use super::{AuditEntry, Result};
use crate::core::access::{Permissions, TenantScope};
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::{PageRequest, Paged};
use crate::core::time::Timestamp;

/// What users may do, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Whose.
    pub partner: PartnerId,
    /// For users of this entity; none: of all.
    pub entity: Option<EntityId>,
    /// As the partner calls it.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is to be different in a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// What it allows.
    pub permissions: Option<Permissions>,
}

/// A brand or branch of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its id.
    pub id: EntityId,
    /// Whose.
    pub partner: PartnerId,
    /// As people know it.
    pub name: String,
    /// The role of its users who have none of their own.
    pub default_role: Option<RoleId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is to be different in an entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityChange {
    /// Its name.
    pub name: Option<String>,
    /// The default role, or that there is none.
    pub default_role: Option<Option<RoleId>>,
}

/// Somebody who works for a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// For whom they work.
    pub partner: PartnerId,
    /// In which entity.
    pub entity: EntityId,
    /// As the partner's own system knows them; one user of an entity has it.
    pub login: String,
    /// As shown to colleagues.
    pub name: String,
    /// What they may do; none: what the entity's default role allows.
    pub role: Option<RoleId>,
    /// The user who made them, if a user did.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// What is to be different in a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Their login.
    pub login: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their role, or that they have none of their own.
    pub role: Option<Option<RoleId>>,
}

/// What became of writing something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome<T> {
    /// It is written, and is now this.
    Done(T),
    /// There is nothing with this id in reach.
    NotFound,
    /// The entity has been deleted.
    NoEntity,
    /// There is no such role for this entity.
    NoRole,
    /// Another user of the entity has this login, or another request this code.
    Taken,
    /// It is still used.
    InUse,
    /// There are as many as there may be.
    TooMany,
}

/// Roles. Those that were deleted are not there. Adding one under an id that is taken changes nothing and gives what
/// stands there, so a creation may safely be asked for again; so it is with entities and users. Every deed goes into the audit trail.
#[async_trait]
pub trait RoleRecords: Send + Sync {
    /// Adds a role.
    async fn add_role(&self, role: &Role, deed: &AuditEntry) -> Result<WriteOutcome<Role>>;
    /// A role. Within an entity also those for all entities, unless only own ones are in reach.
    async fn role(&self, reach: &TenantScope, id: RoleId) -> Result<Option<Role>>;
    /// Roles, newest first; see [`RoleRecords::role`].
    async fn roles(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<Role>>;
    /// Changes a role. Within an entity only one for that entity.
    async fn change_role(
        &self,
        reach: &TenantScope,
        id: RoleId,
        change: &RoleChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<Role>>;
    /// Deletes a role that no user has and that is no entity's default. Within an entity only one for that entity.
    async fn delete_role(&self, reach: &TenantScope, id: RoleId, deed: &AuditEntry) -> Result<WriteOutcome<()>>;
}

/// Entities. A reach of own rows holds none: no user makes one.
#[async_trait]
pub trait EntityRecords: Send + Sync {
    /// Adds an entity, whose default role, if any, must be for all entities.
    async fn add_entity(&self, entity: &Entity, deed: &AuditEntry) -> Result<WriteOutcome<Entity>>;
    /// An entity; where one was chosen, only that one.
    async fn entity(&self, reach: &TenantScope, id: EntityId) -> Result<Option<Entity>>;
    /// Entities, newest first.
    async fn entities(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<Entity>>;
    /// Changes an entity, whose default role, if any, must be for it or for all.
    async fn change_entity(
        &self,
        reach: &TenantScope,
        id: EntityId,
        change: &EntityChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<Entity>>;
    /// Deletes an entity with its users and the roles that are for it alone.
    async fn delete_entity(&self, reach: &TenantScope, id: EntityId, deed: &AuditEntry) -> Result<WriteOutcome<()>>;
}

/// Users.
#[async_trait]
pub trait UserRecords: Send + Sync {
    /// Adds a user, whose role, if any, must be for their entity or for all.
    async fn add_user(&self, user: &User, deed: &AuditEntry) -> Result<WriteOutcome<User>>;
    /// A user.
    async fn user(&self, reach: &TenantScope, id: UserId) -> Result<Option<User>>;
    /// Users, newest first.
    async fn users(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<User>>;
    /// Changes a user, whose role, if any, must be for their entity or for all.
    async fn change_user(
        &self,
        reach: &TenantScope,
        id: UserId,
        change: &UserChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<User>>;
    /// Deletes a user: their tokens open nothing from then on.
    async fn delete_user(&self, reach: &TenantScope, id: UserId, deed: &AuditEntry) -> Result<WriteOutcome<()>>;
}
