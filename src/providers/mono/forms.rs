//! Mono's forms.
//!
//! A form is a list of elements, each parsed on its own. What a keypad cannot answer (a captcha, an undocumented element, one
//! that cannot be parsed at all) stays in the form as an unsupported field: dropping it would turn a form that we cannot
//! answer into one that we answer wrongly, at a bank.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{LenientNumber, LenientText};
use super::wire::{MonoForm, MonoFormElement, SwitchOption};
use crate::core::field_words::FieldWords;
use crate::core::next_step::{Field, FieldKind, FieldOption, Form};

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
    let written = content_type(&element);
    let hint = element.hint.as_ref().map_or("", |LenientText(hint)| hint);
    let words = FieldWords::of(&element.name, hint, written.as_deref().unwrap_or_default());
    let kind = field_kind(&element, words);
    let number = written.as_deref() == Some("integer");
    let label = element
        .hint
        .map_or_else(|| element.name.clone(), |LenientText(hint)| hint);
    Field {
        max_len: length(element.max_length),
        exact_len: length(element.length),
        number,
        one_time: words.one_time,
        ..Field::new(element.name, label, kind)
    }
}

/// Folded; empty where it is not text.
fn content_type(element: &MonoFormElement) -> Option<String> {
    let written = element.content_type.as_ref().filter(|written| !written.is_null())?;
    Some(written.as_str().unwrap_or_default().trim().to_ascii_lowercase())
}

fn field_kind(element: &MonoFormElement, words: FieldWords) -> FieldKind {
    let captcha = element.name.to_ascii_lowercase().contains("captcha");
    if captcha || element.name.is_empty() || element.value.as_ref().is_some_and(is_picture) {
        return FieldKind::Unsupported;
    }
    match element.kind.as_deref().unwrap_or("elements.input") {
        "elements.input" => input_kind(element, words),
        "elements.switch" => switch_kind(element.options.as_deref().unwrap_or_default()),
        _ => FieldKind::Unsupported,
    }
}

fn input_kind(element: &MonoFormElement, words: FieldWords) -> FieldKind {
    match content_type(element).as_deref() {
        Some("integer") if !words.secret => FieldKind::Digits,
        None | Some("string") if !words.secret => FieldKind::Text,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(form_json: &Value) -> Form {
        parse_form(MonoForm::deserialize(json!({ "title": "T", "form": form_json })).unwrap())
    }

    /// Each documented element becomes a field that a keypad can answer; everything else stays as an unsupported field.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of elements")]
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
            (input("x", " Integer"), FieldKind::Digits),
            (input("pin", "integer"), FieldKind::Secret),
            (input("transactionPin", "integer"), FieldKind::Secret),
            (input("cardPin", "string"), FieldKind::Secret),
            (input("Password ", "string"), FieldKind::Secret),
            (input("passcode", "integer"), FieldKind::Secret),
            (input("CVV", "integer"), FieldKind::Secret),
            (input("passportNo", "string"), FieldKind::Text),
            (
                json!({ "name": "x", "hint": "Your 4 digit PIN", "contentType": "integer" }),
                FieldKind::Secret,
            ),
            (
                json!({ "name": "x", "hint": "Internet Password", "contentType": "string" }),
                FieldKind::Secret,
            ),
            (
                json!({ "name": "x", "hint": "Shipping number", "contentType": "integer" }),
                FieldKind::Digits,
            ),
            (
                json!({ "name": "otp", "hint": "Not your PIN", "contentType": "integer" }),
                FieldKind::Digits,
            ),
            (
                json!({ "name": "x", "hint": {}, "contentType": {}, "length": "6 digits" }),
                FieldKind::Secret,
            ),
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

    /// A code comes with any type, or is told by its type alone.
    #[test]
    fn a_code_is_one_whatever_its_type() {
        for (name, content) in [
            ("otp", "string"),
            ("otp", "password"),
            ("x", "otp"),
            ("x", "one-time-code"),
        ] {
            let element = json!({ "name": name, "hint": "Six digits", "contentType": content });
            assert!(read(&json!([element])).fields[0].one_time, "{name} {content}");
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
}
