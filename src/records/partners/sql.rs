//! Partners and their credentials at providers.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::audit::add_audit;
use super::{Backend, Query};
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::records::{AuditEntry, Partner, PartnerChange, PartnerRecords, Result};

const PARTNER: &str = "SELECT * FROM partners WHERE id = $1";

#[async_trait]
impl PartnerRecords for Backend {
    async fn put_partner(&self, partner: &Partner) -> Result<()> {
        let put = insert_partner(
            "INSERT INTO partners (id, name, purpose, days, walk_in, contact, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose, days = excluded.days, \
             walk_in = excluded.walk_in, contact = excluded.contact",
            partner,
        );
        self.execute(put).await.map(drop)
    }

    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>> {
        self.fetch(query_as(PARTNER).bind(id)).await
    }

    async fn partners(&self) -> Result<Vec<Partner>> {
        self.fetch_all(query_as("SELECT * FROM partners ORDER BY name, created_at, id"))
            .await
    }

    async fn put_credentials(&self, partner: PartnerId, provider: &str, sealed: &[u8], at: Timestamp) -> Result<()> {
        self.execute(put_credentials(partner, provider, sealed, at))
            .await
            .map(drop)
    }

    async fn credentials(&self, partner: PartnerId, provider: &str) -> Result<Option<Vec<u8>>> {
        let sealed = query_as("SELECT sealed FROM provider_credentials WHERE partner = $1 AND provider = $2");
        let sealed: Option<(Vec<u8>,)> = self.fetch(sealed.bind(partner).bind(provider)).await?;
        Ok(sealed.map(|(sealed,)| sealed))
    }

    async fn note_session_match(&self, partner: PartnerId, provider: &str) -> Result<()> {
        let noting = query(
            "UPDATE provider_credentials SET matched = TRUE WHERE partner = $1 AND provider = $2 AND NOT matched",
        );
        self.execute(noting.bind(partner).bind(provider)).await.map(drop)
    }

    async fn session_matched(&self, partner: PartnerId, provider: &str) -> Result<bool> {
        let matched = query_as("SELECT matched FROM provider_credentials WHERE partner = $1 AND provider = $2");
        let matched: Option<(bool,)> = self.fetch(matched.bind(partner).bind(provider)).await?;
        Ok(matched.is_some_and(|(matched,)| matched))
    }

    async fn providers_of(&self, partner: PartnerId) -> Result<Vec<(String, Timestamp)>> {
        let statement = "SELECT provider, updated_at FROM provider_credentials WHERE partner = $1 ORDER BY provider";
        self.fetch_all(query_as(statement).bind(partner)).await
    }

    async fn set_credentials(&self, provider: &str, sealed: &[u8], audit: &AuditEntry) -> Result<()> {
        self.transaction(async |tx| {
            put_credentials(audit.partner, provider, sealed, audit.at)
                .execute(&mut *tx)
                .await?;
            // What accounts of other keys have named says nothing of these.
            let unknown = query("UPDATE provider_credentials SET matched = FALSE WHERE partner = $1 AND provider = $2");
            unknown.bind(audit.partner).bind(provider).execute(&mut *tx).await?;
            add_audit(tx, audit).await
        })
        .await
    }

    async fn forget_credentials(&self, provider: &str, audit: &AuditEntry) -> Result<bool> {
        let deleting = query("DELETE FROM provider_credentials WHERE partner = $1 AND provider = $2");
        self.execute_audited(deleting.bind(audit.partner).bind(provider), audit)
            .await
    }

    async fn change_partner(&self, change: &PartnerChange, audit: &AuditEntry) -> Result<Option<Partner>> {
        self.transaction(async |tx| {
            query(
                "UPDATE partners SET purpose = COALESCE($2, purpose), days = COALESCE($3, days), \
                 walk_in = COALESCE($4, walk_in), contact = CASE WHEN $5 THEN $6 ELSE contact END WHERE id = $1",
            )
            .bind(audit.partner)
            .bind(&change.purpose)
            .bind(change.days.map(i64::from))
            .bind(change.walk_in)
            .bind(change.contact.is_some())
            .bind(change.contact.as_ref().and_then(Option::as_ref))
            .execute(&mut *tx)
            .await?;
            add_audit(&mut *tx, audit).await?;
            Ok(query_as(PARTNER).bind(audit.partner).fetch_optional(tx).await?)
        })
        .await
    }

    async fn server_time(&self) -> Result<Option<Timestamp>> {
        self.call(self.read_clock()).await
    }

    /// Only a commit proves that the disk takes writes.
    async fn check_ready(&self) -> Result<()> {
        let (beat, read) = (
            query("UPDATE heartbeat SET beats = beats + 1 WHERE id = 1"),
            query_as("SELECT beats FROM heartbeat WHERE id = 1"),
        );
        self.call(async {
            self.check_file().await?;
            self.execute(beat).await?;
            self.fetch::<(i64,)>(read).await.map(drop)
        })
        .await
    }
}

/// A statement that writes a partner.
pub(super) fn insert_partner<'a>(statement: &'static str, partner: &'a Partner) -> Query<'a> {
    query(statement)
        .bind(partner.id)
        .bind(&partner.name)
        .bind(&partner.purpose)
        .bind(i64::from(partner.days))
        .bind(partner.walk_in)
        .bind(&partner.contact)
        .bind(partner.created_at)
}

fn put_credentials<'a>(partner: PartnerId, provider: &'a str, sealed: &'a [u8], at: Timestamp) -> Query<'a> {
    query(
        "INSERT INTO provider_credentials (partner, provider, sealed, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (partner, provider) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
    )
    .bind(partner)
    .bind(provider)
    .bind(sealed)
    .bind(at)
}
