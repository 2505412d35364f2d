//! What a partner states of itself before live keys at a provider are taken from it.

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::ApiError;
use super::schemas::statement_sources;
use super::validation::Validation;
use super::views::{ApiTime, view};
use crate::core::eligibility::{Eligibility, EligibilityStatement, Licence};
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;
use crate::records::{AuditEntry, EligibilityRecords, RecordsError, StatementSource, StoredEligibility};

view! {
    /// What the partner has stated last, by whom, and when.
    #[schema(as = Eligibility)]
    pub struct EligibilityView(provider: String, stored: StoredEligibility) {
        /// The provider.
        provider: String = provider,
        /// The business is registered: always true, for without that no statement is kept.
        registered: bool = true,
        /// Whose licence it works under.
        licence: Licence = stored.statement.licence(),
        /// The licensed partner; null with a licence of its own.
        #[schema(required)]
        licensed_partner: Option<String> = stored.statement.licensed_partner,
        /// It has traded for six months: always true, for without that no statement is kept.
        trading_six_months: bool = true,
        /// The day on which the provider's data-privacy agreement was signed.
        #[schema(format = Date)]
        agreement_signed_on: String = stored.statement.agreement_signed_on,
        /// The person who stated it.
        stated_by: String = stored.statement.stated_by,
        /// How it came in: `api`, `command_line` (by the operator) or `configuration`.
        #[schema(schema_with = statement_sources)]
        source: &'static str = stored.source.as_str(),
        /// When it was stated.
        stated_at: ApiTime = ApiTime(stored.stated_at),
    }
}

impl AccountApi {
    pub(crate) async fn get_eligibility(
        &self,
        context: &RequestContext,
        provider: &str,
    ) -> Result<EligibilityView, ApiError> {
        let stated = self.stated_eligibility(context, provider).await?;
        stated
            .map(|stored| EligibilityView::new(provider.to_owned(), stored))
            .ok_or(ApiError::NotFound)
    }

    pub(crate) async fn state_eligibility(
        &self,
        context: &RequestContext,
        provider: &str,
        statement: &EligibilityStatement,
    ) -> Result<EligibilityView, ApiError> {
        let name = self.providers.provider(provider).ok_or(ApiError::NotFound)?.name();
        self.check_changeable(context)?;
        let now = self.now();
        let statement = statement.check(now).map_err(|faults| {
            let mut validation = Validation::default();
            for fault in faults {
                let detail = format!("{}: {}", fault.problem, fault.remedy);
                validation.add(&format!("/{}", fault.field), fault.code, detail);
            }
            validation.finish().err().unwrap_or(ApiError::Unavailable)
        })?;
        let partner = context.scope.partner;
        let stored = state(
            self.records.as_ref(),
            partner,
            name,
            statement,
            StatementSource::Api,
            now,
        )
        .await?;
        Ok(EligibilityView::new(name.to_owned(), stored))
    }

    pub(super) async fn stated_eligibility(
        &self,
        context: &RequestContext,
        provider: &str,
    ) -> Result<Option<StoredEligibility>, ApiError> {
        Ok(self.records.eligibility(context.scope.partner, provider).await?)
    }
}

/// Keeps a partner's statement for a provider, with who made it in the audit trail.
///
/// # Errors
/// When the records are not available.
pub async fn state(
    records: &(impl EligibilityRecords + ?Sized),
    partner: PartnerId,
    provider: &str,
    statement: Eligibility,
    source: StatementSource,
    now: Timestamp,
) -> Result<StoredEligibility, RecordsError> {
    // The row holds the newest statement only, so the trail has the name as well.
    let detail = format!("{provider}: stated by {}, {}", statement.stated_by, source.as_str());
    let audit = AuditEntry::new(partner, "eligibility.stated", detail, now);
    let stored = StoredEligibility {
        statement,
        source,
        stated_at: now,
    };
    records.put_eligibility(provider, &stored, &audit).await?;
    Ok(stored)
}

/// Keeps what the configuration states of the operator's own partner, where it is not what is kept already.
///
/// # Errors
/// When the records are not available.
pub async fn state_configured(
    records: &(impl EligibilityRecords + ?Sized),
    partner: PartnerId,
    provider: &str,
    statement: Eligibility,
    now: Timestamp,
) -> Result<(), RecordsError> {
    let stored = records.eligibility(partner, provider).await?;
    if stored.is_some_and(|stored| stored.statement == statement) {
        return Ok(());
    }
    let source = StatementSource::Configuration;
    state(records, partner, provider, statement, source, now)
        .await
        .map(drop)
}
