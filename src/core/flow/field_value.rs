//! What a typed line is as an answer to a field, or why it is none. Nothing is sent that the provider is known to refuse:
//! banks count wrong answers.

use regex::RegexBuilder;

use super::state::ScreenNotice;
use crate::core::gsm7;
use crate::core::next_step::{Field, FieldKind};
use crate::core::secret::Secret;

/// Longer than any answer a phone can type.
const MAX_ANSWER_LEN: u16 = 180;

/// The longest pattern that is held to, in bytes.
const MAX_PATTERN_LEN: usize = 200;

/// The most memory in bytes that a compiled pattern may take.
const MAX_PATTERN_SIZE: usize = 1 << 18;

/// Characters of the codes that banks send, fewest and most.
const CODE_LEN: (u16, u16) = (4, 8);

/// A secret of fewer characters is asked for once more before it is taken.
const SHORTEST_SECRET: usize = 4;

/// Keys of a phone, and what operators take before we see it: pressed to get on or away, never meant for a bank.
const PHONE_KEYS: [&str; 4] = ["00", "98", "#", "*"];

/// What an answer is for, besides what its field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerFor {
    /// A login.
    Login,
    /// A code that is good for once, at the login or after it.
    Code,
    /// Something else that the bank asks after the login.
    Question,
}

/// What may stand between day, month and year.
const BETWEEN_DATE_PARTS: [char; 4] = ['/', '.', '-', ' '];

/// The answer to give the provider. Letters and spaces of a secret are left as they are: altering a password would be a
/// wrong password.
///
/// # Errors
/// What to tell the person, who types it again.
pub(super) fn field_value(line: &Secret, field: &Field, answer_for: AnswerFor) -> Result<Secret, ScreenNotice> {
    let typed = line.expose();
    if PHONE_KEYS.contains(&Secret::new(gsm7::fold_digits(typed.trim())).expose()) {
        return Err(ScreenNotice::new("note-empty"));
    }
    let answer = match field.kind {
        _ if answer_for == AnswerFor::Code => typed_code(typed),
        FieldKind::Secret => Secret::new(typed),
        FieldKind::Digits => Secret::new(gsm7::fold_digits(typed.trim())),
        FieldKind::Date => typed_date(typed)?,
        _ => Secret::new(typed.trim()),
    };
    let length = answer.expose().chars().count();
    if length == 0 {
        return Err(ScreenNotice::new("note-empty"));
    }
    if field.kind == FieldKind::Digits && !answer.expose().chars().all(|c| c.is_ascii_digit()) {
        return Err(ScreenNotice::new("note-digits"));
    }
    // The lengths of a date are those of what the provider gets, which is always as long.
    let measured = field.kind != FieldKind::Date;
    if let Some(exact) = field
        .exact_len
        .filter(|&exact| measured && usize::from(exact) != length)
    {
        return Err(ScreenNotice::with_number("note-length", exact.into()));
    }
    if measured && length > usize::from(field.max_len.unwrap_or(MAX_ANSWER_LEN)) {
        return Err(ScreenNotice::new("note-too-long"));
    }
    if field
        .pattern
        .as_deref()
        .is_some_and(|pattern| breaks(pattern, answer.expose()))
    {
        return Err(ScreenNotice::new("note-pattern"));
    }
    match answer_for {
        AnswerFor::Code => may_be_code(answer.expose(), field)?,
        // A key that was pressed to get on. No bank lets anybody in with it, and each login that it refuses counts.
        AnswerFor::Login if measured && length == 1 && shortest_said(field) > 1 => {
            return Err(ScreenNotice::new("note-short"));
        }
        AnswerFor::Login | AnswerFor::Question => {}
    }
    Ok(answer)
}

/// Whether an answer is shorter than the secrets of banks are, where the provider does not say that they are so short.
pub(super) fn is_short_secret(answer: &Secret, field: &Field) -> bool {
    let shortest = usize::from(shortest_said(field)).min(SHORTEST_SECRET);
    field.kind == FieldKind::Secret && answer.expose().chars().count() < shortest
}

/// The fewest characters that an answer may have, as far as the provider says how many it has or may have.
fn shortest_said(field: &Field) -> u16 {
    field.exact_len.or(field.max_len).unwrap_or(u16::MAX)
}

/// A code without what people put between its digits, which an SMS often shows so.
fn typed_code(typed: &str) -> Secret {
    let typed = Secret::new(gsm7::fold_digits(typed));
    // Allocated at full length: a growing buffer leaves copies behind.
    let mut code = String::with_capacity(typed.expose().len());
    code.extend(typed.expose().chars().filter(|c| !c.is_whitespace() && *c != '-'));
    Secret::new(code)
}

/// Whether a text can be a code that a bank has sent. What the provider says of its codes goes before what is usual.
fn may_be_code(code: &str, field: &Field) -> Result<(), ScreenNotice> {
    if field.pattern.is_some() || field.exact_len.is_some() {
        return Ok(());
    }
    if !code.chars().all(char::is_alphanumeric) {
        return Err(ScreenNotice::new("note-letters"));
    }
    let (fewest, most) = CODE_LEN;
    let most = field.max_len.unwrap_or(most);
    let fits = (usize::from(fewest.min(most))..=usize::from(most)).contains(&code.chars().count());
    if fits {
        Ok(())
    } else {
        Err(ScreenNotice::new("note-code-length"))
    }
}

/// A day typed as `DDMMYYYY`, as the provider gets it: `YYYY-MM-DD`.
fn typed_date(typed: &str) -> Result<Secret, ScreenNotice> {
    let typed = gsm7::fold_digits(typed.trim());
    if typed.is_empty() {
        return Err(ScreenNotice::new("note-empty"));
    }
    let digits: String = typed.chars().filter(|c| !BETWEEN_DATE_PARTS.contains(c)).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    let parts = (number(0, 2), number(2, 4), number(4, 8));
    match parts {
        (Some(day), Some(month), Some(year))
            if digits.len() == 8
                && digits.bytes().all(|digit| digit.is_ascii_digit())
                && year > 0
                && (1..=days_in(month, year)).contains(&day) =>
        {
            Ok(Secret::new(format!("{year:04}-{month:02}-{day:02}")))
        }
        _ => Err(ScreenNotice::new("note-date")),
    }
}

/// How many days a month has; none where there is no such month.
fn days_in(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    }
}

/// Whether the whole answer is not what the provider's pattern wants. A pattern that cannot be used here, since it is
/// another dialect or too large, breaks nothing: the provider holds it.
fn breaks(pattern: &str, answer: &str) -> bool {
    let compiled = |pattern: &str| {
        RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_SIZE)
            .dfa_size_limit(MAX_PATTERN_SIZE)
            .build()
            .ok()
    };
    // By itself first: a bracket too many must not close the group around it.
    let usable = pattern.len() <= MAX_PATTERN_LEN && compiled(pattern).is_some();
    let whole = usable.then(|| compiled(&format!(r"\A(?:{pattern})\z"))).flatten();
    whole.is_some_and(|whole| !whole.is_match(answer))
}
