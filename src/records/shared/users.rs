//! Users.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::note;
use super::roles::{everything, is_entity, is_role_for};
use super::{Backend, Connection, Row, fixed, maybe, of_partner, paged, reaching, within};
use crate::core::access::TenantScope;
use crate::core::ids::{EntityId, PartnerId, RoleId, UserId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::sql::staff as sql;
use crate::records::{AuditEntry, Result, User, UserChange, UserRecords, WriteOutcome};

#[async_trait]
impl UserRecords for Backend {
    async fn add_user(&self, user: &User, deed: &AuditEntry) -> Result<WriteOutcome<User>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(user.partner)).await?;
            if !is_entity(&mut transaction, user.partner, user.entity).await? {
                return Ok(WriteOutcome::NoEntity);
            }
            if let Some(fault) = fault(&mut transaction, user).await? {
                return Ok(fault);
            }
            let added = sqlx::query(sql::ADD_USER)
                .bind(&user.id.as_bytes()[..])
                .bind(&user.partner.as_bytes()[..])
                .bind(&user.entity.as_bytes()[..])
                .bind(&user.login)
                .bind(&user.name)
                .bind(user.role.as_ref().map(|role| &role.as_bytes()[..]))
                .bind(user.created_by.as_ref().map(|user| &user.as_bytes()[..]))
                .bind(user.created_at.as_millis())
                .bind(user.updated_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if added.rows_affected() > 0 {
                note(&mut transaction, deed).await?;
            }
            let kept = one(&mut transaction, &everything(user.partner), user.id).await?;
            transaction.commit().await?;
            Ok(kept.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn user(&self, reach: &TenantScope, id: UserId) -> Result<Option<User>> {
        within(async {
            let row = reaching(sql::USER, reach).bind(&id.as_bytes()[..]);
            let row = row.fetch_optional(&self.readers).await?;
            row.as_ref().map(user_of).transpose()
        })
        .await
    }

    async fn users(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<User>> {
        within(async {
            let rows = paged(reaching(sql::USERS, reach), page)
                .fetch_all(&self.readers)
                .await?;
            let users = rows.iter().map(user_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(users, page, |user| PageCursor {
                at: user.created_at,
                id: *user.id.as_bytes(),
            }))
        })
        .await
    }

    async fn change_user(
        &self,
        reach: &TenantScope,
        id: UserId,
        change: &UserChange,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<User>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(reach.partner)).await?;
            let Some(mut user) = one(&mut transaction, reach, id).await? else {
                return Ok(WriteOutcome::NotFound);
            };
            user.login = change.login.clone().unwrap_or(user.login);
            user.role = change.role.unwrap_or(user.role);
            if let Some(fault) = fault(&mut transaction, &user).await? {
                return Ok(fault);
            }
            let role = change.role.flatten();
            reaching(sql::CHANGE_USER, reach)
                .bind(&id.as_bytes()[..])
                .bind(&change.login)
                .bind(&change.name)
                .bind(i64::from(change.role.is_some()))
                .bind(role.as_ref().map(|role| &role.as_bytes()[..]))
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            let user = one(&mut transaction, reach, id).await?;
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(user.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn delete_user(&self, reach: &TenantScope, id: UserId, deed: &AuditEntry) -> Result<WriteOutcome<()>> {
        within(async {
            let mut transaction = self.write().await?;
            let ended = reaching(sql::END_USER, reach)
                .bind(&id.as_bytes()[..])
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(WriteOutcome::NotFound);
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(WriteOutcome::Done(()))
        })
        .await
    }
}

/// Why a user may not be as they are to be.
async fn fault(connection: &mut Connection, user: &User) -> Result<Option<WriteOutcome<User>>> {
    if let Some(role) = user.role
        && !is_role_for(connection, user.partner, role, Some(user.entity)).await?
    {
        return Ok(Some(WriteOutcome::NoRole));
    }
    let others: i64 = sqlx::query_scalar(sql::LOGIN_TAKEN)
        .bind(&user.partner.as_bytes()[..])
        .bind(&user.entity.as_bytes()[..])
        .bind(&user.login)
        .bind(&user.id.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Ok((others > 0).then_some(WriteOutcome::Taken))
}

async fn one(connection: &mut Connection, reach: &TenantScope, id: UserId) -> Result<Option<User>> {
    let row = reaching(sql::USER, reach).bind(&id.as_bytes()[..]);
    row.fetch_optional(connection).await?.as_ref().map(user_of).transpose()
}

fn user_of(row: &Row) -> Result<User> {
    Ok(User {
        id: UserId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        entity: EntityId::from_bytes(fixed(row, "entity")?),
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        role: maybe(row, "role", RoleId::from_bytes)?,
        created_by: maybe(row, "created_by", UserId::from_bytes)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}
