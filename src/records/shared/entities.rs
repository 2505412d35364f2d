//! Entities.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::roles::{everything, is_role_for};
use super::{Backend, Connection, Row, fixed, maybe, of_partner, paged, reaching, within};
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, PartnerId, RoleId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::sql::staff as sql;
use crate::records::{AuditEntry, Entity, EntityChange, EntityRecords, Result, WriteOutcome};

#[async_trait]
impl EntityRecords for Backend {
    async fn add_entity(&self, entity: &Entity, deed: &AuditEntry) -> Result<WriteOutcome<Entity>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(entity.partner)).await?;
            if let Some(role) = entity.default_role
                && !is_role_for(&mut transaction, entity.partner, role, None).await?
            {
                return Ok(WriteOutcome::NoRole);
            }
            let added = sqlx::query(sql::ADD_ENTITY)
                .bind(&entity.id.as_bytes()[..])
                .bind(&entity.partner.as_bytes()[..])
                .bind(&entity.name)
                .bind(entity.default_role.as_ref().map(|role| &role.as_bytes()[..]))
                .bind(entity.created_at.as_millis())
                .bind(entity.updated_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if added.rows_affected() > 0 {
                note(&mut transaction, deed).await?;
            }
            let kept = one(&mut transaction, &everything(entity.partner), entity.id).await?;
            transaction.commit().await?;
            Ok(kept.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn entity(&self, reach: &TenantScope, id: EntityId) -> Result<Option<Entity>> {
        within(async {
            let row = reaching(sql::ENTITY, reach).bind(&id.as_bytes()[..]);
            let row = row.fetch_optional(&self.readers).await?;
            row.as_ref().map(entity_of).transpose()
        })
        .await
    }

    async fn entities(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<Entity>> {
        within(async {
            let rows = paged(reaching(sql::ENTITIES, reach), page);
            let rows = rows.fetch_all(&self.readers).await?;
            let entities = rows.iter().map(entity_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(entities, page, |entity| PageCursor {
                at: entity.created_at,
                id: *entity.id.as_bytes(),
            }))
        })
        .await
    }

    async fn change_entity(
        &self,
        reach: &TenantScope,
        id: EntityId,
        change: &EntityChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<Entity>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(reach.partner)).await?;
            if let Some(Some(role)) = change.default_role
                && !is_role_for(&mut transaction, reach.partner, role, Some(id)).await?
            {
                return Ok(WriteOutcome::NoRole);
            }
            let role = change.default_role.flatten();
            let changed = reaching(sql::CHANGE_ENTITY, reach)
                .bind(&id.as_bytes()[..])
                .bind(&change.name)
                .bind(i64::from(change.default_role.is_some()))
                .bind(role.as_ref().map(|role| &role.as_bytes()[..]))
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if changed.rows_affected() == 0 {
                return Ok(WriteOutcome::NotFound);
            }
            let entity = one(&mut transaction, reach, id).await?;
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(entity.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn delete_entity(&self, reach: &TenantScope, id: EntityId, deed: &AuditEntry) -> Result<WriteOutcome<()>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(reach.partner)).await?;
            let ended = reaching(sql::END_ENTITY, reach)
                .bind(&id.as_bytes()[..])
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(WriteOutcome::NotFound);
            }
            for statement in [sql::END_USERS_OF, sql::END_ROLES_OF] {
                sqlx::query(statement)
                    .bind(&reach.partner.as_bytes()[..])
                    .bind(&id.as_bytes()[..])
                    .bind(deed.at.as_millis())
                    .execute(&mut *transaction)
                    .await?;
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

async fn one(connection: &mut Connection, reach: &TenantScope, id: EntityId) -> Result<Option<Entity>> {
    let row = reaching(sql::ENTITY, reach).bind(&id.as_bytes()[..]);
    let row = row.fetch_optional(connection).await?;
    row.as_ref().map(entity_of).transpose()
}

fn entity_of(row: &Row) -> Result<Entity> {
    Ok(Entity {
        id: EntityId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        name: row.try_get("name")?,
        default_role: maybe(row, "default_role", RoleId::from_bytes)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}
