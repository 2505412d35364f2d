//! What responses are made of.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::core::page::Paged;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// RFC 3339 in UTC, with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = When, value_type = String, format = DateTime)]
pub struct ApiTime(pub Timestamp);

impl Serialize for ApiTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct List<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// Pass it as `cursor` for the next page; null on the last page.
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

/// Distinguishes a member that is null, `Some(None)`, from one that is left out, `None`.
///
/// # Errors
/// When the value is neither null nor valid.
pub fn deserialize_nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Declares a view and its constructor: each field once, with its documentation and its value.
macro_rules! view {
    ($(#[$meta:meta])* pub struct $name:ident($($argument:ident: $source:ty),+) {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $value:expr,)+
    }) => {
        #[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)+
        }

        impl $name {
            fn new($($argument: $source),+) -> Self {
                Self { $($field: $value,)+ }
            }
        }
    };
}

pub(in crate::service) use view;

/// The only way a secret leaves in a response.
pub(super) fn serialize_exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times are RFC 3339 with milliseconds, over the whole range.
    #[test]
    fn times_are_rfc_3339() {
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
