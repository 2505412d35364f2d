//! JSON in which no object has a member twice.
//!
//! Of two members with one name some readers take the first and some the last (RFC 8259 section 4), so a text that was
//! checked by one of them may say something else to the next. Such a text is refused, wherever in it the name is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// It is not JSON.
    Malformed,
    /// A member is there twice; where, as a JSON pointer (RFC 6901).
    Duplicate(String),
}

/// Reads a whole text.
///
/// # Errors
/// When it is not JSON, or has a member twice.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let mut path = JsonPath::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = StrictValue(&mut path).deserialize(&mut reader);
    let whole = value.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|_| path.duplicate.map_or(JsonError::Malformed, JsonError::Duplicate))
}

/// A member or an index as a segment of a JSON pointer.
pub fn pointer_segment(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Where the reader is.
#[derive(Default)]
struct JsonPath {
    segments: Vec<String>,
    /// Where a member came for the second time.
    duplicate: Option<String>,
}

impl JsonPath {
    fn pointer(&self) -> String {
        self.segments.iter().map(|member| pointer_segment(member)).collect()
    }
}

struct StrictValue<'a>(&'a mut JsonPath);

impl<'de> DeserializeSeed<'de> for StrictValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.0.segments.push(list.len().to_string());
            let item = items.next_element_seed(StrictValue(self.0))?;
            self.0.segments.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.segments.push(name.clone());
            if object.contains_key(&name) {
                self.0.duplicate = Some(self.0.pointer());
                return Err(A::Error::custom("a member is there twice"));
            }
            let value = members.next_value_seed(StrictValue(self.0))?;
            self.0.segments.pop();
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that comes twice in one object is found at any depth and however it is spelt; the same name in different
    /// objects is no repetition. Everything else is read as the usual reader reads it.
    #[test]
    fn a_member_comes_once() {
        for (text, duplicate) in [
            (r#"{"a":1,"a":1}"#, Some("/a")),
            (r#"{"a":1,"b":2,"\u0061":3}"#, Some("/a")),
            (r#"{"a":{"b":[0,{"c/d":1,"c/d":2}]}}"#, Some("/a/b/1/c~1d")),
            (r#"[{"a":1},{"a":{"a":2,"~":1,"~":null}}]"#, Some("/1/a/~0")),
            (r#"{"":0,"":0}"#, Some("/")),
            (r#"{"a":{"a":{"a":[{"a":1},{"a":1}]}},"A":0}"#, None),
            (r#"[0,-1,1.5,1e3,18446744073709551615,true,null,"\u00e9",{},[]]"#, None),
            ("7", None),
        ] {
            let read = parse(text.as_bytes());
            match duplicate {
                Some(pointer) => assert_eq!(read, Err(JsonError::Duplicate(pointer.to_owned())), "{text}"),
                None => assert_eq!(read, Ok(serde_json::from_str(text).unwrap()), "{text}"),
            }
        }
        let deep = "[".repeat(100_000);
        for text in ["", "{", r#"{"a":1"#, "{}{}", r#"{"a":1}x"#, "\u{feff}{}", deep.as_str()] {
            assert_eq!(parse(text.as_bytes()), Err(JsonError::Malformed), "{}", text.len());
        }
    }
}
