//! Phone numbers: every spelling to one canonical number, or a refusal.
//!
//! The number identifies the person, so two spellings of one SIM must never become two people, and one spelling must never
//! become somebody else. Gateways write `+234…`, `234…`, `0803…`, or lose the plus to form decoding. A number without a plus
//! does not say which of these it is. So we try every way to read it (international, dialed with the channel country's
//! prefixes, national with and without the trunk prefix), keep the readings that are mobile numbers somewhere, and accept
//! the number if exactly one is left. Two possible owners are a refusal, not a guess.
//!
//! What a mobile number looks like comes from the `phonenumber` crate's copy of libphonenumber's metadata. Its parser is not
//! used: it has panicked on crafted input, and it reads the same digits in different ways where we need one.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use phonenumber::Metadata;
use phonenumber::metadata::DATABASE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::gsm7;

/// The most characters a spelling may have, separators included.
const MAX_SPELLING_CHARS: usize = 64;
/// The most digits a spelling may have: the longest E.164 number has 15, and a shorter one may have a prefix.
const MAX_DIGITS: usize = 16;
/// Digits of an E.164 number, including the country calling code. No subscriber anywhere has fewer than eight.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// The international prefix of most of the world, which people also type where it is not the right one.
const COMMON_INTERNATIONAL_PREFIX: &str = "00";
/// The trunk prefix, if the country's metadata has none.
const DEFAULT_TRUNK_PREFIX: &str = "0";

/// A phone number in E.164, with the leading `+`. `Debug` shows only its country code and last two digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(String);

/// Not a number that can belong to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number that can be served")]
pub struct MsisdnError;

static LOADED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Loads the numbering plans of all countries and compiles that of one (ISO 3166-1 alpha-2). Otherwise the first number to be
/// parsed would wait for it: half a second in a debug build.
pub fn preload_country(country: &str) {
    // Whatever the result, every step of parsing a number has been run once.
    let _ = Msisdn::parse("0800000000", country);
    loaded().insert(country.to_ascii_uppercase());
}

/// Whether [`preload_country`] was called for this country.
pub fn is_loaded(country: &str) -> bool {
    loaded().contains(&country.to_ascii_uppercase())
}

fn loaded() -> MutexGuard<'static, BTreeSet<String>> {
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Msisdn {
    /// Parses any spelling; `country` (ISO 3166-1 alpha-2) is that of numbers in national format.
    ///
    /// # Errors
    /// When it is not one possible subscriber number: landlines, service numbers, short codes, garbage, and digits that
    /// could be the numbers of two different people.
    pub fn parse(raw: &str, country: &str) -> Result<Self, MsisdnError> {
        let spelling = Spelling::read(raw)?;
        let readings = if spelling.international {
            international_readings(&spelling.digits)
        } else {
            all_readings(&spelling.digits, country)
        };
        let mut readings = readings.into_iter();
        match (readings.next(), readings.next()) {
            (Some(only), None) => Ok(Self(format!("+{only}"))),
            _ => Err(MsisdnError),
        }
    }

    /// The canonical form, such as `+2348031234567`. For the wire and for sealing only.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// ISO 3166-1 alpha-2 of the country the number belongs to, if it is known.
    pub fn country(&self) -> Option<&'static str> {
        let (regions, national) = split_calling_code(self.digits())?;
        regions
            .into_iter()
            .filter(|region| is_mobile(region, national))
            .map(Metadata::id)
            .find(|id| id.bytes().all(|byte| byte.is_ascii_uppercase()))
    }

    /// How a form may want it: as people write it at home, then with the country code, without the plus and with it.
    pub fn spellings(&self) -> [String; 3] {
        let digits = self.digits();
        let at_home = split_calling_code(digits).and_then(|(regions, national)| {
            let home = regions.into_iter().find(|region| is_mobile(region, national))?;
            Some(format!("{}{national}", home.national_prefix().unwrap_or_default()))
        });
        [
            at_home.unwrap_or_else(|| digits.to_owned()),
            digits.to_owned(),
            self.0.clone(),
        ]
    }

    /// For somebody who knows the number: the country code and the last two digits, asterisks in between.
    pub fn masked(&self) -> String {
        let digits = self.digits();
        let national = split_calling_code(digits).map_or(digits, |(_, national)| national);
        let (code, end) = (digits.len() - national.len(), digits.len().saturating_sub(2));
        let shown = |(at, digit): (usize, char)| if at < code || at >= end { digit } else { '*' };
        format!("+{}", digits.chars().enumerate().map(shown).collect::<String>())
    }

    fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let code = split_calling_code(digits).map_or("", |(_, national)| &digits[..digits.len() - national.len()]);
        let end = digits.get(digits.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "Msisdn(+{code}..{end})")
    }
}

impl Serialize for Msisdn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Msisdn {
    /// Accepts the canonical form only, and checks only its shape: a number stored before a country changed its numbering plan
    /// must still be readable.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let canonical = text.strip_prefix('+').is_some_and(|digits| {
            E164_DIGITS.contains(&digits.len())
                && !digits.starts_with('0')
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        if canonical {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom(MsisdnError))
        }
    }
}

/// A spelling without its separators.
struct Spelling {
    /// ASCII digits only, at most [`MAX_DIGITS`].
    digits: String,
    /// Whether there was a plus before them.
    international: bool,
}

impl Spelling {
    fn read(raw: &str) -> Result<Self, MsisdnError> {
        if raw.len() > MAX_SPELLING_CHARS * 4 || raw.chars().count() > MAX_SPELLING_CHARS {
            return Err(MsisdnError);
        }
        let raw = raw.trim();
        let raw = match raw.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &raw[4..],
            _ => raw,
        };
        let mut spelling = Self {
            digits: String::with_capacity(MAX_DIGITS),
            international: false,
        };
        for character in raw.chars() {
            if let Some(digit) = gsm7::ascii_digit(character) {
                spelling.digits.push(digit);
            } else if matches!(character, '+' | '＋') && spelling.digits.is_empty() && !spelling.international {
                spelling.international = true;
            } else if !is_separator(character) {
                return Err(MsisdnError);
            }
            if spelling.digits.len() > MAX_DIGITS {
                return Err(MsisdnError);
            }
        }
        Ok(spelling)
    }
}

/// What people and address books put between digits, including invisible direction marks.
fn is_separator(character: char) -> bool {
    matches!(
        character,
        '-' | '.' | '/' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' | '（' | '）'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    ) || (character.is_whitespace() && !character.is_control())
}

/// Every mobile number that these digits, written without a plus, can mean on a channel of this country.
fn all_readings(digits: &str, country: &str) -> BTreeSet<String> {
    let mut readings = international_readings(digits);
    if let Some(rest) = digits.strip_prefix(COMMON_INTERNATIONAL_PREFIX) {
        readings.extend(international_readings(rest));
    }
    let Some(home) = DATABASE.by_id(country.to_ascii_uppercase().as_str()) else {
        return readings;
    };
    let prefix = home
        .international_prefix()
        .and_then(|prefix| prefix.find(digits))
        .filter(|found| found.start() == 0);
    if let Some(found) = prefix {
        readings.extend(international_readings(&digits[found.end()..]));
    }
    readings.extend(national_readings(home, digits));
    readings
}

/// The mobile numbers that these digits are if they begin with a country calling code. A trunk prefix after the code, as in
/// `+234 (0)803…`, is removed.
fn international_readings(digits: &str) -> BTreeSet<String> {
    let Some((regions, rest)) = split_calling_code(digits) else {
        return BTreeSet::new();
    };
    regions
        .into_iter()
        .flat_map(|region| national_readings(region, rest))
        .collect()
}

/// The mobile numbers, in E.164 without the plus, that these digits are in a country's national format, with or without its
/// trunk prefix. There are two if the numbering plan is ambiguous (Gabon kept its old numbers when it put a zero before
/// them): then neither may be accepted.
fn national_readings(home: &Metadata, digits: &str) -> BTreeSet<String> {
    let trunk = home.national_prefix().unwrap_or(DEFAULT_TRUNK_PREFIX);
    [Some(digits), digits.strip_prefix(trunk)]
        .into_iter()
        .flatten()
        .filter(|significant| is_mobile(home, significant))
        .map(|significant| format!("{}{significant}", home.country_code()))
        .collect()
}

/// Splits off the country calling code, and finds the countries that share it.
fn split_calling_code(digits: &str) -> Option<(Vec<&'static Metadata>, &str)> {
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let code: u16 = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        Some((DATABASE.by_code(&code)?, rest))
    })
}

/// Whether a SIM of this country can have this number. Where mobile and fixed numbers are indistinguishable (North America),
/// it can.
fn is_mobile(region: &Metadata, significant: &str) -> bool {
    let digits = region.country_code().to_string().len() + significant.len();
    E164_DIGITS.contains(&digits)
        && region
            .descriptors()
            .mobile()
            .is_some_and(|mobile| mobile.is_match(significant))
}

#[cfg(test)]
mod tests;
