//! Sealed values, wherever they stand. Which tables and columns there are is written down in the program
//! ([`crate::records::SEALED`]), so statements put together from that hold nothing from outside.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row as _, query};

use super::{Backend, Query, Row};
use crate::records::sealed::{KeyColumn, KeyValue};
use crate::records::{Result, SealedColumn, SealedCursor, SealedRecords, SealedValue};

#[async_trait]
impl SealedRecords for Backend {
    async fn sealed_values(&self, column: &SealedColumn, after: &SealedCursor, limit: u32) -> Result<Vec<SealedValue>> {
        self.call(async {
            let first = || column.key.iter().map(|part| least(*part)).collect();
            let after: Vec<KeyValue> = after.0.clone().unwrap_or_else(first);
            let values = bind_key(query(AssertSqlSafe(column.page())), &after);
            let rows = values.bind(i64::from(limit)).fetch_all(&self.readers).await?;
            rows.iter().map(|row| value_of(column, row)).collect()
        })
        .await
    }

    async fn replace_sealed(&self, column: &SealedColumn, values: &[(SealedValue, Vec<u8>)]) -> Result<Vec<bool>> {
        self.transaction(async |tx| {
            let mut replaced = Vec::with_capacity(values.len());
            for (value, bytes) in values {
                let replacing = bind_key(query(AssertSqlSafe(column.replacing())), &value.key);
                let done = replacing.bind(&value.bytes).bind(bytes).execute(&mut *tx).await?;
                replaced.push(done.rows_affected() > 0);
            }
            Ok(replaced)
        })
        .await
    }
}

fn bind_key<'q>(statement: Query<'q>, key: &'q [KeyValue]) -> Query<'q> {
    key.iter().fold(statement, |statement, part| match part {
        KeyValue::Bytes(bytes) => statement.bind(bytes),
        KeyValue::Text(text) => statement.bind(text),
    })
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
