//! Schemas in words.

use serde_json::Value;

use super::html::Html;
use super::page::text;
use crate::service::partners::schemas::PRINTABLE_PATTERN;

/// Bounds and the like that are told as they stand.
const BOUNDS: [(&str, &str); 7] = [
    ("minLength", "characters, at least"),
    ("maxLength", "characters, at most"),
    ("minimum", "at least"),
    ("maximum", "at most"),
    ("default", "unless said"),
    ("pattern", "of the form"),
    ("example", "such as"),
];

/// A schema's name for people: `List_User` is a list of users.
pub(super) fn title(name: &str) -> String {
    name.split_once('_')
        .map_or_else(|| name.to_owned(), |(outer, inner)| format!("{outer} of {inner}"))
}

/// What a value is, in a few words.
pub(super) fn kind(html: &mut Html, schema: &Value) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        html.link("schema", name, &title(name));
        return;
    }
    if let Some(choices) = choices(schema) {
        for (index, choice) in choices.iter().enumerate() {
            if index > 0 {
                html.text(" or ");
            }
            kind(html, choice);
        }
        return;
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => vec!["anything"],
    };
    for (index, name) in types.into_iter().enumerate() {
        if index > 0 {
            html.text(" or ");
        }
        match (name, schema["format"].as_str()) {
            ("array", _) => {
                html.text("list of ");
                kind(html, &schema["items"]);
            }
            ("string", Some(format)) => {
                html.text(format);
            }
            _ => {
                html.text(name);
            }
        }
    }
    values(html, schema);
}

/// The values there are, where they are counted.
fn values(html: &mut Html, schema: &Value) {
    let Some(values) = schema["enum"].as_array() else {
        return;
    };
    html.text(": ");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            html.text(", ");
        }
        html.code(value.as_str().unwrap_or("null"));
    }
}

fn choices(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf", "allOf"]
        .into_iter()
        .find_map(|word| schema[word].as_array())
}

/// What is said of a member; where it may be null, it is said of what it is otherwise.
fn description(schema: &Value) -> &str {
    let choices = choices(schema).map(Vec::as_slice).unwrap_or_default();
    let said = std::iter::once(schema)
        .chain(choices)
        .map(|schema| text(schema, "description"));
    said.into_iter().find(|said| !said.is_empty()).unwrap_or_default()
}

/// All of a schema.
pub(super) fn details(html: &mut Html, schema: &Value) {
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        html.raw("<div class=\"wide\"><table>");
        for (name, property) in properties {
            html.raw("<tr><th scope=\"row\">").code(name);
            if !required.iter().any(|one| one == name) {
                html.raw(" <small>optional</small>");
            }
            html.raw("<td>");
            kind(html, property);
            bounds(html, property);
            html.raw("<td>").words(description(property));
        }
        html.raw("</table></div>");
        return;
    }
    let variants = choices(schema).filter(|choices| choices.iter().any(|choice| choice["properties"].is_object()));
    if let Some(variants) = variants {
        for variant in variants {
            html.paragraphs(text(variant, "description"));
            details(html, variant);
        }
        return;
    }
    html.raw("<p>");
    kind(html, schema);
    bounds(html, schema);
    html.raw("</p>");
}

fn bounds(html: &mut Html, schema: &Value) {
    for (member, words) in BOUNDS {
        let shown = match &schema[member] {
            Value::Null => continue,
            Value::String(pattern) if pattern == PRINTABLE_PATTERN => {
                html.raw("<br><small>not blank, and no control characters</small>");
                continue;
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        html.raw("<br><small>")
            .text(words)
            .raw(" ")
            .code(&shown)
            .raw("</small>");
    }
}
