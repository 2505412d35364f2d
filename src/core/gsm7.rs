//! The alphabet of a phone's USSD screen: the cost of a text in it, and how any text is converted to it.
//!
//! USSD carries the GSM 7-bit default alphabet of 3GPP TS 23.038. A character costs one septet, or two if it is in the
//! extension table, behind an escape. Any other character makes a network switch to an encoding with less than half the
//! room, or show a question mark, or refuse the screen. So nothing is shown before [`fold`] has converted it: letters with
//! foreign marks lose the marks, currency signs become their codes, other scripts are transliterated, and what cannot be
//! written at all (emoji, invisible characters) is dropped. A character of the alphabet never changes, so folding is
//! idempotent.

use std::iter::Peekable;
use std::str::Chars;

const TRUNCATION_MARK: &str = "..";

/// Ends words that go on where they are not shown.
pub const CUT_MARK: &str = "...";

/// Replaces a letter that has no Latin transliteration.
const UNKNOWN_LETTER: char = '?';

/// The characters beyond ASCII that cost one septet.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Septets of one character, or `None` if it is not in the alphabet.
pub fn septet_cost(character: char) -> Option<usize> {
    match character {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        // All of printable ASCII except the backtick.
        '\n' | '\r' | ' '..='_' | 'a'..='z' => Some(1),
        other if BEYOND_ASCII.contains(other) => Some(1),
        _ => None,
    }
}

/// Septets of a text, or `None` if one of its characters is not in the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(septet_cost).sum()
}

/// Septets of a folded text; a character outside the alphabet counts as its replacement.
pub(super) fn folded_septets(text: &str) -> usize {
    text.chars().map(|character| septet_cost(character).unwrap_or(1)).sum()
}

/// Converts any text to the alphabet, on one line: control characters and line breaks become spaces.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        fold_one(character, &mut characters, &mut folded);
    }
    folded
}

/// Converts a text of several lines and keeps its line breaks. For our own texts, never for names.
pub fn fold_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| fold(line.trim_end_matches('\r'))).collect();
    lines.join("\n").trim_end_matches('\n').to_owned()
}

fn fold_one(character: char, rest: &mut Peekable<Chars<'_>>, folded: &mut String) {
    if character.is_control() || character.is_whitespace() {
        folded.push(' ');
    } else if septet_cost(character).is_some() {
        folded.push(character);
    } else if let Some(code) = currency(character) {
        // "GH₵" is a common spelling.
        folded.push_str(if folded.ends_with("GH") {
            code.trim_start_matches("GH")
        } else {
            code
        });
        if rest.peek().is_some_and(|next| ascii_digit(*next).is_some()) {
            folded.push(' ');
        }
    } else if let Some(digit) = ascii_digit(character) {
        folded.push(digit);
    } else {
        match punctuation(character) {
            "" if character.is_alphanumeric() => transliterate(character, folded),
            mark => folded.push_str(mark),
        }
    }
}

/// Currency signs of the countries served that the alphabet lacks, as their ISO 4217 codes.
fn currency(character: char) -> Option<&'static str> {
    Some(match character {
        '₦' => "NGN",
        '₵' => "GHS",
        '₹' => "INR",
        '₽' => "RUB",
        _ => return None,
    })
}

/// Typographic marks as their plain forms; empty for a mark that can be dropped.
fn punctuation(character: char) -> &'static str {
    match character {
        '‘' | '’' | '‚' | '‛' | '′' | '‵' | '`' | '´' | 'ʼ' | 'ʻ' | 'ʹ' | '＇' => "'",
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '＂' => "\"",
        '‹' | '＜' => "<",
        '›' | '＞' => ">",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '－' | '﹣' => "-",
        '•' | '‣' | '∙' | '×' | '＊' => "*",
        '⁄' | '∕' | '÷' | '／' => "/",
        '…' => "...",
        '‥' => "..",
        '¢' => "c",
        '©' => "(c)",
        '®' => "(r)",
        '™' => "TM",
        '°' => "o",
        '±' => "+/-",
        '，' | '、' | '،' => ",",
        '．' | '。' | '·' => ".",
        '：' => ":",
        '；' | '؛' => ";",
        '！' => "!",
        '？' | '؟' => "?",
        '（' => "(",
        '）' => ")",
        '＆' => "&",
        '＋' => "+",
        '＃' => "#",
        '％' | '٪' => "%",
        '＝' => "=",
        '＠' => "@",
        '＿' => "_",
        '¦' => "|",
        _ => "",
    }
}

/// Letters by their class in Unicode that show nothing: they fill the place of a letter that is not there.
const FILLERS: [char; 6] = ['\u{115f}', '\u{1160}', '\u{17b4}', '\u{17b5}', '\u{3164}', '\u{ffa0}'];

/// Transliterates a letter or number sign of any script.
fn transliterate(character: char, folded: &mut String) {
    if FILLERS.contains(&character) {
        return;
    }
    let Some(spelling) = deunicode::deunicode_char(character) else {
        folded.push(UNKNOWN_LETTER);
        return;
    };
    for letter in spelling.trim().chars() {
        folded.push(match letter {
            '`' => '\'',
            plain if septet_cost(plain).is_some() && !plain.is_control() => plain,
            _ => UNKNOWN_LETTER,
        });
    }
}

/// Prepares a name from outside for a screen: folded, on one line, with single spaces, trimmed, and at most `max_septets`
/// long. A truncated name ends in `..`.
pub fn clean_name(name: &str, max_septets: usize) -> String {
    let folded = fold(name);
    let words: Vec<&str> = folded.split_whitespace().collect();
    truncate(&words.join(" "), max_septets)
}

/// The same for what a bank says, of which a truncated one ends in [`CUT_MARK`].
pub fn clean_words(words: &str, max_septets: usize) -> String {
    truncate_with(&clean_name(words, usize::MAX), max_septets, CUT_MARK)
}

/// Truncates a folded text to `max_septets`, with `..` at the end if there is room for that.
pub(super) fn truncate(folded: &str, max_septets: usize) -> String {
    truncate_with(folded, max_septets, TRUNCATION_MARK)
}

fn truncate_with(folded: &str, max_septets: usize, mark: &str) -> String {
    if folded_septets(folded) <= max_septets {
        return folded.to_owned();
    }
    let mark = if max_septets > mark.len() { mark } else { "" };
    let kept = &folded[..fitting_bytes(folded, max_septets - mark.len())];
    format!("{}{mark}", kept.trim_end())
}

/// The length in bytes of the longest prefix of a folded text that costs no more than `max_septets`. Always between two
/// characters, so that an escape is never separated from what it escapes.
pub(super) fn fitting_bytes(folded: &str, max_septets: usize) -> usize {
    let mut spent = 0;
    for (at, character) in folded.char_indices() {
        spent += septet_cost(character).unwrap_or(1);
        if spent > max_septets {
            return at;
        }
    }
    folded.len()
}

/// The zeros of the runs of ten decimal digits in Unicode, one for each script. Only true decimal digits: what merely looks
/// like one (superscripts, circled numbers, the letter O) may mean something else.
const ZEROS: [u32; 38] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x1e950,
];

pub(super) fn ascii_digit(character: char) -> Option<char> {
    let code = u32::from(character);
    ZEROS.iter().find_map(|zero| {
        let value = code.checked_sub(*zero).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    })
}

/// Replaces the decimal digits of every script (full-width, Arabic-Indic, Devanagari and so on) with ASCII digits and leaves
/// everything else unchanged. For menu choices and numbers, never for passwords.
pub fn fold_digits(text: &str) -> String {
    // Allocated at full length: what is typed may be a secret, and a growing buffer leaves copies behind. No digit folds to
    // a longer one.
    let mut folded = String::with_capacity(text.len());
    folded.extend(
        text.chars()
            .map(|character| ascii_digit(character).unwrap_or(character)),
    );
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The whole alphabet of TS 23.038, in code order, costs what the standard says.
    #[test]
    fn the_alphabet_is_complete() {
        let single = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
                      ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
        assert_eq!(single.chars().count(), 127, "128 codes less the escape");
        assert_eq!(septets(single), Some(127));
        let double = "\u{c}^{}\\[~]|€";
        assert_eq!(septets(double), Some(20));
        let encodable = (0..=u32::from(char::MAX))
            .filter_map(char::from_u32)
            .filter(|c| septet_cost(*c).is_some());
        assert_eq!(encodable.count(), 137);
    }

    /// Characters that look harmless and are not in the alphabet are noticed.
    #[test]
    fn what_cannot_be_sent_has_no_cost() {
        for text in [
            "`", "ç", "₦", "₵", "ẹ", "’", "–", "•", "😀", "á", "\u{0}", "\u{1b}", "\u{a0}", "\u{feff}",
        ] {
            assert_eq!(septets(text), None, "{text:?}");
        }
    }

    /// The names and signs of the countries served come out readable.
    #[test]
    fn folds_to_what_a_person_can_read() {
        for (raw, want) in [
            ("Zenith", "Zenith"),
            ("Ẹ kú àárọ̀, ṣé ọ̀rẹ́", "E ku àaro, sé ore"),
            ("Ụlọ akụ", "Ulo aku"),
            ("Ɓarna ɗaki ƙofa ƴanci", "Barna daki kofa yanci"),
            ("Société Générale", "Société Générale"),
            ("Crédit Agricole d’Île-de-France", "Crédit Agricole d'Ile-de-France"),
            ("façade", "facade"),
            ("“First”–Bank…", "\"First\"-Bank..."),
            ("₦500", "NGN 500"),
            ("₦ 500", "NGN 500"),
            ("GH₵20", "GHS 20"),
            ("a\u{a0}b\u{202f}c", "a b c"),
            ("one\r\ntwo\tthree\u{0}four", "one  two three four"),
            ("ok 😀👍🏽 done\u{200d}\u{fe0f}", "ok  done"),
            ("`x`", "'x'"),
            ("Ngʼombe ‘x’", "Ng'ombe 'x'"),
            ("１２٣", "123"),
            ("a\u{202e}b\u{feff}", "ab"),
            ("\u{1b}[31mred", " [31mred"),
            ("e\u{301}", "e"),
        ] {
            assert_eq!(fold(raw), want, "{raw:?}");
        }
    }

    /// Our own texts keep their lines; a name cannot bring lines of its own.
    #[test]
    fn only_our_texts_have_lines() {
        assert_eq!(fold_lines("Welcome\r\nto “us”\n"), "Welcome\nto \"us\"");
        assert_eq!(
            clean_name("Bank\n1 Send money\u{2028}2 x", 160),
            "Bank 1 Send money 2 x"
        );
    }

    /// A cut name shows that it was cut, and never ends in half of an escaped character.
    #[test]
    fn names_are_bounded() {
        for (raw, max, want) in [
            ("  Zenith   Bank ", 20, "Zenith Bank"),
            ("Zenith Bank", 11, "Zenith Bank"),
            ("Zenith Bank", 10, "Zenith B.."),
            ("Zenith Bank", 9, "Zenith.."),
            ("[[[[", 7, "[[.."),
            ("[[[[", 8, "[[[["),
            ("[[", 1, ""),
            ("abc", 2, "ab"),
            ("abc", 0, ""),
            ("😀", 10, ""),
        ] {
            assert_eq!(clean_name(raw, max), want, "{raw:?} in {max}");
        }
    }

    /// Digits of other scripts are digits; look-alikes are not.
    #[test]
    fn digits_of_other_scripts_count() {
        for (raw, want) in [
            ("１２３", "123"),
            ("٠١٩", "019"),
            ("۴۵", "45"),
            ("९", "9"),
            ("²①Ⅳ", "²①Ⅳ"),
            ("O0l1", "O0l1"),
            ("pin ７", "pin 7"),
        ] {
            assert_eq!(fold_digits(raw), want, "{raw:?}");
        }
    }

    proptest! {
        /// Whatever comes in, what goes out can be sent, has no control characters, and does not change again.
        #[test]
        fn folding_always_ends_in_the_alphabet(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert!(septets(&folded).is_some());
            prop_assert!(!folded.chars().any(char::is_control));
            prop_assert_eq!(&fold(&folded), &folded);
            let lines = fold_lines(&text);
            prop_assert!(septets(&lines).is_some());
            prop_assert_eq!(&fold_lines(&lines), &lines);
        }

        /// Every single character folds, not only those that random texts are made of.
        #[test]
        fn any_character_folds(character in any::<char>()) {
            prop_assert!(septets(&fold(&character.to_string())).is_some());
        }

        /// A text costs what its parts cost.
        #[test]
        fn cost_is_additive(left in any::<String>(), right in any::<String>()) {
            let (left, right) = (fold(&left), fold(&right));
            let whole = septets(&format!("{left}{right}"));
            prop_assert_eq!(whole, Some(septets(&left).unwrap() + septets(&right).unwrap()));
        }

        /// A cleaned name fits, is one trimmed line, and stays as it is when cleaned again.
        #[test]
        fn cleaned_names_fit(name in any::<String>(), max in 0_usize..60) {
            let clean = clean_name(&name, max);
            prop_assert!(septets(&clean).unwrap() <= max);
            prop_assert_eq!(clean.trim(), &clean);
            prop_assert!(!clean.contains("  "));
            prop_assert_eq!(clean_name(&clean, max), clean);
        }
    }
}
