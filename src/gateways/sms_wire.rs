//! What the wire formats of the SMS gateways have in common.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::sms::{SmsCallback, SmsCallbackError, SmsSendError, SmsSettings};
use super::{ParseError, WireReply};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::sms::{SmsDeliveryState, SmsFailureReason};
use crate::core::sms_keywords::Keyword;
use crate::core::time::Timestamp;
use crate::http_client::{HttpClient, OutboundError, OutboundRequest, OutboundResponse};

/// The longest response is a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The longest message id that is accepted. Those seen are 36 bytes long.
pub(super) const MAX_ID_BYTES: usize = 128;
/// The longest phone number that is accepted, before it is parsed.
pub(super) const MAX_NUMBER_BYTES: usize = 64;
/// The longest text that is accepted: ten parts in three-byte characters.
pub(super) const MAX_TEXT_BYTES: usize = 4096;

pub(super) const NOT_THE_JSON: SmsCallbackError =
    SmsCallbackError::Malformed("the body is not the JSON of this gateway");

/// Sends a request on a new connection: with a pooled one that the other side had just closed, it would be unknown whether
/// the message was sent.
pub(super) async fn send(
    client: &HttpClient,
    settings: &SmsSettings,
    call: OutboundRequest,
) -> Result<OutboundResponse, SmsSendError> {
    let call = call
        .timeout(settings.timeout)
        .limit(MAX_ANSWER_BYTES)
        .on_fresh_connection();
    client.send(call).await.map_err(|error| match error {
        OutboundError::NotSent(why) => SmsSendError::NotSent(why, None),
        OutboundError::Unknown(why) => SmsSendError::Unknown(why),
    })
}

/// What an unsuccessful status means. Throttling and failed authentication happen before anything is sent; every other 4xx
/// rejects the request itself, which would be the same next time. With a 5xx the message may have been sent.
pub(super) fn error_from_status(answer: &OutboundResponse) -> SmsSendError {
    match answer.status {
        401 | 403 => SmsSendError::NotSent("the gateway does not know our key", answer.retry_after),
        429 => SmsSendError::NotSent("the gateway wants us to wait", answer.retry_after),
        400..=499 => SmsSendError::Refused(SmsFailureReason::Rejected),
        _ => SmsSendError::Unknown("the gateway failed"),
    }
}

/// Parses a successful response. If it is not understood, it is unknown whether the message was sent.
pub(super) fn parse_response<T: DeserializeOwned>(answer: &OutboundResponse) -> Result<T, SmsSendError> {
    serde_json::from_slice(&answer.body).map_err(|_| SmsSendError::Unknown("the answer is not understood"))
}

/// The JSON of a callback as text in which one bad byte spoils only what it stands in: what is not UTF-8 is read with
/// substitutes, see [`incoming_text`], and line ends and the like within texts are blanks.
pub(super) fn readable_json(body: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
    let text = text.trim_start_matches('\u{feff}');
    Zeroizing::new(text.replace(|c: char| c.is_ascii_control(), " "))
}

/// Text or a number, as text; nothing where it is something else. For what is read where it is there.
pub(super) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The number of a person, who a gateway may write without a plus, with 00, or as in their country.
pub(super) fn sender(number: &str, country: &str) -> Result<Msisdn, ParseError> {
    let plain = number.trim();
    let national = plain.starts_with(['+', '0']);
    let international = format!("+{plain}");
    Msisdn::parse(if national { plain } else { &international }, country)
        .or_else(|_| Msisdn::parse(plain, country))
        .map_err(|_| ParseError::Msisdn)
}

/// One entry of a callback: what was read, or that it cannot be.
pub(super) fn entry(read: Result<SmsCallback, ParseError>) -> SmsCallback {
    read.unwrap_or_else(|error| SmsCallback::Unreadable(error.reason()))
}

/// The text of an SMS from a person. Without a letter or a sign there is nothing to answer: a picture, or binary data. Of one
/// with signs that could not be read only an opt-out is heard: anything else might be a password, which would be altered.
pub(super) fn incoming_text(text: Secret) -> Result<Secret, ParseError> {
    match text.expose() {
        altered if altered.contains(char::REPLACEMENT_CHARACTER) && Keyword::recognize(altered).0 != Keyword::Stop => {
            Err(ParseError::Encoding)
        }
        long if long.len() > MAX_TEXT_BYTES => Err(ParseError::TooLong),
        blank if blank.trim().is_empty() => Err(ParseError::Field("text")),
        _ => Ok(text),
    }
}

/// What a word of a delivery report says that the gateway's own list does not have.
pub(super) enum ReportWord {
    State(SmsDeliveryState),
    /// It is under way, or nobody knows: nothing new.
    NothingNew,
    /// Not even that.
    Unknown,
}

/// What the words of failures have in common, by why.
const FAILED_WORDS: &[(&[&str], SmsFailureReason)] = &[
    (&["expire", "timeout"], SmsFailureReason::Expired),
    (
        &["reject", "block", "barred", "denied", "cancel", "spam"],
        SmsFailureReason::Rejected,
    ),
    (
        &["invalid", "nosuch", "unknownsubscriber", "doesnotexist"],
        SmsFailureReason::InvalidNumber,
    ),
    (
        &[
            "undeliv",
            "notdeliv",
            "fail",
            "absent",
            "unreach",
            "impossible",
            "noroute",
            "notrout",
            "unrout",
            "delete",
            "discard",
            "error",
        ],
        SmsFailureReason::Undelivered,
    ),
];

/// What the words of texts under way have in common.
const UNDER_WAY_WORDS: &[&str] = &[
    "accept",
    "queue",
    "pending",
    "submit",
    "buffer",
    "route",
    "schedul",
    "sending",
    "process",
    "progress",
    "wait",
    "retry",
    "receiv",
    "uncertain",
    "unknown",
    "partial",
    "notsupported",
];

/// Reads such a word by what the words of all gateways have in common.
pub(super) fn report_word(word: &str) -> ReportWord {
    use SmsDeliveryState::{Delivered, Failed, Sent};
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let word = word.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    if let Some((_, why)) = FAILED_WORDS.iter().find(|(parts, _)| has(parts)) {
        return ReportWord::State(Failed(*why));
    }
    if has(UNDER_WAY_WORDS) {
        return ReportWord::NothingNew;
    }
    match word.as_str() {
        _ if has(&["delivered", "delivrd"]) && has(&["network", "carrier", "operator", "smsc", "gateway"]) => {
            ReportWord::State(Sent)
        }
        _ if has(&["delivered", "delivrd"]) => ReportWord::State(Delivered),
        "read" | "seen" | "success" => ReportWord::State(Delivered),
        "sent" | "messagesent" => ReportWord::State(Sent),
        _ => ReportWord::Unknown,
    }
}

/// An id given by a gateway; it becomes a key.
pub(super) fn valid_id(text: &str) -> Option<String> {
    let clean = !text.trim().is_empty() && text.len() <= MAX_ID_BYTES && !text.chars().any(char::is_control);
    clean.then(|| text.to_owned())
}

/// As most gateways want a number.
pub(super) fn without_plus(msisdn: &Msisdn) -> &str {
    msisdn.as_str().trim_start_matches('+')
}

/// A time in one of these formats, with an offset, or without one, in UTC.
pub(super) fn parse_time(text: &str, forms: &[&str]) -> Option<Timestamp> {
    let read = |form: &&str| {
        let with_offset = DateTime::parse_from_str(text, form).map(|at| at.timestamp_millis());
        let plain = || NaiveDateTime::parse_from_str(text, form).map(|at| at.and_utc().timestamp_millis());
        with_offset.or_else(|_| plain()).ok()
    };
    forms.iter().find_map(read).map(Timestamp::from_millis)
}

/// Serializes the body of a send; it is wiped afterwards.
pub(super) fn json_body(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, SmsSendError> {
    let written = serde_json::to_vec(body).map(Zeroizing::new);
    written.map_err(|_| SmsSendError::NotSent("the request cannot be written", None))
}

/// The value of the `Authorization` header.
pub(super) fn basic_auth(name: &str, key: &Secret) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{name}:{}", key.expose()));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

pub(super) fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(digits).ok()?;
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

pub(super) fn empty_reply(status: u16) -> WireReply {
    WireReply {
        status,
        content_type: "text/plain; charset=utf-8",
        headers: Vec::new(),
        body: Vec::new(),
    }
}
