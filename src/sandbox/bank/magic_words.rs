//! The magic words, which a person types to choose what happens, as data.
//!
//! A word is typed instead of the user name: into the first field of the bank's form that is not secret (or the first field,
//! if all are). Each word has an alias of digits only, for a phone without letters. Only what is before an `@` counts, so a
//! word also fits banks that ask for an e-mail address. A word that is not in the table means one account and no questions,
//! and every password is right except the [`WRONG_SECRETS`].
//!
//! The stand-in looks words up in the same table that the [guide](super::guide::guide()) shows, so the two cannot drift apart.

use super::approvals::{ApprovalHabit, ApprovalWay};
use super::failures::BankFailure;
use super::scenario::{Challenge, LoginEnd, LoginScenario, PLAIN_LOGIN, RefusalReason};
use super::switches::{DataStatus, WebhookMode};

/// The one-time code that is right everywhere.
pub const OTP: &str = "123456";
/// The answer to the security question, in letters and as typed on a keypad.
pub const ANSWERS: [&str; 2] = ["dog", "364"];
/// Passwords and PINs that are wrong.
pub const WRONG_SECRETS: [&str; 2] = ["wrong", "0000"];

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

const fn troubled(letters: &'static str, digits: &'static str, trouble: BankFailure, says: &'static str) -> MagicWord {
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

const MAGIC_WORDS: &[MagicWord] = &[
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
    MagicWord {
        letters: "many-other",
        digits: "1019",
        scenario: LoginScenario {
            challenges: &[Challenge::Choose],
            mixed_up: true,
            ..PLAIN_LOGIN
        },
        description: "three accounts, and another comes back than the one that was chosen",
    },
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
    troubled("slow", "20", BankFailure::Slow(20_000), "linked after 20 seconds"),
    troubled("slower", "60", BankFailure::Slow(60_000), "linked after 60 seconds"),
    troubled(
        "hang",
        "408",
        BankFailure::Hang,
        "nothing happens and no answer ever comes",
    ),
    troubled(
        "reset",
        "104",
        BankFailure::Reset,
        "linked, but the connection breaks before the answer",
    ),
    MagicWord {
        letters: "otp-reset",
        digits: "1024",
        scenario: LoginScenario {
            challenges: &[Challenge::Otp],
            trouble: Some(BankFailure::Reset),
            ..PLAIN_LOGIN
        },
        description: "a one-time code is asked and right, but the connection breaks before the answer",
    },
    troubled(
        "busy",
        "429",
        BankFailure::Busy,
        "too many requests, come back in 30 seconds; nothing is done",
    ),
    troubled(
        "error",
        "500",
        BankFailure::Error,
        "the provider fails; nothing is done",
    ),
    troubled(
        "html",
        "502",
        BankFailure::Html,
        "linked, but a proxy answers with a web page",
    ),
    troubled(
        "unavailable",
        "503",
        BankFailure::Unavailable,
        "the provider is away; nothing is done",
    ),
    troubled(
        "garbage",
        "200",
        BankFailure::Garbage,
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

/// The words for a dialect that can send a person to the bank's page or app.
const APPROVAL_WORDS: &[MagicWord] = &[
    challenges(
        "app",
        "300",
        &[Challenge::Approve(ApprovalWay::App, ApprovalHabit::Undecided)],
        "the bank asks in its app, for five minutes",
    ),
    challenges(
        "app-yes",
        "301",
        &[Challenge::Approve(ApprovalWay::App, ApprovalHabit::Approves)],
        "the bank asks in its app, and the person approves after five seconds",
    ),
    challenges(
        "app-no",
        "302",
        &[Challenge::Approve(ApprovalWay::App, ApprovalHabit::Denies)],
        "the bank asks in its app, and the person denies after five seconds",
    ),
    challenges(
        "page",
        "303",
        &[Challenge::Approve(ApprovalWay::Browser, ApprovalHabit::Undecided)],
        "the bank asks on its page, for five minutes",
    ),
];

/// The words that a dialect knows, with or without those that lead to an approval.
pub(super) fn magic_words(approvals: bool) -> impl Iterator<Item = &'static MagicWord> {
    MAGIC_WORDS
        .iter()
        .chain(APPROVAL_WORDS.iter().filter(move |_| approvals))
}

/// The scenario of a magic word or its digits.
pub fn find_scenario(typed: &str, approvals: bool) -> Option<LoginScenario> {
    let typed = typed.trim().split('@').next().unwrap_or_default().to_ascii_lowercase();
    magic_words(approvals)
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
        for word in magic_words(true) {
            assert!(seen.insert(word.letters), "{} stands twice", word.letters);
            assert!(seen.insert(word.digits), "{} stands twice", word.digits);
            assert!(word.digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", word.digits);
        }
    }

    /// Words also work at a bank that asks for an e-mail address.
    #[test]
    fn a_word_may_be_an_address() {
        assert_eq!(find_scenario(" OTP@example.ng ", false), find_scenario("102", false));
        assert!(find_scenario("ada", true).is_none());
    }
}
