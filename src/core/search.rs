//! Finds names by what a person types on a keypad: the letters, or the keys the letters are on.
//!
//! A phone with nine keys writes `936` for *zen*; a smartphone writes *zen*. Both find Zenith (and the first, Wema too). Names and queries are
//! compared without case, marks, spaces and punctuation.

use super::gsm7;

/// How well a name matches, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The name begins with it.
    Start,
    /// A later word of the name begins with it.
    Word,
    /// It is somewhere inside.
    Inside,
}

/// The positions of the names that match, best first; among equals in the order they came. A query without a letter or
/// digit finds nothing.
///
/// A name matches when it contains the query: at its start before at the start of a later word, and that before
/// anywhere else. A query of digits alone also matches the names whose letters are on these keys.
pub fn find<'a>(query: &str, names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let wanted = SearchKey::of(query).text;
    if wanted.is_empty() {
        return Vec::new();
    }
    let on_keypad = wanted.bytes().all(|byte| byte.is_ascii_digit());
    let mut found: Vec<(Rank, usize)> = names
        .enumerate()
        .filter_map(|(at, name)| {
            let mut key = SearchKey::of(name);
            if on_keypad {
                key.press_keys();
            }
            Some((key.rank(&wanted)?, at))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, at)| at).collect()
}

/// A text as names are compared: its letters and digits only, in lower case and without marks.
pub fn normalize(text: &str) -> String {
    SearchKey::of(text).text
}

/// The same, word by word.
pub fn normalized_words(text: &str) -> Vec<String> {
    let key = SearchKey::of(text);
    let starts = std::iter::once(0).chain(key.words.iter().copied());
    let ends = key.words.iter().copied().chain([key.text.len()]);
    let words = starts.zip(ends).map(|(from, to)| key.text[from..to].to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// A name as it is compared.
struct SearchKey {
    /// Lower-case ASCII letters and digits only.
    text: String,
    /// Where in `text` the words after the first begin.
    words: Vec<usize>,
}

impl SearchKey {
    fn of(name: &str) -> Self {
        let mut key = Self {
            text: String::with_capacity(name.len()),
            words: Vec::new(),
        };
        let mut between_words = false;
        for character in gsm7::fold(name).chars() {
            let plain = if character.is_ascii() {
                character.to_string()
            } else {
                deunicode::deunicode_char(character).unwrap_or_default().to_owned()
            };
            for letter in plain.chars() {
                if letter.is_ascii_alphanumeric() {
                    if between_words && !key.text.is_empty() {
                        key.words.push(key.text.len());
                    }
                    between_words = false;
                    key.text.push(letter.to_ascii_lowercase());
                } else if letter != '\'' {
                    between_words = true;
                }
            }
        }
        key
    }

    /// Replaces each letter by the key it is on.
    fn press_keys(&mut self) {
        self.text = self.text.chars().map(keypad).collect();
    }

    fn rank(&self, wanted: &str) -> Option<Rank> {
        if self.text.starts_with(wanted) {
            Some(Rank::Start)
        } else if self.words.iter().any(|at| self.text[*at..].starts_with(wanted)) {
            Some(Rank::Word)
        } else {
            self.text.contains(wanted).then_some(Rank::Inside)
        }
    }
}

/// The key of a telephone that carries this letter (ITU-T E.161).
fn keypad(letter: char) -> char {
    match letter {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        digit => digit,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 10] = [
        "Access Bank",
        "First Bank of Nigeria",
        "Zenith Bank",
        "Wema Bank (ALAT)",
        "9 Payment Service Bank",
        "Société Générale",
        "Ẹ̀kọ́ MFB",
        "U.B.A",
        "Women's World Banking",
        "First City Monument",
    ];

    /// Each way of typing a name finds it, the best match first.
    #[test]
    fn finds_what_was_meant() {
        for (query, want) in [
            ("zen", &[2][..]),
            ("ZEN", &[2]),
            ("936", &[2, 3]),
            ("９３６", &[2, 3]),
            ("first", &[1, 9]),
            ("first b", &[1]),
            ("firstb", &[1]),
            ("34778", &[1, 9]),
            ("alat", &[3]),
            ("2528", &[3]),
            ("bank", &[0, 1, 2, 3, 4, 8]),
            ("societe", &[5]),
            ("générale", &[5]),
            ("eko", &[6]),
            ("ẸKỌ", &[6]),
            ("356", &[6]),
            ("uba", &[7]),
            ("u b a", &[7]),
            ("822", &[7, 1]),
            ("womens", &[8]),
            ("women’s", &[8]),
            ("ment", &[4, 9]),
            ("9", &[2, 3, 4, 8, 9]),
        ] {
            assert_eq!(find(query, NAMES.into_iter()), want, "{query:?}");
        }
    }

    /// The start of a name counts before the start of a word, that before the middle, and then the given order.
    #[test]
    fn ranks_before_order() {
        assert_eq!(
            find("an", ["Bank", "Old Anchor", "Anchor", "Ans"].into_iter()),
            [2, 3, 1, 0]
        );
    }

    /// Nothing typed finds nothing, and nonsense of any size does no harm.
    #[test]
    fn nonsense_finds_nothing() {
        for query in ["", " ", "*#", "😀", "\u{0}", "..", "qqq", "000"] {
            assert_eq!(find(query, NAMES.into_iter()), [0_usize; 0], "{query:?}");
        }
        for query in ["z".repeat(200), "9".repeat(200), "é".repeat(200), "字".repeat(200)] {
            assert_eq!(find(&query, NAMES.into_iter()), [0_usize; 0]);
        }
    }

    proptest! {
        /// Every name is found by its own letters and by its own keys, once.
        #[test]
        fn a_name_finds_itself(names in proptest::collection::vec("[a-zA-Z ẹọṣé'.-]{0,12}", 1..20), at in any::<prop::sample::Index>()) {
            let at = at.index(names.len());
            let mut key = SearchKey::of(&names[at]);
            prop_assume!(!key.text.is_empty());
            let by_letters = find(&names[at], names.iter().map(String::as_str));
            key.press_keys();
            let by_keys = find(&key.text, names.iter().map(String::as_str));
            for found in [by_letters, by_keys] {
                prop_assert_eq!(found.iter().filter(|position| **position == at).count(), 1);
            }
        }

        /// Nothing makes the search panic, and no position comes twice or from outside.
        #[test]
        fn never_panics(query in any::<String>(), names in proptest::collection::vec(any::<String>(), 0..10)) {
            let mut found = find(&query, names.iter().map(String::as_str));
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found.len(), count);
            prop_assert!(found.iter().all(|at| *at < names.len()));
        }
    }
}
