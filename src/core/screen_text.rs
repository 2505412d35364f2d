//! Texts that others write and people read on a phone: a partner's purpose, and names.
//!
//! A text is judged by what is left of it after folding, because that is what people read: a purpose of invisible signs is
//! blank, and one that is read as two sentences is two sentences. What is kept is the folded text, so that the consent in the
//! records is what stood on the screen.
//!
//! A partner's words stand between quotation marks on the screen. They may neither end these nor begin a sentence of their
//! own, nor name somebody else, or they would be read as ours, or as another partner's.

use super::gsm7;

/// The most characters of a business's name that fit on a phone's screen beside the rest of the consent.
pub const MAX_PARTNER_NAME: usize = 30;
/// Of a purpose.
pub const MAX_PURPOSE: usize = 40;
/// Of a telephone number to call for help.
pub const MAX_CONTACT: usize = 20;
/// The shortest number that people are told to call.
const MIN_CONTACT_DIGITS: usize = 3;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenTextFault {
    /// Nothing that can be read is left of it.
    Blank,
    /// Longer than this many characters, or septets once folded.
    TooLong(usize),
    ControlCharacters,
    /// It has a sign that ends a sentence, so that a second one could follow.
    Sentence,
    /// It has a number as long as those of phones and accounts: somebody could pay it, or text it.
    Number,
    /// It speaks of a PIN, a password or the like, as if it asked for one.
    AsksForSecret,
    /// It is no telephone number.
    NotTelephone,
}

impl ScreenTextFault {
    /// A stable word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::TooLong(_) => "too_long",
            Self::ControlCharacters => "control_characters",
            Self::Sentence => "sentence",
            Self::Number => "number",
            Self::AsksForSecret => "asks_for_secret",
            Self::NotTelephone => "not_telephone",
        }
    }

    /// The end of a sentence about a text that has it.
    pub fn problem(self) -> String {
        match self {
            Self::Blank => "is blank: nothing of it can be read on a phone".to_owned(),
            Self::TooLong(most) => format!("is longer than {most} characters, too long for a phone's screen"),
            Self::ControlCharacters => "has control characters".to_owned(),
            Self::Sentence => {
                "has the end of a sentence in it; a second one could be read as somebody else's".to_owned()
            }
            Self::Number => "has a number as long as those of phones and accounts".to_owned(),
            Self::AsksForSecret => "speaks of a PIN, a password or a code, as if it asked for one".to_owned(),
            Self::NotTelephone => "is no telephone number".to_owned(),
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> String {
        match self {
            Self::Blank => "say something that can be read on a phone".to_owned(),
            Self::TooLong(most) => format!("{most} characters at most, for it stands on a phone's screen"),
            Self::ControlCharacters => "leave out control characters".to_owned(),
            Self::Sentence => "a few words, not sentences: leave out . ! ? : and ;".to_owned(),
            Self::Number => format!(
                "leave out numbers of {LONG_NUMBER} digits and more: they are read as numbers to pay or to text"
            ),
            Self::AsksForSecret => "leave out PINs, passwords and codes: a purpose asks for none".to_owned(),
            Self::NotTelephone => format!(
                "a number that people can call, such as 0700 123 4567: digits, blanks, hyphens and a plus, at most {MAX_CONTACT}"
            ),
        }
    }
}

/// What people read of a text, on one line.
pub fn readable(text: &str) -> String {
    gsm7::clean_name(text, usize::MAX)
}

/// Whether people can read nothing of it.
pub fn is_blank(text: &str) -> bool {
    !readable(text).chars().any(char::is_alphanumeric)
}

/// Checks a name that people read. It is kept as it was written, since ids follow from names.
///
/// # Errors
/// With what is wrong.
pub fn check_name(text: &str, most: usize) -> Result<(), ScreenTextFault> {
    if is_blank(text) {
        Err(ScreenTextFault::Blank)
    } else if text.trim().chars().count() > most {
        Err(ScreenTextFault::TooLong(most))
    } else if text.chars().any(char::is_control) {
        Err(ScreenTextFault::ControlCharacters)
    } else {
        Ok(())
    }
}

/// A business's name as people know it.
///
/// # Errors
/// With what is wrong.
pub fn partner_name(text: &str) -> Result<String, ScreenTextFault> {
    check_name(text, MAX_PARTNER_NAME)?;
    Ok(text.trim().to_owned())
}

/// A purpose as people read it between quotation marks.
///
/// # Errors
/// With what is wrong.
pub fn purpose(text: &str) -> Result<String, ScreenTextFault> {
    check_name(text, MAX_PURPOSE)?;
    let read = readable(text).replace('"', "'");
    if gsm7::folded_septets(&read) > MAX_PURPOSE {
        Err(ScreenTextFault::TooLong(MAX_PURPOSE))
    } else if read.contains(['.', '!', '?', ':', ';', '¡', '¿']) {
        Err(ScreenTextFault::Sentence)
    } else {
        check_demands(&read)?;
        Ok(read)
    }
}

/// A telephone number that people can call for help, as they read it. Nothing else: what stands there is done.
///
/// # Errors
/// With what is wrong.
pub fn contact(text: &str) -> Result<String, ScreenTextFault> {
    let text = text.trim();
    let inner = text.strip_prefix('+').unwrap_or(text);
    let digits = inner.bytes().filter(u8::is_ascii_digit).count();
    let plain = inner
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    if plain && digits >= MIN_CONTACT_DIGITS && text.len() <= MAX_CONTACT {
        Ok(text.to_owned())
    } else {
        Err(ScreenTextFault::NotTelephone)
    }
}

/// From so many digits on a number may be a phone's or an account's.
const LONG_NUMBER: usize = 7;
/// What a person is asked for who is to be robbed, as [`words`] reads it.
const SECRETS: &[&str] = &[
    "pin",
    "pins",
    "password",
    "passwords",
    "passcode",
    "passcodes",
    "passwd",
    "otp",
    "otps",
    "cvv",
    "cvc",
];

/// A purpose neither names a number to pay or to text, nor speaks of secrets.
fn check_demands(text: &str) -> Result<(), ScreenTextFault> {
    let mut digits = 0;
    for character in readable(text).chars() {
        if character.is_ascii_digit() {
            digits += 1;
        } else if character.is_alphabetic() {
            digits = 0;
        }
        if digits >= LONG_NUMBER {
            return Err(ScreenTextFault::Number);
        }
    }
    let asks = SECRETS.iter().any(|secret| names(text, secret));
    if asks {
        Err(ScreenTextFault::AsksForSecret)
    } else {
        Ok(())
    }
}

/// Whether people read two names as one.
pub fn is_same_name(one: &str, other: &str) -> bool {
    words(one).concat() == words(other).concat()
}

/// The fewest letters and digits of a name that is also found within words. Shorter ones stand within other words by chance.
const UNSPACED: usize = 8;

/// Whether a text is read as naming this business, however it is spelt: in other letters that look the same, in capitals,
/// with signs or blanks between its words or letters, or without any.
pub fn names(text: &str, business: &str) -> bool {
    let (text, business) = (words(text), words(business).concat());
    if business.is_empty() {
        return false;
    }
    let spelt = |from: usize| {
        let mut joined = String::new();
        text[from..].iter().any(|word| {
            joined.push_str(word);
            joined == business
        })
    };
    (0..text.len()).any(spelt) || (business.chars().count() >= UNSPACED && text.concat().contains(&business))
}

/// Its words as they are read, in small letters, with digits that stand for letters read as these.
fn words(text: &str) -> Vec<String> {
    let letters: String = readable(text)
        .chars()
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            '0' => 'o',
            '1' | 'i' | '|' | '!' => 'l',
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            other => other,
        })
        .collect();
    let words = letters.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people are told to call is a number and nothing else: no words that ask for something, no USSD code.
    #[test]
    fn a_contact_is_a_telephone_number() {
        for good in ["0700 123 4567", "+234 1-234 5678", " 112 ", "07001234567"] {
            assert_eq!(contact(good).as_deref(), Ok(good.trim()), "{good}");
        }
        for bad in [
            "",
            "12",
            "+",
            "text 0700 1234567",
            "*737*1#",
            "0700\n123",
            "07001234567 07001234568",
            "12+345",
            "call us",
        ] {
            assert_eq!(contact(bad), Err(ScreenTextFault::NotTelephone), "{bad:?}");
        }
    }

    /// A text of which nothing can be read is blank, whatever signs it is made of.
    #[test]
    fn what_cannot_be_read_is_blank() {
        for blank in [
            "",
            "   ",
            "\u{200b}\u{200b}",
            "\u{200f}\u{200e}",
            "\u{202e}\u{2066}",
            "\u{2800}\u{2800}",
            "\u{3164}",
            "\u{115f}\u{1160}\u{ffa0}",
            "\u{17b4}\u{17b5}",
            "\u{ad}\u{34f}\u{61c}\u{180e}\u{2060}\u{feff}",
            "\u{e0001}\u{e0041}",
            "\u{fe0f}\u{200d}",
            "😀🎉💸",
            "\u{301}\u{302}",
            "- - -",
            "...",
            "\"\"",
            "\u{10ffff}\u{e000}",
        ] {
            assert!(is_blank(blank), "{blank:?} is read as {:?}", readable(blank));
            assert_eq!(purpose(blank), Err(ScreenTextFault::Blank), "{blank:?}");
            assert_eq!(check_name(blank, 40), Err(ScreenTextFault::Blank), "{blank:?}");
        }
    }

    /// What is kept is what is read: without what cannot be seen, between one pair of quotation marks, in one piece.
    #[test]
    fn a_purpose_is_kept_as_it_is_read() {
        for (written, kept) in [
            ("loan decisions", Ok("loan decisions")),
            ("  loan \u{200b}decisions 🎉 ", Ok("loan decisions")),
            ("your “first” loan", Ok("your 'first' loan")),
            ("ọrẹ & ẹbi", Ok("ore & ebi")),
            ("5% loans (up to 3)", Ok("5% loans (up to 3)")),
            ("FREE CASH. Umoja Credit asks you", Err(ScreenTextFault::Sentence)),
            ("free cash。umoja asks", Err(ScreenTextFault::Sentence)),
            ("free cash… agree", Err(ScreenTextFault::Sentence)),
            ("agree！", Err(ScreenTextFault::Sentence)),
            ("Umoja Credit: agree", Err(ScreenTextFault::Sentence)),
            ("a\nb", Err(ScreenTextFault::ControlCharacters)),
            ("pay 5000 to 0123456789", Err(ScreenTextFault::Number)),
            ("pay 0803 123-4567", Err(ScreenTextFault::Number)),
            ("call (080) 31/23 45", Err(ScreenTextFault::Number)),
            (
                "pay \u{ff10}\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}",
                Err(ScreenTextFault::Number),
            ),
            ("loans of 5000 to 9000", Ok("loans of 5000 to 9000")),
            ("text your PIN", Err(ScreenTextFault::AsksForSecret)),
            ("your P.I.N", Err(ScreenTextFault::Sentence)),
            ("your P I N", Err(ScreenTextFault::AsksForSecret)),
            ("say your p@ssw0rd", Err(ScreenTextFault::AsksForSecret)),
            ("an OTP", Err(ScreenTextFault::AsksForSecret)),
            ("shopping", Ok("shopping")),
            (
                "123456789012345678901234567890123456789 1",
                Err(ScreenTextFault::TooLong(40)),
            ),
            // Each of these signs costs more than one character on the screen.
            ("₦₦₦₦₦₦₦₦₦₦₦₦₦₦ loans", Err(ScreenTextFault::TooLong(40))),
        ] {
            assert_eq!(purpose(written), kept.map(str::to_owned), "{written:?}");
        }
    }

    /// Two names that people cannot tell apart are one, in whatever letters, and others are not.
    #[test]
    fn names_are_told_apart_as_people_do() {
        for (one, other, same) in [
            ("Sandbox Lender", "S\u{430}ndbox Lender", true),
            ("Sandbox Lender", "sandbox  lender", true),
            ("Sandbox Lender", "Sandbox Lender\u{200b}", true),
            ("Sandbox Lender", "Sandbox-Lender.", true),
            ("Sandbox Lender", "Sandb0x Lender", true),
            ("Sandbox Lender", "Sandbox Lender Lagos", false),
            ("Partner 1", "Partner 10", false),
        ] {
            assert_eq!(is_same_name(one, other), same, "{one:?} and {other:?}");
            assert_eq!(is_same_name(other, one), same, "{other:?} and {one:?}");
        }
    }

    /// Somebody else is named however they are spelt; a word that only holds their letters does not name them.
    #[test]
    fn others_are_recognised() {
        for (text, business, named) in [
            ("a loan by Umoja Credit", "Umoja Credit", true),
            ("a loan by UMOJA-CREDIT", "Umoja Credit", true),
            ("umojacredit loans", "Umoja Credit", true),
            ("U m o j a C r e d i t", "Umoja Credit", true),
            ("Um0ja Cred1t loans", "Umoja Credit", true),
            ("Umoj\u{430} Credit", "Umoja Credit", true),
            ("Umoja\u{200b} Credit", "Umoja Credit", true),
            ("credit for umoja", "Umoja Credit", false),
            ("dukaan supplies", "Duka", false),
            ("duka supplies", "Duka", true),
            ("loan decisions", "\u{200b}", false),
            // Short ones, with and without blanks and signs.
            ("PalmPay loans", "Palm Pay", true),
            ("a loan by Palm-Pay", "PalmPay", true),
            ("MPESA float", "M-Pesa", true),
            ("m pesa float", "MPesa", true),
            ("Z e n i t h loans", "Zenith", true),
            ("school fees", "Ol Fees", false),
            ("zenithal maps", "Zenith", false),
        ] {
            assert_eq!(names(text, business), named, "{text:?} and {business:?}");
        }
    }
}
