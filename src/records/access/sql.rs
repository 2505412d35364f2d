//! Keys and tokens.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::audit::{add_audit, execute_audited};
use super::partners::insert_partner;
use super::{Backend, Query, partner_subject};
use crate::core::access::{Caller, Permissions};
use crate::core::ids::{EntityId, PartnerId, UserId};
use crate::core::time::Timestamp;
use crate::records::{AccessRecords, AccessToken, AuditEntry, Bearer, Partner, PartnerKey, RecordsError, Result};

#[async_trait]
impl AccessRecords for Backend {
    async fn add_partner(&self, partner: &Partner, keys: &[PartnerKey], audit: &AuditEntry) -> Result<bool> {
        self.transaction(async |tx| {
            let adding = insert_partner(
                "INSERT INTO partners (id, name, purpose, days, walk_in, contact, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
                partner,
            );
            if !execute_audited(tx, adding, audit).await? {
                return Ok(false);
            }
            for key in keys {
                put_key(key).execute(&mut *tx).await?;
            }
            Ok(true)
        })
        .await
    }

    async fn put_key(&self, key: &PartnerKey) -> Result<()> {
        self.execute(put_key(key)).await.map(drop)
    }

    async fn rotate_key(&self, key: &PartnerKey, until: Timestamp, audit: &AuditEntry) -> Result<()> {
        // Of two rotations at once the later one sees what the earlier one has done.
        self.transaction_about(&partner_subject(key.partner), async |tx| {
            put_key(key).execute(&mut *tx).await?;
            // The key in use until now has its time limited; one that was on its way out ends.
            query(
                "UPDATE partner_keys SET until = CASE WHEN until IS NULL THEN $5 ELSE $4 END \
                 WHERE partner = $1 AND kind = $2 AND digest <> $3 AND (until IS NULL OR until > $4)",
            )
            .bind(key.partner)
            .bind(key.kind)
            .bind(&key.digest[..])
            .bind(key.created_at)
            .bind(until)
            .execute(&mut *tx)
            .await?;
            if until <= key.created_at {
                query(
                    "UPDATE tokens SET revoked_at = $2 \
                     WHERE partner = $1 AND expires_at > $2 AND revoked_at IS NULL",
                )
                .bind(key.partner)
                .bind(key.created_at)
                .execute(&mut *tx)
                .await?;
            }
            add_audit(tx, audit).await
        })
        .await
    }

    async fn key(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<PartnerKey>> {
        let key = query_as("SELECT * FROM partner_keys WHERE digest = $1 AND (until IS NULL OR until > $2)");
        self.fetch(key.bind(&digest[..]).bind(now)).await
    }

    async fn keys(&self, partner: PartnerId) -> Result<Vec<PartnerKey>> {
        let keys = query_as("SELECT * FROM partner_keys WHERE partner = $1 ORDER BY created_at DESC, digest");
        self.fetch_all(keys.bind(partner)).await
    }

    async fn add_token(&self, token: &AccessToken, audit: &AuditEntry) -> Result<bool> {
        let adding = query(
            "INSERT INTO tokens (digest, partner, user_id, created_at, expires_at) \
             SELECT $1, p.id, $3, $4, $5 FROM partners p WHERE p.id = $2 AND ($3 IS NULL \
             OR EXISTS (SELECT 1 FROM users WHERE id = $3 AND partner = $2 AND deleted_at IS NULL))",
        )
        .bind(&token.digest[..])
        .bind(token.partner)
        .bind(token.user)
        .bind(token.created_at)
        .bind(token.expires_at);
        self.execute_audited(adding, audit).await
    }

    async fn bearer(&self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Bearer>> {
        // What a role that was deleted allowed, nobody may do.
        let bearer = query_as(
            "SELECT t.partner, t.user_id, t.expires_at, u.entity, r.permissions FROM tokens t \
             LEFT JOIN users u ON u.id = t.user_id AND u.partner = t.partner AND u.deleted_at IS NULL \
             LEFT JOIN entities e ON e.id = u.entity AND e.partner = u.partner AND e.deleted_at IS NULL \
             LEFT JOIN roles r ON r.id = COALESCE(u.role, e.default_role) AND r.partner = t.partner \
             AND r.deleted_at IS NULL WHERE t.digest = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL \
             AND (t.user_id IS NULL OR e.id IS NOT NULL)",
        );
        let row: Option<BearerRow> = self.fetch(bearer.bind(&digest[..]).bind(now)).await?;
        row.map(BearerRow::into_bearer).transpose()
    }

    async fn revoke_token(&self, digest: &[u8; 32], audit: &AuditEntry) -> Result<()> {
        let revoking =
            query("UPDATE tokens SET revoked_at = $3 WHERE digest = $2 AND partner = $1 AND revoked_at IS NULL");
        let revoking = revoking.bind(audit.partner).bind(&digest[..]).bind(audit.at);
        self.execute_audited(revoking, audit).await.map(drop)
    }
}

fn put_key(key: &PartnerKey) -> Query<'_> {
    query(
        "INSERT INTO partner_keys (digest, partner, kind, hint, created_at, until) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (digest) DO UPDATE SET partner = excluded.partner, kind = excluded.kind, hint = excluded.hint, \
         created_at = excluded.created_at, until = excluded.until",
    )
    .bind(&key.digest[..])
    .bind(key.partner)
    .bind(key.kind)
    .bind(&key.hint)
    .bind(key.created_at)
    .bind(key.until)
}

#[derive(sqlx::FromRow)]
struct BearerRow {
    partner: PartnerId,
    user_id: Option<UserId>,
    entity: Option<EntityId>,
    permissions: Option<Permissions>,
    expires_at: Timestamp,
}

impl BearerRow {
    fn into_bearer(self) -> Result<Bearer> {
        let caller = match self.user_id {
            None => Caller::Partner(self.partner),
            Some(user) => Caller::User {
                partner: self.partner,
                entity: self
                    .entity
                    .ok_or_else(|| RecordsError::new("a user without an entity"))?,
                user,
                // No role, no permission.
                permissions: self.permissions.unwrap_or_default(),
            },
        };
        Ok(Bearer {
            caller,
            expires_at: self.expires_at,
        })
    }
}
