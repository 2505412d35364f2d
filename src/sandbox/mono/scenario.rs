//! The words a person types to choose what happens, as data.
//!
//! A word goes where the user name goes: into the first field of the bank's form that is not secret (or simply the
//! first, where all are). Each has an alias of digits only, for a phone without letters. What stands before an `@`
//! counts, so that a word fits banks that want an e-mail address. Whatever is not in the table is one account and no
//! questions, and every password is right except those under [`WRONG_SECRETS`].
//!
//! The stand-in looks words up in the same table that the [guide](super::guide()) shows, so the page and the behaviour cannot drift apart.

use super::switches::{DataStatus, MonoFailure, WebhookMode};

/// The one-time code that is right everywhere.
pub const OTP: &str = "123456";
/// The answer to the security question, in letters and as typed on a keypad.
pub const ANSWERS: [&str; 2] = ["dog", "364"];
/// Passwords and PINs that are wrong.
pub const WRONG_SECRETS: [&str; 2] = ["wrong", "0000"];

/// Something the bank wants before the login is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// 102: a one-time code, [`OTP`].
    Otp,
    /// 102: a security question, [`ANSWERS`].
    Question,
    /// 102: the digits in a picture; nothing a keypad phone can show.
    Picture,
    /// 101: which of several accounts.
    Choose,
}

/// Why a bank says no; Mono's code is 400 for all of them and only the message differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// Wrong details.
    Wrong,
    /// The bank is not there.
    Down,
    /// The bank wants to see the person first.
    Locked,
}

/// How a login ends once everything asked is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginEnd {
    /// 99, with a code.
    Granted,
    /// 99, with a code that is past its time.
    GrantedStale,
    /// 400.
    Refused(RefusalReason),
    /// The session turns out to be over.
    Expired,
    /// A response code nobody has heard of.
    Strange,
}

/// What happens to one login, from first submission to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginScenario {
    /// What is asked, in order.
    pub asks: &'static [Challenge],
    /// How it ends.
    pub end: LoginEnd,
    /// What goes wrong with the submission that ends it.
    pub trouble: Option<MonoFailure>,
    /// When its webhooks come, if not as switched.
    pub webhooks: Option<WebhookMode>,
    /// What becomes of its data, if not as switched.
    pub data: Option<DataStatus>,
}

/// One account, no questions.
pub const PLAIN_LOGIN: LoginScenario = LoginScenario {
    asks: &[],
    end: LoginEnd::Granted,
    trouble: None,
    webhooks: None,
    data: None,
};

/// One row of the table.
pub(super) struct MagicWord {
    pub letters: &'static str,
    pub digits: &'static str,
    pub path: LoginScenario,
    pub description: &'static str,
}

const fn asks(
    letters: &'static str,
    digits: &'static str,
    asks: &'static [Challenge],
    says: &'static str,
) -> MagicWord {
    MagicWord {
        letters,
        digits,
        path: LoginScenario { asks, ..PLAIN_LOGIN },
        description: says,
    }
}

const fn ends(letters: &'static str, digits: &'static str, end: LoginEnd, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        path: LoginScenario { end, ..PLAIN_LOGIN },
        description: says,
    }
}

const fn troubled(letters: &'static str, digits: &'static str, trouble: MonoFailure, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        path: LoginScenario {
            trouble: Some(trouble),
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

const fn hooked(letters: &'static str, digits: &'static str, webhooks: WebhookMode, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        path: LoginScenario {
            webhooks: Some(webhooks),
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

const fn with_data(letters: &'static str, digits: &'static str, data: DataStatus, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        path: LoginScenario {
            data: Some(data),
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

/// The table.
pub(super) const MAGIC_WORDS: &[MagicWord] = &[
    asks(
        "one",
        "99",
        &[],
        "one account, nothing asked; so does anything that is not in this table",
    ),
    asks("many", "101", &[Challenge::Choose], "three accounts to choose from"),
    asks("otp", "102", &[Challenge::Otp], "a one-time code is asked"),
    asks(
        "question",
        "1023",
        &[Challenge::Question],
        "a security question is asked",
    ),
    asks(
        "otp-many",
        "1021",
        &[Challenge::Otp, Challenge::Choose],
        "a one-time code, then three accounts",
    ),
    asks(
        "many-otp",
        "1012",
        &[Challenge::Choose, Challenge::Otp],
        "three accounts, then a one-time code",
    ),
    asks(
        "otp-otp",
        "1022",
        &[Challenge::Otp, Challenge::Otp],
        "two one-time codes, one after the other",
    ),
    asks(
        "endless",
        "107",
        &[Challenge::Otp; 12],
        "one-time codes without end (twelve)",
    ),
    asks(
        "picture",
        "105",
        &[Challenge::Picture],
        "a picture to read: cannot be done by keypad",
    ),
    ends(
        "wrong",
        "400",
        LoginEnd::Refused(RefusalReason::Wrong),
        "the bank says the details are wrong",
    ),
    ends(
        "down",
        "4000",
        LoginEnd::Refused(RefusalReason::Down),
        "the bank cannot be reached; the same response code as wrong details",
    ),
    ends(
        "locked",
        "4001",
        LoginEnd::Refused(RefusalReason::Locked),
        "the bank wants to see the person first",
    ),
    ends(
        "strange",
        "103",
        LoginEnd::Strange,
        "a response code nobody has heard of",
    ),
    ends("expire", "410", LoginEnd::Expired, "the provider's session is over"),
    ends(
        "stale",
        "108",
        LoginEnd::GrantedStale,
        "linked, but the code to exchange is already too old",
    ),
    MagicWord {
        letters: "otp-expire",
        digits: "1025",
        path: LoginScenario {
            asks: &[Challenge::Otp],
            end: LoginEnd::Expired,
            ..PLAIN_LOGIN
        },
        description: "a one-time code is asked, then the provider's session is over",
    },
    troubled("slow", "20", MonoFailure::Slow(20_000), "linked after 20 seconds"),
    troubled("slower", "60", MonoFailure::Slow(60_000), "linked after 60 seconds"),
    troubled(
        "hang",
        "408",
        MonoFailure::Hang,
        "nothing happens and no answer ever comes",
    ),
    troubled(
        "reset",
        "104",
        MonoFailure::Reset,
        "linked, but the connection breaks before the answer",
    ),
    MagicWord {
        letters: "otp-reset",
        digits: "1024",
        path: LoginScenario {
            asks: &[Challenge::Otp],
            trouble: Some(MonoFailure::Reset),
            ..PLAIN_LOGIN
        },
        description: "a one-time code is asked and right, but the connection breaks before the answer",
    },
    troubled(
        "busy",
        "429",
        MonoFailure::Busy,
        "too many requests, come back in 30 seconds; nothing is done",
    ),
    troubled(
        "error",
        "500",
        MonoFailure::Error,
        "the provider fails; nothing is done",
    ),
    troubled(
        "html",
        "502",
        MonoFailure::Html,
        "linked, but a proxy answers with a web page",
    ),
    troubled(
        "unavailable",
        "503",
        MonoFailure::Unavailable,
        "the provider is away; nothing is done",
    ),
    troubled(
        "garbage",
        "200",
        MonoFailure::Garbage,
        "linked, but the answer is cut off",
    ),
    hooked(
        "late",
        "71",
        WebhookMode::Late(30_000),
        "linked; webhooks come 30 seconds late",
    ),
    hooked("twice", "72", WebhookMode::Twice, "linked; every webhook comes twice"),
    hooked(
        "early",
        "73",
        WebhookMode::BeforeExchange,
        "linked; webhooks come before the code is exchanged",
    ),
    hooked("silent", "74", WebhookMode::Missing, "linked; no webhook comes"),
    hooked(
        "disorder",
        "75",
        WebhookMode::OutOfOrder,
        "linked; webhooks come in the wrong order",
    ),
    with_data(
        "partial",
        "81",
        DataStatus::Partial,
        "linked; the data are there in part",
    ),
    with_data(
        "no-data",
        "82",
        DataStatus::Unavailable,
        "linked; the bank gives no data",
    ),
    with_data(
        "data-failed",
        "83",
        DataStatus::Failed,
        "linked; fetching the data fails",
    ),
];

/// The path for a word or its digits, if it is one.
pub fn find_scenario(typed: &str) -> Option<LoginScenario> {
    let typed = typed.trim().split('@').next().unwrap_or_default().to_ascii_lowercase();
    MAGIC_WORDS
        .iter()
        .find(|word| word.letters == typed || word.digits == typed)
        .map(|word| word.path)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Two rows with one word would make the second unreachable, and letters in an alias could not be typed.
    #[test]
    fn every_word_is_unique_and_every_alias_is_digits() {
        let mut seen = HashSet::new();
        for word in MAGIC_WORDS {
            assert!(seen.insert(word.letters), "{} stands twice", word.letters);
            assert!(seen.insert(word.digits), "{} stands twice", word.digits);
            assert!(word.digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", word.digits);
        }
    }

    /// A bank that wants an e-mail address must not shut the words out.
    #[test]
    fn a_word_may_be_an_address() {
        assert_eq!(find_scenario(" OTP@example.ng "), find_scenario("102"));
        assert!(find_scenario("ada").is_none());
    }
}
