//! Parses JSON whose shape is not exactly known, without copying it into a tree.
//!
//! Sources disagree on where Mono puts things. The types here accept what they disagree on and nothing else, so that a truly
//! malformed reply is still an error, which means that the outcome is unknown.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDateTime};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::core::time::Timestamp;

/// An object, or `None` for anything else (`null`, an array, a string): for optional parts.
#[derive(Debug)]
pub struct LenientObject<T>(pub Option<T>);

impl<T> Default for LenientObject<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = LenientObject<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|it| LenientObject(Some(it)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientObject(None))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(LenientObject(None))
    }
}

/// A member that is left out where it is not what it should be.
pub fn optional<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

/// A response code decides what becomes of a login: one that is empty is not there, and anything else that is no number
/// makes the whole reply unreadable.
pub fn response_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LenientNumber>, D::Error> {
    let written = Value::deserialize(deserializer)?;
    if written.is_null() || written.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    LenientNumber::deserialize(written).map(Some).map_err(D::Error::custom)
}

/// A list at the top, under `data`, or under `data.accounts`. Entries that cannot be parsed are dropped one by one.
#[derive(Debug)]
pub struct LenientList<T>(pub Option<Vec<T>>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ListVisitor<T> {
    type Value = LenientList<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, bare or in an envelope")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        // One entry at a time: the list may be long and its entries large.
        while let Some(entry) = seq.next_element::<Value>()? {
            all.extend(T::deserialize(entry).ok());
        }
        Ok(LenientList(Some(all)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if matches!(key.as_str(), "data" | "accounts") {
                let LenientList(list) = map.next_value()?;
                if found.is_some() && list.is_some() {
                    return Err(A::Error::custom("two lists"));
                }
                found = found.or(list);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(LenientList(found))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(LenientList(None))
    }
}

/// Text, which may be written as a whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LenientText(pub String);

impl<'de> Deserialize<'de> for LenientText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = LenientText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a whole number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LenientText, E> {
                Ok(LenientText(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<LenientText, E> {
                Ok(LenientText(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<LenientText, E> {
                Ok(LenientText(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<LenientText, E> {
                if number.fract() == 0.0 && number.abs() < 1e15 {
                    Ok(LenientText(format!("{number:.0}")))
                } else {
                    Err(E::custom("not a whole number"))
                }
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A whole number, which may be written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LenientNumber(pub i64);

impl<'de> Deserialize<'de> for LenientNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let LenientText(text) = LenientText::deserialize(deserializer)?;
        let text = text.trim();
        let whole = text
            .split_once('.')
            .filter(|(_, part)| part.bytes().all(|digit| digit == b'0'));
        whole
            .map_or(text, |(whole, _)| whole)
            .parse()
            .map(Self)
            .map_err(|_| D::Error::custom("not a whole number"))
    }
}

/// The `status` of a reply: a word in v2, a number that mirrors an HTTP status in v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyStatus {
    /// `"successful"`.
    Successful,
    /// `"failed"`.
    Failed,
    /// 200, 400, 500…
    Http(u16),
    /// An undocumented word.
    Other,
}

impl<'de> Deserialize<'de> for ReplyStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(LenientText(text)) = LenientText::deserialize(Value::deserialize(deserializer)?) else {
            return Ok(Self::Other);
        };
        let word = text.trim().to_ascii_lowercase();
        Ok(match (word.as_str(), word.parse()) {
            ("successful" | "success", _) => Self::Successful,
            ("failed", _) => Self::Failed,
            (_, Ok(number)) => Self::Http(number),
            _ => Self::Other,
        })
    }
}

/// What a `message` mentions. The text itself is not kept: it may contain anything.
#[expect(clippy::struct_excessive_bools, reason = "a message may mention any of them")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyMessage {
    /// A session that has ended.
    pub ended_session: bool,
    /// What a person logs in with.
    pub credentials: bool,
    /// Credentials by that word alone, which may be anybody's.
    pub only_by_that_word: bool,
    /// A code that a person was sent, or an answer of theirs.
    pub one_time: bool,
    /// What an application has at Mono: a key, a plan, permissions, funds.
    pub application: bool,
}

/// Parts of what is said of a session that has ended.
const ENDED: &[&str] = &[
    "expire",
    "invalid",
    "not found",
    "unknown",
    "no longer",
    "does not exist",
];
/// Parts of what is said of what a person logs in with.
const TYPED: &[&str] = &[
    "password",
    "passcode",
    "username",
    "user name",
    "user id",
    "login details",
];
/// Words for what an application has.
const APPLICATION: &str = "key keys api app application business subscribe subscribed subscription addon add plan \
                           permission permissions wallet fund funds bearer";

impl<'de> Deserialize<'de> for ReplyMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Value::deserialize(deserializer)?
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        let mentions = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let has_word = |words: &str| {
            let mut said = text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty());
            said.any(|said| words.split_whitespace().any(|word| word == said))
        };
        let typed = mentions(TYPED) || has_word("pin mpin");
        let credential = text.contains("credential");
        Ok(Self {
            ended_session: text.contains("session") && mentions(ENDED),
            credentials: typed || credential,
            only_by_that_word: !typed && credential,
            one_time: mentions(&["one-time", "one time", "passcode"]) || has_word("otp code answer"),
            application: has_word(APPLICATION),
        })
    }
}

/// A moment in any spelling seen: ISO 8601, where no zone means UTC, or seconds or milliseconds since 1970.
pub fn moment(LenientText(text): &LenientText) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        // Milliseconds of before 1973 are seconds.
        let millis = if number.unsigned_abs() < 100_000_000_000 {
            number * 1000
        } else {
            number
        };
        return Some(Timestamp::from_millis(millis));
    }
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let at = zoned.map(|at| at.to_utc());
    let plain = |format| NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc());
    let at = at
        .or_else(|_| plain("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| plain("%Y-%m-%d %H:%M:%S%.f"));
    at.ok().map(|at| Timestamp::from_millis(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A moment is the same in every spelling, and what is none is none.
    #[test]
    fn moments_are_read_in_every_spelling() {
        for (written, want) in [
            (json!("2026-01-02T03:04:05.678Z"), Some(1_767_323_045_678)),
            (json!("2026-01-02T04:04:05.678+01:00"), Some(1_767_323_045_678)),
            (json!("2026-01-02T03:04:05.678+0000"), Some(1_767_323_045_678)),
            (json!("2026-01-02T03:04:05.678"), Some(1_767_323_045_678)),
            (json!("2026-01-02 03:04:05"), Some(1_767_323_045_000)),
            (json!(1_767_323_045_678_i64), Some(1_767_323_045_678)),
            (json!("1767323045678"), Some(1_767_323_045_678)),
            (json!(1_767_323_045), Some(1_767_323_045_000)),
            (json!(1_767_323_045.0), Some(1_767_323_045_000)),
            (json!("yesterday"), None),
            (json!(""), None),
        ] {
            let text = LenientText::deserialize(&written).unwrap();
            assert_eq!(moment(&text), want.map(Timestamp::from_millis), "{written}");
        }
    }

    /// One number is the same number in every spelling.
    #[test]
    fn whole_numbers_are_read_in_every_spelling() {
        for (written, want) in [
            (json!(101), Some(101)),
            (json!(101.0), Some(101)),
            (json!("101"), Some(101)),
            (json!("101.0"), Some(101)),
            (json!(101.5), None),
            (json!("6 digits"), None),
            (json!(""), None),
            (json!([101]), None),
        ] {
            let read = LenientNumber::deserialize(&written).ok();
            assert_eq!(read, want.map(LenientNumber), "{written}");
        }
    }
}
