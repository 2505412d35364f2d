//! The account that a partner expects to be linked, and whether a linked account is that account.
//!
//! Numbers are compared digit by digit. Everybody writes names differently: in another order, in capitals, without accents,
//! without a middle name or with its first letter only. So all words of the shorter name must occur in the longer one, where
//! an initial matches a word that begins with it; at least two words must match, and at least one of them in full. If the
//! partner gives one word only, that word must occur in the name in full.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::search::normalize;

/// Titles that are not part of a name.
const TITLES: [&str; 14] = [
    "mr", "mrs", "ms", "miss", "mister", "dr", "prof", "chief", "alhaji", "alhaja", "engr", "barr", "rev", "pastor",
];

/// What the account must match; at least one of the two is given.
#[derive(Serialize, Deserialize)]
pub struct ExpectedAccount {
    pub account_number: Option<Zeroizing<String>>,
    pub holder_name: Option<Zeroizing<String>>,
}

impl ExpectedAccount {
    /// Whether an account with this number and holder is the expected one. A holder that the bank does not give never matches.
    pub fn matches(&self, number: &str, holder: Option<&str>) -> bool {
        let digits = |text: &str| Zeroizing::new(text.chars().filter(char::is_ascii_digit).collect::<String>());
        let number_met = self
            .account_number
            .as_ref()
            .is_none_or(|expected| digits(expected) == digits(number));
        let holder_met = self
            .holder_name
            .as_ref()
            .is_none_or(|expected| holder.is_some_and(|holder| is_same_name(expected, holder)));
        number_met && holder_met
    }
}

/// Whether two spellings are probably one person's name.
fn is_same_name(expected: &str, told: &str) -> bool {
    let (expected, told) = (words(expected), words(told));
    if let [only] = &*expected {
        return told.contains(only);
    }
    let (shorter, mut longer) = if expected.len() <= told.len() {
        (expected, told)
    } else {
        (told, expected)
    };
    let (mut whole, mut initials) = (0, Vec::new());
    for word in &shorter {
        // Full matches first, so that no initial uses up the word that another word matches in full.
        match longer.iter().position(|other| other == word) {
            Some(at) => {
                longer.swap_remove(at);
                whole += usize::from(word.len() > 1);
            }
            None => initials.push(word),
        }
    }
    let all = initials.iter().all(|word| {
        let found = longer.iter().position(|other| is_initial_of(word, other));
        found.map(|at| longer.swap_remove(at)).is_some()
    });
    all && shorter.len() > 1 && whole > 0
}

/// Whether one of two words is the initial of the other.
fn is_initial_of(one: &str, other: &str) -> bool {
    (one.len() == 1 && other.starts_with(one)) || (other.len() == 1 && one.starts_with(other))
}

/// The normalized words of a name, without titles.
fn words(name: &str) -> Vec<Zeroizing<String>> {
    let apart = |character: char| !character.is_alphanumeric() && !matches!(character, '\'' | '’' | '`');
    let word = |word: &str| Zeroizing::new(normalize(word));
    let words = name.split(apart).map(word);
    words
        .filter(|word| !word.is_empty() && !TITLES.contains(&word.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Zeroizing<String>> {
        (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
    }

    /// Spellings of one person's name match, and other names do not, whichever of the two is shorter.
    #[test]
    fn names_are_compared_as_people_write_them() {
        for (expected, told, same) in [
            ("Ada Obi", "ADA OBI", true),
            ("Ada Obi", "Obi Ada", true),
            ("Ada Obi", "OBI, ADA NGOZI", true),
            ("Ada Ngozi Obi", "Obi Ada", true),
            ("Adá Óbi", "Ada Obi", true),
            ("Ọlá Ṣadé", "Ola Sade", true),
            ("A. Obi", "Ada Obi", true),
            ("Ada N. Obi", "OBI ADA NGOZI", true),
            ("Ada Obi", "A N Obi", true),
            ("Mrs Ada Obi", "Obi Ada", true),
            ("Ada Obi-Eze", "Ada Obi Eze", true),
            ("Ada O'Neil", "ADA ONEIL", true),
            ("Ada Obi", "Ada Obi Obi", true),
            ("Obi", "Ada Obi", true),
            ("Ada Obi", "Ada Eze", false),
            ("Ada Obi", "Ngozi Obi", false),
            ("Ada Obi", "A O", false),
            ("Ada Obi", "Obi", false),
            ("Ada Ada", "Ada Obi", false),
            ("O", "Obi Ada", false),
            ("Ob", "Ada Obi", false),
            ("Ada B. Obi", "Ada Ngozi Obi", false),
            ("Ada Obi", "", false),
            ("Mr", "Mr Obi", false),
        ] {
            assert_eq!(is_same_name(expected, told), same, "{expected} / {told}");
        }
    }

    /// All that is expected must be so, digits exactly; what is not told is not so.
    #[test]
    fn all_that_is_expected_must_be_so() {
        for (number, name, told, holder, met) in [
            ("0123456789", "", "0123456789", None, true),
            ("0123456789", "", "012 345-6789", None, true),
            ("0123456789", "", "123456789", None, false),
            ("0123456789", "", "0123456788", None, false),
            ("", "Ada Obi", "0123456789", Some("OBI ADA"), true),
            ("", "Ada Obi", "0123456789", None, false),
            ("0123456789", "Ada Obi", "0123456789", Some("OBI ADA"), true),
            ("0123456789", "Ada Obi", "0123456789", Some("EZE ADA"), false),
            ("0123456789", "Ada Obi", "0123456780", Some("OBI ADA"), false),
        ] {
            let expected = ExpectedAccount {
                account_number: text(number),
                holder_name: text(name),
            };
            assert_eq!(expected.matches(told, holder), met, "{number} {name} {told} {holder:?}");
        }
    }
}
