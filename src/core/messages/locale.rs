//! The languages we speak.

use std::fmt;

use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language we speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    En,
    /// Nigerian Pidgin.
    Pcm,
    Ha,
    Yo,
    Ig,
    Sw,
    Fr,
}

impl Locale {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Self; 7] = [Self::En, Self::Pcm, Self::Ha, Self::Yo, Self::Ig, Self::Sw, Self::Fr];

    /// Those that many speak in this country (ISO 3166-1 alpha-2); none where we do not know.
    pub fn spoken_in(country: &str) -> &'static [Self] {
        match country {
            "NG" => &[Self::En, Self::Ha, Self::Ig, Self::Yo, Self::Pcm],
            "KE" | "TZ" | "UG" => &[Self::En, Self::Sw],
            "BF" | "BJ" | "CD" | "CG" | "CI" | "CM" | "GA" | "GN" | "ML" | "NE" | "SN" | "TG" => &[Self::Fr, Self::En],
            _ => &[],
        }
    }

    /// Every language, those that are spoken in this country first.
    pub fn all_in(country: &str) -> Vec<Self> {
        let spoken = Self::spoken_in(country);
        let others = Self::ALL.into_iter().filter(|locale| !spoken.contains(locale));
        spoken.iter().copied().chain(others).collect()
    }

    /// The BCP 47 tag, such as `en`; also the name of the language's file.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pcm => "pcm",
            Self::Ha => "ha",
            Self::Yo => "yo",
            Self::Ig => "ig",
            Self::Sw => "sw",
            Self::Fr => "fr",
        }
    }

    /// The language with this tag, whatever its case.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|locale| locale.tag().eq_ignore_ascii_case(tag))
    }

    /// What its speakers call it, in letters that every phone has.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Pcm => "Pidgin",
            Self::Ha => "Hausa",
            Self::Yo => "Yoruba",
            Self::Ig => "Igbo",
            Self::Sw => "Kiswahili",
            Self::Fr => "Francais",
        }
    }

    /// For the plural rules; a tag that could not be read would count as in English.
    pub(super) fn langid(self) -> LanguageIdentifier {
        self.tag().parse().unwrap_or_default()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tag names its language whatever its case, and nothing else.
    #[test]
    fn a_tag_names_its_language() {
        for locale in Locale::ALL {
            assert_eq!(Locale::from_tag(&locale.tag().to_uppercase()), Some(locale));
        }
        assert_eq!(Locale::from_tag("en-GB"), None);
    }

    /// Every country is offered every language, and its own before others.
    #[test]
    fn a_country_is_offered_every_language() {
        for (country, first) in [
            ("NG", [Locale::En, Locale::Ha, Locale::Ig, Locale::Yo]),
            ("KE", [Locale::En, Locale::Sw, Locale::Pcm, Locale::Ha]),
            ("SN", [Locale::Fr, Locale::En, Locale::Pcm, Locale::Ha]),
            ("DE", [Locale::En, Locale::Pcm, Locale::Ha, Locale::Yo]),
        ] {
            let mut offered = Locale::all_in(country);
            assert_eq!(offered[..4], first, "{country}");
            offered.sort_unstable();
            assert_eq!(offered, Locale::ALL, "{country}");
        }
    }
}
