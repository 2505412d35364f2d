//! Forgetting.

use async_trait::async_trait;
use sqlx::Row as _;

use super::{Backend, Connection, within};
use crate::core::time::Timestamp;
use crate::records::sql::upkeep as sql;
use crate::records::{ExpiredData, Result, UpkeepRecords};

#[async_trait]
impl UpkeepRecords for Backend {
    async fn delete_expired(&self, what: ExpiredData, before: Timestamp, limit: u32) -> Result<u64> {
        let span = Span {
            before: before.as_millis(),
            limit: i64::from(limit),
        };
        within(async {
            let mut transaction = self.write().await?;
            let gone = match what {
                ExpiredData::Links => span.links(&mut transaction).await,
                ExpiredData::Attempts => span.attempts(&mut transaction).await,
                ExpiredData::Consents => span.consents(&mut transaction).await,
                ExpiredData::Intents => span.intents(&mut transaction).await,
                ExpiredData::Messages => span.rows(&mut transaction, sql::FORGET_MESSAGES).await,
                ExpiredData::Audit => span.rows(&mut transaction, sql::FORGET_AUDIT).await,
                ExpiredData::Events => {
                    span.rows(&mut transaction, sql::FORGET_DELIVERIES).await?;
                    span.rows(&mut transaction, sql::FORGET_EVENTS).await
                }
                ExpiredData::Tokens => span.rows(&mut transaction, sql::FORGET_TOKENS).await,
                ExpiredData::Answers => span.rows(&mut transaction, sql::FORGET_ANSWERS).await,
                ExpiredData::Erasures => span.rows(&mut transaction, sql::FORGET_ERASURES).await,
            }?;
            transaction.commit().await?;
            Ok(gone)
        })
        .await
    }
}

/// Which rows of a table.
#[derive(Clone, Copy)]
struct Span {
    before: i64,
    limit: i64,
}

impl Span {
    /// Rows that nothing points at.
    async fn rows(self, connection: &mut Connection, statement: &'static str) -> Result<u64> {
        let query = sqlx::query(statement).bind(self.before).bind(self.limit);
        Ok(query.execute(connection).await?.rows_affected())
    }

    async fn links(self, connection: &mut Connection) -> Result<u64> {
        let query = sqlx::query(sql::OLD_LINKS).bind(self.before).bind(self.limit);
        let rows = query.fetch_all(&mut *connection).await?;
        let mut gone = 0;
        for row in rows {
            let (link, consent): (Vec<u8>, Vec<u8>) = (row.try_get("id")?, row.try_get("consent")?);
            drop_one(&mut *connection, sql::DROP_ACCOUNTS, &link).await?;
            gone += drop_one(&mut *connection, sql::DROP_LINK, &link).await?;
            let attempt: Vec<u8> = row.try_get("attempt")?;
            drop_one(&mut *connection, sql::DROP_ATTEMPT, &attempt).await?;
            sqlx::query(sql::CONSENT_OVER)
                .bind(&consent)
                .bind(row.try_get::<i64, _>("moved_at")?)
                .execute(&mut *connection)
                .await?;
        }
        Ok(gone)
    }

    async fn attempts(self, connection: &mut Connection) -> Result<u64> {
        let query = sqlx::query(sql::OLD_ATTEMPTS).bind(self.before).bind(self.limit);
        let rows = query.fetch_all(&mut *connection).await?;
        let mut gone = 0;
        for row in rows {
            let (attempt, consent): (Vec<u8>, Vec<u8>) = (row.try_get("id")?, row.try_get("consent")?);
            gone += drop_one(&mut *connection, sql::DROP_ATTEMPT, &attempt).await?;
            drop_consent(&mut *connection, sql::DROP_VAIN_CONSENT, &consent).await?;
        }
        Ok(gone)
    }

    async fn consents(self, connection: &mut Connection) -> Result<u64> {
        let mut gone = 0;
        for consent in self.ids(&mut *connection, sql::OLD_CONSENTS).await? {
            gone += drop_consent(&mut *connection, sql::DROP_CONSENT, &consent).await?;
        }
        Ok(gone)
    }

    async fn intents(self, connection: &mut Connection) -> Result<u64> {
        let mut gone = 0;
        for intent in self.ids(&mut *connection, sql::OLD_INTENTS).await? {
            gone += drop_one(&mut *connection, sql::DROP_CLOSED, &intent).await?;
            drop_one(&mut *connection, sql::DROP_INTENT, &intent).await?;
        }
        Ok(gone)
    }

    async fn ids(self, connection: &mut Connection, statement: &'static str) -> Result<Vec<Vec<u8>>> {
        let query = sqlx::query_scalar(statement).bind(self.before).bind(self.limit);
        Ok(query.fetch_all(connection).await?)
    }
}

async fn drop_one(connection: &mut Connection, statement: &'static str, id: &[u8]) -> Result<u64> {
    let dropped = sqlx::query(statement).bind(id).execute(connection).await?;
    Ok(dropped.rows_affected())
}

/// Drops a consent, and the request it answers if nobody needs that any more.
async fn drop_consent(connection: &mut Connection, statement: &'static str, id: &[u8]) -> Result<u64> {
    let intent: Option<Vec<u8>> = sqlx::query_scalar(statement)
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(intent) = intent else {
        return Ok(0);
    };
    drop_one(&mut *connection, sql::DROP_COMPLETED, &intent).await?;
    drop_one(connection, sql::DROP_INTENT, &intent).await?;
    Ok(1)
}
