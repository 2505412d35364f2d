//! The table of magic words, for the phone page and `docs/SANDBOX.md`.

use serde::Serialize;

use super::dialect::Dialect;
use super::failures::BankFailure;
use super::magic_words::{ANSWERS, OTP, WRONG_SECRETS, magic_words};
use super::scenario::{Challenge, LoginEnd, LoginScenario};

/// What a dialect calls the events of a login, such as its response codes.
#[derive(Clone, Copy, Debug)]
pub struct GuidePath {
    pub asked: &'static str,
    pub choose: &'static str,
    pub approve: &'static str,
    pub granted: &'static str,
    pub refused: &'static str,
    /// Something nobody has heard of.
    pub strange: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputPlace {
    /// In the field for the user name, an account number or the like.
    Name,
    /// In the field for the password or PIN.
    Secret,
    /// In the answer to a question after the login.
    Code,
}

impl InputPlace {
    /// What a person would call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "user name",
            Self::Secret => "password",
            Self::Code => "code",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuideRow {
    pub place: InputPlace,
    pub typed: &'static str,
    pub digits: &'static str,
    /// The dialect's response codes and other events, in order.
    pub path: String,
    pub what_happens: &'static str,
}

pub fn guide<D: Dialect>(path: &GuidePath) -> Vec<GuideRow> {
    let names = magic_words(D::APPROVALS).map(|word| GuideRow {
        place: InputPlace::Name,
        typed: word.letters,
        digits: word.digits,
        path: describe(path, &word.scenario),
        what_happens: word.description,
    });
    let answers = [
        GuideRow {
            place: InputPlace::Secret,
            typed: WRONG_SECRETS[0],
            digits: WRONG_SECRETS[1],
            path: path.refused.to_owned(),
            what_happens: "a wrong password or PIN; every other is right",
        },
        GuideRow {
            place: InputPlace::Code,
            typed: OTP,
            digits: OTP,
            path: "as above".to_owned(),
            what_happens: "the right one-time code; every other is wrong",
        },
        GuideRow {
            place: InputPlace::Code,
            typed: ANSWERS[0],
            digits: ANSWERS[1],
            path: "as above".to_owned(),
            what_happens: "the right answer to the security question",
        },
    ];
    names.chain(answers).collect()
}

fn describe(path: &GuidePath, scenario: &LoginScenario) -> String {
    let mut steps: Vec<String> = Vec::new();
    for challenge in scenario.challenges.iter().take(3) {
        let step = match challenge {
            Challenge::Choose => path.choose,
            Challenge::Approve(..) => path.approve,
            Challenge::Otp | Challenge::Question | Challenge::Picture => path.asked,
        };
        steps.push(step.to_owned());
    }
    if scenario.challenges.len() > 3 {
        steps.push("…".to_owned());
    }
    let end = match scenario.end {
        LoginEnd::Granted => path.granted.to_owned(),
        LoginEnd::GrantedStale => format!("{}, exchange refused", path.granted),
        LoginEnd::Refused(_) => path.refused.to_owned(),
        LoginEnd::Expired => "session over".to_owned(),
        LoginEnd::Strange => path.strange.to_owned(),
    };
    steps.push(match scenario.trouble {
        Some(BankFailure::Slow(ms)) => format!("{end} after {} s", ms / 1000),
        Some(BankFailure::Hang) => "no answer".to_owned(),
        Some(BankFailure::Reset) => format!("{end}, connection reset"),
        Some(BankFailure::Busy) => "HTTP 429".to_owned(),
        Some(BankFailure::Error) => "HTTP 500".to_owned(),
        Some(BankFailure::Unavailable) => "HTTP 503".to_owned(),
        Some(BankFailure::Html) => format!("{end}, HTTP 502 and HTML"),
        Some(BankFailure::Garbage) => format!("{end}, cut off"),
        None => end,
    });
    steps.join(" → ")
}
