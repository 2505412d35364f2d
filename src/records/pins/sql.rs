//! People's own codes.

use async_trait::async_trait;
use sqlx::query;

use super::Backend;
use crate::core::ids::PartnerId;
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::columns::Bytes;
use crate::records::{PinRecords, Result};

#[async_trait]
impl PinRecords for Backend {
    async fn store_pin(&self, partner: PartnerId, tag: &SubscriberTag, pin: &Pin, at: Timestamp) -> Result<()> {
        // Of two codes the one chosen last stays. A right entry sets the tries back; of two wrong ones that cross, the
        // later stays.
        let storing = query(
            "INSERT INTO subscriber_pins (partner, tag, digest, wrong, wrong_at, chosen_at, kept_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (partner, tag) DO UPDATE SET digest = excluded.digest, wrong = excluded.wrong, \
             wrong_at = excluded.wrong_at, chosen_at = excluded.chosen_at, kept_at = excluded.kept_at \
             WHERE excluded.chosen_at > subscriber_pins.chosen_at OR (excluded.chosen_at = subscriber_pins.chosen_at \
             AND (subscriber_pins.digest <> excluded.digest OR excluded.wrong_at >= subscriber_pins.wrong_at))",
        )
        .bind(partner)
        .bind(tag)
        .bind(Bytes(pin.digest))
        .bind(i64::from(pin.wrong_tries))
        .bind(pin.wrong_at)
        .bind(pin.chosen_at)
        .bind(at);
        self.execute(storing).await.map(drop)
    }

    async fn delete_pin(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<bool> {
        let deleting = query("DELETE FROM subscriber_pins WHERE partner = $1 AND tag = $2");
        Ok(self.execute(deleting.bind(partner).bind(tag)).await? > 0)
    }
}
