//! What data are for, in the words that people agree to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::messages::Locale;

/// What data are for: one text, or a text for each of some languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Purpose {
    Text(String),
    /// Never empty.
    Translated(BTreeMap<Locale, String>),
}

impl Purpose {
    /// `None` where there is no text at all.
    pub fn translated(texts: BTreeMap<Locale, String>) -> Option<Self> {
        (!texts.is_empty()).then_some(Self::Translated(texts))
    }

    /// What was agreed to in these words, to be agreed to again in whichever language: as it was `written` in several, if it was.
    pub fn of_consent(words: &str, written: Option<&Self>) -> Self {
        written.cloned().unwrap_or_else(|| Self::from(words))
    }

    /// Whether each of its texts is for one language.
    pub fn is_translated(&self) -> bool {
        matches!(self, Self::Translated(_))
    }

    /// The text that was written for this language.
    pub fn written_in(&self, locale: Locale) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Translated(texts) => texts.get(&locale).map(String::as_str),
        }
    }

    /// The text for this language; where it has none, the one text that there is, else the English one, else that of the
    /// first language in the order of [`Locale::ALL`].
    pub fn in_language(&self, locale: Locale) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Translated(texts) => [locale, Locale::En]
                .into_iter()
                .chain(Locale::ALL)
                .find_map(|locale| texts.get(&locale))
                .map_or("", String::as_str),
        }
    }

    /// Every text, with its language where that is known.
    pub fn texts(&self) -> Vec<(Option<Locale>, &str)> {
        match self {
            Self::Text(text) => vec![(None, text)],
            Self::Translated(texts) => texts
                .iter()
                .map(|(locale, text)| (Some(*locale), text.as_str()))
                .collect(),
        }
    }

    /// As in a row: the one text as it is, several as an object of JSON. A purpose has no colon, so that none is read as
    /// such an object.
    pub fn to_column(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            // A map of plain words is always written.
            Self::Translated(texts) => serde_json::to_string(texts).unwrap_or_default(),
        }
    }

    pub fn from_column(text: String) -> Self {
        let texts = serde_json::from_str(&text).ok().and_then(Self::translated);
        texts.unwrap_or(Self::Text(text))
    }
}

impl From<&str> for Purpose {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Purpose {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(texts: &[(Locale, &str)]) -> Purpose {
        let texts = texts.iter().map(|(locale, text)| (*locale, (*text).to_owned()));
        Purpose::translated(texts.collect()).expect("texts")
    }

    /// Who has no text in their language reads the English one, else the first that there is; never nothing.
    #[test]
    fn a_language_without_a_text_falls_back() {
        let one = Purpose::from("a loan");
        let both = translated(&[(Locale::Ha, "rance"), (Locale::En, "a loan")]);
        let abroad = translated(&[(Locale::Sw, "mkopo"), (Locale::Fr, "un pret")]);
        for (purpose, locale, want) in [
            (&one, Locale::Ha, "a loan"),
            (&both, Locale::Ha, "rance"),
            (&both, Locale::Fr, "a loan"),
            (&abroad, Locale::Fr, "un pret"),
            (&abroad, Locale::Ha, "mkopo"),
        ] {
            assert_eq!(purpose.in_language(locale), want, "{purpose:?} in {locale}");
        }
    }

    /// A row and a live value give back what was written, and a text that only looks like an object stays a text.
    #[test]
    fn what_is_written_is_read() {
        for purpose in [
            Purpose::from("a loan"),
            Purpose::from("{ a loan }"),
            Purpose::from("{}"),
            translated(&[(Locale::En, "a \"loan\""), (Locale::Pcm, "loan")]),
        ] {
            assert_eq!(Purpose::from_column(purpose.to_column()), purpose);
            let json = serde_json::to_string(&purpose).expect("JSON");
            assert_eq!(
                serde_json::from_str::<Purpose>(&json).expect("a purpose"),
                purpose,
                "{json}"
            );
        }
    }
}
