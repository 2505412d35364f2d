//! Who has stated what of a business, before live keys at a provider were taken from it.
//!
//! A name in it is that of the person who answers for the business: a business contact, and no subscriber's.

use async_trait::async_trait;

use super::columns::db_enum;
use super::{AuditEntry, Result};
use crate::core::eligibility::Eligibility;
use crate::core::ids::PartnerId;
use crate::core::time::Timestamp;

db_enum! {
    /// How a statement came in.
    pub enum StatementSource {
        /// By the partner's token.
        Api = "api",
        /// By the operator, in its words on the command line.
        CommandLine = "command_line",
        /// For the operator's own partner.
        Configuration = "configuration",
    }
}

/// The newest statement of a partner for a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEligibility {
    pub statement: Eligibility,
    pub source: StatementSource,
    pub stated_at: Timestamp,
}

#[async_trait]
pub trait EligibilityRecords: Send + Sync {
    /// Stores the statement of the audit entry's partner, in place of the one before.
    async fn put_eligibility(&self, provider: &str, stated: &StoredEligibility, audit: &AuditEntry) -> Result<()>;
    async fn eligibility(&self, partner: PartnerId, provider: &str) -> Result<Option<StoredEligibility>>;
}
