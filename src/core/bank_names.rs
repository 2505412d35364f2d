//! What people call banks: `menus/banks.toml`. A provider calls a bank by one name, and people know it by others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::gsm7;
use super::menu::{MenuError, MenuProblem};
use super::search::{normalized_words, significant, without_end};
use super::text_line::line_at;

/// The septets of a name on a screen.
const MAX_NAME: usize = 22;

/// What a list adds to the name of a bank whose customers there are businesses.
pub(super) const BUSINESS_SIDE: &str = "business";

/// Words and names that a search knows.
#[derive(Clone, Debug, Default)]
pub struct BankNames {
    /// Words that say nothing about which bank is meant, as they are compared.
    pub(super) generic: BTreeSet<String>,
    pub(super) banks: Vec<NamedBank>,
    /// The places of banks, by what their names are compared by.
    by_key: BTreeMap<String, usize>,
}

/// A bank with the names that people use for it.
#[derive(Clone, Debug)]
pub(super) struct NamedBank {
    /// What a screen calls it where no provider's list has it.
    pub(super) name: String,
    pub(super) also: Vec<String>,
    /// Where it stands in its file, from 1 on.
    line: usize,
}

impl NamedBank {
    /// All names, the screen's first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.also).map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNames {
    #[serde(default)]
    generic: Vec<Spanned<String>>,
    #[serde(default)]
    banks: Vec<Spanned<RawBank>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBank {
    name: String,
    #[serde(default)]
    also: Vec<String>,
}

impl BankNames {
    /// The names that are part of the program.
    ///
    /// # Errors
    /// When the file breaks a rule, which a test excludes for a released version.
    pub fn embedded() -> Result<Self, MenuError> {
        let mut names = Self::default();
        names.lay_over(include_str!("../../menus/banks.toml"))?;
        Ok(names)
    }

    /// Adds what a file says: its generic words and banks; a bank that is there under this name is replaced.
    ///
    /// # Errors
    /// When it is not TOML of the right form, or breaks a rule; then all of them, and nothing is added.
    pub fn lay_over(&mut self, source: &str) -> Result<(), MenuError> {
        let raw: RawNames = toml::from_str(source)?;
        let line = |at: usize| line_at(source, at);
        let mut problems = Vec::new();
        let mut whole = self.clone();
        for word in &raw.generic {
            match normalized_words(word.get_ref()).as_slice() {
                [only] => drop(whole.generic.insert(only.clone())),
                _ => problems.push(MenuProblem {
                    line: line(word.span().start),
                    place: "generic".to_owned(),
                    message: format!("`{}` is not one word; write each word by itself", word.get_ref()),
                }),
            }
        }
        let banks = raw.banks.into_iter().map(|bank| {
            let line = line(bank.span().start);
            let RawBank { name, also } = bank.into_inner();
            NamedBank { name, also, line }
        });
        let own: Vec<NamedBank> = banks.collect();
        let replaced = |bank: &NamedBank| own.iter().any(|other| other.name == bank.name);
        whole.banks.retain(|bank| !replaced(bank));
        problems.extend(whole.faults(&own));
        whole.banks.extend(own);
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            return Err(MenuError::Rules(problems));
        }
        let known = whole.banks.iter().enumerate();
        let keys = known.flat_map(|(at, bank)| bank.names().map(move |name| (name, at)));
        let by_key = keys.map(|(name, at)| (whole.key(name), at)).collect();
        *self = Self { by_key, ..whole };
        Ok(())
    }

    /// What is wrong with banks that are to be added to these.
    fn faults(&self, added: &[NamedBank]) -> Vec<MenuProblem> {
        let mut problems = Vec::new();
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        let known = self
            .banks
            .iter()
            .flat_map(|bank| bank.names().map(move |name| (name, bank)));
        taken.extend(known.map(|(name, bank)| (self.key(name), bank.name.as_str())));
        for bank in added {
            let mut find = |message: String| {
                problems.push(MenuProblem {
                    line: bank.line,
                    place: bank.name.clone(),
                    message,
                });
            };
            if gsm7::septets(&bank.name).is_none_or(|septets| septets > MAX_NAME) {
                find(format!(
                    "does not fit on a screen; write it with {MAX_NAME} signs of GSM-7 at most"
                ));
            }
            for name in bank.names() {
                let key = self.key(name);
                if key.len() < 2 || normalized_words(name).iter().all(|word| self.generic.contains(word)) {
                    find(format!("`{name}` says nothing about which bank is meant; leave it out"));
                }
                if let Some(other) = taken.insert(key, &bank.name).filter(|other| *other != bank.name) {
                    find(format!(
                        "`{name}` is also a name of {other}; a name may stand at one bank only"
                    ));
                }
            }
        }
        problems
    }

    /// What a name is compared by.
    pub(super) fn key(&self, name: &str) -> String {
        let telling = significant(&normalized_words(name), &self.generic);
        without_end(&telling, &self.generic).unwrap_or(telling).concat()
    }

    /// The bank that goes by this name, its business side too.
    pub(super) fn bank(&self, name: &str) -> Option<usize> {
        let key = self.key(name);
        let side = || self.by_key.get(key.strip_suffix(BUSINESS_SIDE)?);
        self.by_key.get(&key).or_else(side).copied()
    }

    /// Whether two names are of one bank.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        let known = self.by_key.get(&self.key(one));
        self.key(one) == self.key(other) || known.is_some_and(|at| self.by_key.get(&self.key(other)) == Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the program can be read, and knows a bank by each of its names, however they are written.
    #[test]
    fn the_embedded_names_are_sound() {
        let names = BankNames::embedded().unwrap();
        for (said, want) in [
            ("Guaranty Trust Bank Plc", "GTBank"),
            ("UNITED BANK FOR AFRICA", "UBA"),
            ("First Bank of Nigeria Ltd", "First Bank"),
            ("First City Monument Bank", "FCMB"),
            ("9 Payment Service Bank", "9PSB"),
        ] {
            let found = names.bank(said).map(|at| names.banks[at].name.as_str());
            assert_eq!(found, Some(want), "{said}");
        }
        assert_eq!(names.bank("First"), names.bank("First Bank"));
        assert_eq!(names.bank("Nobody's Bank"), None);
    }

    /// What is laid over adds and replaces; what would lead to a bank that was not meant is refused with its line.
    #[test]
    fn what_is_laid_over_keeps_the_rules() {
        let mut names = BankNames::embedded().unwrap();
        names
            .lay_over("generic = [\"co-op\"]\n[[banks]]\nname = \"Kilima\"\nalso = [\"Mlima\"]\n")
            .expect_err("two words");
        names
            .lay_over(
                "generic = [\"sacco\"]\n[[banks]]\nname = \"Kilima\"\nalso = [\"Mlima\"]\n[[banks]]\nname = \"Kuda\"\n",
            )
            .unwrap();
        assert_eq!(names.bank("mlima sacco"), names.bank("Kilima"));
        assert_eq!(names.bank("Kuda Microfinance Bank"), names.bank("kuda"));
        for (source, line, want) in [
            (
                "\n[[banks]]\nname = \"Other\"\nalso = [\"gt bank\"]",
                2,
                "also a name of GTBank",
            ),
            ("[[banks]]\nname = \"The Bank\"", 1, "says nothing"),
            (
                "[[banks]]\nname = \"A Name That Is Longer Than Screens\"",
                1,
                "22 signs",
            ),
            (
                "[[banks]]\nname = \"A1\"\n[[banks]]\nname = \"B1\"\nalso = [\"a 1\"]",
                3,
                "also a name of A1",
            ),
        ] {
            let error = names.lay_over(source).unwrap_err().to_string();
            assert!(
                error.contains(&format!("line {line}, ")) && error.contains(want),
                "{error}"
            );
        }
        assert!(names.lay_over("banks = 1").is_err() && names.lay_over("bank = []").is_err());
    }
}
