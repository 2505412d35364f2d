//! The table of what can be typed, for the phone page and for readers.

use serde::Serialize;

use super::scenario::{ANSWERS, Ask, End, OTP, Path, WORDS, WRONG_SECRETS};
use super::switches::Trouble;

/// Where something of the guide is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Where the bank asks for a user name, an account number or the like.
    Name,
    /// Where it asks for the password or PIN.
    Secret,
    /// Where it asks for a one-time code or an answer.
    Code,
}

impl Place {
    /// What a person would call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Name => "user name",
            Self::Secret => "password",
            Self::Code => "code",
        }
    }
}

/// One row of the guide to the stand-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Where it is typed.
    pub place: Place,
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
pub fn guide() -> Vec<Row> {
    let names = WORDS.iter().map(|word| Row {
        place: Place::Name,
        typed: word.letters,
        digits: word.digits,
        path: describe(&word.path),
        what_happens: word.says,
    });
    let answers = [
        Row {
            place: Place::Secret,
            typed: WRONG_SECRETS[0],
            digits: WRONG_SECRETS[1],
            path: "400".to_owned(),
            what_happens: "a wrong password or PIN; every other is right",
        },
        Row {
            place: Place::Code,
            typed: OTP,
            digits: OTP,
            path: "as above".to_owned(),
            what_happens: "the right one-time code; every other is wrong",
        },
        Row {
            place: Place::Code,
            typed: ANSWERS[0],
            digits: ANSWERS[1],
            path: "as above".to_owned(),
            what_happens: "the right answer to the security question",
        },
    ];
    names.chain(answers).collect()
}

fn describe(path: &Path) -> String {
    let mut steps: Vec<String> = Vec::new();
    for ask in path.asks.iter().take(3) {
        steps.push(if *ask == Ask::Choose { "101" } else { "102" }.to_owned());
    }
    if path.asks.len() > 3 {
        steps.push("…".to_owned());
    }
    let end = match path.end {
        End::Granted => "99",
        End::GrantedStale => "99, exchange refused",
        End::Refused(_) => "400",
        End::Expired => "session over",
        End::Strange => "103",
    };
    steps.push(match path.trouble {
        Some(Trouble::Slow(ms)) => format!("{end} after {} s", ms / 1000),
        Some(Trouble::Hang) => "no answer".to_owned(),
        Some(Trouble::Reset) => format!("{end}, connection reset"),
        Some(Trouble::Busy) => "HTTP 429".to_owned(),
        Some(Trouble::Error) => "HTTP 500".to_owned(),
        Some(Trouble::Unavailable) => "HTTP 503".to_owned(),
        Some(Trouble::Html) => format!("{end}, HTTP 502 and HTML"),
        Some(Trouble::Garbage) => format!("{end}, cut off"),
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
                .find(|row| row.typed == typed && row.place == Place::Name);
            assert_eq!(row.map(|row| row.path).as_deref(), Some(path), "{typed}");
        }
    }
}
