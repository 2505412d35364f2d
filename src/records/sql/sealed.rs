//! Statements about any sealed column, put together from its description.

use crate::records::sealed::{KeyColumn, SealedColumn};

impl SealedColumn {
    /// The next values: the key so far is bound first, then how many.
    pub(in crate::records) fn page(&self) -> String {
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
    pub(in crate::records) fn replacing(&self) -> String {
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
        let names = self
            .key
            .iter()
            .map(|part: &KeyColumn| format!("{before}{}", part.name()));
        names.collect::<Vec<_>>().join(", ")
    }
}

fn places(first: usize, count: usize) -> String {
    let places = (first..first + count).map(|n| format!("${n}"));
    places.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::records::SEALED;

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
