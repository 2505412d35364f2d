//! Users.

use async_trait::async_trait;
use sqlx::query;

use super::audit::execute_audited;
use super::entities::entity_exists;
use super::rights::{Changed, actor_covers, disarms_the_last, permissions_with};
use super::roles::role_exists_for;
use super::{Backend, Connection, in_scope, newest_from_4, partner_subject, scoped, select_scoped, whole_partner};
use crate::core::access::{Permissions, TenantScope};
use crate::core::ids::UserId;
use crate::core::page::{PageRequest, Paged};
use crate::records::{AuditEntry, Result, User, UserChange, UserRecords, WriteOutcome};

macro_rules! users_in_scope {
    ($verb:literal, $rest:expr) => {
        concat!($verb, " WHERE ", in_scope!(), " AND deleted_at IS NULL ", $rest)
    };
}

const USER: &str = users_in_scope!("SELECT * FROM users", "AND id = $4");

#[async_trait]
impl UserRecords for Backend {
    async fn add_user(&self, user: &User, audit: &AuditEntry) -> Result<WriteOutcome<User>> {
        self.transaction_about(&partner_subject(user.partner), async |tx| {
            if !entity_exists(tx, user.partner, user.entity).await? {
                return Ok(WriteOutcome::NoEntity);
            }
            if let Some(fault) = fault(tx, user).await? {
                return Ok(fault);
            }
            let given = permissions_with(tx, (user.partner, user.entity), user.role).await?;
            if !actor_covers(tx, audit, &given).await? {
                return Ok(WriteOutcome::BeyondOwn);
            }
            let adding = query(
                "INSERT INTO users (id, partner, entity, login, name, role, created_by, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
            )
            .bind(user.id)
            .bind(user.partner)
            .bind(user.entity)
            .bind(&user.login)
            .bind(&user.name)
            .bind(user.role)
            .bind(user.created_by)
            .bind(user.created_at)
            .bind(user.updated_at);
            execute_audited(tx, adding, audit).await?;
            let user = read(tx, &whole_partner(user.partner), user.id).await?;
            Ok(user.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn user(&self, scope: &TenantScope, id: UserId) -> Result<Option<User>> {
        self.fetch(select_scoped(USER, scope).bind(id)).await
    }

    async fn users(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<User>> {
        let users = select_scoped(users_in_scope!("SELECT * FROM users", newest_from_4!()), scope);
        self.fetch_page(users, page, |user: &User| (user.created_at, *user.id.as_bytes()))
            .await
    }

    async fn change_user(
        &self,
        scope: &TenantScope,
        id: UserId,
        change: &UserChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<User>> {
        self.transaction_about(&partner_subject(scope.partner), async |tx| {
            let Some(mut user) = read(tx, scope, id).await? else {
                return Ok(WriteOutcome::NotFound);
            };
            let present = permissions_with(tx, (user.partner, user.entity), user.role).await?;
            if !actor_covers(tx, audit, &present).await? {
                return Ok(WriteOutcome::BeyondOwn);
            }
            user.login = change.login.clone().unwrap_or(user.login);
            user.role = change.role.unwrap_or(user.role);
            if let Some(fault) = fault(tx, &user).await? {
                return Ok(fault);
            }
            let after = permissions_with(tx, (user.partner, user.entity), user.role).await?;
            if !actor_covers(tx, audit, &after).await? {
                return Ok(WriteOutcome::BeyondOwn);
            }
            if disarms_the_last(tx, audit, user.entity, Changed::User(id), &after).await? {
                return Ok(WriteOutcome::LastAdministrator);
            }
            let changing = users_in_scope!(
                "UPDATE users SET login = COALESCE($5, login), name = COALESCE($6, name), \
                 role = CASE WHEN $7 THEN $8 ELSE role END, updated_at = $9",
                "AND id = $4"
            );
            let changing = scoped(changing, scope)
                .bind(id)
                .bind(&change.login)
                .bind(&change.name)
                .bind(change.role.is_some())
                .bind(change.role.flatten())
                .bind(audit.at);
            execute_audited(tx, changing, audit).await?;
            let user = read(tx, scope, id).await?;
            Ok(user.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn delete_user(&self, scope: &TenantScope, id: UserId, audit: &AuditEntry) -> Result<WriteOutcome<()>> {
        self.transaction_about(&partner_subject(scope.partner), async |tx| {
            let Some(user) = read(tx, scope, id).await? else {
                return Ok(WriteOutcome::NotFound);
            };
            let present = permissions_with(tx, (user.partner, user.entity), user.role).await?;
            if !actor_covers(tx, audit, &present).await? {
                return Ok(WriteOutcome::BeyondOwn);
            }
            if disarms_the_last(tx, audit, user.entity, Changed::User(id), &Permissions::default()).await? {
                return Ok(WriteOutcome::LastAdministrator);
            }
            let deleting = users_in_scope!("UPDATE users SET deleted_at = $5", "AND id = $4");
            execute_audited(tx, scoped(deleting, scope).bind(id).bind(audit.at), audit).await?;
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

/// Why a user may not be as they are to be.
async fn fault(tx: &mut Connection, user: &User) -> Result<Option<WriteOutcome<User>>> {
    if let Some(role) = user.role
        && !role_exists_for(tx, user.partner, role, Some(user.entity)).await?
    {
        return Ok(Some(WriteOutcome::NoRole));
    }
    let same_login = query(
        "SELECT 1 FROM users WHERE partner = $1 AND entity = $2 AND login = $3 AND id <> $4 AND deleted_at IS NULL",
    );
    let same_login = same_login.bind(user.partner).bind(user.entity).bind(&user.login);
    let same_login = same_login.bind(user.id).fetch_optional(tx).await?;
    Ok(same_login.map(|_| WriteOutcome::Taken))
}

async fn read(tx: &mut Connection, scope: &TenantScope, id: UserId) -> Result<Option<User>> {
    Ok(select_scoped(USER, scope).bind(id).fetch_optional(tx).await?)
}
