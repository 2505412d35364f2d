//! Statements about roles, entities and users. Those with a date of deletion are not there.

use super::within_reach;

macro_rules! roles {
    ($($rest:expr),+) => {
        concat!(
            "SELECT id, partner, entity, name, permissions, created_by, created_at, updated_at FROM roles ",
            $($rest),+
        )
    };
}

macro_rules! entities {
    ($($rest:expr),+) => {
        concat!("SELECT id, partner, name, default_role, created_at, updated_at FROM entities ", $($rest),+)
    };
}

macro_rules! users {
    ($($rest:expr),+) => {
        concat!(
            "SELECT id, partner, entity, login, name, role, created_by, created_at, updated_at FROM users ",
            $($rest),+
        )
    };
}

/// Within an entity the roles that are for all entities are there to be given to its users.
macro_rules! roles_in_reach {
    () => {
        "WHERE partner = $1 AND ($2 IS NULL OR entity = $2 OR entity IS NULL) AND ($3 IS NULL OR created_by = $3) \
         AND deleted_at IS NULL "
    };
}

/// An entity is made by nobody, so a reach of own rows holds none.
macro_rules! entities_in_reach {
    () => {
        "WHERE partner = $1 AND ($2 IS NULL OR id = $2) AND $3 IS NULL AND deleted_at IS NULL "
    };
}

macro_rules! users_in_reach {
    () => {
        concat!("WHERE ", within_reach!(), " AND deleted_at IS NULL ")
    };
}

macro_rules! one {
    () => {
        "AND id = $4"
    };
}

macro_rules! newest {
    () => {
        "AND (created_at < $4 OR (created_at = $4 AND id < $5)) ORDER BY created_at DESC, id DESC LIMIT $6"
    };
}

pub(in crate::records) const ADD_ROLE: &str = "INSERT INTO roles (id, partner, entity, name, permissions, created_by, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";
pub(in crate::records) const ROLE: &str = roles!(roles_in_reach!(), one!());
pub(in crate::records) const ROLES: &str = roles!(roles_in_reach!(), newest!());
pub(in crate::records) const CHANGE_ROLE: &str = concat!(
    "UPDATE roles SET name = COALESCE($5, name), permissions = COALESCE($6, permissions), updated_at = $7 WHERE ",
    within_reach!(),
    " AND deleted_at IS NULL AND id = $4"
);
pub(in crate::records) const END_ROLE: &str = concat!(
    "UPDATE roles SET deleted_at = $5 WHERE ",
    within_reach!(),
    " AND deleted_at IS NULL AND id = $4"
);
/// How often a role is used.
pub(in crate::records) const USES_OF_ROLE: &str = "SELECT \
     (SELECT COUNT(*) FROM users WHERE partner = $1 AND role = $2 AND deleted_at IS NULL) \
     + (SELECT COUNT(*) FROM entities WHERE partner = $1 AND default_role = $2 AND deleted_at IS NULL)";
/// Whether a role is there for users of an entity, or (`$3` is nothing) for all entities.
pub(in crate::records) const ROLE_FOR: &str = "SELECT COUNT(*) FROM roles WHERE partner = $1 AND id = $2 AND deleted_at IS NULL \
     AND (entity IS NULL OR entity = $3)";

pub(in crate::records) const ADD_ENTITY: &str = "INSERT INTO entities (id, partner, name, default_role, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
pub(in crate::records) const ENTITY: &str = entities!(entities_in_reach!(), one!());
pub(in crate::records) const ENTITIES: &str = entities!(entities_in_reach!(), newest!());
/// `$6` says whether the default role is to change.
pub(in crate::records) const CHANGE_ENTITY: &str = concat!(
    "UPDATE entities SET name = COALESCE($5, name), \
     default_role = CASE WHEN $6 = 1 THEN $7 ELSE default_role END, updated_at = $8 ",
    entities_in_reach!(),
    one!()
);
pub(in crate::records) const END_ENTITY: &str =
    concat!("UPDATE entities SET deleted_at = $5 ", entities_in_reach!(), one!());
pub(in crate::records) const END_USERS_OF: &str =
    "UPDATE users SET deleted_at = $3 WHERE partner = $1 AND entity = $2 AND deleted_at IS NULL";
pub(in crate::records) const END_ROLES_OF: &str =
    "UPDATE roles SET deleted_at = $3 WHERE partner = $1 AND entity = $2 AND deleted_at IS NULL";
pub(in crate::records) const IS_ENTITY: &str =
    "SELECT COUNT(*) FROM entities WHERE partner = $1 AND id = $2 AND deleted_at IS NULL";

pub(in crate::records) const ADD_USER: &str = "INSERT INTO users (id, partner, entity, login, name, role, created_by, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
pub(in crate::records) const USER: &str = users!(users_in_reach!(), one!());
pub(in crate::records) const USERS: &str = users!(users_in_reach!(), newest!());
/// `$7` says whether the role is to change.
pub(in crate::records) const CHANGE_USER: &str = concat!(
    "UPDATE users SET login = COALESCE($5, login), name = COALESCE($6, name), \
     role = CASE WHEN $7 = 1 THEN $8 ELSE role END, updated_at = $9 ",
    users_in_reach!(),
    one!()
);
pub(in crate::records) const END_USER: &str = concat!("UPDATE users SET deleted_at = $5 ", users_in_reach!(), one!());
/// Whether somebody else in the entity has this login.
pub(in crate::records) const LOGIN_TAKEN: &str = "SELECT COUNT(*) FROM users WHERE partner = $1 AND entity = $2 AND login = $3 \
     AND id <> $4 AND deleted_at IS NULL";
