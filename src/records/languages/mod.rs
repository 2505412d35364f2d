//! The languages that people have chosen.

use async_trait::async_trait;

use super::Result;
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;

/// The languages that people have chosen, so that a number is spoken to in its own for longer than a live value lasts.
#[async_trait]
pub trait LanguageRecords: Send + Sync {
    /// Stores a person's language. It is read with their history ([`super::AttemptRecords::history`]).
    async fn store_language(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        locale: Locale,
        at: Timestamp,
    ) -> Result<()>;

    /// What they have chosen, if that is known.
    async fn language(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<Locale>>;
}
