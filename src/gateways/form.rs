//! Decodes HTML forms (query strings and form bodies) strictly.
//!
//! The usual decoders replace invalid UTF-8 with a substitute character, which would send an altered password to a bank, and
//! take the last of two fields with the same name, so that two readers could see two different values. Here every byte is
//! decoded exactly once or the field is refused, and a wanted field may be given only once. Other fields are skipped without
//! being decoded: a gateway may add some at any time.

use zeroize::{Zeroize, Zeroizing};

use super::ParseError;
use crate::core::secret::Secret;

/// No gateway has a longer encoded field name.
const LONGEST_NAME: usize = 64;

/// The wanted fields of a form, still encoded, found in one pass.
pub struct DecodedForm<'a, const N: usize> {
    names: [&'static str; N],
    found: [FieldValue<'a>; N],
}

#[derive(Clone, Copy)]
enum FieldValue<'a> {
    Missing,
    Once(&'a [u8]),
    Repeated,
}

impl<'a, const N: usize> DecodedForm<'a, N> {
    /// Finds the fields with these names in all parts, as if they were one form: a callback may have a query and a body, and
    /// a field in both is given twice.
    pub fn find(parts: &[&'a [u8]], names: [&'static str; N]) -> Self {
        let mut form = Self {
            names,
            found: [FieldValue::Missing; N],
        };
        for pair in parts.iter().flat_map(|part| part.split(|byte| *byte == b'&')) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            if let Some(at) = form.position(name) {
                form.found[at] = match form.found[at] {
                    FieldValue::Missing => FieldValue::Once(value),
                    FieldValue::Once(_) | FieldValue::Repeated => FieldValue::Repeated,
                };
            }
        }
        form
    }

    fn position(&self, encoded: &[u8]) -> Option<usize> {
        if encoded.len() > LONGEST_NAME {
            return None;
        }
        let name = decode(encoded).ok()?;
        self.names.iter().position(|wanted| wanted.as_bytes() == name)
    }

    fn encoded(&self, name: &str) -> FieldValue<'a> {
        let at = self.names.iter().position(|wanted| *wanted == name);
        at.map_or(FieldValue::Missing, |at| self.found[at])
    }

    /// The decoded field, if it is there. A name that was not passed to [`Self::find`] is missing.
    ///
    /// # Errors
    /// [`ParseError::Field`] if it is given twice, [`ParseError::TooLong`] if it has more than `most` bytes,
    /// [`ParseError::Encoding`] if its percent-encoding is broken or it is not UTF-8.
    pub fn optional(&self, name: &'static str, most: usize) -> Result<Option<String>, ParseError> {
        match self.encoded(name) {
            FieldValue::Missing => Ok(None),
            FieldValue::Repeated => Err(ParseError::Field(name)),
            FieldValue::Once(encoded) => text(encoded, most).map(Some),
        }
    }

    /// The decoded field, which must be there but may be empty.
    ///
    /// # Errors
    /// As [`Self::optional`], and [`ParseError::Field`] if it is missing.
    pub fn required(&self, name: &'static str, most: usize) -> Result<String, ParseError> {
        self.optional(name, most)?.ok_or(ParseError::Field(name))
    }

    /// What a person typed: required, possibly empty, and wiped when dropped.
    ///
    /// # Errors
    /// As [`Self::required`].
    pub fn secret(&self, name: &'static str, most: usize) -> Result<Secret, ParseError> {
        self.required(name, most).map(Secret::new)
    }

    /// As [`Self::secret`], with substitutes for what is not UTF-8: for a text of which no more is heard than that it wants
    /// an end.
    ///
    /// # Errors
    /// As [`Self::required`], but for text that is not UTF-8.
    pub fn lossy(&self, name: &'static str, most: usize) -> Result<Secret, ParseError> {
        match (self.secret(name, most), self.encoded(name)) {
            (Err(ParseError::Encoding), FieldValue::Once(encoded)) => {
                let decoded = Zeroizing::new(decode(encoded)?);
                Ok(Secret::new(String::from_utf8_lossy(&decoded).into_owned()))
            }
            (read, _) => read,
        }
    }

    /// An identifier given by the gateway: required, not empty, at most `most` bytes, and free of control characters, so
    /// that it can be a key.
    ///
    /// # Errors
    /// As [`Self::required`], and [`ParseError::Field`] if it is not such an identifier.
    pub fn token(&self, name: &'static str, most: usize) -> Result<String, ParseError> {
        let token = self.required(name, most)?;
        if token.trim().is_empty() || token.chars().any(char::is_control) {
            return Err(ParseError::Field(name));
        }
        Ok(token)
    }

    /// An identifier that may be missing; `None` also for one that is empty or has control characters.
    ///
    /// # Errors
    /// As [`Self::optional`].
    pub fn optional_token(&self, name: &'static str, most: usize) -> Result<Option<String>, ParseError> {
        let token = self.optional(name, most)?;
        Ok(token.filter(|token| !token.trim().is_empty() && !token.chars().any(char::is_control)))
    }
}

/// A field's name and value.
pub type FormPair = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

/// All fields of a form, decoded, in their order: for signatures over everything that was sent.
///
/// # Errors
/// [`ParseError::Encoding`] if the percent-encoding is broken.
pub fn pairs(form: &[u8]) -> Result<Vec<FormPair>, ParseError> {
    let pairs = form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
            Ok((Zeroizing::new(decode(name)?), Zeroizing::new(decode(value)?)))
        })
        .collect()
}

/// Decodes one value to text of at most `most` bytes. The buffer becomes the text, or is wiped, so that a secret has only
/// one copy.
fn text(encoded: &[u8], most: usize) -> Result<String, ParseError> {
    // An encoded byte takes at most three.
    if encoded.len() > most.saturating_mul(3) {
        return Err(ParseError::TooLong);
    }
    let decoded = decode(encoded)?;
    let mut text = String::from_utf8(decoded).map_err(|error| {
        error.into_bytes().zeroize();
        ParseError::Encoding
    })?;
    if text.len() > most {
        text.zeroize();
        return Err(ParseError::TooLong);
    }
    Ok(text)
}

/// Decodes percent-encoding once; a plus is a space.
fn decode(encoded: &[u8]) -> Result<Vec<u8>, ParseError> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter().copied();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (Some(high), Some(low)) = (rest.next().and_then(hex), rest.next().and_then(hex)) else {
                    decoded.zeroize();
                    return Err(ParseError::Encoding);
                };
                (high << 4) | low
            }
            plain => plain,
        });
    }
    Ok(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(form: &[u8]) -> Result<Option<String>, ParseError> {
        DecodedForm::find(&[form], ["text"]).optional("text", 8)
    }

    /// Each value is decoded once and exactly, or refused.
    #[test]
    fn decodes_strictly() {
        for (form, want) in [
            (&b""[..], Ok(None)),
            (b"other=1", Ok(None)),
            (b"text", Ok(Some(""))),
            (b"text=", Ok(Some(""))),
            (b"&&text=1&", Ok(Some("1"))),
            (b"text=1=2", Ok(Some("1=2"))),
            (b"text=a+b%2Bc", Ok(Some("a b+c"))),
            (b"text=%2525", Ok(Some("%25"))),
            (b"%74ext=1", Ok(Some("1"))),
            (b"text=%E1%BB%8D", Ok(Some("ọ"))),
            (b"text=\xe1\xbb\x8d", Ok(Some("ọ"))),
            (b"text=1%00", Ok(Some("1\0"))),
            (b"text=12345678", Ok(Some("12345678"))),
            (b"text=123456789", Err(ParseError::TooLong)),
            (b"text=%", Err(ParseError::Encoding)),
            (b"text=%2", Err(ParseError::Encoding)),
            (b"text=%G0", Err(ParseError::Encoding)),
            (b"text=%+1", Err(ParseError::Encoding)),
            (b"text=\xff", Err(ParseError::Encoding)),
            (b"text=%C0%AF", Err(ParseError::Encoding)),
            (b"text=%ED%A0%80", Err(ParseError::Encoding)),
            (b"text=%F4%90%80%80", Err(ParseError::Encoding)),
            (b"text=1&text=1", Err(ParseError::Field("text"))),
            (b"text=1&te%78t=2", Err(ParseError::Field("text"))),
            (b"text=1&text", Err(ParseError::Field("text"))),
            (b"other=%&more=\xff&text=1", Ok(Some("1"))),
            (b"%=1&text%=2&text=1", Ok(Some("1"))),
            (b"TEXT=1", Ok(None)),
        ] {
            let want = want.map(|value| value.map(str::to_owned));
            assert_eq!(one(form), want, "{}", String::from_utf8_lossy(form));
        }
    }

    /// An identifier that becomes a key is not empty, and cannot break a log line.
    #[test]
    fn tokens_are_clean() {
        for (form, want) in [
            (&b"text=ATUid_1"[..], Ok("ATUid_1")),
            (b"text=", Err(ParseError::Field("text"))),
            (b"text=+", Err(ParseError::Field("text"))),
            (b"text=a%0Ab", Err(ParseError::Field("text"))),
            (b"", Err(ParseError::Field("text"))),
        ] {
            let token = DecodedForm::find(&[form], ["text"]).token("text", 8);
            assert_eq!(token, want.map(str::to_owned));
            let optional = DecodedForm::find(&[form], ["text"]).optional_token("text", 8);
            assert_eq!(optional.ok().flatten(), token.ok());
        }
    }

    /// Query and body are one form.
    #[test]
    fn a_field_in_two_parts_is_given_twice() {
        let form = DecodedForm::find(&[b"a=1&b=2", b"b=2&c=3"], ["a", "b", "c"]);
        assert_eq!(form.required("a", 8), Ok("1".to_owned()));
        assert_eq!(form.required("b", 8), Err(ParseError::Field("b")));
        assert_eq!(form.required("c", 8), Ok("3".to_owned()));
        assert_eq!(form.required("d", 8), Err(ParseError::Field("d")));
    }

    proptest! {
        /// Every encoded value decodes to itself, and no input panics.
        #[test]
        fn round_trip(value in any::<String>(), garbage in any::<Vec<u8>>()) {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
            let form = format!("x={encoded}&text={encoded}");
            let form = DecodedForm::find(&[form.as_bytes()], ["text"]);
            prop_assert_eq!(form.required("text", 100_000), Ok(value));
            if let Ok(Some(text)) = one(&garbage) {
                prop_assert!(text.len() <= 8);
            }
        }
    }
}
