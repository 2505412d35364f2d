//! Forms: what banks ask for, and how both versions write it.

use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug)]
pub enum ElementKind {
    /// `elements.input` with this `contentType`.
    Input(&'static str),
    /// `elements.captcha_input`, with a picture.
    Picture,
    /// `elements.switch`: label, value and its name for the password.
    Switch(&'static [(&'static str, u8, &'static str)]),
}

#[derive(Clone, Copy, Debug)]
pub struct FormElement {
    pub name: &'static str,
    pub hint: &'static str,
    pub kind: ElementKind,
    pub max: Option<usize>,
}

impl FormElement {
    /// Whether the typed value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, ElementKind::Input("password"))
    }

    /// Whether it is a plain input.
    pub fn is_input(&self) -> bool {
        matches!(self.kind, ElementKind::Input(_))
    }

    /// Whether the element accepts a value.
    pub fn takes(&self, value: &str) -> bool {
        match self.kind {
            ElementKind::Picture => value.chars().count() == PICTURE_DIGITS,
            ElementKind::Switch(options) => options.iter().any(|option| option.1.to_string() == value),
            ElementKind::Input(_) => !value.is_empty() && self.max.is_none_or(|max| value.chars().count() <= max),
        }
    }

    fn json(&self) -> Value {
        let mut all = Map::new();
        let (element, content) = match self.kind {
            ElementKind::Input(content) => ("elements.input", content),
            ElementKind::Picture => ("elements.captcha_input", "string"),
            ElementKind::Switch(_) => ("elements.switch", "integer"),
        };
        all.insert("type".to_owned(), element.into());
        all.insert("name".to_owned(), self.name.into());
        all.insert("hint".to_owned(), self.hint.into());
        all.insert("contentType".to_owned(), content.into());
        if let Some(max) = self.max {
            all.insert("maxLength".to_owned(), max.into());
        }
        match self.kind {
            ElementKind::Input(_) => {}
            ElementKind::Picture => {
                all.insert("length".to_owned(), PICTURE_DIGITS.into());
                all.insert("value".to_owned(), PICTURE.into());
            }
            ElementKind::Switch(options) => {
                let options = options.iter().map(|(label, value, hint)| {
                    json!({ "label": label, "value": value,
                        "events": { "onChange": { "effects": [{ "name": "password", "hint": hint }] } } })
                });
                all.insert("options".to_owned(), options.collect());
            }
        }
        Value::Object(all)
    }
}

const PICTURE_DIGITS: usize = 4;
/// One transparent pixel: nobody can read it, as on a phone that shows no pictures.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// A form with its heading, as both versions write it.
pub fn ui(title: &str, form: &[FormElement]) -> Value {
    json!({ "title": title, "form": form.iter().map(FormElement::json).collect::<Vec<_>>() })
}

/// The single element of a later question: a picture to read, or a text.
pub fn asked(name: &'static str, hint: &'static str, picture: bool) -> FormElement {
    FormElement {
        name,
        hint,
        kind: if picture {
            ElementKind::Picture
        } else {
            ElementKind::Input("string")
        },
        max: None,
    }
}
