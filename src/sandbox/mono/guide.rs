//! The table of what can be typed, for the phone page and for readers.

use serde::Serialize;

use super::scenario::{ANSWERS, Challenge, LoginEnd, LoginScenario, MAGIC_WORDS, OTP, WRONG_SECRETS};
use super::switches::MonoFailure;

/// Where something of the guide is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputPlace {
    /// Where the bank asks for a user name, an account number or the like.
    Name,
    /// Where it asks for the password or PIN.
    Secret,
    /// Where it asks for a one-time code or an answer.
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

/// One row of the guide to the stand-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuideRow {
    /// Where it is typed.
    pub place: InputPlace,
    /// What to type with letters.
    pub typed: &'static str,
    /// What to type with digits only.
    pub digits: &'static str,
    /// Mono's response codes and whatever else comes, in order.
    pub path: String,
    /// What happens, in words.
    pub what_happens: &'static str,
}

/// Everything that can be typed to choose what happens.
pub fn guide() -> Vec<GuideRow> {
    let names = MAGIC_WORDS.iter().map(|word| GuideRow {
        place: InputPlace::Name,
        typed: word.letters,
        digits: word.digits,
        path: describe(&word.path),
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

fn describe(path: &LoginScenario) -> String {
    let mut steps: Vec<String> = Vec::new();
    for ask in path.asks.iter().take(3) {
        steps.push(if *ask == Challenge::Choose { "101" } else { "102" }.to_owned());
    }
    if path.asks.len() > 3 {
        steps.push("…".to_owned());
    }
    let end = match path.end {
        LoginEnd::Granted => "99",
        LoginEnd::GrantedStale => "99, exchange refused",
        LoginEnd::Refused(_) => "400",
        LoginEnd::Expired => "session over",
        LoginEnd::Strange => "103",
    };
    steps.push(match path.trouble {
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

    /// The guide is read by people: what it calls the path must be the path.
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
