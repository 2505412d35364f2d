//! The languages that people have chosen.

use async_trait::async_trait;
use sqlx::{query, query_as, query_scalar};

use super::{Backend, Connection};
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
        let found: Option<(String,)> = self.fetch(query_as(LANGUAGE).bind(partner).bind(tag)).await?;
        Ok(found.and_then(|(tag,)| Locale::from_tag(&tag)))
    }
}

const LANGUAGE: &str = "SELECT locale FROM subscriber_languages WHERE partner = $1 AND tag = $2";

/// Somebody's language. One that is not spoken any more is none.
pub(super) async fn read_language(
    tx: &mut Connection,
    partner: PartnerId,
    tag: &SubscriberTag,
) -> Result<Option<Locale>> {
    let found: Option<String> = query_scalar(LANGUAGE)
        .bind(partner)
        .bind(tag)
        .fetch_optional(tx)
        .await?;
    Ok(found.and_then(|tag| Locale::from_tag(&tag)))
}
