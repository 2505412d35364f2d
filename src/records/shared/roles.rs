//! Roles.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::{Backend, Connection, Row, fixed, maybe, of_partner, paged, reaching, within};
use crate::core::access::{Permissions, TenantScope};
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::sql::staff as sql;
use crate::records::{AuditEntry, RecordsError, Result, Role, RoleChange, RoleRecords, WriteOutcome};

#[async_trait]
impl RoleRecords for Backend {
    async fn add_role(&self, role: &Role, deed: &AuditEntry) -> Result<WriteOutcome<Role>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(role.partner)).await?;
            if let Some(entity) = role.entity
                && !is_entity(&mut transaction, role.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            let added = sqlx::query(sql::ADD_ROLE)
                .bind(&role.id.as_bytes()[..])
                .bind(&role.partner.as_bytes()[..])
                .bind(role.entity.as_ref().map(|entity| &entity.as_bytes()[..]))
                .bind(&role.name)
                .bind(written(&role.permissions)?)
                .bind(role.created_by.as_ref().map(|user| &user.as_bytes()[..]))
                .bind(role.created_at.as_millis())
                .bind(role.updated_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if added.rows_affected() > 0 {
                note(&mut transaction, deed).await?;
            }
            let kept = one(&mut transaction, &everything(role.partner), role.id).await?;
            transaction.commit().await?;
            Ok(kept.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn role(&self, reach: &TenantScope, id: RoleId) -> Result<Option<Role>> {
        within(async {
            let row = reaching(sql::ROLE, reach).bind(&id.as_bytes()[..]);
            let row = row.fetch_optional(&self.readers).await?;
            row.as_ref().map(role_of).transpose()
        })
        .await
    }

    async fn roles(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<Role>> {
        within(async {
            let rows = paged(reaching(sql::ROLES, reach), page)
                .fetch_all(&self.readers)
                .await?;
            let roles = rows.iter().map(role_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(roles, page, |role| PageCursor {
                at: role.created_at,
                id: *role.id.as_bytes(),
            }))
        })
        .await
    }

    async fn change_role(
        &self,
        reach: &TenantScope,
        id: RoleId,
        change: &RoleChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<Role>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(reach.partner)).await?;
            let changed = reaching(sql::CHANGE_ROLE, reach)
                .bind(&id.as_bytes()[..])
                .bind(&change.name)
                .bind(change.permissions.as_ref().map(written).transpose()?)
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if changed.rows_affected() == 0 {
                return Ok(WriteOutcome::NotFound);
            }
            let role = one(&mut transaction, reach, id).await?;
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(role.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn delete_role(&self, reach: &TenantScope, id: RoleId, deed: &AuditEntry) -> Result<WriteOutcome<()>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(reach.partner)).await?;
            let ended = reaching(sql::END_ROLE, reach)
                .bind(&id.as_bytes()[..])
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(WriteOutcome::NotFound);
            }
            let uses: i64 = sqlx::query_scalar(sql::USES_OF_ROLE)
                .bind(&reach.partner.as_bytes()[..])
                .bind(&id.as_bytes()[..])
                .fetch_one(&mut *transaction)
                .await?;
            if uses > 0 {
                return Ok(WriteOutcome::InUse);
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

/// All that a partner has.
pub(super) fn everything(partner: PartnerId) -> TenantScope {
    TenantScope {
        partner,
        entity: None,
        own: None,
    }
}

/// Whether there is a role for users of this entity; without an entity, one for all of them.
pub(super) async fn is_role_for(
    connection: &mut Connection,
    partner: PartnerId,
    role: RoleId,
    entity: Option<EntityId>,
) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(sql::ROLE_FOR)
        .bind(&partner.as_bytes()[..])
        .bind(&role.as_bytes()[..])
        .bind(entity.as_ref().map(|entity| &entity.as_bytes()[..]))
        .fetch_one(connection)
        .await?;
    Ok(found > 0)
}

/// Whether a partner has this entity.
pub(super) async fn is_entity(connection: &mut Connection, partner: PartnerId, entity: EntityId) -> Result<bool> {
    let found: i64 = sqlx::query_scalar(sql::IS_ENTITY)
        .bind(&partner.as_bytes()[..])
        .bind(&entity.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Ok(found > 0)
}

async fn one(connection: &mut Connection, reach: &TenantScope, id: RoleId) -> Result<Option<Role>> {
    let row = reaching(sql::ROLE, reach).bind(&id.as_bytes()[..]);
    row.fetch_optional(connection).await?.as_ref().map(role_of).transpose()
}

fn role_of(row: &Row) -> Result<Role> {
    Ok(Role {
        id: RoleId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        entity: maybe(row, "entity", EntityId::from_bytes)?,
        name: row.try_get("name")?,
        permissions: permissions_of(row.try_get("permissions")?)?,
        created_by: maybe(row, "created_by", UserId::from_bytes)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}

fn written(permissions: &Permissions) -> Result<String> {
    serde_json::to_string(permissions).map_err(|_| RecordsError("permissions cannot be written".to_owned()))
}

/// What a role allows, out of its column. No role, no permission.
pub(super) fn permissions_of(text: Option<&str>) -> Result<Permissions> {
    let Some(text) = text else {
        return Ok(Permissions::default());
    };
    serde_json::from_str(text)
        .map_err(|_| RecordsError("a role allows something that this version does not know".to_owned()))
}
