//! What is asked after the login.

use serde_json::{Value, json};

use super::forms::parse_field;
use crate::core::next_step::{Field, FieldKind, Form};

/// The form of a reply that asks for more (102), wherever it is: v2 has it under `userInput`, v1 in `data`, a renewal as
/// `ui`. The documentation promises neither a form nor what is in it, only that commit takes an `otp` or an `answer`: what
/// is left out is filled in with these.
pub fn later_form(reply: &Value) -> Form {
    let data = reply.get("data").unwrap_or(&Value::Null);
    let inner = ["userInput", "ui"].iter().find_map(|name| data.get(name));
    let shown = inner.filter(|ui| !ui.is_null()).unwrap_or(data);
    let said = |part: &Value| {
        part.as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let title = shown.get("title").and_then(said).or_else(|| said(shown));
    let title = title.or_else(|| reply.get("message").and_then(said));
    let elements = match shown.get("form").unwrap_or(shown) {
        Value::Array(elements) => elements.clone(),
        element @ Value::Object(_) if shown.get("form").is_some() => vec![element.clone()],
        _ => Vec::new(),
    };
    let name = default_name(&[
        title.as_deref(),
        elements.first().and_then(|element| element.get("hint")?.as_str()),
    ]);
    let fields = match elements.as_slice() {
        [] => vec![Field::new(name, default_label(name), FieldKind::Text)],
        [element] => vec![parse_field(named(element, name))],
        all => all.iter().cloned().map(parse_field).collect(),
    };
    Form { title, fields }
}

/// The only element of a form, with a name if it has none.
fn named(element: &Value, name: &str) -> Value {
    match element {
        Value::String(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => json!({ "name": name }),
        Value::Object(_) if element.get("name").and_then(Value::as_str).is_none_or(str::is_empty) => {
            let mut element = element.clone();
            element["name"] = name.into();
            element
        }
        other => other.clone(),
    }
}

/// What commit takes: an answer to a question, or a one-time code, which is asked more often and so is meant when nothing
/// is said.
fn default_name(said: &[Option<&str>]) -> &'static str {
    let said: String = said
        .iter()
        .flatten()
        .map(|text| text.to_ascii_lowercase() + " ")
        .collect();
    let mentions = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if !mentions(&["otp", "one-time", "one time", "code", "token"]) && mentions(&["question", "answer", "?"]) {
        "answer"
    } else {
        "otp"
    }
}

fn default_label(name: &str) -> &'static str {
    if name == "answer" { "Answer" } else { "OTP" }
}
