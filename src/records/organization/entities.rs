//! Entities.

use async_trait::async_trait;
use sqlx::query;

use super::audit::execute_audited;
use super::roles::role_exists_for;
use super::{Backend, Connection, newest_from_4, partner_subject, scoped, select_scoped, whole_partner};
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, PartnerId};
use crate::core::page::{PageRequest, Paged};
use crate::records::{AuditEntry, Entity, EntityChange, EntityRecords, Result, WriteOutcome};

/// No user makes an entity, so a scope of own rows holds none.
macro_rules! entities_in_scope {
    ($verb:literal, $rest:expr) => {
        concat!(
            $verb,
            " WHERE partner = $1 AND ($2 IS NULL OR id = $2) AND $3 IS NULL AND deleted_at IS NULL ",
            $rest
        )
    };
}

const ENTITY: &str = entities_in_scope!("SELECT * FROM entities", "AND id = $4");

#[async_trait]
impl EntityRecords for Backend {
    async fn add_entity(&self, entity: &Entity, audit: &AuditEntry) -> Result<WriteOutcome<Entity>> {
        self.transaction_about(&partner_subject(entity.partner), async |tx| {
            if let Some(role) = entity.default_role
                && !role_exists_for(tx, entity.partner, role, None).await?
            {
                return Ok(WriteOutcome::NoRole);
            }
            let adding = query(
                "INSERT INTO entities (id, partner, name, default_role, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            )
            .bind(entity.id)
            .bind(entity.partner)
            .bind(&entity.name)
            .bind(entity.default_role)
            .bind(entity.created_at)
            .bind(entity.updated_at);
            execute_audited(tx, adding, audit).await?;
            read(tx, &whole_partner(entity.partner), entity.id).await
        })
        .await
    }

    async fn entity(&self, scope: &TenantScope, id: EntityId) -> Result<Option<Entity>> {
        self.fetch(select_scoped(ENTITY, scope).bind(id)).await
    }

    async fn entities(&self, scope: &TenantScope, page: &PageRequest) -> Result<Paged<Entity>> {
        let entities = select_scoped(entities_in_scope!("SELECT * FROM entities", newest_from_4!()), scope);
        self.fetch_page(entities, page, |entity: &Entity| {
            (entity.created_at, *entity.id.as_bytes())
        })
        .await
    }

    async fn change_entity(
        &self,
        scope: &TenantScope,
        id: EntityId,
        change: &EntityChange,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<Entity>> {
        self.transaction_about(&partner_subject(scope.partner), async |tx| {
            if let Some(Some(role)) = change.default_role
                && !role_exists_for(tx, scope.partner, role, Some(id)).await?
            {
                return Ok(WriteOutcome::NoRole);
            }
            let changing = entities_in_scope!(
                "UPDATE entities SET name = COALESCE($5, name), \
                 default_role = CASE WHEN $6 THEN $7 ELSE default_role END, updated_at = $8",
                "AND id = $4"
            );
            let changing = scoped(changing, scope)
                .bind(id)
                .bind(&change.name)
                .bind(change.default_role.is_some())
                .bind(change.default_role.flatten())
                .bind(audit.at);
            if !execute_audited(tx, changing, audit).await? {
                return Ok(WriteOutcome::NotFound);
            }
            read(tx, scope, id).await
        })
        .await
    }

    async fn delete_entity(&self, scope: &TenantScope, id: EntityId, audit: &AuditEntry) -> Result<WriteOutcome<()>> {
        self.transaction_about(&partner_subject(scope.partner), async |tx| {
            let deleting = entities_in_scope!("UPDATE entities SET deleted_at = $5", "AND id = $4");
            let deleting = scoped(deleting, scope).bind(id).bind(audit.at);
            if !execute_audited(tx, deleting, audit).await? {
                return Ok(WriteOutcome::NotFound);
            }
            for statement in [
                "UPDATE users SET deleted_at = $3 WHERE partner = $1 AND entity = $2 AND deleted_at IS NULL",
                "UPDATE roles SET deleted_at = $3 WHERE partner = $1 AND entity = $2 AND deleted_at IS NULL",
            ] {
                let deleting = query(statement).bind(scope.partner).bind(id).bind(audit.at);
                deleting.execute(&mut *tx).await?;
            }
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

async fn read(tx: &mut Connection, scope: &TenantScope, id: EntityId) -> Result<WriteOutcome<Entity>> {
    let entity = select_scoped(ENTITY, scope).bind(id).fetch_optional(tx).await?;
    Ok(entity.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
}

/// Whether a partner has this entity.
pub(super) async fn entity_exists(tx: &mut Connection, partner: PartnerId, entity: EntityId) -> Result<bool> {
    let found = query("SELECT 1 FROM entities WHERE partner = $1 AND id = $2 AND deleted_at IS NULL");
    Ok(found.bind(partner).bind(entity).fetch_optional(tx).await?.is_some())
}
