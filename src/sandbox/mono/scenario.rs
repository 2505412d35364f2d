//! The magic words, which a person types to choose what happens, as data.
//!
//! A word is typed instead of the user name: into the first field of the bank's form that is not secret (or the first field,
//! if all are). Each word has an alias of digits only, for a phone without letters. Only what is before an `@` counts, so a
//! word also fits banks that ask for an e-mail address. A word that is not in the table means one account and no questions,
//! and every password is right except the [`WRONG_SECRETS`].
//!
//! The stand-in looks words up in the same table that the [guide](super::guide()) shows, so the two cannot drift apart.

use super::switches::{DataStatus, MonoFailure, WebhookMode};

/// The one-time code that is right everywhere.
pub const OTP: &str = "123456";
/// The answer to the security question, in letters and as typed on a keypad.
pub const ANSWERS: [&str; 2] = ["dog", "364"];
/// Passwords and PINs that are wrong.
pub const WRONG_SECRETS: [&str; 2] = ["wrong", "0000"];

/// A question of the bank before the login is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// 102: a one-time code, [`OTP`].
    Otp,
    /// 102: a security question, [`ANSWERS`].
    Question,
    /// 102: the digits in a picture, which a keypad phone cannot show.
    Picture,
    /// 101: which of several accounts.
    Choose,
}

/// Why a bank refuses. Mono's code is 400 for all of them; only the message differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    Wrong,
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
    pub challenges: &'static [Challenge],
    pub end: LoginEnd,
    /// The failure of the submission that ends it.
    pub trouble: Option<MonoFailure>,
    /// When its webhooks come; `None` for the switches' mode.
    pub webhooks: Option<WebhookMode>,
    /// What happens to its data; `None` for the switches' status.
    pub data: Option<DataStatus>,
}

pub const PLAIN_LOGIN: LoginScenario = LoginScenario {
    challenges: &[],
    end: LoginEnd::Granted,
    trouble: None,
    webhooks: None,
    data: None,
};

pub(super) struct MagicWord {
    pub letters: &'static str,
    pub digits: &'static str,
    pub scenario: LoginScenario,
    pub description: &'static str,
}

const fn challenges(
    letters: &'static str,
    digits: &'static str,
    challenges: &'static [Challenge],
    says: &'static str,
) -> MagicWord {
    MagicWord {
        letters,
        digits,
        scenario: LoginScenario {
            challenges,
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

const fn ends(letters: &'static str, digits: &'static str, end: LoginEnd, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        scenario: LoginScenario { end, ..PLAIN_LOGIN },
        description: says,
    }
}

const fn troubled(letters: &'static str, digits: &'static str, trouble: MonoFailure, says: &'static str) -> MagicWord {
    MagicWord {
        letters,
        digits,
        scenario: LoginScenario {
            trouble: Some(trouble),
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

const fn with_webhooks(
    letters: &'static str,
    digits: &'static str,
    webhooks: WebhookMode,
    says: &'static str,
) -> MagicWord {
    MagicWord {
        letters,
        digits,
        scenario: LoginScenario {
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
        scenario: LoginScenario {
            data: Some(data),
            ..PLAIN_LOGIN
        },
        description: says,
    }
}

pub(super) const MAGIC_WORDS: &[MagicWord] = &[
    challenges(
        "one",
        "99",
        &[],
        "one account, nothing asked; so does anything that is not in this table",
    ),
    challenges("many", "101", &[Challenge::Choose], "three accounts to choose from"),
    challenges("otp", "102", &[Challenge::Otp], "a one-time code is asked"),
    challenges(
        "question",
        "1023",
        &[Challenge::Question],
        "a security question is asked",
    ),
    challenges(
        "otp-many",
        "1021",
        &[Challenge::Otp, Challenge::Choose],
        "a one-time code, then three accounts",
    ),
    challenges(
        "many-otp",
        "1012",
        &[Challenge::Choose, Challenge::Otp],
        "three accounts, then a one-time code",
    ),
    challenges(
        "otp-otp",
        "1022",
        &[Challenge::Otp, Challenge::Otp],
        "two one-time codes, one after the other",
    ),
    challenges(
        "endless",
        "107",
        &[Challenge::Otp; 12],
        "one-time codes without end (twelve)",
    ),
    challenges(
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
        scenario: LoginScenario {
            challenges: &[Challenge::Otp],
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
        scenario: LoginScenario {
            challenges: &[Challenge::Otp],
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
    with_webhooks(
        "late",
        "71",
        WebhookMode::Late(30_000),
        "linked; webhooks come 30 seconds late",
    ),
    with_webhooks("twice", "72", WebhookMode::Twice, "linked; every webhook comes twice"),
    with_webhooks(
        "early",
        "73",
        WebhookMode::BeforeExchange,
        "linked; webhooks come before the code is exchanged",
    ),
    with_webhooks("silent", "74", WebhookMode::Missing, "linked; no webhook comes"),
    with_webhooks(
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

/// The scenario of a magic word or its digits.
pub fn find_scenario(typed: &str) -> Option<LoginScenario> {
    let typed = typed.trim().split('@').next().unwrap_or_default().to_ascii_lowercase();
    MAGIC_WORDS
        .iter()
        .find(|word| word.letters == typed || word.digits == typed)
        .map(|word| word.scenario)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A second row with the same word would be unreachable, and letters in an alias could not be typed.
    #[test]
    fn every_word_is_unique_and_every_alias_is_digits() {
        let mut seen = HashSet::new();
        for word in MAGIC_WORDS {
            assert!(seen.insert(word.letters), "{} stands twice", word.letters);
            assert!(seen.insert(word.digits), "{} stands twice", word.digits);
            assert!(word.digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", word.digits);
        }
    }

    /// Words also work at a bank that asks for an e-mail address.
    #[test]
    fn a_word_may_be_an_address() {
        assert_eq!(find_scenario(" OTP@example.ng "), find_scenario("102"));
        assert!(find_scenario("ada").is_none());
    }
}
