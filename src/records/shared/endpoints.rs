//! Where partners receive webhooks, and what these are signed with.

use sqlx::Row as _;

use super::audit::note;
use super::events::{bound, optional};
use super::roles::{everything, is_entity};
use super::{Backend, Connection, Row, fixed, of_partner, reaching, within};
use crate::core::access::TenantScope;
use crate::core::events::EventKind;
use crate::core::ids::{EndpointId, EntityId, PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::records::words::{Word, unknown};
use crate::records::{
    AuditEntry, EndpointChange, EndpointState, Result, WebhookEndpoint, WebhookSecret, WriteOutcome, sql,
};

impl Backend {
    pub(super) async fn insert_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        secret: &WebhookSecret,
        most: u32,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<WebhookEndpoint>> {
        within(async {
            let mut transaction = self.write_about(&of_partner(endpoint.partner)).await?;
            if let Some(entity) = endpoint.entity
                && !is_entity(&mut transaction, endpoint.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            let others: i64 = sqlx::query_scalar(sql::events::OTHER_ENDPOINTS)
                .bind(&endpoint.partner.as_bytes()[..])
                .bind(&endpoint.id.as_bytes()[..])
                .fetch_one(&mut *transaction)
                .await?;
            if others >= i64::from(most) {
                return Ok(WriteOutcome::TooMany);
            }
            let added = sqlx::query(sql::events::ADD_ENDPOINT)
                .bind(&endpoint.id.as_bytes()[..])
                .bind(&endpoint.partner.as_bytes()[..])
                .bind(endpoint.entity.as_ref().map(|entity| &entity.as_bytes()[..]))
                .bind(&endpoint.url)
                .bind(spelt(&endpoint.kinds))
                .bind(endpoint.state.word())
                .bind(&endpoint.reason)
                .bind(endpoint.created_by.as_ref().map(|user| &user.as_bytes()[..]))
                .bind(endpoint.created_at.as_millis())
                .bind(endpoint.updated_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if added.rows_affected() > 0 {
                add_secret(&mut transaction, secret).await?;
                note(&mut transaction, deed).await?;
            }
            let kept = one(&mut transaction, &everything(endpoint.partner), endpoint.id).await?;
            transaction.commit().await?;
            Ok(kept.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    pub(super) async fn reached_endpoint(
        &self,
        reach: &TenantScope,
        id: EndpointId,
    ) -> Result<Option<WebhookEndpoint>> {
        within(async {
            let mut connection = self.readers.acquire().await?;
            one(&mut connection, reach, id).await
        })
        .await
    }

    pub(super) async fn reached_endpoints(
        &self,
        reach: &TenantScope,
        (at, id): (i64, [u8; 16]),
        limit: u32,
    ) -> Result<Vec<WebhookEndpoint>> {
        within(async {
            let (partner, entity, own) = bound(reach);
            let rows = sqlx::query(sql::events::ENDPOINTS)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(at)
                .bind(&id[..])
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(endpoint_of).collect()
        })
        .await
    }

    pub(super) async fn update_endpoint(
        &self,
        reach: &TenantScope,
        id: EndpointId,
        change: &EndpointChange,
        deed: &AuditEntry,
    ) -> Result<Option<WebhookEndpoint>> {
        within(async {
            let mut transaction = self.write().await?;
            let (partner, entity, own) = bound(reach);
            let row = sqlx::query(sql::events::CHANGE_ENDPOINT)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(&id.as_bytes()[..])
                .bind(&change.url)
                .bind(change.kinds.as_deref().map(spelt))
                .bind(change.state.map(|(state, _)| state.word()))
                .bind(change.state.and_then(|(_, reason)| reason))
                .bind(deed.at.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(row) = row else {
                return Ok(None);
            };
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            endpoint_of(&row).map(Some)
        })
        .await
    }

    pub(super) async fn replace_secret(
        &self,
        reach: &TenantScope,
        secret: &WebhookSecret,
        until: Timestamp,
        deed: &AuditEntry,
    ) -> Result<Option<Timestamp>> {
        within(async {
            let mut transaction = self.write().await?;
            let (partner, entity, own) = bound(reach);
            let held = sqlx::query(sql::events::HOLD_ENDPOINT)
                .bind(partner)
                .bind(entity)
                .bind(own)
                .bind(&secret.endpoint.as_bytes()[..])
                .bind(secret.created_at.as_millis())
                .execute(&mut *transaction)
                .await?;
            if held.rows_affected() == 0 {
                return Ok(None);
            }
            let there: i64 = sqlx::query_scalar(sql::events::IS_SECRET)
                .bind(&secret.id.as_bytes()[..])
                .fetch_one(&mut *transaction)
                .await?;
            if there == 0 {
                end_secrets(&mut transaction, secret, until).await?;
                add_secret(&mut transaction, secret).await?;
                note(&mut transaction, deed).await?;
            }
            let until = sqlx::query_scalar(sql::events::LAST_USE_OF_OLD_SECRETS)
                .bind(&secret.endpoint.as_bytes()[..])
                .fetch_one(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(Some(Timestamp::from_millis(until)))
        })
        .await
    }

    pub(super) async fn stop_endpoint(
        &self,
        id: EndpointId,
        reason: &'static str,
        silent_since: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool> {
        within(async {
            let stopped = sqlx::query(sql::events::DISABLE_ENDPOINT)
                .bind(&id.as_bytes()[..])
                .bind(reason)
                .bind(at.as_millis())
                .bind(silent_since.map(Timestamp::as_millis))
                .execute(&self.writer)
                .await?;
            Ok(stopped.rows_affected() > 0)
        })
        .await
    }
}

async fn one(connection: &mut Connection, reach: &TenantScope, id: EndpointId) -> Result<Option<WebhookEndpoint>> {
    let row = reaching(sql::events::ENDPOINT, reach)
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(endpoint_of).transpose()
}

/// The present secret goes on until then; those before it end now.
async fn end_secrets(connection: &mut Connection, by: &WebhookSecret, until: Timestamp) -> Result<()> {
    for (statement, end) in [
        (sql::events::END_OLDER_SECRETS, by.created_at),
        (sql::events::END_SECRET, until),
    ] {
        sqlx::query(statement)
            .bind(&by.endpoint.as_bytes()[..])
            .bind(end.as_millis())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn add_secret(connection: &mut Connection, secret: &WebhookSecret) -> Result<()> {
    sqlx::query(sql::events::ADD_SECRET)
        .bind(&secret.id.as_bytes()[..])
        .bind(&secret.endpoint.as_bytes()[..])
        .bind(&secret.partner.as_bytes()[..])
        .bind(&secret.sealed)
        .bind(secret.created_at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Kinds as they stand in a row: with commas between.
fn spelt(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
}

pub(super) fn endpoint_of(row: &Row) -> Result<WebhookEndpoint> {
    let kinds: &str = row.try_get("kinds")?;
    let kinds = kinds.split(',').filter(|word| !word.is_empty());
    Ok(WebhookEndpoint {
        id: EndpointId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        entity: optional(row, "entity")?.map(EntityId::from_bytes),
        url: row.try_get("url")?,
        kinds: kinds
            .map(|word| EventKind::parse(word).ok_or_else(|| unknown("EventKind")))
            .collect::<Result<_>>()?,
        state: EndpointState::read(row.try_get("state")?)?,
        reason: row.try_get("reason")?,
        created_by: optional(row, "created_by")?.map(UserId::from_bytes),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}
