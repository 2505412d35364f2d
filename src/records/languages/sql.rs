//! The languages that people have chosen.

use async_trait::async_trait;
use sqlx::{query, query_as};

use super::Backend;
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{LanguageRecords, Result};

#[async_trait]
impl LanguageRecords for Backend {
    async fn store_language(
        &self,
        partner: PartnerId,
        tag: &SubscriberTag,
        locale: Locale,
        at: Timestamp,
    ) -> Result<()> {
        // Of two choices that cross, the later one stays.
        let storing = query(
            "INSERT INTO subscriber_languages (partner, tag, locale, chosen_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (partner, tag) DO UPDATE SET locale = excluded.locale, chosen_at = excluded.chosen_at \
             WHERE excluded.chosen_at >= subscriber_languages.chosen_at",
        );
        let storing = storing.bind(partner).bind(tag).bind(locale.tag()).bind(at);
        self.execute(storing).await.map(drop)
    }

    async fn language(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<Option<Locale>> {
        let language = query_as("SELECT locale FROM subscriber_languages WHERE partner = $1 AND tag = $2");
        let found: Option<(String,)> = self.fetch(language.bind(partner).bind(tag)).await?;
        Ok(found.and_then(|(tag,)| Locale::from_tag(&tag)))
    }
}
