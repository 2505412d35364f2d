//! What data are for, as partners write it and as they are told: one text, or a text for each language.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::schemas::PRINTABLE_FORMAT;
use super::validation::{OtherBusinesses, Validation};
use crate::core::messages::Locale;
use crate::core::purpose::Purpose;
use crate::core::screen_text;

/// A purpose as it is asked for, not judged yet.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum NewPurpose {
    Text(String),
    /// By BCP 47 tag.
    Translated(BTreeMap<String, String>),
}

impl Validation {
    /// A purpose of the consent, as people will read it: see [`screen_text::purpose`]. It may name nobody else, in any language.
    pub fn check_purpose(
        &mut self,
        pointer: &str,
        new: Option<&NewPurpose>,
        others: &OtherBusinesses,
    ) -> Option<Purpose> {
        match new? {
            NewPurpose::Text(text) => self.check_purpose_text(pointer, text, others).map(Purpose::Text),
            NewPurpose::Translated(texts) => {
                let mut checked = BTreeMap::new();
                for (tag, text) in texts {
                    let pointer = format!("{pointer}/{}", tag.replace('~', "~0").replace('/', "~1"));
                    let text = self.check_purpose_text(&pointer, text, others);
                    match Locale::from_tag(tag) {
                        Some(locale) => checked.extend(text.map(|text| (locale, text))),
                        None => self.add(&pointer, "unknown", Self::languages()),
                    }
                }
                if texts.is_empty() {
                    self.add(pointer, "blank", "say it in one language at least");
                }
                Purpose::translated(checked)
            }
        }
    }

    fn check_purpose_text(&mut self, pointer: &str, text: &str, others: &OtherBusinesses) -> Option<String> {
        match screen_text::purpose(text) {
            Ok(purpose) => {
                self.check_attribution(pointer, &purpose, others);
                Some(purpose)
            }
            Err(fault) => {
                self.add_text_fault(pointer, fault);
                None
            }
        }
    }
}

/// A text, or an object of texts by language.
fn schema(description: &str, text: impl Fn() -> ObjectBuilder) -> RefOr<Schema> {
    let texts = Locale::ALL.into_iter().fold(ObjectBuilder::new(), |texts, locale| {
        texts.property(
            locale.tag(),
            text().description(Some(format!("In {}.", locale.own_name()))),
        )
    });
    let texts = texts
        .min_properties(Some(1))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .description(Some("A text for each language, by its BCP 47 tag."));
    OneOfBuilder::new()
        .item(text().description(Some("One text for all languages.")))
        .item(texts)
        .description(Some(description))
        .into()
}

impl PartialSchema for NewPurpose {
    fn schema() -> RefOr<Schema> {
        schema(
            "What the data are used for: one text, or a text for each language. Who reads a language that is not among them \
             reads the English one, else the first in the order of the languages.",
            || {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(screen_text::MAX_PURPOSE))
                    .format(Some(SchemaFormat::Custom(PRINTABLE_FORMAT.to_owned())))
            },
        )
    }
}

impl ToSchema for NewPurpose {}

impl PartialSchema for Purpose {
    fn schema() -> RefOr<Schema> {
        schema(
            "What the data are used for, as it was written: one text, or a text for each language.",
            || ObjectBuilder::new().schema_type(Type::String),
        )
    }
}

impl ToSchema for Purpose {}
