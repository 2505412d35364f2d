//! Every column that holds something sealed, and the context each value is bound to: what sealing them again under another
//! key has to walk through.
//!
//! **Anyone who adds a sealed column adds a line to [`SEALED`].** A test compares them with the migrations.

use async_trait::async_trait;

use super::Result;

/// A column with sealed values.
#[derive(Debug)]
pub struct SealedColumn {
    pub table: &'static str,
    pub column: &'static str,
    /// The columns of its primary key. The last is the record that a value is bound to.
    pub(super) key: &'static [KeyColumn],
    /// The statement's word for whose a value is, in a `FROM` in which the table is `t`.
    pub(super) subject: &'static str,
    /// What the table is joined with for that, or nothing.
    pub(super) join: &'static str,
    /// What kind of thing a value is bound to being: [`crate::core::seal::SealContext::purpose`].
    pub purpose: &'static str,
    /// Which field it is bound to: [`crate::core::seal::SealContext::field`].
    pub field: &'static str,
}

impl SealedColumn {
    /// The next values: the key so far is bound first, then how many.
    pub(super) fn page(&self) -> String {
        let Self {
            table,
            column,
            subject,
            join,
            ..
        } = self;
        let (names, count) = (self.names("t."), self.key.len());
        let places = places(1, count);
        format!(
            "SELECT {names}, {subject} AS subject, t.{column} AS bytes FROM {table} t {join} \
             WHERE ({names}) > ({places}) AND t.{column} IS NOT NULL AND LENGTH(t.{column}) > 0 ORDER BY {names} LIMIT ${limit}",
            limit = count + 1
        )
    }

    /// One value in the place of another: the key is bound first, then what was, then what is to be.
    pub(super) fn replacing(&self) -> String {
        let Self { table, column, .. } = self;
        let (names, count) = (self.names(""), self.key.len());
        format!(
            "UPDATE {table} SET {column} = ${new} WHERE ({names}) = ({places}) AND {column} = ${old}",
            places = places(1, count),
            old = count + 1,
            new = count + 2
        )
    }

    fn names(&self, before: &str) -> String {
        let names = self.key.iter().map(|part| format!("{before}{}", part.name()));
        names.collect::<Vec<_>>().join(", ")
    }
}

fn places(first: usize, count: usize) -> String {
    let places = (first..first + count).map(|n| format!("${n}"));
    places.collect::<Vec<_>>().join(", ")
}

/// A column of a primary key.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyColumn {
    Bytes(&'static str),
    Text(&'static str),
}

impl KeyColumn {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bytes(name) | Self::Text(name) => name,
        }
    }
}

const ID: &[KeyColumn] = &[KeyColumn::Bytes("id")];

/// A value in a row with an id, in a table with a column that says whose it is.
const fn sealed(
    (table, column): (&'static str, &'static str),
    subject: &'static str,
    (purpose, field): (&'static str, &'static str),
) -> SealedColumn {
    SealedColumn {
        table,
        column,
        key: ID,
        subject,
        join: "",
        purpose,
        field,
    }
}

/// A value in a row that belongs to a link, and so to whom that belongs.
const fn of_a_link(
    (table, column): (&'static str, &'static str),
    (purpose, field): (&'static str, &'static str),
) -> SealedColumn {
    SealedColumn {
        join: "JOIN links o ON o.id = t.link",
        ..sealed((table, column), "o.tag", (purpose, field))
    }
}

/// All of them.
pub const SEALED: &[SealedColumn] = &[
    sealed(("consents", "msisdn"), "t.tag", ("consent", "msisdn")),
    sealed(("attempts", "provider_session"), "t.tag", ("attempt", "session")),
    sealed(("attempts", "sealed_grant"), "t.tag", ("attempt", "grant")),
    sealed(("attempts", "exchanged"), "t.tag", ("attempt", "exchanged")),
    sealed(("attempts", "to_end"), "t.tag", ("attempt", "to end")),
    sealed(("attempts", "returned"), "t.tag", ("attempt", "returned")),
    sealed(("links", "handle"), "t.tag", ("link", "handle")),
    sealed(("links", "access"), "t.tag", ("link", "access")),
    sealed(("provider_persons", "access"), "t.tag", ("provider person", "access")),
    of_a_link(("linked_accounts", "account"), ("account", "id")),
    of_a_link(("linked_accounts", "holder"), ("account", "holder")),
    sealed(("messages", "sealed"), "t.tag", ("message", "text")),
    sealed(("bank_alerts", "sealed"), "t.tag", ("bank wish", "caller")),
    sealed(("webhook_secrets", "sealed"), "t.partner", ("webhook", "secret")),
    sealed(("link_intents", "msisdn"), "t.partner", ("intent", "msisdn")),
    sealed(("link_intents", "code"), "t.partner", ("intent", "code")),
    sealed(("link_intents", "expected"), "t.partner", ("intent", "expected")),
    sealed(("link_intents", "suggested"), "t.partner", ("intent", "suggested")),
    SealedColumn {
        key: &[
            KeyColumn::Bytes("partner"),
            KeyColumn::Bytes("caller"),
            KeyColumn::Bytes("key"),
        ],
        ..sealed(("idempotency", "sealed"), "t.partner", ("idempotency", "answer"))
    },
    SealedColumn {
        key: &[KeyColumn::Bytes("partner"), KeyColumn::Text("provider")],
        ..sealed(("provider_credentials", "sealed"), "t.partner", ("credentials", "keys"))
    },
];

/// How far a walk through a table has come: behind the row with this key. The default is before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedCursor(pub(super) Option<Vec<KeyValue>>);

/// A value of a primary key's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyValue {
    Bytes(Vec<u8>),
    Text(String),
}

/// A sealed value in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    pub(super) key: Vec<KeyValue>,
    /// Whose it is: [`crate::core::seal::SealContext::subject`].
    pub subject: Vec<u8>,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
}

impl SealedValue {
    /// Which record it is bound to: [`crate::core::seal::SealContext::record`].
    pub fn record(&self) -> &[u8] {
        match self.key.last() {
            Some(KeyValue::Bytes(bytes)) => bytes,
            Some(KeyValue::Text(text)) => text.as_bytes(),
            None => &[],
        }
    }

    /// Behind this one.
    pub fn cursor(&self) -> SealedCursor {
        SealedCursor(Some(self.key.clone()))
    }
}

/// Sealed values, wherever they stand.
#[async_trait]
pub trait SealedRecords: Send + Sync {
    /// The next values of a column behind `after`, in the order of their rows' keys; rows without one are passed over. Of
    /// fewer than `limit` there are no more.
    async fn sealed_values(&self, column: &SealedColumn, after: &SealedCursor, limit: u32) -> Result<Vec<SealedValue>>;
    /// Puts new bytes in the place of values, each only if its bytes are still what they were: anyone who wrote in between
    /// wins. Says of each whether it was replaced.
    async fn replace_sealed(&self, column: &SealedColumn, values: &[(SealedValue, Vec<u8>)]) -> Result<Vec<bool>>;
}

#[cfg(test)]
mod tests {
    use super::SEALED;

    /// A key of one column and one of two are both walked in their order and met exactly.
    #[test]
    fn statements_are_as_the_key_is() {
        let of = |table: &str| SEALED.iter().find(|column| column.table == table).unwrap();
        assert_eq!(
            of("linked_accounts").page(),
            "SELECT t.id, o.tag AS subject, t.account AS bytes FROM linked_accounts t JOIN links o ON o.id = t.link \
             WHERE (t.id) > ($1) AND t.account IS NOT NULL AND LENGTH(t.account) > 0 ORDER BY t.id LIMIT $2"
        );
        assert_eq!(
            of("provider_credentials").replacing(),
            "UPDATE provider_credentials SET sealed = $4 WHERE (partner, provider) = ($1, $2) AND sealed = $3"
        );
    }
}
