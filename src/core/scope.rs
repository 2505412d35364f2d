//! Which data of an account a partner asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::messages::{Locale, Templates};

/// A kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// The account itself: its bank, the end of its number, its type and currency.
    Account,
    /// How much is in it.
    Balance,
    /// What was paid in and out.
    Transactions,
    /// Whose it is.
    Identity,
}

impl Data {
    /// In the order in which they are listed to people.
    pub const ALL: [Self; 4] = [Self::Account, Self::Balance, Self::Transactions, Self::Identity];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Balance => "balance",
            Self::Transactions => "transactions",
            Self::Identity => "identity",
        }
    }

    /// The message that says it to people.
    pub const fn message_id(self) -> &'static str {
        match self {
            Self::Account => "data-account",
            Self::Balance => "data-balance",
            Self::Transactions => "data-transactions",
            Self::Identity => "data-identity",
        }
    }
}

/// Kinds of data, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Scope(BTreeSet<Data>);

impl Default for Scope {
    /// The account itself.
    fn default() -> Self {
        Self(BTreeSet::from([Data::Account]))
    }
}

impl Scope {
    /// `None` if it would be empty.
    pub fn of(data: impl IntoIterator<Item = Data>) -> Option<Self> {
        let data: BTreeSet<_> = data.into_iter().collect();
        (!data.is_empty()).then_some(Self(data))
    }

    /// As people read it.
    pub fn said(&self, templates: &Templates, locale: Locale) -> String {
        let data = Data::ALL.into_iter().filter(|data| self.has(*data));
        let said: Vec<_> = data
            .map(|data| templates.format(locale, data.message_id(), &[]))
            .collect();
        said.join(", ")
    }

    pub fn has(&self, data: Data) -> bool {
        self.0.contains(&data)
    }

    /// Their names separated by commas, as in a row.
    pub fn to_text(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|data| data.as_str()).collect();
        words.join(",")
    }

    /// The reverse of [`Self::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let read = |word| Data::ALL.into_iter().find(|data| data.as_str() == word);
        Self::of(text.split(',').map(read).collect::<Option<Vec<_>>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of kinds round-trips through its text, in any order; other texts are rejected.
    #[test]
    fn scopes_come_back() {
        for chosen in 1_u8..16 {
            let kinds = Data::ALL.into_iter().enumerate();
            let data = kinds.filter(|(n, _)| chosen & (1 << n) != 0).map(|(_, data)| data);
            let scope = Scope::of(data.clone().collect::<Vec<_>>().into_iter().rev()).unwrap();
            assert_eq!(Scope::parse(&scope.to_text()).as_ref(), Some(&scope));
            for kind in Data::ALL {
                assert_eq!(scope.has(kind), data.clone().any(|data| data == kind));
            }
        }
        assert_eq!(Scope::default().to_text(), "account");
        assert_eq!(Scope::of([]), None);
        for text in ["", ",", "account,", "Account", "account balance", "pin"] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
    }
}
