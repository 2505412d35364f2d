//! How things look in answers.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::core::page::Paged;
use crate::core::time::Timestamp;

/// A moment: RFC 3339 in UTC, with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct ApiTime(pub Timestamp);

impl Serialize for ApiTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = DateTime::<Utc>::from_timestamp_millis(self.0.as_millis()).unwrap_or(DateTime::<Utc>::MAX_UTC);
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct List<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// Hand it back as `cursor` for the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<T> From<Paged<T>> for List<T> {
    fn from(page: Paged<T>) -> Self {
        Self {
            data: page.rows,
            next_cursor: page.next.map(crate::core::page::PageCursor::to_text),
        }
    }
}

/// Tells a member that is null from one that is not there: `Some(None)` and `None`.
///
/// # Errors
/// When the value is neither null nor what it should be.
pub fn deserialize_nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments are written as RFC 3339 says, to the millisecond, whenever they are.
    #[test]
    fn moments_are_rfc_3339() {
        for (millis, text) in [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (1_780_000_000_007, "\"2026-05-28T20:26:40.007Z\""),
            (-1, "\"1969-12-31T23:59:59.999Z\""),
        ] {
            assert_eq!(
                serde_json::to_string(&ApiTime(Timestamp::from_millis(millis))).unwrap(),
                text
            );
        }
        serde_json::to_string(&ApiTime(Timestamp::from_millis(i64::MAX))).unwrap();
    }
}
