//! Finds banks by what a person types on a keypad: words of the name, the names people use for it, or the keys that the
//! letters are on.
//!
//! A phone with nine keys writes `936` for *zen*; a smartphone writes *zen*. Both find Zenith (the keys find Wema, too). Names
//! and queries are compared without case, marks, spaces and punctuation, and without the words that say nothing about which
//! bank is meant ([`BankNames`]). One slip in a word of four letters or more is forgiven where nothing else is found. What is
//! not found may still be a bank that everybody knows: it is said that it cannot be linked, not that there is none.

use std::collections::BTreeSet;

use super::bank_names::{BUSINESS_SIDE, BankNames, NamedBank};
use super::gsm7;

#[cfg(test)]
mod tests;

/// The fewest letters that are found in the middle of a word, and that name a bank by themselves.
const MIN_TELLING: usize = 3;

/// The fewest letters of a word in which a slip is forgiven.
const MIN_FORGIVEN: usize = 4;

/// How well a name matches, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is the whole name.
    Whole,
    /// The name begins with it.
    Start,
    /// Words of the name begin with its words.
    Word,
    /// It is somewhere inside.
    Inside,
    /// It is the whole name but for a slip: a letter more, less, other or in another place.
    AlmostWhole,
    /// Only with a slip.
    Slip,
}

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchResult {
    /// The positions of the names that match, best first; among equals in the order they came.
    pub found: Vec<usize>,
    /// What the bank is called that is meant more probably, and that cannot be linked here.
    pub unlinkable: Option<String>,
    /// Whether what was typed can only mean what was found: a single one of these needs no question.
    pub certain: bool,
}

/// Searches `names`. `elsewhere` are the names of banks that are known and not offered.
///
/// A query without a letter or digit finds nothing. One of digits alone also matches the names whose letters are on these
/// keys, at the beginning of a word only.
pub fn find(query: &str, names: &[&str], elsewhere: &[&str], table: &BankNames) -> SearchResult {
    let query = Query::of(query, table);
    if query.raw.is_empty() {
        return SearchResult::default();
    }
    let mut found: Vec<(Rank, usize)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((query.rank_of(name, table)?, at)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    let best = found.first().map(|(rank, _)| *rank);
    let slips = best.is_some_and(|best| best >= Rank::AlmostWhole);
    if !slips {
        found.retain(|(rank, _)| *rank < Rank::AlmostWhole);
    }
    let unlinkable = query.unlinkable(names, elsewhere, table, best);
    if slips && unlinkable.is_some() {
        found.clear();
    }
    SearchResult {
        certain: unlinkable.is_none() && query.is_telling() && best.is_some_and(|best| best < Rank::Inside),
        found: found.into_iter().map(|(_, at)| at).collect(),
        unlinkable,
    }
}

/// What was typed.
struct Query {
    /// Its telling words.
    telling: Vec<String>,
    /// The same without the generic end of a word such as "kudabank".
    bare: Option<Vec<String>>,
    /// All of its words.
    raw: Vec<String>,
    /// Whether it is typed on keys without letters.
    on_keypad: bool,
    /// Whether none of its words tells which bank is meant.
    generic: bool,
}

impl Query {
    fn of(text: &str, table: &BankNames) -> Self {
        let raw = normalized_words(text);
        let on_keypad = raw
            .iter()
            .flat_map(|word| word.bytes())
            .all(|byte| byte.is_ascii_digit());
        let as_typed = |word: &String| if on_keypad { press_keys(word) } else { word.clone() };
        let generic: BTreeSet<String> = table.generic.iter().map(as_typed).collect();
        let telling = significant(&raw, &generic);
        Self {
            bare: without_end(&telling, &generic),
            telling,
            generic: raw.iter().all(|word| generic.contains(word)),
            raw,
            on_keypad,
        }
    }

    /// How well a bank of this name matches, by its name or by what people call it.
    fn rank_of(&self, name: &str, table: &BankNames) -> Option<Rank> {
        let known = table.bank(name).and_then(|at| table.banks.get(at));
        let others = known.into_iter().filter(|_| !self.generic).flat_map(NamedBank::names);
        let others = others.filter_map(|other| self.rank(other, table).filter(|rank| *rank != Rank::Inside));
        // What the bank is called is not the whole name of its business side.
        let least = if normalize(name).ends_with(BUSINESS_SIDE) {
            Rank::Start
        } else {
            Rank::Whole
        };
        let others = others.map(|rank| rank.max(least));
        self.rank(name, table).into_iter().chain(others).min()
    }

    fn rank(&self, name: &str, table: &BankNames) -> Option<Rank> {
        let mut raw = normalized_words(name);
        let telling = significant(&raw, &table.generic);
        let mut names: Vec<_> = without_end(&telling, &table.generic)
            .into_iter()
            .chain([telling])
            .collect();
        if self.on_keypad {
            let words = names.iter_mut().flatten().chain(&mut raw);
            words.for_each(|word| *word = press_keys(word));
        }
        let own = || std::iter::once(&self.telling).chain(&self.bare);
        let (typed, written) = (self.telling.concat(), self.raw.concat());
        let is = |own: &Vec<String>| names.iter().any(|name| name.concat() == own.concat());
        if own().any(is) || raw.concat() == written {
            return Some(Rank::Whole);
        }
        if raw.concat().starts_with(&written) || names.iter().any(|name| name.concat().starts_with(&typed)) {
            return Some(Rank::Start);
        }
        if names.iter().any(|name| is_in_words(&self.telling, name)) || self.generic && is_in_words(&self.raw, &raw) {
            return Some(Rank::Word);
        }
        if self.on_keypad {
            return None;
        }
        if typed.len() >= MIN_TELLING && names.iter().any(|name| name.concat().contains(&typed)) {
            return Some(Rank::Inside);
        }
        let almost = |own: &Vec<String>| names.iter().any(|name| is_slip_of(&own.concat(), &name.concat()));
        if own().any(almost) {
            return Some(Rank::AlmostWhole);
        }
        let slip = |own: &Vec<String>| names.iter().any(|name| is_with_a_slip(own, name));
        own().any(slip).then_some(Rank::Slip)
    }

    /// Whether it can name a bank by itself: two letters, or two keys that may be meant for the network, do not.
    fn is_telling(&self) -> bool {
        !self.generic && self.telling.concat().len() >= MIN_TELLING
    }

    /// What the bank is called that matches better than the best that is offered, and is not offered itself. `None` where
    /// several match equally well: it is not known which of them is meant.
    fn unlinkable(&self, names: &[&str], elsewhere: &[&str], table: &BankNames, best: Option<Rank>) -> Option<String> {
        if !self.is_telling() {
            return None;
        }
        let listed: BTreeSet<usize> = names
            .iter()
            .chain(elsewhere)
            .filter_map(|name| table.bank(name))
            .collect();
        let known = table.banks.iter().enumerate();
        let known = known
            .filter(|(at, _)| !listed.contains(at))
            .map(|(_, bank)| bank.name.as_str());
        // A business side that is not offered says nothing of a bank that is.
        let offered: BTreeSet<String> = names.iter().map(|name| table.key(name)).collect();
        let elsewhere = elsewhere
            .iter()
            .copied()
            .filter(|name| !offered.contains(&table.key(name)));
        let ranked = known
            .chain(elsewhere)
            .filter_map(|name| Some((self.rank_of(name, table)?, name)));
        let ranked: Vec<_> = ranked
            .filter(|(rank, _)| *rank != Rank::Inside && best.is_none_or(|best| *rank < best))
            .collect();
        let least = ranked.iter().map(|(rank, _)| *rank).min()?;
        let mut meant: Vec<_> = ranked
            .iter()
            .filter(|(rank, _)| *rank == least)
            .map(|(_, name)| *name)
            .collect();
        meant.dedup_by_key(|name| table.key(name));
        match meant.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        }
    }
}

/// A name of one word with a generic end, such as "ecobank", without that end.
pub(super) fn without_end(telling: &[String], generic: &BTreeSet<String>) -> Option<Vec<String>> {
    let [only] = telling else { return None };
    let ends = generic.iter().filter(|end| end.len() >= MIN_FORGIVEN);
    let mut rests = ends.filter_map(|end| only.strip_suffix(end.as_str()));
    rests.find(|rest| rest.len() > 1).map(|rest| vec![rest.to_owned()])
}

/// The words that tell which bank is meant; all of them where none does.
pub(super) fn significant(words: &[String], generic: &BTreeSet<String>) -> Vec<String> {
    let telling: Vec<_> = words.iter().filter(|word| !generic.contains(*word)).cloned().collect();
    if telling.is_empty() { words.to_vec() } else { telling }
}

/// Whether each word of the query begins another word of the name, or all of them written together begin at one.
fn is_in_words(query: &[String], name: &[String]) -> bool {
    let mut left: Vec<&String> = name.iter().collect();
    let apart = query.iter().all(|word| {
        let at = left
            .iter()
            .position(|other| word.len() > 1 && other.starts_with(word.as_str()));
        at.map(|at| left.swap_remove(at)).is_some()
    });
    let together = query.concat();
    apart || (1..name.len()).any(|from| name[from..].concat().starts_with(&together))
}

/// Whether the query's words are in the name but for a slip.
fn is_with_a_slip(query: &[String], name: &[String]) -> bool {
    let mut left: Vec<&String> = name.iter().collect();
    query.iter().all(|word| {
        let begins = |other: &&String| word.len() > 1 && other.starts_with(word.as_str());
        let is_it = |other: &&String| begins(other) || is_slip_of(word, other) || begins_with_a_slip(word, other);
        let at = left.iter().position(is_it);
        at.map(|at| left.swap_remove(at)).is_some()
    })
}

/// Whether two words of letters differ by one slip.
fn is_slip_of(typed: &str, word: &str) -> bool {
    can_be_forgiven(typed) && can_be_forgiven(word) && strsim::osa_distance(typed, word) <= 1
}

/// Whether a word differs by one slip from the beginning of another, whose first letter is right.
fn begins_with_a_slip(typed: &str, word: &str) -> bool {
    let lengths = typed.len() - 1..=typed.len() + 1;
    let begin = |length: usize| word.get(..length).is_some_and(|begin| is_slip_of(typed, begin));
    typed.as_bytes().first() == word.as_bytes().first() && lengths.into_iter().any(begin)
}

fn can_be_forgiven(word: &str) -> bool {
    word.len() >= MIN_FORGIVEN && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// A text as names are compared: its letters and digits only, in lower case and without marks.
pub fn normalize(text: &str) -> String {
    normalized_words(text).concat()
}

/// The same, word by word.
pub fn normalized_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in gsm7::fold(text).chars() {
        let plain = if character.is_ascii() {
            character.to_string()
        } else {
            deunicode::deunicode_char(character).unwrap_or_default().to_owned()
        };
        for letter in plain.chars() {
            if letter.is_ascii_alphanumeric() {
                if let Some(word) = words.last_mut() {
                    word.push(letter.to_ascii_lowercase());
                }
            } else if letter != '\'' && words.last().is_some_and(|word| !word.is_empty()) {
                words.push(String::new());
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The keys of a word's letters.
fn press_keys(word: &str) -> String {
    word.chars().map(keypad).collect()
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
