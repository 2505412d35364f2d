//! Partners, their credentials, the audit trail.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, add_audit, within};
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::records::{AuditEvent, Partner, PartnerRecords, Result, sql};

#[async_trait]
impl PartnerRecords for Backend {
    async fn put_partner(&self, partner: &Partner) -> Result<()> {
        within(async {
            sqlx::query(sql::PUT_PARTNER)
                .bind(&partner.id.as_bytes()[..])
                .bind(&partner.name)
                .bind(&partner.purpose)
                .bind(partner.created_at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn put_credentials(&self, partner: PartnerId, provider: &str, sealed: &[u8], at: Timestamp) -> Result<()> {
        within(async {
            sqlx::query(sql::PUT_CREDENTIALS)
                .bind(&partner.as_bytes()[..])
                .bind(provider)
                .bind(sealed)
                .bind(at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn credentials(&self, partner: PartnerId, provider: &str) -> Result<Option<Vec<u8>>> {
        within(async {
            let row = sqlx::query(sql::CREDENTIALS)
                .bind(&partner.as_bytes()[..])
                .bind(provider)
                .fetch_optional(&self.readers)
                .await?;
            Ok(row.map(|row| row.try_get("sealed")).transpose()?)
        })
        .await
    }

    async fn audit(&self, event: &AuditEvent) -> Result<()> {
        within(async { add_audit(&mut *self.writer.acquire().await?, event).await }).await
    }

    async fn ready(&self) -> Result<()> {
        within(async {
            sqlx::query(sql::BEAT).execute(&self.writer).await?;
            sqlx::query(sql::READ_PULSE).fetch_one(&self.readers).await?;
            Ok(())
        })
        .await
    }
}
