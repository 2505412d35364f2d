//! Sealed values, wherever they stand. Which tables and columns there are is written down in the program
//! ([`crate::records::SEALED`]), so statements put together from that hold nothing from outside.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Backend, Row, within};
use crate::records::sealed::{KeyColumn, KeyValue};
use crate::records::{Result, SealedColumn, SealedCursor, SealedRecords, SealedValue};

#[async_trait]
impl SealedRecords for Backend {
    async fn sealed_values(&self, column: &SealedColumn, after: &SealedCursor, limit: u32) -> Result<Vec<SealedValue>> {
        let begin = || column.key.iter().map(|part| least(*part)).collect();
        let after: Vec<KeyValue> = after.0.clone().unwrap_or_else(begin);
        within(async {
            let mut query = sqlx::query(AssertSqlSafe(column.page()));
            for part in after {
                query = match part {
                    KeyValue::Bytes(bytes) => query.bind(bytes),
                    KeyValue::Text(text) => query.bind(text),
                };
            }
            let rows = query.bind(i64::from(limit)).fetch_all(&self.readers).await?;
            rows.iter().map(|row| value_of(column, row)).collect()
        })
        .await
    }

    async fn replace_sealed(&self, column: &SealedColumn, values: &[(SealedValue, Vec<u8>)]) -> Result<Vec<bool>> {
        within(async {
            let mut transaction = self.write().await?;
            let mut replaced = Vec::with_capacity(values.len());
            for (value, bytes) in values {
                let mut query = sqlx::query(AssertSqlSafe(column.replacing()));
                for part in &value.key {
                    query = match part {
                        KeyValue::Bytes(bytes) => query.bind(bytes),
                        KeyValue::Text(text) => query.bind(text),
                    };
                }
                let done = query.bind(&value.bytes).bind(bytes).execute(&mut *transaction).await?;
                replaced.push(done.rows_affected() > 0);
            }
            transaction.commit().await?;
            Ok(replaced)
        })
        .await
    }
}

/// Before every value of a column.
fn least(part: KeyColumn) -> KeyValue {
    match part {
        KeyColumn::Bytes(_) => KeyValue::Bytes(Vec::new()),
        KeyColumn::Text(_) => KeyValue::Text(String::new()),
    }
}

fn value_of(column: &SealedColumn, row: &Row) -> Result<SealedValue> {
    let part = |part: &KeyColumn| {
        Ok(match *part {
            KeyColumn::Bytes(name) => KeyValue::Bytes(row.try_get(name)?),
            KeyColumn::Text(name) => KeyValue::Text(row.try_get(name)?),
        })
    };
    Ok(SealedValue {
        key: column.key.iter().map(part).collect::<Result<_>>()?,
        subject: row.try_get("subject")?,
        bytes: row.try_get("bytes")?,
    })
}
