//! Journeys as plain text: what a person does with the phone, and what the phone must show.
//!
//! There is one step per line and one journey per file (`tests/simulator/*.phone`). A script says what a person sees and
//! presses, never how the server works, so anybody who can use a phone can write one.
//!
//! ```text
//! # A trader links her account.            A comment; empty lines are ignored.
//! note     First try, everything goes well Written to the transcript.
//! number   +2348030000001                  The SIM: number, network code and the channel's service code.
//! network  62130                           All three keep their value until changed, and have defaults.
//! code     *384*96#
//!
//! dial                                     Dials the service code.
//! dial     *384*96*1#                      Dials this; what follows the code is the first text.
//! press    1                               Keys of the phone: digits, * and #.
//! type     ada@example.com                 Any text; not shown in the transcript.
//! expect   CON Choose your bank            The screen waits for an answer and contains the text.
//! expect   END                             The dialog is over.
//! expect   Linked                          Either, and contains the text.
//! expect-not  password                     The text is nowhere on the screen.
//! poll     1 until Linked within 60s       Presses 1 again and again until the screen contains the text.
//! cancel                                   Hangs up.
//! redial                                   Dials the last code again, in a new session.
//!
//! sms      LINK                            Sends an SMS to the short code; the transcript only says that one was sent.
//! expect-sms  Agree?                       Waits, a minute at most, for a new SMS that contains this.
//! sms      {number}                        Sends the number of six digits in the last expected SMS.
//! dial     {code}                          Dials the code in that SMS.
//! wait     10m                             Advances the sandbox's clock: s, m or h, up to a day.
//! ```
//!
//! Texts are compared exactly, including upper and lower case. A text that begins or ends with a space, or with the word CON
//! or END, needs double quotes (`expect "END of list"`). The default of `within` is 60 seconds; `poll` accepts CON or END like
//! `expect`, and fails at once when the dialog ends without its text.
//!
//! In addition, every screen must be in the gateway's dialect, arrive before its deadline, cost no more septets than the
//! network carries and contain only characters that every phone shows; and every expected SMS must fit into one part.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneScript {
    pub name: String,
    /// In order, each with its line number from 1.
    pub steps: Vec<(usize, ScriptStep)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptStep {
    Note(String),
    /// The number that calls, E.164 with `+`.
    Number(String),
    Network(String),
    Code(String),
    /// The service code, if `None`.
    Dial(Option<String>),
    Press(String),
    /// Text that the transcript does not show.
    Type(String),
    Expect(ExpectedScreen),
    /// The screen must not hold this.
    ExpectNot(String),
    Cancel,
    Redial,
    Sms(String),
    /// Sends the number of six digits in the last expected SMS.
    SmsNumber,
    /// Dials the code in the last expected SMS.
    DialCode,
    ExpectSms(String),
    Wait(Duration),
    /// Presses a key until the screen is as expected.
    Poll {
        key: String,
        until: ExpectedScreen,
        within: Duration,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedScreen {
    /// `Some(true)` when the dialog must be over, `Some(false)` when it must not.
    pub end: Option<bool>,
    /// What the screen must contain; may be empty.
    pub text: String,
}

/// A line that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}; {fix}")]
pub struct ScriptError {
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    pub problem: String,
    pub fix: String,
}

/// The default of `poll`'s `within`.
const POLL_WITHIN: Duration = Duration::from_mins(1);

type Wrong = (String, &'static str);

/// Reads a script; `name` is the file's name for messages.
///
/// # Errors
/// At the first line that cannot be parsed, or when there are no steps.
pub fn parse(name: &str, source: &str) -> Result<PhoneScript, ScriptError> {
    let error = |line, (problem, fix): Wrong| ScriptError {
        file: name.to_owned(),
        line,
        problem,
        fix: fix.to_owned(),
    };
    let mut steps = Vec::new();
    for (index, line) in source.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        steps.push((number, step(line).map_err(|wrong| error(number, wrong))?));
    }
    let begins = |step: &ScriptStep| matches!(step, ScriptStep::Dial(_) | ScriptStep::Sms(_));
    if !steps.iter().any(|(_, step)| begins(step)) {
        return Err(error(1, ("nothing is dialled".to_owned(), "add a line: dial *384*96#")));
    }
    Ok(PhoneScript {
        name: name.to_owned(),
        steps,
    })
}

fn step(line: &str) -> Result<ScriptStep, Wrong> {
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match verb {
        "note" => Ok(ScriptStep::Note(rest.to_owned())),
        "number" => number(rest).map(ScriptStep::Number),
        "network" => network(rest).map(ScriptStep::Network),
        "code" => code(rest).map(ScriptStep::Code),
        "dial" if rest.is_empty() => Ok(ScriptStep::Dial(None)),
        "dial" if rest == "{code}" => Ok(ScriptStep::DialCode),
        "sms" if rest == "{number}" => Ok(ScriptStep::SmsNumber),
        "sms" => some(
            unquote(rest)?,
            "sms what? a text must follow",
            "write for example: sms LINK",
        )
        .map(ScriptStep::Sms),
        "expect-sms" => some(
            unquote(rest)?,
            "expect-sms what? a text must follow",
            "write for example: expect-sms Choose your bank",
        )
        .map(ScriptStep::ExpectSms),
        "wait" => wait(rest).map(ScriptStep::Wait),
        "dial" => code(rest).map(|code| ScriptStep::Dial(Some(code))),
        "press" => keys(rest).map(ScriptStep::Press),
        "type" => some(
            unquote(rest)?,
            "type what? a text must follow",
            "write for example: type kuda",
        )
        .map(ScriptStep::Type),
        "expect" => expected(rest).map(ScriptStep::Expect),
        "expect-not" => some(
            unquote(rest)?,
            "expect-not what? a text must follow",
            "write for example: expect-not password",
        )
        .map(ScriptStep::ExpectNot),
        "cancel" => bare(rest, ScriptStep::Cancel),
        "redial" => bare(rest, ScriptStep::Redial),
        "poll" => poll(rest),
        other => Err((format!("\"{other}\" is not a verb"), fix_verb(other))),
    }
}

fn fix_verb(verb: &str) -> &'static str {
    match verb {
        "until" => "write: poll 1 until TEXT within 60s",
        "text" => "write: sms TEXT",
        "enter" | "send" | "reply" | "input" => {
            "write: press 1 for keys, type TEXT for words, sms TEXT for a text message"
        }
        "see" | "assert" => "write: expect TEXT",
        "hangup" | "end" => "write: cancel",
        _ => {
            "the verbs are: number network code dial press type expect expect-not cancel redial poll sms expect-sms wait \
             note; a comment begins with #"
        }
    }
}

fn number(rest: &str) -> Result<String, Wrong> {
    let digits = rest.strip_prefix('+').unwrap_or_default();
    if (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(rest.to_owned())
    } else {
        Err((
            "that is not a number in international form".to_owned(),
            "write for example: number +2348030000001",
        ))
    }
}

fn network(rest: &str) -> Result<String, Wrong> {
    if (5..=6).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit()) {
        Ok(rest.to_owned())
    } else {
        Err((
            format!("\"{rest}\" is not a network code"),
            "write for example: network 62130 (MTN Nigeria)",
        ))
    }
}

fn code(rest: &str) -> Result<String, Wrong> {
    let inner = rest
        .strip_prefix('*')
        .and_then(|r| r.strip_suffix('#'))
        .unwrap_or_default();
    if !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit() || b == b'*') {
        Ok(rest.to_owned())
    } else {
        Err((
            format!("\"{rest}\" is not a code that can be dialled"),
            "write it from * to #, for example: *384*96#",
        ))
    }
}

fn keys(rest: &str) -> Result<String, Wrong> {
    if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#') {
        Ok(rest.to_owned())
    } else {
        Err((
            format!("\"{rest}\" cannot be pressed"),
            "press takes 0-9, * and #; for other text write: type TEXT",
        ))
    }
}

fn bare(rest: &str, step: ScriptStep) -> Result<ScriptStep, Wrong> {
    if rest.is_empty() {
        Ok(step)
    } else {
        Err((format!("\"{rest}\" is too much here"), "write the verb alone"))
    }
}

fn some(text: String, problem: &str, fix: &'static str) -> Result<String, Wrong> {
    if text.is_empty() {
        Err((problem.to_owned(), fix))
    } else {
        Ok(text)
    }
}

/// The text between double quotes, or the text as it is.
fn unquote(rest: &str) -> Result<String, Wrong> {
    match rest.strip_prefix('"') {
        None => Ok(rest.to_owned()),
        Some(open) => match open.strip_suffix('"') {
            Some(inner) => Ok(inner.to_owned()),
            None => Err((
                "a quotation has no end".to_owned(),
                "close it with \" at the end of the line",
            )),
        },
    }
}

fn expected(rest: &str) -> Result<ExpectedScreen, Wrong> {
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (end, text) = match first {
        "CON" => (Some(false), after.trim()),
        "END" => (Some(true), after.trim()),
        _ => (None, rest),
    };
    let text = unquote(text)?;
    if end.is_none() && text.is_empty() {
        return Err((
            "expect what? CON, END or a text must follow".to_owned(),
            "write for example: expect END Linked",
        ));
    }
    Ok(ExpectedScreen { end, text })
}

fn poll(rest: &str) -> Result<ScriptStep, Wrong> {
    const FIX: &str = "write: poll 1 until TEXT within 60s";
    let (key, rest) = rest
        .split_once(" until ")
        .ok_or_else(|| ("poll needs a key and a text".to_owned(), FIX))?;
    let (text, within) = match rest.rsplit_once(" within ") {
        Some((text, time)) => (
            text,
            seconds(time.trim()).ok_or_else(|| (format!("\"{time}\" is not a time"), FIX))?,
        ),
        None => (rest, POLL_WITHIN),
    };
    Ok(ScriptStep::Poll {
        key: keys(key.trim())?,
        until: expected(text.trim())?,
        within,
    })
}

/// The longest wait: connect sessions live for a day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

fn wait(rest: &str) -> Result<Duration, Wrong> {
    let (number, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let unit = match unit.trim() {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        _ => None,
    };
    let seconds = unit
        .zip(number.parse().ok())
        .and_then(|(unit, n): (u64, u64)| n.checked_mul(unit));
    let time = seconds.map(Duration::from_secs);
    time.filter(|time| !time.is_zero() && *time <= LONGEST_WAIT)
        .ok_or_else(|| {
            (
                format!("\"{rest}\" is not a time of up to a day"),
                "write for example: wait 10m",
            )
        })
}

fn seconds(time: &str) -> Option<Duration> {
    let seconds: u64 = time.strip_suffix('s')?.trim().parse().ok()?;
    (1..=600).contains(&seconds).then(|| Duration::from_secs(seconds))
}
