//! Where partners receive webhooks, and what these are signed with.

use async_trait::async_trait;
use sqlx::{query, query_scalar};

use super::audit::add_audit;
use super::entities::entity_exists;
use super::{Backend, Connection, in_scope, newest_from_4, partner_subject, scoped, select_scoped, whole_partner};
use crate::core::access::TenantScope;
use crate::core::ids::EndpointId;
use crate::core::page::PageCursor;
use crate::core::time::Timestamp;
use crate::records::events::EventKinds;
use crate::records::{
    AuditEntry, EndpointChange, EndpointRecords, Result, WebhookEndpoint, WebhookSecret, WriteOutcome,
};

const ENDPOINT: &str = concat!(
    "SELECT * FROM webhook_endpoints WHERE ",
    in_scope!(),
    " AND id = $4 AND state <> 'deleted'"
);

#[async_trait]
impl EndpointRecords for Backend {
    async fn add_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        secret: &WebhookSecret,
        most: u32,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<WebhookEndpoint>> {
        self.transaction_about(&partner_subject(endpoint.partner), async |tx| {
            if let Some(entity) = endpoint.entity
                && !entity_exists(tx, endpoint.partner, entity).await?
            {
                return Ok(WriteOutcome::NoEntity);
            }
            let others = query_scalar(
                "SELECT COUNT(*) FROM webhook_endpoints WHERE partner = $1 AND id <> $2 AND state <> 'deleted'",
            );
            let others: i64 = others
                .bind(endpoint.partner)
                .bind(endpoint.id)
                .fetch_one(&mut *tx)
                .await?;
            if others >= i64::from(most) {
                return Ok(WriteOutcome::TooMany);
            }
            if insert(tx, endpoint).await? {
                add_secret(tx, secret).await?;
                add_audit(tx, audit).await?;
            }
            let stored = select_scoped(ENDPOINT, &whole_partner(endpoint.partner)).bind(endpoint.id);
            let stored = stored.fetch_optional(tx).await?;
            Ok(stored.map_or(WriteOutcome::NotFound, WriteOutcome::Done))
        })
        .await
    }

    async fn endpoint(&self, scope: &TenantScope, id: EndpointId) -> Result<Option<WebhookEndpoint>> {
        self.fetch(select_scoped(ENDPOINT, scope).bind(id)).await
    }

    async fn endpoints(
        &self,
        scope: &TenantScope,
        after: Option<(Timestamp, EndpointId)>,
        limit: u32,
    ) -> Result<Vec<WebhookEndpoint>> {
        let (at, id) = after.unwrap_or((PageCursor::START.at, EndpointId::from_bytes(PageCursor::START.id)));
        let statement = concat!(
            "SELECT * FROM webhook_endpoints WHERE ",
            in_scope!(),
            " AND state <> 'deleted' ",
            newest_from_4!()
        );
        let endpoints = select_scoped(statement, scope).bind(at).bind(id);
        self.fetch_all(endpoints.bind(i64::from(limit))).await
    }

    async fn change_endpoint(
        &self,
        scope: &TenantScope,
        id: EndpointId,
        change: &EndpointChange,
        audit: &AuditEntry,
    ) -> Result<Option<WebhookEndpoint>> {
        self.transaction(async |tx| {
            let statement = concat!(
                "UPDATE webhook_endpoints SET url = COALESCE($5, url), kinds = COALESCE($6, kinds), \
                 reason = CASE WHEN $7 IS NULL THEN reason ELSE $8 END, state = COALESCE($7, state), updated_at = $9 WHERE ",
                in_scope!(),
                " AND id = $4 AND state <> 'deleted' RETURNING *"
            );
            let changed = select_scoped(statement, scope)
                .bind(id)
                .bind(&change.url)
                .bind(change.kinds.clone().map(EventKinds))
                .bind(change.state.map(|(state, _)| state))
                .bind(change.state.and_then(|(_, reason)| reason))
                .bind(audit.at)
                .fetch_optional(&mut *tx)
                .await?;
            if changed.is_some() {
                add_audit(tx, audit).await?;
            }
            Ok(changed)
        })
        .await
    }

    async fn rotate_secret(
        &self,
        scope: &TenantScope,
        secret: &WebhookSecret,
        until: Timestamp,
        audit: &AuditEntry,
    ) -> Result<Option<Timestamp>> {
        self.transaction(async |tx| {
            // Holds the endpoint's row, so that of two that replace a secret at once the later sees what the earlier has
            // left.
            let holding = concat!(
                "UPDATE webhook_endpoints SET updated_at = $5 WHERE ",
                in_scope!(),
                " AND id = $4 AND state <> 'deleted'"
            );
            let held = scoped(holding, scope).bind(secret.endpoint).bind(secret.created_at);
            if held.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(None);
            }
            let there = query("SELECT 1 FROM webhook_secrets WHERE id = $1").bind(secret.id);
            if there.fetch_optional(&mut *tx).await?.is_none() {
                end_secrets(tx, secret, until).await?;
                add_secret(tx, secret).await?;
                add_audit(tx, audit).await?;
            }
            // Whatever came before the last one ended sooner.
            let last_use = query_scalar("SELECT COALESCE(MAX(until), 0) FROM webhook_secrets WHERE endpoint = $1");
            Ok(Some(last_use.bind(secret.endpoint).fetch_one(tx).await?))
        })
        .await
    }

    async fn disable_endpoint(
        &self,
        id: EndpointId,
        reason: &'static str,
        silent_since: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool> {
        let disabling = query(
            "UPDATE webhook_endpoints SET state = 'disabled', reason = $2, updated_at = $3 \
             WHERE id = $1 AND state = 'enabled' AND ($4 IS NULL OR (updated_at <= $4 AND NOT EXISTS \
             (SELECT 1 FROM deliveries WHERE endpoint = $1 AND state = 'delivered' AND updated_at >= $4)))",
        );
        let disabling = disabling.bind(id).bind(reason).bind(at).bind(silent_since);
        Ok(self.execute(disabling).await? > 0)
    }
}

/// Adds an endpoint; says whether it is new.
async fn insert(tx: &mut Connection, endpoint: &WebhookEndpoint) -> Result<bool> {
    let added = query(
        "INSERT INTO webhook_endpoints \
         (id, partner, entity, url, kinds, state, reason, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind(endpoint.id)
    .bind(endpoint.partner)
    .bind(endpoint.entity)
    .bind(&endpoint.url)
    .bind(EventKinds(endpoint.kinds.clone()))
    .bind(endpoint.state)
    .bind(&endpoint.reason)
    .bind(endpoint.created_by)
    .bind(endpoint.created_at)
    .bind(endpoint.updated_at)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// The present secret goes on until then; those before it end now.
async fn end_secrets(tx: &mut Connection, by: &WebhookSecret, until: Timestamp) -> Result<()> {
    let older = query("UPDATE webhook_secrets SET until = $2 WHERE endpoint = $1 AND until > $2");
    older.bind(by.endpoint).bind(by.created_at).execute(&mut *tx).await?;
    let present = query("UPDATE webhook_secrets SET until = $2 WHERE endpoint = $1 AND until IS NULL");
    present.bind(by.endpoint).bind(until).execute(tx).await?;
    Ok(())
}

async fn add_secret(tx: &mut Connection, secret: &WebhookSecret) -> Result<()> {
    query(
        "INSERT INTO webhook_secrets (id, endpoint, partner, sealed, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
    )
    .bind(secret.id)
    .bind(secret.endpoint)
    .bind(secret.partner)
    .bind(&secret.sealed)
    .bind(secret.created_at)
    .execute(tx)
    .await?;
    Ok(())
}
