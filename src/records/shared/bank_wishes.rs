//! Wishes to be texted when an institution is back. What is concluded here rests on several of them, such as whether
//! somebody still waits with a watch: they take turns, with texts.

use async_trait::async_trait;
use sqlx::Row as _;

use super::messages::{TEXTS, add_message};
use super::{Backend, Row, add_job, fixed, within};
use crate::core::ids::{PartnerId, WatchId, WishId};
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::records::sql::bank_wishes as sql;
use crate::records::{BankAlert, BankAlertRecords, InstitutionSince, Job, Result, SmsMessage};

#[async_trait]
impl BankAlertRecords for Backend {
    async fn put_bank_alert(&self, wish: &BankAlert, watch: WatchId, job: &Job, fresh: Timestamp) -> Result<()> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let row = sqlx::query(sql::WATCH)
                .bind(&wish.partner.as_bytes()[..])
                .bind(&wish.provider)
                .bind(&wish.institution)
                .bind(wish.asked_at.as_millis())
                .bind(fresh.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            let (watch, since) = match &row {
                Some(row) => (fixed(row, "watch")?, row.try_get("watched_since")?),
                None => (*watch.as_bytes(), wish.asked_at.as_millis()),
            };
            sqlx::query(sql::PUT_BANK_WISH)
                .bind(&wish.id.as_bytes()[..])
                .bind(&wish.partner.as_bytes()[..])
                .bind(&wish.tag.as_bytes()[..])
                .bind(&wish.provider)
                .bind(&wish.institution)
                .bind(&wish.sealed)
                .bind(i64::from(wish.needs_login))
                .bind(wish.asked_at.as_millis())
                .bind(wish.until.as_millis())
                .bind(&watch[..])
                .bind(since)
                .execute(&mut *transaction)
                .await?;
            if row.is_none() {
                add_job(&mut transaction, job).await?;
            }
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn open_bank_alerts(&self, watch: WatchId, now: Timestamp) -> Result<Vec<BankAlert>> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            sqlx::query(sql::DROP_OLD_BANK_WISHES)
                .bind(&watch.as_bytes()[..])
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            let rows = sqlx::query(sql::OPEN_BANK_WISHES)
                .bind(&watch.as_bytes()[..])
                .fetch_all(&mut *transaction)
                .await?;
            let wishes = rows.iter().map(wish_of).collect::<Result<Vec<_>>>()?;
            transaction.commit().await?;
            Ok(wishes)
        })
        .await
    }

    async fn bank_alert(&self, id: WishId) -> Result<Option<BankAlert>> {
        within(async {
            let row = sqlx::query(sql::BANK_WISH)
                .bind(&id.as_bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(wish_of).transpose()
        })
        .await
    }

    async fn answer_bank_alert(&self, id: WishId, text: &SmsMessage, send: &Job, at: Timestamp) -> Result<bool> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            let marked = sqlx::query(sql::MARK_BANK_WISH)
                .bind(&id.as_bytes()[..])
                .bind(at.as_millis())
                .execute(&mut *transaction)
                .await?;
            let written = marked.rows_affected() > 0 && add_message(&mut transaction, text).await?;
            if written {
                add_job(&mut transaction, send).await?;
            }
            transaction.commit().await?;
            Ok(written)
        })
        .await
    }

    async fn delete_bank_alert(&self, id: WishId) -> Result<()> {
        within(async {
            let mut transaction = self.write_about(TEXTS).await?;
            sqlx::query(sql::WITHDRAW_BANK_WISH)
                .bind(&id.as_bytes()[..])
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn login_accepted_since(&self, bank: InstitutionSince<'_>, by: Option<&SubscriberTag>) -> Result<bool> {
        within(async {
            let statement = if by.is_some() {
                sql::LOGIN_TAKEN_BY
            } else {
                sql::LOGIN_TAKEN
            };
            let mut query = sqlx::query_scalar(statement)
                .bind(bank.partner.as_bytes().to_vec())
                .bind(bank.provider.to_owned())
                .bind(bank.institution.to_owned())
                .bind(bank.since.as_millis());
            if let Some(tag) = by {
                query = query.bind(tag.as_bytes().to_vec());
            }
            let taken: i64 = query.fetch_one(&self.readers).await?;
            Ok(taken > 0)
        })
        .await
    }
}

fn wish_of(row: &Row) -> Result<BankAlert> {
    let millis = |column| row.try_get(column).map(Timestamp::from_millis);
    Ok(BankAlert {
        id: WishId::from_bytes(fixed(row, "id")?),
        partner: PartnerId::from_bytes(fixed(row, "partner")?),
        tag: SubscriberTag::from_bytes(fixed(row, "tag")?),
        provider: row.try_get("provider")?,
        institution: row.try_get("institution")?,
        sealed: row.try_get("sealed")?,
        needs_login: row.try_get::<i64, _>("needs_login")? != 0,
        asked_at: millis("asked_at")?,
        until: millis("until")?,
    })
}
