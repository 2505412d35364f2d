//! The meaning of a reply.
//!
//! A submission has reached a bank, or may have. Mono answers with a response code, and only that code decides: for failures
//! it is not documented which HTTP status goes with which code. Without a code there are few other explicit answers: a grant
//! in a reply that reports success (v1 commit), a body that reports failure, and the statuses by which an API says that it
//! did not even try. Everything else is unknown, including every 5xx and every page of a proxy.
//!
//! | reply | meaning |
//! |---|---|
//! | 99 with a code | done |
//! | 99 without a code | renewal: done, with nothing to exchange; else unknown |
//! | 101, 102 | continue: with what came, or by the documented defaults where details are missing (position in the list; `otp`, or `answer` to a question) |
//! | 101 or 102 that a keypad cannot do | unsupported: it is an answer, and nothing of it is unknown |
//! | 400 | login: refused (wrong details or bank down: Mono has one code for both); code: wrong code; choice: the session must have ended, because the choice was the bank's own |
//! | any other code | failed: as 400 if the body says failed, else unsupported; logged |
//! | HTTP 429 | rate limited, nothing was tried |
//! | HTTP 401, 402, 403, as JSON whose message speaks of what the person has typed at this step | as 400 |
//! | HTTP 401, 402, 403 otherwise, empty or JSON | misconfigured (key, add-on, funds) |
//! | HTTP 404, empty or JSON | the session is unknown: it has ended |
//! | `status` failed, or HTTP 400, as JSON without a code | as 400 |
//! | anything else | unknown |
//!
//! The reply for an ended session is not documented. Besides a 404, a 400 or 401 without a response code counts as one if its
//! message mentions an ended session; at the login not if it mentions what a person logs in with, for that is a refusal. A
//! response code takes precedence over a message.
//!
//! Whose credentials a 401 without a code means is not documented either. The key has opened the session a moment before, so
//! a message that names what people log in with means the person's; "credentials" alone do, unless a key, an application, a
//! plan or funds are mentioned beside them. A fault of the key is told by the next session that cannot be opened.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::warn;

use super::later_form::later_form;
use super::lenient::{LenientList, LenientNumber, LenientObject, ReplyMessage, ReplyStatus};
use super::{MonoApiVersion, map, wire};
use crate::core::next_step::{Failure, FailureClass, Grant, NextStep};
use crate::core::secret::Secret;
use crate::http_client::OutboundResponse;
use crate::providers::{ProviderError, SessionKind, SubmissionStep, SubmitError};

/// Some proxies put it before a body.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What must be known of a submission to interpret its reply.
#[derive(Clone, Copy)]
pub struct SubmissionContext {
    pub dialect: MonoApiVersion,
    pub step: SubmissionStep,
    pub kind: SessionKind,
    pub exchange_reauth_code: bool,
}

/// The outcome of a submission.
///
/// # Errors
/// When the reply is neither a success nor a refusal.
pub fn next_step(answer: &OutboundResponse, context: SubmissionContext) -> Result<NextStep, SubmitError> {
    let Some(mut head) = head(answer) else {
        return without_body(answer);
    };
    let grant = head.data.0.as_mut().and_then(|data| data.code.take());
    let grant = grant.filter(|code| !code.expose().is_empty());
    match code(&head) {
        Some(99) => done(grant, context),
        Some(101) => choose(answer, context.dialect),
        Some(102) => prompt(answer),
        Some(_) if status(answer, &head) == 429 => failed(FailureClass::Busy, answer.retry_after),
        Some(400) => failed(failure_of_step(context.step), None),
        Some(other) => {
            warn!(code = other, step = ?context.step, "Mono answered with a response code that is not documented");
            match status(answer, &head) {
                500.. => Err(SubmitError::Unknown("a server error")),
                _ if is_failed(&head) => failed(failure_of_step(context.step), None),
                _ => failed(FailureClass::Unsupported, None),
            }
        }
        None => without_code(answer, &head, grant, context),
    }
}

/// The outcome of a body without a response code.
fn without_code(
    answer: &OutboundResponse,
    head: &wire::ReplyHead,
    grant: Option<Secret>,
    context: SubmissionContext,
) -> Result<NextStep, SubmitError> {
    // At the login they decide, whatever else is mentioned: a bank has looked at them.
    let credentials = context.step == SubmissionStep::Login && head.message.credentials;
    match status(answer, head) {
        429 => failed(FailureClass::Busy, answer.retry_after),
        200..=299 if !is_failed(head) => match grant {
            Some(grant) => done(Some(grant), context),
            None => Err(SubmitError::Unknown("an answer that says nothing")),
        },
        200..=299 | 400 | 404 if credentials => failed(FailureClass::Refused, None),
        401 if credentials && head.message.ended_session => failed(FailureClass::Refused, None),
        401..=403 if blames_person(head.message, context.step) => failed(failure_of_step(context.step), None),
        200..=299 | 400 | 401 if head.message.ended_session => failed(FailureClass::SessionExpired, None),
        200..=299 | 400 => failed(failure_of_step(context.step), None),
        401..=403 => failed(FailureClass::Misconfigured, None),
        404 => failed(FailureClass::SessionExpired, None),
        // A conflict or timeout means that something else may be under way.
        status @ (408 | 409 | 425) => Err(unknown(status)),
        405..=499 if is_failed(head) => failed(failure_of_step(context.step), None),
        status => Err(unknown(status)),
    }
}

/// Whether a message speaks of what a person has typed at this step, and not of our key.
fn blames_person(message: ReplyMessage, step: SubmissionStep) -> bool {
    let ambiguous = message.only_by_that_word && message.application;
    match step {
        SubmissionStep::Login => message.credentials && !ambiguous,
        SubmissionStep::Code if message.ended_session => false,
        SubmissionStep::Code => (message.credentials && !ambiguous) || (message.one_time && !message.application),
        SubmissionStep::Choose => false,
    }
}

/// The outcome of a reply that is not a JSON object. Some statuses are documented to come without a body; a page that is not
/// Mono's means nothing, except that a rate limiter in front rejected us.
fn without_body(answer: &OutboundResponse) -> Result<NextStep, SubmitError> {
    let empty = is_blank(answer);
    match answer.status {
        429 => failed(FailureClass::Busy, answer.retry_after),
        401..=403 if empty => failed(FailureClass::Misconfigured, None),
        404 if empty => failed(FailureClass::SessionExpired, None),
        200..=299 => Err(SubmitError::Unknown("an answer that is not understood")),
        status => Err(unknown(status)),
    }
}

fn is_blank(answer: &OutboundResponse) -> bool {
    answer.body.iter().all(u8::is_ascii_whitespace)
}

fn unknown(status: u16) -> SubmitError {
    SubmitError::Unknown(match status {
        300..=399 => "a redirect, which is not followed",
        500.. => "a server error",
        _ => "a status that says neither yes nor no",
    })
}

/// The end of a renewal is published with a code; whether that is exchanged is not. So the renewal is done by what was said,
/// as where a session is opened: without a code there is only nothing to exchange. A link has no account without one, and is
/// looked for.
fn done(grant: Option<Secret>, context: SubmissionContext) -> Result<NextStep, SubmitError> {
    let renewed = context.kind == SessionKind::Reauth;
    match grant.filter(|_| !renewed || context.exchange_reauth_code) {
        Some(code) => Ok(NextStep::Done(Grant(code))),
        None if renewed => Ok(NextStep::Done(Grant(Secret::new("")))),
        None => Err(SubmitError::Unknown("done without a code")),
    }
}

/// It may come with the code alone, or with accounts that nobody could tell apart: then it cannot be done here.
fn choose(answer: &OutboundResponse, dialect: MonoApiVersion) -> Result<NextStep, SubmitError> {
    let list = parse::<LenientList<Value>>(answer).and_then(|LenientList(list)| list);
    let accounts = map::account_choices(&list.unwrap_or_default(), dialect);
    if accounts.is_empty() {
        return failed(FailureClass::Unsupported, None);
    }
    Ok(NextStep::ChooseAccounts {
        accounts,
        many: false,
        more: None,
    })
}

fn prompt(answer: &OutboundResponse) -> Result<NextStep, SubmitError> {
    let form = later_form(&parse(answer).unwrap_or_default());
    if !form.fits_keypad() {
        return failed(FailureClass::Unsupported, None);
    }
    Ok(NextStep::Prompt(form))
}

/// What a refusal means at each step.
fn failure_of_step(step: SubmissionStep) -> FailureClass {
    match step {
        SubmissionStep::Login => FailureClass::Refused,
        SubmissionStep::Code => FailureClass::WrongCode,
        SubmissionStep::Choose => FailureClass::SessionExpired,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "reads as what it is: the whole answer")]
fn failed(class: FailureClass, retry_after: Option<Duration>) -> Result<NextStep, SubmitError> {
    Ok(NextStep::Failed(Failure {
        retry_after,
        ..class.into()
    }))
}

/// Checks that a repeatable call succeeded; returns the head of its body.
///
/// # Errors
/// When it did not succeed.
pub fn check_accepted(answer: &OutboundResponse) -> Result<Option<wire::ReplyHead>, ProviderError> {
    let head = head(answer);
    let status = head.as_ref().map_or(answer.status, |head| status(answer, head));
    match status {
        200..=299 => {}
        404 if head.is_none() && !is_blank(answer) => {
            return Err(ProviderError::Unavailable("a page that is not the provider's", None));
        }
        404 => return Err(ProviderError::NotFound),
        429 => return Err(ProviderError::RateLimited(answer.retry_after)),
        401..=403 => return Err(ProviderError::Refused("the key, the plan or its funds")),
        300..=399 => return Err(ProviderError::Malformed("a redirect, which is not followed")),
        408 | 409 | 425 => return Err(ProviderError::Unavailable("try later", answer.retry_after)),
        500.. => return Err(ProviderError::Unavailable("a server error", answer.retry_after)),
        _ => return Err(ProviderError::Refused("the request")),
    }
    match &head {
        Some(head) if is_failed(head) || code(head) == Some(400) => Err(ProviderError::Refused("the request")),
        _ => Ok(head),
    }
}

/// The body of a successful call.
///
/// # Errors
/// When the call failed, or its body is not the expected JSON.
pub fn body<T: DeserializeOwned>(answer: &OutboundResponse) -> Result<T, ProviderError> {
    check_accepted(answer)?;
    parse(answer).ok_or(ProviderError::Malformed("not the JSON that was asked for"))
}

fn head(answer: &OutboundResponse) -> Option<wire::ReplyHead> {
    parse::<LenientObject<wire::ReplyHead>>(answer)?.0
}

/// The parser bounds the depth of the body, the client its size.
fn parse<T: DeserializeOwned>(answer: &OutboundResponse) -> Option<T> {
    let body = answer.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&answer.body);
    serde_json::from_slice(body).ok()
}

/// The response code, at either of its places.
pub fn code(head: &wire::ReplyHead) -> Option<i64> {
    head.response_code
        .or_else(|| head.data.0.as_ref()?.response_code)
        .map(|LenientNumber(code)| code)
}

/// The HTTP status, or the status in a v1 body if the HTTP status is a success.
fn status(answer: &OutboundResponse, head: &wire::ReplyHead) -> u16 {
    match head.status {
        Some(ReplyStatus::Http(number)) if (200..300).contains(&answer.status) => number,
        _ => answer.status,
    }
}

fn is_failed(head: &wire::ReplyHead) -> bool {
    match head.status {
        Some(ReplyStatus::Failed) => true,
        Some(ReplyStatus::Http(number)) => number >= 400,
        _ => false,
    }
}
