//! The bodies that we send to Mono.
//!
//! Answers are sent under the element's exact name (`accountNo`, `accountno` and `accountNumber` are three names), as JSON
//! strings, as in every published example. Two kinds may be numbers, which is inferred, not documented: at a login an element
//! of content type `integer`, if what was typed round-trips as a number (a PIN `0042` does not), and an option of a switch,
//! whose value keeps its JSON type. The answers to a later form are text: so says the one example of such a call. For the latter a [`FieldOption`](crate::core::next_step::FieldOption)'s value is the option's JSON if its bare text would parse as something
//! other than text.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::core::next_step::{FieldKind, Form};
use crate::core::secret::Secret;

/// A JSON object written directly into a buffer that is wiped when dropped, and large enough never to be reallocated.
pub struct JsonBody {
    json: Zeroizing<Vec<u8>>,
}

impl JsonBody {
    /// An empty object with room for `text` bytes of names and values.
    pub fn with_room(text: usize) -> Self {
        // A control character takes six bytes in JSON; quotes, colons and commas need the rest.
        let mut json = Zeroizing::new(Vec::with_capacity(64 + text * 6 + 64));
        json.push(b'{');
        Self { json }
    }

    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.member(name, |json| write_text(json, value))
    }

    /// Adds a number if `value` round-trips as one, else text.
    #[must_use]
    pub fn number_or_text(self, name: &str, value: &str) -> Self {
        let same = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
        self.member(name, |json| {
            if same {
                json.extend_from_slice(value.as_bytes());
            } else {
                write_text(json, value);
            }
        })
    }

    /// Adds an option of a switch.
    #[must_use]
    pub fn choice(self, name: &str, value: &str) -> Self {
        match serde_json::from_str::<Value>(value) {
            Ok(Value::Number(_) | Value::Bool(_) | Value::String(_)) => {
                self.member(name, |json| json.extend_from_slice(value.as_bytes()))
            }
            _ => self.text(name, value),
        }
    }

    #[must_use]
    pub fn object(self, name: &str, value: Self) -> Self {
        self.member(name, |json| json.extend_from_slice(&value.finish()))
    }

    pub fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.json.push(b'}');
        self.json
    }

    fn member(mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) -> Self {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        write_text(&mut self.json, name);
        self.json.push(b':');
        value(&mut self.json);
        self
    }
}

fn write_text(json: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail; if it did, the body would not be JSON and the provider would refuse it.
    let _ = serde_json::to_writer(json, text);
}

/// The body that answers `form`, with `numbers` where they are asked for; all of it text if the form is not known.
pub fn answers_body(form: Option<&Form>, numbers: bool, answers: &[(String, Secret)]) -> Zeroizing<Vec<u8>> {
    let room = answers
        .iter()
        .map(|(name, value)| name.len() + value.expose().len() + 2)
        .sum();
    let field_of = |name: &str| form?.fields.iter().find(|field| field.name == name);
    answers
        .iter()
        .fold(JsonBody::with_room(room), |body, (name, value)| match field_of(name) {
            Some(field) if matches!(field.kind, FieldKind::OneOf(_)) => body.choice(name, value.expose()),
            Some(field) if numbers && (field.number || field.kind == FieldKind::Digits) => {
                body.number_or_text(name, value.expose())
            }
            _ => body.text(name, value.expose()),
        })
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::providers::mono::forms::parse_form;
    use crate::providers::mono::wire::MonoForm;

    fn read(form_json: &Value) -> Form {
        parse_form(MonoForm::deserialize(json!({ "title": "T", "form": form_json })).unwrap())
    }

    /// Answers keep their JSON type if it is known, and a leading zero is never lost.
    #[test]
    fn answers_keep_their_type() {
        let form = read(&json!([
            { "type": "elements.input", "name": "username", "contentType": "string" },
            { "type": "elements.input", "name": "pin", "contentType": "integer" },
            { "type": "elements.switch", "name": "authType", "options": [
                { "label": "PIN", "value": 1 }, { "label": "T", "value": "2" }, { "label": "U", "value": "u" } ] },
        ]));
        for (name, typed, want) in [
            ("username", "12", json!("12")),
            ("pin", "42", json!(42)),
            ("pin", "0042", json!("0042")),
            ("pin", "99999999999999999999", json!("99999999999999999999")),
            ("pin", "-0", json!("-0")),
            ("authType", "1", json!(1)),
            ("authType", "\"2\"", json!("2")),
            ("authType", "u", json!("u")),
            ("unheard_of", "1", json!("1")),
        ] {
            let body = answers_body(Some(&form), true, &[(name.to_owned(), Secret::new(typed))]);
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap(),
                json!({ name: want }),
                "{name} {typed}"
            );
        }
        let pin = [("pin".to_owned(), Secret::new("42"))];
        for (form, numbers) in [(None, true), (Some(&form), false)] {
            assert_eq!(answers_body(form, numbers, &pin).as_slice(), br#"{"pin":"42"}"#);
        }
        let choice = [("authType".to_owned(), Secret::new("1"))];
        assert_eq!(
            answers_body(Some(&form), false, &choice).as_slice(),
            br#"{"authType":1}"#
        );
    }

    proptest! {
        /// Whatever is typed arrives exactly, and the buffer was never reallocated.
        #[test]
        fn what_is_typed_arrives(typed: Vec<(String, String)>) {
            let typed: std::collections::BTreeMap<String, String> = typed.into_iter().collect();
            let pairs: Vec<_> = typed.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
            let room = 128 + 6 * typed.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
            let body = answers_body(None, true, &pairs);
            prop_assert!(body.capacity() == room, "{} != {room}", body.capacity());
            prop_assert_eq!(serde_json::from_slice::<std::collections::BTreeMap<String, String>>(&body).unwrap(), typed);
        }
    }
}
