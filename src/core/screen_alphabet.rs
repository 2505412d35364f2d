//! Which characters a gateway takes in a screen.
//!
//! Every screen is in the GSM alphabet already (see [`super::gsm7`]). Some gateways refuse its letters beyond ASCII, `é` or
//! `Ç`, as an invalid answer. For these a screen is spelled without them, after it was fitted into its page: so no
//! replacement may take more room than what it replaces.

use std::borrow::Cow;

use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScreenAlphabet {
    /// All of the GSM 7-bit default alphabet.
    #[default]
    Gsm7,
    /// What ASCII and the GSM alphabet have in common.
    Ascii,
}

impl ScreenAlphabet {
    /// The words of the configuration.
    pub const WORDS: [(&'static str, Self); 2] = [("gsm7", Self::Gsm7), ("ascii", Self::Ascii)];

    /// A folded text in this alphabet, of no more septets.
    pub fn spell(self, text: &str) -> Cow<'_, str> {
        if self == Self::Gsm7 || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.chars().map(to_ascii).collect())
    }
}

/// The nearest character of ASCII.
fn to_ascii(character: char) -> char {
    match character {
        plain if plain.is_ascii() => plain,
        'è' | 'é' | '€' => 'e',
        'É' => 'E',
        'ù' | 'ü' => 'u',
        'ì' => 'i',
        'ò' | 'ø' | 'ö' => 'o',
        'å' | 'ä' | 'à' | 'æ' => 'a',
        'Å' | 'Ä' | 'Æ' | 'Λ' => 'A',
        'Ø' | 'Ö' | 'Ω' | 'Θ' => 'O',
        'Ç' => 'C',
        'Ñ' => 'N',
        'ñ' => 'n',
        'Ü' => 'U',
        'ß' => 's',
        'Σ' | '§' => 'S',
        'Δ' => 'D',
        'Φ' => 'F',
        'Γ' => 'G',
        'Π' | 'Ψ' => 'P',
        'Ξ' => 'X',
        '£' => 'L',
        '¥' => 'Y',
        '¤' => '*',
        '¡' => '!',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::gsm7;

    /// Names stay readable without their accents, and the alphabet that takes everything changes nothing.
    #[test]
    fn accents_are_left_out() {
        for (text, want) in [
            ("Société Générale\n1 Oui", "Societe Generale\n1 Oui"),
            ("Ça va, Ñoño? ¡Sí!", "Ca va, Nono? !S?!"),
            ("plain [text]", "plain [text]"),
        ] {
            assert_eq!(ScreenAlphabet::Ascii.spell(text), want);
            assert_eq!(ScreenAlphabet::Gsm7.spell(text), text);
        }
    }

    proptest! {
        /// Whatever was folded is in ASCII afterwards, in no more room, so that a page that fitted still fits.
        #[test]
        fn nothing_takes_more_room(text in any::<String>()) {
            let folded = gsm7::fold_lines(&text);
            let spelled = ScreenAlphabet::Ascii.spell(&folded);
            prop_assert!(spelled.is_ascii());
            prop_assert!(gsm7::septets(&spelled).unwrap() <= gsm7::septets(&folded).unwrap());
        }
    }
}
