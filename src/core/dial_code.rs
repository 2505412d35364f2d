//! Codes that are dialled behind the service code, as in `*384*96*482913507#`: eight random digits and a check digit.
//!
//! Nine digits with a right check digit are taken for a code wherever they are dialled, so that no menu choice, however
//! long, passes for one. The check digit is Damm's: it finds every single wrong digit and every two neighbours typed in
//! the wrong order, which are the slips of somebody who copies a number from a message to a keypad.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::Rng;

/// Digits of a code, the check digit among them.
pub const DIGITS: usize = 9;

/// How many codes there are: eight free digits.
const CODES: u64 = 100_000_000;

/// A code. Knowing it is worth something: it prints nothing by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DialCode(u32);

impl DialCode {
    /// A random code.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 8];
        rng.fill(&mut bytes);
        Self::from_bits(bytes)
    }

    /// The code that belongs to a keyed digest: the same for the same, and nobody without the key can tell which.
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        Self::from_bits(digest.first_chunk().copied().unwrap_or_default())
    }

    /// The remainder of 64 random bits favours no code by more than one part in 10^11.
    fn from_bits(bytes: [u8; 8]) -> Self {
        let free = u64::from_be_bytes(bytes) % CODES;
        Self(u32::try_from(free).unwrap_or_default())
    }

    /// A number below `limit` derived from the code; 0 where `limit` is 0.
    pub fn below(self, limit: u32) -> u32 {
        self.0.checked_rem(limit).unwrap_or_default()
    }

    /// Reads a dialled segment; `None` when it is no code.
    pub fn parse(segment: &str) -> Option<Self> {
        let digits: Vec<u8> = segment.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
        if digits.len() != DIGITS || digits.iter().any(|digit| *digit > 9) || check_digit(&digits) != 0 {
            return None;
        }
        segment[..DIGITS - 1].parse().ok().map(Self)
    }
}

impl fmt::Display for DialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = format!("{:08}", self.0);
        let digits: Vec<u8> = free.bytes().map(|byte| byte - b'0').collect();
        write!(f, "{free}{}", check_digit(&digits))
    }
}

impl fmt::Debug for DialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DialCode(…)")
    }
}

/// Damm's check digit of these digits; zero when the last of them is the check digit of those before it.
fn check_digit(digits: &[u8]) -> u8 {
    // A quasigroup of order ten without fixed points off its diagonal, as in Damm's dissertation (2004).
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits
        .iter()
        .fold(0, |interim, digit| TABLE[usize::from(interim)][usize::from(*digit)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The published example: 572 has the check digit 4.
    #[test]
    fn the_check_digit_is_damms() {
        assert_eq!(check_digit(&[5, 7, 2]), 4);
        assert_eq!(check_digit(&[5, 7, 2, 4]), 0);
    }

    /// What is not nine ASCII digits with a right check digit is no code.
    #[test]
    fn other_segments_are_no_codes() {
        let code = DialCode(48_291_350).to_string();
        assert_eq!(DialCode::parse(&code), Some(DialCode(48_291_350)));
        for segment in [
            "",
            "1",
            "98",
            "48291350",
            "4829135077",
            "48291350a",
            "٤٨٢٩١٣٥٠٧",
            "-48291350",
            "+48291350",
        ] {
            assert_eq!(DialCode::parse(segment), None, "{segment}");
        }
    }

    /// A code is not written into logs by accident.
    #[test]
    fn a_code_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", DialCode(12_345_678)), "DialCode(…)");
    }

    proptest! {
        /// A code reads as it is written, and one slip makes it no code: a wrong digit, or two neighbours exchanged.
        #[test]
        fn a_slip_is_found(free in 0_u32..100_000_000, at in 0_usize..DIGITS, digit in 0_u8..10) {
            let code = DialCode(free);
            let text = code.to_string();
            prop_assert_eq!(text.len(), DIGITS);
            prop_assert_eq!(DialCode::parse(&text), Some(code));
            let mut wrong = text.clone().into_bytes();
            wrong[at] = b'0' + digit;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(DialCode::parse(&wrong).is_some(), wrong == text);
            if at + 1 < DIGITS {
                let mut swapped = text.clone().into_bytes();
                swapped.swap(at, at + 1);
                let swapped = String::from_utf8(swapped).unwrap();
                prop_assert_eq!(DialCode::parse(&swapped).is_some(), swapped == text);
            }
        }
    }
}
