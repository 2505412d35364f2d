//! Our own types as columns of either database.
//!
//! Each is stored as a type that both databases know: ids, tags and digests as bytes, moments as milliseconds, closed
//! enums as one lower-case word. So a row type derives `sqlx::FromRow` once and is read from both, and a value is bound as
//! it is.

use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Type};

use crate::core::access::Permissions;
use crate::core::api_key::ApiKeyKind;
use crate::core::attempt::ToldOutcome;
use crate::core::events::EventKind;
use crate::core::ids;
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;
use crate::core::seal::SubscriberTag;
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;

/// Makes a type a column of every database that has `$stored`, by how it is written and how it is read.
macro_rules! column {
    ($type:ty as $stored:ty, $write:expr, $read:expr) => {
        impl<DB: sqlx::Database> sqlx::Type<DB> for $type
        where
            $stored: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$stored as sqlx::Type<DB>>::type_info()
            }

            fn compatible(found: &DB::TypeInfo) -> bool {
                <$stored as sqlx::Type<DB>>::compatible(found)
            }
        }

        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $type
        where
            $stored: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> std::result::Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let write: fn(&$type) -> $stored = $write;
                write(self).encode(buffer)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $type
        where
            $stored: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> std::result::Result<Self, sqlx::error::BoxDynError> {
                let read: fn($stored) -> std::result::Result<$type, sqlx::error::BoxDynError> = $read;
                read(<$stored as sqlx::Decode<'r, DB>>::decode(value)?)
            }
        }
    };
}

/// A closed enum that is stored as a word.
pub(super) trait DbEnum: Copy + Sized + 'static {
    /// The word. Rows outlive the code that wrote them.
    fn as_str(self) -> &'static str;

    /// The value that a word stands for, if this version knows it.
    fn parse(word: &str) -> Option<Self>;
}

/// The error for a word that a newer server, or a hand, has written.
pub(super) fn unknown(what: &str) -> BoxDynError {
    format!("a row holds a word for {what} that this version does not know").into()
}

/// Stores enums of other rooms as words.
macro_rules! db_words {
    ($($type:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        impl crate::records::columns::DbEnum for $type {
            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        crate::records::columns::column!(
            $type as String,
            |value| crate::records::columns::DbEnum::as_str(*value).to_owned(),
            |word| crate::records::columns::DbEnum::parse(&word)
                .ok_or_else(|| crate::records::columns::unknown(stringify!($type)))
        );
    )+};
}

/// Declares an enum with the word that each of its values is stored as.
macro_rules! db_enum {
    ($(#[$meta:meta])* pub enum $type:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $variant,)+
        }

        impl $type {
            /// All of them, in order.
            pub const ALL: [Self; { [$(stringify!($variant)),+].len() }] = [$(Self::$variant),+];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value with this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        crate::records::columns::column!(
            $type as String,
            |value| value.as_str().to_owned(),
            |word| $type::parse(&word).ok_or_else(|| crate::records::columns::unknown(stringify!($type)))
        );
    };
}

/// The legal moves of a state: which states may follow each. Statements and tests are both made from this table.
macro_rules! moves {
    ($type:ident { $($from:ident => [$($to:ident),* $(,)?]),+ $(,)? }) => {
        impl $type {
            /// The states that may follow this one.
            pub const fn next(self) -> &'static [Self] {
                match self {
                    $(Self::$from => &[$(Self::$to),*],)+
                }
            }

            /// The states that may lead to this one, as the list of an SQL `IN`.
            pub(in crate::records) fn sources(self) -> String {
                let before = Self::ALL.iter().filter(|from| from.next().contains(&self));
                crate::records::columns::sql_list(before.map(|state| state.as_str()))
            }
        }
    };
}

pub(super) use {column, db_enum, db_words, moves};

/// Stable words as the list of an SQL `IN`; no words match nothing.
pub(super) fn sql_list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = words.map(|word| format!("'{word}'")).collect();
    if quoted.is_empty() {
        return "('')".to_owned();
    }
    format!("({})", quoted.join(", "))
}

macro_rules! fixed_columns {
    ($($type:ty),+ $(,)?) => {
        $(column!($type as Vec<u8>, |value| value.as_bytes().to_vec(), |bytes| Ok(<$type>::from_bytes(fixed(&bytes)?)));)+
    };
}

fixed_columns! {
    ids::AttemptId, ids::ConnectSessionId, ids::ConsentId, ids::DeliveryId, ids::EndpointId, ids::EntityId, ids::ErasureId,
    ids::EventId, ids::IntentId, ids::JobId, ids::LinkId, ids::LinkedAccountId, ids::MessageId, ids::NodeId,
    ids::PartnerId, ids::ProviderPersonId, ids::RoleId, ids::SeriesId, ids::UserId, ids::WatchId, ids::WebhookSecretId, ids::BankAlertId, SubscriberTag,
}

column!(Timestamp as i64, |at| at.as_millis(), |millis| Ok(
    Timestamp::from_millis(millis)
));

column!(EventKind as String, |kind| kind.as_str().to_owned(), |word| {
    EventKind::parse(&word).ok_or_else(|| unknown("EventKind"))
});

column!(Scope as String, Scope::to_text, |text| Scope::parse(&text)
    .ok_or_else(|| unknown("Scope")));

column!(Purpose as String, Purpose::to_column, |text| Ok(Purpose::from_column(
    text
)));

// Maps of plain enums are always written.
column!(
    Permissions as String,
    |permissions| serde_json::to_string(permissions).unwrap_or_default(),
    |text| serde_json::from_str(&text).map_err(|_| unknown("Permissions"))
);

db_words! {
    ToldOutcome { Linked = "linked", NotLinked = "not_linked" }
    ApiKeyKind { Secret = "secret", Publishable = "publishable", Token = "token" }
    SubmissionStep { Login = "login", Code = "code", Choose = "choose" }
}

/// Bytes of a known length, such as a digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<const N: usize>(pub(super) [u8; N]);

column!(Bytes<16> as Vec<u8>, |bytes| bytes.0.to_vec(), |bytes| Ok(Bytes(fixed(&bytes)?)));
column!(Bytes<32> as Vec<u8>, |bytes| bytes.0.to_vec(), |bytes| Ok(Bytes(fixed(&bytes)?)));

impl<const N: usize> From<Bytes<N>> for [u8; N] {
    fn from(bytes: Bytes<N>) -> Self {
        bytes.0
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], BoxDynError> {
    bytes.try_into().map_err(|_| format!("not {N} bytes long").into())
}

/// A column that may be NULL, of a type that a field's own type is made from (`#[sqlx(try_from = …)]`).
pub(super) struct Nullable<T>(Option<T>);

impl<T: Type<DB>, DB: Database> Type<DB> for Nullable<T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        T::compatible(found)
    }
}

impl<'r, T, DB: Database> Decode<'r, DB> for Nullable<T>
where
    Option<T>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Option::<T>::decode(value).map(Self)
    }
}

impl<const N: usize> From<Nullable<Bytes<N>>> for Option<[u8; N]> {
    fn from(column: Nullable<Bytes<N>>) -> Self {
        column.0.map(Into::into)
    }
}

impl TryFrom<Nullable<i64>> for Option<u16> {
    type Error = std::num::TryFromIntError;

    fn try_from(column: Nullable<i64>) -> Result<Self, Self::Error> {
        column.0.map(u16::try_from).transpose()
    }
}
