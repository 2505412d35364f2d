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

/// Septets of each character of ASCII; 0 where it is not in the alphabet. Nearly all that is shown is ASCII.
const ASCII_COST: [u8; 128] = ascii_cost();

const fn ascii_cost() -> [u8; 128] {
    let mut cost = [0; 128];
    let mut code = 0_u8;
    while code < 128 {
        cost[code as usize] = match code {
            b'^' | b'{' | b'}' | b'\\' | b'[' | b'~' | b']' | b'|' | b'\x0c' => 2,
            // All of printable ASCII except the backtick.
            b'\n' | b'\r' | b' '..=b'_' | b'a'..=b'z' => 1,
            _ => 0,
        };
        code += 1;
    }
    cost
}

/// Whether this byte is a character that is written as it is: no control character, and in the alphabet.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && ASCII_COST.get(usize::from(byte)).is_some_and(|cost| *cost > 0)
}

/// Septets of one character, or `None` if it is not in the alphabet.
pub fn septet_cost(character: char) -> Option<usize> {
    if character.is_ascii() {
        let cost = ASCII_COST[character as usize];
        return (cost > 0).then_some(cost.into());
    }
    match character {
        '€' => Some(2),
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
    if text.is_ascii() {
        return text
            .bytes()
            .map(|byte| usize::from(ASCII_COST[usize::from(byte)].max(1)))
            .sum();
    }
    text.chars().map(|character| septet_cost(character).unwrap_or(1)).sum()
}

/// Converts any text to the alphabet, on one line: control characters and line breaks become spaces.
pub fn fold(text: &str) -> String {
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut folded = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        fold_one(character, &mut characters, &mut folded);
    }
    folded
}

/// Converts a text of several lines and keeps its line breaks. For our own texts, never for names.
pub fn fold_lines(text: &str) -> String {
    if text.bytes().all(|byte| byte == b'\n' || is_plain(byte)) {
        return text.trim_end_matches('\n').to_owned();
    }
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
    if !folded.starts_with(' ') && !folded.ends_with(' ') && !folded.contains("  ") {
        return truncate(&folded, max_septets);
    }
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
mod tests;
