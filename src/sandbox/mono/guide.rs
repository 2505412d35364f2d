//! The table of magic words, for the phone page and `docs/SANDBOX.md`.

use serde::Serialize;

use super::scenario::{ANSWERS, Challenge, LoginEnd, LoginScenario, MAGIC_WORDS, OTP, WRONG_SECRETS};
use super::switches::MonoFailure;

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
    /// Mono's response codes and other events, in order.
    pub path: String,
    pub what_happens: &'static str,
}

pub fn guide() -> Vec<GuideRow> {
    let names = MAGIC_WORDS.iter().map(|word| GuideRow {
        place: InputPlace::Name,
        typed: word.letters,
        digits: word.digits,
        path: describe(&word.scenario),
        what_happens: word.description,
    });
    let answers = [
        GuideRow {
            place: InputPlace::Secret,
            typed: WRONG_SECRETS[0],
            digits: WRONG_SECRETS[1],
            path: "400".to_owned(),
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

fn describe(scenario: &LoginScenario) -> String {
    let mut steps: Vec<String> = Vec::new();
    for challenge in scenario.challenges.iter().take(3) {
        steps.push(if *challenge == Challenge::Choose { "101" } else { "102" }.to_owned());
    }
    if scenario.challenges.len() > 3 {
        steps.push("…".to_owned());
    }
    let end = match scenario.end {
        LoginEnd::Granted => "99",
        LoginEnd::GrantedStale => "99, exchange refused",
        LoginEnd::Refused(_) => "400",
        LoginEnd::Expired => "session over",
        LoginEnd::Strange => "103",
    };
    steps.push(match scenario.trouble {
        Some(MonoFailure::Slow(ms)) => format!("{end} after {} s", ms / 1000),
        Some(MonoFailure::Hang) => "no answer".to_owned(),
        Some(MonoFailure::Reset) => format!("{end}, connection reset"),
        Some(MonoFailure::Busy) => "HTTP 429".to_owned(),
        Some(MonoFailure::Error) => "HTTP 500".to_owned(),
        Some(MonoFailure::Unavailable) => "HTTP 503".to_owned(),
        Some(MonoFailure::Html) => format!("{end}, HTTP 502 and HTML"),
        Some(MonoFailure::Garbage) => format!("{end}, cut off"),
        None => end.to_owned(),
    });
    steps.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// People read the guide: the path that it describes must be the real one.
    #[test]
    fn the_guide_describes_the_path() {
        for (typed, path) in [
            ("one", "99"),
            ("many-otp", "101 → 102 → 99"),
            ("slow", "99 after 20 s"),
            ("endless", "102 → 102 → 102 → … → 99"),
            ("html", "99, HTTP 502 and HTML"),
            ("otp-expire", "102 → session over"),
        ] {
            let row = guide()
                .into_iter()
                .find(|row| row.typed == typed && row.place == InputPlace::Name);
            assert_eq!(row.map(|row| row.path).as_deref(), Some(path), "{typed}");
        }
    }
}
