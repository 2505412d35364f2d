//! Mono's forms, and the bodies that answer them.
//!
//! A form is a list of elements, each parsed on its own. What a keypad cannot answer (a captcha, an undocumented element, one
//! that cannot be parsed at all) stays in the form as an unsupported field: dropping it would turn a form that we cannot
//! answer into one that we answer wrongly, at a bank.
//!
//! Answers are sent under the element's exact name (`accountNo`, `accountno` and `accountNumber` are three names), as JSON
//! strings, as in every published example. Two kinds may be numbers, which is inferred, not documented: an element of content
//! type `integer`, if what was typed round-trips as a number (a PIN `0042` does not), and an option of a switch, whose value
//! keeps its JSON type. For the latter a [`FieldOption`]'s value is the option's JSON if its bare text would parse as something
//! other than text.

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::lenient::{LenientNumber, LenientText};
use super::wire::{MonoForm, MonoFormElement, SwitchOption};
use crate::core::next_step::{Field, FieldKind, FieldOption, Form};
use crate::core::secret::Secret;

/// Names of secrets, even if the content type is only text. Lower case.
const SECRET_NAMES: &[&str] = &["password", "pin", "mpin", "card", "token", "accesscode"];

pub fn parse_form(ui: MonoForm) -> Form {
    Form {
        title: ui.title.map(|LenientText(title)| title),
        fields: ui.form.unwrap_or_default().into_iter().map(parse_field).collect(),
    }
}

/// Whether a form asks for a card number together with its PIN.
pub fn wants_card_and_pin(form: &Form) -> bool {
    let names: Vec<_> = form
        .fields
        .iter()
        .map(|field| field.name.to_ascii_lowercase())
        .collect();
    let card = |name: &&String| name.starts_with("card") && !name.contains("pin");
    let pin = |name: &&String| matches!(name.as_str(), "pin" | "cardpin" | "card_pin");
    names.iter().any(|name| card(&name)) && names.iter().any(|name| pin(&name))
}

pub fn parse_field(element: Value) -> Field {
    let Ok(element) = MonoFormElement::deserialize(element) else {
        return Field::new("", "", FieldKind::Unsupported);
    };
    let length = |number: Option<LenientNumber>| {
        number
            .and_then(|LenientNumber(n)| u16::try_from(n).ok())
            .filter(|n| *n > 0)
    };
    let kind = field_kind(&element);
    let label = element
        .hint
        .map_or_else(|| element.name.clone(), |LenientText(hint)| hint);
    Field {
        max_len: length(element.max_length),
        exact_len: length(element.length),
        ..Field::new(element.name, label, kind)
    }
}

fn field_kind(element: &MonoFormElement) -> FieldKind {
    let captcha = element.name.to_ascii_lowercase().contains("captcha");
    if captcha || element.name.is_empty() || element.value.as_ref().is_some_and(is_picture) {
        return FieldKind::Unsupported;
    }
    match element.kind.as_deref().unwrap_or("elements.input") {
        "elements.input" => input_kind(element),
        "elements.switch" => switch_kind(element.options.as_deref().unwrap_or_default()),
        _ => FieldKind::Unsupported,
    }
}

fn input_kind(element: &MonoFormElement) -> FieldKind {
    let secret = SECRET_NAMES.contains(&element.name.to_ascii_lowercase().as_str());
    match element.content_type.as_deref() {
        Some("integer") => FieldKind::Digits,
        None | Some("string") if !secret => FieldKind::Text,
        // An undocumented content type is treated as secret.
        _ => FieldKind::Secret,
    }
}

fn switch_kind(options: &[SwitchOption]) -> FieldKind {
    let choice = |option: &SwitchOption| {
        let value = match &option.value {
            // Text that would parse as JSON is written as JSON; all other text as it is.
            Value::String(text) if serde_json::from_str::<Value>(text).is_err() => text.clone(),
            scalar @ (Value::String(_) | Value::Number(_) | Value::Bool(_)) => scalar.to_string(),
            _ => return None,
        };
        let label = option
            .label
            .as_ref()
            .map_or_else(|| value.clone(), |LenientText(label)| label.clone());
        Some(FieldOption { label, value })
    };
    match options.iter().map(choice).collect::<Option<Vec<_>>>() {
        Some(choices) if !choices.is_empty() => FieldKind::OneOf(choices),
        _ => FieldKind::Unsupported,
    }
}

fn is_picture(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let start: String = text.trim_start().chars().take(8).collect();
        let start = start.to_ascii_lowercase();
        start.starts_with("data:") || start.starts_with("http://") || start.starts_with("https://")
    })
}

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

/// The body that answers `form`, if the form is known. That of a later question is not, and its answers are sent as text.
pub fn answers_body(form: Option<&Form>, answers: &[(String, Secret)]) -> Zeroizing<Vec<u8>> {
    let room = answers
        .iter()
        .map(|(name, value)| name.len() + value.expose().len() + 2)
        .sum();
    let kind_of = |name: &str| {
        form?
            .fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.kind)
    };
    answers
        .iter()
        .fold(JsonBody::with_room(room), |body, (name, value)| match kind_of(name) {
            Some(FieldKind::Digits) => body.number_or_text(name, value.expose()),
            Some(FieldKind::OneOf(_)) => body.choice(name, value.expose()),
            _ => body.text(name, value.expose()),
        })
        .finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(form_json: &Value) -> Form {
        parse_form(MonoForm::deserialize(json!({ "title": "T", "form": form_json })).unwrap())
    }

    /// Each documented element becomes a field that a keypad can answer; everything else stays as an unsupported field.
    #[test]
    fn elements_become_fields() {
        let one_of = |choices: &[(&str, &str)]| {
            FieldKind::OneOf(
                choices
                    .iter()
                    .map(|(label, value)| FieldOption {
                        label: (*label).to_owned(),
                        value: (*value).to_owned(),
                    })
                    .collect(),
            )
        };
        let input =
            |name: &str, content: &str| json!({ "type": "elements.input", "name": name, "contentType": content });
        for (element, want) in [
            (input("username", "string"), FieldKind::Text),
            (input("password", "password"), FieldKind::Secret),
            (input("otp", "string"), FieldKind::Text),
            (input("token", "string"), FieldKind::Secret),
            (input("mPin", "string"), FieldKind::Secret),
            (input("accountNo", "integer"), FieldKind::Digits),
            (input("x", "email"), FieldKind::Secret),
            (input("", "string"), FieldKind::Unsupported),
            (json!({ "type": "elements.input", "name": "x" }), FieldKind::Text),
            (
                json!({ "type": "elements.input", "name": "x", "value": "DATA:image/png;base64,AA" }),
                FieldKind::Unsupported,
            ),
            (
                json!({ "type": "elements.captcha_input", "name": "captcha", "contentType": "string" }),
                FieldKind::Unsupported,
            ),
            (
                json!({ "type": "elements.select", "name": "x", "options": [] }),
                FieldKind::Unsupported,
            ),
            (json!({ "type": "elements.input" }), FieldKind::Unsupported),
            (json!("elements.input"), FieldKind::Unsupported),
            (json!(null), FieldKind::Unsupported),
            (
                json!({ "type": "elements.switch", "name": "x", "options": [
                    { "label": "PIN", "value": 1, "events": { "onChange": {} } }, { "label": "Token", "value": "tok" },
                    { "label": "Two", "value": "2" } ] }),
                one_of(&[("PIN", "1"), ("Token", "tok"), ("Two", "\"2\"")]),
            ),
            (
                json!({ "type": "elements.switch", "name": "x", "options": [] }),
                FieldKind::Unsupported,
            ),
            (
                json!({ "type": "elements.switch", "name": "x", "options": [{ "label": "A", "value": {} }] }),
                FieldKind::Unsupported,
            ),
        ] {
            let text = element.to_string();
            assert_eq!(read(&json!([element])).fields[0].kind, want, "{text}");
        }
    }

    /// Lengths and labels are kept as sent, and invalid ones dropped.
    #[test]
    fn lengths_and_labels_are_kept() {
        let fields = read(&json!([
            { "type": "elements.input", "name": "pin", "hint": "4 Digit Pin", "contentType": "password", "maxLength": 4 },
            { "type": "elements.input", "name": "a", "length": "6", "maxLength": -1 },
            { "type": "elements.input", "name": "b", "length": 0, "maxLength": 100_000 },
        ]))
        .fields;
        let seen: Vec<_> = fields
            .iter()
            .map(|field| (field.label.as_str(), field.max_len, field.exact_len))
            .collect();
        assert_eq!(
            seen,
            [("4 Digit Pin", Some(4), None), ("a", None, Some(6)), ("b", None, None)]
        );
    }

    /// A method that asks for a card and its PIN is recognised by the names of its fields, in any letter case.
    #[test]
    fn card_and_pin_are_recognised() {
        for (names, want) in [
            (vec!["mPin", "card", "pin"], true),
            (vec!["CARD", "Pin"], true),
            (vec!["cardNumber", "cardPin"], true),
            (vec!["card"], false),
            (vec!["username", "pin"], false),
            (vec!["card", "mPin"], false),
            (vec!["cardPin", "pin"], false),
        ] {
            let elements: Vec<_> = names
                .iter()
                .map(|name| json!({ "type": "elements.input", "name": name, "contentType": "password" }))
                .collect();
            assert_eq!(wants_card_and_pin(&read(&json!(elements))), want, "{names:?}");
        }
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
            let body = answers_body(Some(&form), &[(name.to_owned(), Secret::new(typed))]);
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap(),
                json!({ name: want }),
                "{name} {typed}"
            );
        }
        let body = answers_body(None, &[("pin".to_owned(), Secret::new("42"))]);
        assert_eq!(body.as_slice(), br#"{"pin":"42"}"#);
    }

    proptest! {
        /// Whatever is typed arrives exactly, and the buffer was never reallocated.
        #[test]
        fn what_is_typed_arrives(typed: Vec<(String, String)>) {
            let typed: std::collections::BTreeMap<String, String> = typed.into_iter().collect();
            let pairs: Vec<_> = typed.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
            let room = 128 + 6 * typed.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
            let body = answers_body(None, &pairs);
            prop_assert!(body.capacity() == room, "{} != {room}", body.capacity());
            prop_assert_eq!(serde_json::from_slice::<std::collections::BTreeMap<String, String>>(&body).unwrap(), typed);
        }
    }
}
