//! Partners, their credentials, the audit trail.

use async_trait::async_trait;
use sqlx::Row as _;

use super::audit::{audited_of, note};
use super::{Backend, Query, Row, add_audit, fixed, paged, reaching, within};
use crate::core::access::TenantScope;
use crate::core::ids::PartnerId;
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::core::time::Timestamp;
use crate::records::{
    AuditEntry, AuditEvent, Partner, PartnerChange, PartnerRecords, RecordsError, Result, StoredAuditEntry, sql,
};

#[async_trait]
impl PartnerRecords for Backend {
    async fn put_partner(&self, partner: &Partner) -> Result<()> {
        within(async {
            put_partner(sql::PUT_PARTNER, partner).execute(&self.writer).await?;
            Ok(())
        })
        .await
    }

    async fn partner(&self, id: PartnerId) -> Result<Option<Partner>> {
        within(async {
            let row = sqlx::query(sql::PARTNER).bind(&id.as_bytes()[..]);
            let row = row.fetch_optional(&self.readers).await?;
            row.as_ref().map(partner_of).transpose()
        })
        .await
    }

    async fn partners(&self) -> Result<Vec<Partner>> {
        within(async {
            let rows = sqlx::query(sql::PARTNERS).fetch_all(&self.readers).await?;
            rows.iter().map(partner_of).collect()
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

    async fn providers_of(&self, partner: PartnerId) -> Result<Vec<(String, Timestamp)>> {
        within(async {
            let rows = sqlx::query(sql::PROVIDERS_OF).bind(&partner.as_bytes()[..]);
            let rows = rows.fetch_all(&self.readers).await?;
            let pair = |row: &Row| {
                let at = Timestamp::from_millis(row.try_get("updated_at")?);
                Ok((row.try_get("provider")?, at))
            };
            rows.iter().map(pair).collect()
        })
        .await
    }

    async fn set_credentials(&self, provider: &str, sealed: &[u8], deed: &AuditEntry) -> Result<()> {
        within(async {
            let mut transaction = self.write().await?;
            sqlx::query(sql::PUT_CREDENTIALS)
                .bind(&deed.partner.as_bytes()[..])
                .bind(provider)
                .bind(sealed)
                .bind(deed.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            note(&mut transaction, deed).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn forget_credentials(&self, provider: &str, deed: &AuditEntry) -> Result<bool> {
        within(async {
            let mut transaction = self.write().await?;
            let gone = sqlx::query(sql::FORGET_CREDENTIALS)
                .bind(&deed.partner.as_bytes()[..])
                .bind(provider)
                .execute(&mut *transaction)
                .await?;
            if gone.rows_affected() == 0 {
                return Ok(false);
            }
            note(&mut transaction, deed).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn change_partner(&self, change: &PartnerChange, deed: &AuditEntry) -> Result<Option<Partner>> {
        within(async {
            let mut transaction = self.write().await?;
            sqlx::query(sql::CHANGE_PARTNER)
                .bind(&deed.partner.as_bytes()[..])
                .bind(&change.purpose)
                .bind(change.days.map(i64::from))
                .bind(change.walk_in.map(i64::from))
                .execute(&mut *transaction)
                .await?;
            note(&mut transaction, deed).await?;
            let row = sqlx::query(sql::PARTNER).bind(&deed.partner.as_bytes()[..]);
            let row = row.fetch_optional(&mut *transaction).await?;
            let partner = row.as_ref().map(partner_of).transpose()?;
            transaction.commit().await?;
            Ok(partner)
        })
        .await
    }

    async fn audit(&self, event: &AuditEvent) -> Result<()> {
        within(async { add_audit(&mut *self.writer.acquire().await?, event).await }).await
    }

    async fn audit_trail(&self, reach: &TenantScope, page: &PageRequest) -> Result<Paged<StoredAuditEntry>> {
        within(async {
            let rows = paged(reaching(sql::AUDITED, reach), page);
            let rows = rows.fetch_all(&self.readers).await?;
            let events = rows.iter().map(audited_of).collect::<Result<Vec<_>>>()?;
            Ok(Paged::from_rows(events, page, |event| PageCursor {
                at: event.at,
                id: event.id,
            }))
        })
        .await
    }

    async fn check_ready(&self) -> Result<()> {
        within(async {
            sqlx::query(sql::BEAT).execute(&self.writer).await?;
            sqlx::query(sql::READ_PULSE).fetch_one(&self.readers).await?;
            Ok(())
        })
        .await
    }
}

/// A statement that takes a partner.
pub(super) fn put_partner<'a>(statement: &'static str, partner: &'a Partner) -> Query<'a> {
    sqlx::query(statement)
        .bind(&partner.id.as_bytes()[..])
        .bind(&partner.name)
        .bind(&partner.purpose)
        .bind(i64::from(partner.days))
        .bind(i64::from(partner.walk_in))
        .bind(partner.created_at.as_millis())
}

pub(super) fn partner_of(row: &Row) -> Result<Partner> {
    let (days, walk_in): (i64, i64) = (row.try_get("days")?, row.try_get("walk_in")?);
    Ok(Partner {
        id: PartnerId::from_bytes(fixed(row, "id")?),
        name: row.try_get("name")?,
        purpose: row.try_get("purpose")?,
        days: u16::try_from(days).map_err(|_| RecordsError("days are out of range".to_owned()))?,
        walk_in: walk_in != 0,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
