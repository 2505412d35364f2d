//! People's own codes.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, Connection, fixed, within};
use crate::core::ids::PartnerId;
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::{PinRecords, Result, sql};

#[async_trait]
impl PinRecords for Backend {
    async fn store_pin(&self, partner: PartnerId, tag: &SubscriberTag, pin: &Pin, at: Timestamp) -> Result<()> {
        within(async {
            sqlx::query(sql::KEEP_PIN)
                .bind(&partner.as_bytes()[..])
                .bind(&tag.as_bytes()[..])
                .bind(&pin.digest[..])
                .bind(i64::from(pin.wrong_tries))
                .bind(pin.wrong_at.as_millis())
                .bind(pin.chosen_at.as_millis())
                .bind(at.as_millis())
                .execute(&self.writer)
                .await?;
            Ok(())
        })
        .await
    }

    async fn delete_pin(&self, partner: PartnerId, tag: &SubscriberTag) -> Result<bool> {
        within(async {
            let ended = sqlx::query(sql::FORGET_PIN)
                .bind(&partner.as_bytes()[..])
                .bind(&tag.as_bytes()[..])
                .execute(&self.writer)
                .await?;
            Ok(ended.rows_affected() > 0)
        })
        .await
    }
}

/// Somebody's code.
pub(super) async fn read_pin(
    connection: &mut Connection,
    partner: PartnerId,
    tag: &SubscriberTag,
) -> Result<Option<Pin>> {
    let row = sqlx::query(sql::PIN)
        .bind(&partner.as_bytes()[..])
        .bind(&tag.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let wrong: i64 = row.try_get("wrong")?;
        Ok(Pin {
            digest: fixed(&row, "digest")?,
            chosen_at: Timestamp::from_millis(row.try_get("chosen_at")?),
            wrong_tries: u8::try_from(wrong).unwrap_or(u8::MAX),
            wrong_at: Timestamp::from_millis(row.try_get("wrong_at")?),
        })
    })
    .transpose()
}
