//! Forms: what banks ask for, as both versions write it.

use serde_json::{Map, Value, json};

use crate::sandbox::bank::institutions::{ElementKind, FormElement, PICTURE_DIGITS};

fn element_json(element: &FormElement) -> Value {
    let mut all = Map::new();
    let (kind, content) = match element.kind {
        ElementKind::Input(content) => ("elements.input", content),
        ElementKind::Picture => ("elements.captcha_input", "string"),
        ElementKind::Switch(_) => ("elements.switch", "integer"),
    };
    all.insert("type".to_owned(), kind.into());
    all.insert("name".to_owned(), element.name.into());
    all.insert("hint".to_owned(), element.hint.into());
    all.insert("contentType".to_owned(), content.into());
    if let Some(max) = element.max {
        all.insert("maxLength".to_owned(), max.into());
    }
    match element.kind {
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

/// One transparent pixel: nobody can read it, as on a phone that shows no pictures.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// A form with its heading, as both versions write it.
pub fn ui(title: &str, form: &[FormElement]) -> Value {
    json!({ "title": title, "form": form.iter().map(element_json).collect::<Vec<_>>() })
}

/// The single element of a later question: a picture to read, or a text.
pub fn question(name: &'static str, hint: &'static str, picture: bool) -> FormElement {
    let text = FormElement::text(name, hint);
    if picture {
        FormElement {
            kind: ElementKind::Picture,
            ..text
        }
    } else {
        text
    }
}
