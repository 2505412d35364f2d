//! Roles.

use async_trait::async_trait;
use sqlx::query;

use super::audit::execute_audited;
use super::entities::entity_exists;
use super::rights::{Changed, actor_covers, disarms_the_last};
use super::{Backend, Connection, in_scope, newest_from_4, partner_subject, scoped, select_scoped, whole_partner};
use crate::core::access::{Permissions, TenantScope};
use crate::core::ids::{EntityId, PartnerId, RoleId};
use crate::core::page::{PageRequest, Paged};
use crate::records::{AuditEntry, Result, Role, RoleChange, RoleRecords, WriteOutcome};

/// Within an entity the roles that are for all entities are there to be given to its users.
macro_rules! select_roles {
    ($rest:expr) => {
        concat!(
            "SELECT * FROM roles WHERE partner = $1 AND ($2 IS NULL OR entity = $2 OR entity IS NULL) \
             AND ($3 IS NULL OR created_by = $3) AND deleted_at IS NULL ",
            $rest
        )
    };
}

const ROLE: &str = select_roles!("AND id = $4");

#[async_trait]
impl RoleRecords for Backend {
    async fn add_role(&self, role: &Role, audit: &AuditEntry) -> Result<WriteOutcome<Role>> {
        self.transaction_about(&partner_subject(role.partner), async |tx| {
            if let Some(entity) = role.entity
                && !entity_exists(tx, role.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            if !actor_covers(tx, audit, &role.permissions).await? {
                return Ok(WriteOutcome::BeyondOwn);
            }
            let adding = query(
                "INSERT INTO roles (id, partner, entity, name, permissions, created_by, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
            )
            .bind(role.id)
            .bind(role.partner)
            .bind(role.entity)
            .bind(&role.name)
            .bind(&role.permissions)
            .bind(role.created_by)
            .bind(role.created_at)
            .bind(role.updated_at);
            execute_audited(tx, adding, audit).await?;
            read(tx, &whole_partner(role.partner), role.id).await
        })
        .await
    }

    async fn role(&self, scope: &TenantScope, id: RoleId) -> Result<Option<Role>> {
        self.fetch(select_scoped(ROLE, scope).bind(id)).await
    }

    async fn roles(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<Role>> {
        let roles = select_scoped(select_roles!(newest_from_4!()), scope);
        self.fetch_page(roles, page, |role: &Role| (role.created_at, *role.id.as_bytes()))
            .await
    }

    async fn change_role(
        &self,
        scope: &TenantScope,
        id: RoleId,
        change: &RoleChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<Role>> {
        self.transaction_about(&partner_subject(scope.partner), async |tx| {
            if let Some(fault) = fault(tx, scope, id, change.permissions.as_ref(), audit).await? {
                return Ok(fault);
            }
            let changing = concat!(
                "UPDATE roles SET name = COALESCE($5, name), permissions = COALESCE($6, permissions), updated_at = $7 WHERE ",
                in_scope!(),
                " AND deleted_at IS NULL AND id = $4"
            );
            let changing = scoped(changing, scope)
                .bind(id)
                .bind(&change.name)
                .bind(&change.permissions)
                .bind(audit.at);
            if !execute_audited(tx, changing, audit).await? {
                return Ok(WriteOutcome::NotFound);
            }
            read(tx, scope, id).await
        })
        .await
    }

    async fn delete_role(&self, scope: &TenantScope, id: RoleId, audit: &AuditEntry) -> Result<WriteOutcome<()>> {
        self.call(async {
            let mut tx = self.write_about(&partner_subject(scope.partner)).await?;
            if let Some(fault) = fault(&mut tx, scope, id, None, audit).await? {
                return Ok(fault);
            }
            let deleting = concat!(
                "UPDATE roles SET deleted_at = $5 WHERE ",
                in_scope!(),
                " AND deleted_at IS NULL AND id = $4"
            );
            let deleting = scoped(deleting, scope).bind(id).bind(audit.at);
            if !execute_audited(&mut tx, deleting, audit).await? {
                return Ok(WriteOutcome::NotFound);
            }
            let uses: i64 = sqlx::query_scalar(
                "SELECT (SELECT COUNT(*) FROM users WHERE partner = $1 AND role = $2 AND deleted_at IS NULL) \
                 + (SELECT COUNT(*) FROM entities WHERE partner = $1 AND default_role = $2 AND deleted_at IS NULL)",
            )
            .bind(scope.partner)
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
            if uses > 0 {
                return Ok(WriteOutcome::InUse);
            }
            tx.commit().await?;
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

/// Why a role may not be changed to `permissions`, or be deleted, by who acts.
async fn fault<T>(
    tx: &mut Connection,
    scope: &TenantScope,
    id: RoleId,
    permissions: Option<&Permissions>,
    audit: &AuditEntry,
) -> Result<Option<WriteOutcome<T>>> {
    let present: Option<Role> = select_scoped(ROLE, scope).bind(id).fetch_optional(&mut *tx).await?;
    // Within an entity the roles for all are seen, and not touched.
    let Some(present) = present.filter(|role| scope.entity.is_none() || role.entity == scope.entity) else {
        return Ok(Some(WriteOutcome::NotFound));
    };
    let after = permissions.unwrap_or(&present.permissions);
    for permissions in [&present.permissions, after] {
        if !actor_covers(tx, audit, permissions).await? {
            return Ok(Some(WriteOutcome::BeyondOwn));
        }
    }
    // A user changes roles of one entity only.
    if let Some(entity) = present.entity
        && disarms_the_last(tx, audit, entity, Changed::Role(id), after).await?
    {
        return Ok(Some(WriteOutcome::LastAdministrator));
    }
    Ok(None)
}

async fn read(tx: &mut Connection, scope: &TenantScope, id: RoleId) -> Result<WriteOutcome<Role>> {
    let role = select_scoped(ROLE, scope).bind(id).fetch_optional(tx).await?;
    Ok(role.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
}

/// Whether there is a role for users of this entity; without an entity, one for all of them.
pub(super) async fn role_exists_for(
    tx: &mut Connection,
    partner: PartnerId,
    role: RoleId,
    entity: Option<EntityId>,
) -> Result<bool> {
    let found = query(
        "SELECT 1 FROM roles WHERE partner = $1 AND id = $2 AND deleted_at IS NULL AND (entity IS NULL OR entity = $3)",
    );
    let found = found.bind(partner).bind(role).bind(entity);
    Ok(found.fetch_optional(tx).await?.is_some())
}
