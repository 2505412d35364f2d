//! Statements of eligibility.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::Backend;
use super::audit::add_audit;
use crate::core::eligibility::Eligibility;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::records::{AuditEntry, EligibilityRecords, Result, StatementSource, StoredEligibility};

type Row = (Option<String>, String, String, StatementSource, Timestamp);

#[async_trait]
impl EligibilityRecords for Backend {
    async fn put_eligibility(&self, provider: &str, stated: &StoredEligibility, audit: &AuditEntry) -> Result<()> {
        self.transaction(async |tx| {
            query(
                "INSERT INTO eligibility \
                 (partner, provider, licensed_partner, agreement_signed_on, stated_by, source, stated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (partner, provider) DO UPDATE SET \
                 licensed_partner = excluded.licensed_partner, agreement_signed_on = excluded.agreement_signed_on, \
                 stated_by = excluded.stated_by, source = excluded.source, stated_at = excluded.stated_at",
            )
            .bind(audit.partner)
            .bind(provider)
            .bind(&stated.statement.licensed_partner)
            .bind(&stated.statement.agreement_signed_on)
            .bind(&stated.statement.stated_by)
            .bind(stated.source)
            .bind(stated.stated_at)
            .execute(&mut *tx)
            .await?;
            add_audit(tx, audit).await
        })
        .await
    }

    async fn eligibility(&self, partner: PartnerId, provider: &str) -> Result<Option<StoredEligibility>> {
        let reading = query_as(
            "SELECT licensed_partner, agreement_signed_on, stated_by, source, stated_at FROM eligibility \
             WHERE partner = $1 AND provider = $2",
        );
        let row: Option<Row> = self.fetch(reading.bind(partner).bind(provider)).await?;
        let stored = |(licensed_partner, agreement_signed_on, stated_by, source, stated_at)| StoredEligibility {
            statement: Eligibility {
                licensed_partner,
                agreement_signed_on,
                stated_by,
            },
            source,
            stated_at,
        };
        Ok(row.map(stored))
    }
}
