//! What users may do at present, and what follows for those who change them.
//!
//! Nobody changes a user or a role that can more than they can: not what it may do, nor the login by which somebody becomes
//! it, nor by deleting it. And nobody gives more than they have. Who acts is the user of the audit entry, so no change can
//! forget to say; without one it is the partner itself, or its operator, who may do everything. All of it is looked up in
//! the transaction of the change, so that it is about what is so at that moment.

use sqlx::{query_as, query_scalar};

use super::Connection;
use crate::core::access::Permissions;
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::records::{AuditEntry, Result};

/// What a user may do, by their role or else by their entity's default role; `None` if there is no such user any more.
pub(super) async fn permissions_of(
    tx: &mut Connection,
    partner: PartnerId,
    user: UserId,
) -> Result<Option<Permissions>> {
    let found = query_scalar(
        "SELECT r.permissions FROM users u \
         JOIN entities e ON e.id = u.entity AND e.partner = u.partner AND e.deleted_at IS NULL \
         LEFT JOIN roles r ON r.id = COALESCE(u.role, e.default_role) AND r.partner = u.partner AND r.deleted_at IS NULL \
         WHERE u.partner = $1 AND u.id = $2 AND u.deleted_at IS NULL",
    );
    let found: Option<Option<Permissions>> = found.bind(partner).bind(user).fetch_optional(tx).await?;
    Ok(found.map(Option::unwrap_or_default))
}

/// What a user of this entity with this role may do; without a role, what the default role allows.
pub(super) async fn permissions_with(
    tx: &mut Connection,
    (partner, entity): (PartnerId, EntityId),
    role: Option<RoleId>,
) -> Result<Permissions> {
    let found = query_scalar(
        "SELECT r.permissions FROM entities e JOIN roles r ON r.id = COALESCE($3, e.default_role) \
         AND r.partner = e.partner AND r.deleted_at IS NULL WHERE e.partner = $1 AND e.id = $2",
    );
    let found: Option<Permissions> = found.bind(partner).bind(entity).bind(role).fetch_optional(tx).await?;
    Ok(found.unwrap_or_default())
}

/// Whether who acts can at least this.
pub(super) async fn actor_covers(tx: &mut Connection, audit: &AuditEntry, permissions: &Permissions) -> Result<bool> {
    let Some(actor) = audit.user else {
        return Ok(true);
    };
    let own = permissions_of(tx, audit.partner, actor).await?;
    Ok(own.is_some_and(|own| own.covers(permissions)))
}

/// A user with what they may do.
#[derive(sqlx::FromRow)]
struct UserRights {
    id: UserId,
    role: Option<RoleId>,
    permissions: Option<Permissions>,
}

/// Whom a change is about.
#[derive(Clone, Copy)]
pub(super) enum Changed {
    User(UserId),
    Role(RoleId),
}

/// Whether a user who acts would leave an entity without anybody who can put things right, where there is somebody now:
/// `after` is what those who are changed may do then. The partner itself always can.
pub(super) async fn disarms_the_last(
    tx: &mut Connection,
    audit: &AuditEntry,
    entity: EntityId,
    changed: Changed,
    after: &Permissions,
) -> Result<bool> {
    if audit.user.is_none() || after.is_administrator() {
        return Ok(false);
    }
    let users = query_as(
        "SELECT u.id, COALESCE(u.role, e.default_role) AS role, r.permissions FROM users u \
         JOIN entities e ON e.id = u.entity AND e.partner = u.partner \
         LEFT JOIN roles r ON r.id = COALESCE(u.role, e.default_role) AND r.partner = u.partner AND r.deleted_at IS NULL \
         WHERE u.partner = $1 AND u.entity = $2 AND u.deleted_at IS NULL",
    );
    let users: Vec<UserRights> = users.bind(audit.partner).bind(entity).fetch_all(tx).await?;
    let administrators = users.iter().filter(|user| {
        let permissions = user.permissions.as_ref();
        permissions.is_some_and(Permissions::is_administrator)
    });
    let (changed, others): (Vec<_>, Vec<_>) = administrators.partition(|user| match changed {
        Changed::User(id) => user.id == id,
        Changed::Role(role) => user.role == Some(role),
    });
    Ok(!changed.is_empty() && others.is_empty())
}
