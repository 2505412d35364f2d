//! What can happen to a conversation, drawn by chance.

use std::time::Duration;

use proptest::prelude::*;

use super::fixtures::{code_form, failed, link};
use crate::core::flow::{AccountList, AttemptResult, Waiting, WaitingFor};
use crate::core::messages::Locale;
use crate::core::next_step::{AccountChoice, Failure, FailureClass, LinkPurpose};
use crate::core::time::Timestamp;

/// Something that happens.
#[derive(Clone, Debug)]
pub enum RandomEvent {
    Dial(Vec<String>),
    Type(String),
    /// A line that is found nowhere else, so that it can be looked for.
    Canary,
    Repeat,
    Mismatch,
    Older(u8),
    Passes(u64),
    Sent,
    Result(u8, bool),
    Opened(u8, u8),
    /// The provider was asked for more accounts.
    MoreAccounts(u8),
    Unlinked,
    /// How Zenith, or with `false` everything, looks from now on.
    Looks(bool, u8),
    Poll(bool),
    Close,
    Language(usize),
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[0-9]",
        2 => prop_oneof!["zen", "first", "pol", "[0-9]{2,6}", "123456"],
        1 => "[a-zA-Z ]{1,20}",
        1 => any::<String>(),
        1 => prop_oneof![Just("😀🇳🇬".to_owned()), Just("\u{0}\u{1b}[2J\r\n".to_owned()), Just("１２".to_owned())],
        1 => Just("9".repeat(500)),
        1 => "[*#0-9a-z]{1,12}",
    ]
}

/// Anything, in the shares in which it leads furthest.
pub fn random_event() -> impl Strategy<Value = RandomEvent> {
    prop_oneof![
        4 => prop::collection::vec("[0-9x]", 0..3).prop_map(RandomEvent::Dial),
        16 => typed().prop_map(RandomEvent::Type),
        14 => Just(RandomEvent::Canary),
        2 => Just(RandomEvent::Repeat),
        1 => Just(RandomEvent::Mismatch),
        1 => any::<u8>().prop_map(RandomEvent::Older),
        4 => prop_oneof![0_u64..10, 60_u64..100, 300_u64..1_200, Just(90_000)].prop_map(RandomEvent::Passes),
        5 => Just(RandomEvent::Sent),
        14 => (0_u8..25, prop::bool::weighted(0.9)).prop_map(|(result, right)| RandomEvent::Result(result, right)),
        6 => (any::<u8>(), 0_u8..14).prop_map(|(which, result)| RandomEvent::Opened(which, result)),
        2 => (0_u8..4).prop_map(RandomEvent::MoreAccounts),
        1 => Just(RandomEvent::Unlinked),
        2 => (prop::bool::weighted(0.8), 0_u8..6).prop_map(|(one, how)| RandomEvent::Looks(one, how)),
        4 => any::<bool>().prop_map(RandomEvent::Poll),
        1 => Just(RandomEvent::Close),
        1 => (0_usize..Locale::ALL.len()).prop_map(RandomEvent::Language),
    ]
}

/// Accounts to choose from, with more to be had where several may be chosen.
pub fn account_list(count: u8, many: bool) -> AccountList {
    let account = |n: u8| AccountChoice {
        key: format!("key-{n}"),
        masked: "4321".to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    };
    AccountList {
        accounts: (1..=count).map(account).collect(),
        many,
        more: many.then(|| "more".to_owned()),
    }
}

/// One of the things that go on without the phone.
pub fn some_wait(which: u8, now: Timestamp) -> Waiting {
    let what = match which {
        0 => WaitingFor::Page(LinkPurpose::LogIn),
        1 => WaitingFor::Page(LinkPurpose::Approve),
        2 => WaitingFor::Approval {
            message: Some("Approve\n2 Pay".to_owned()),
            binding: Some("4711".to_owned()),
        },
        _ => WaitingFor::Time,
    };
    Waiting {
        what,
        until: now.plus(Duration::from_mins(10)),
    }
}

/// One of the things that can become of an attempt.
pub fn attempt_result(which: u8, now: Timestamp) -> AttemptResult {
    match which {
        0 | 1 => AttemptResult::Prompt(code_form()),
        2 => AttemptResult::ChooseAccount(account_list(2, false)),
        3 => AttemptResult::Granted,
        4 => AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")),
        5 | 6 => failed(FailureClass::Refused),
        7 | 8 => failed(FailureClass::WrongCode),
        9 => failed(FailureClass::SessionExpired),
        10 => AttemptResult::NotSent,
        11 => AttemptResult::Unknown,
        12 => AttemptResult::Lapsed,
        13 => AttemptResult::RequestEnded,
        14 => AttemptResult::Mismatched,
        15 => AttemptResult::ChooseAccount(account_list(3, true)),
        16..=19 => AttemptResult::Waiting(some_wait(which - 16, now)),
        20 => failed(FailureClass::Denied),
        21 => AttemptResult::Failed(Failure {
            message: Some("Visit\n1 Pay".to_owned()),
            ..FailureClass::ActAtBank.into()
        }),
        22 => failed(FailureClass::PasswordExpired),
        23 => AttemptResult::OtherAccount,
        _ => failed(FailureClass::Busy),
    }
}
