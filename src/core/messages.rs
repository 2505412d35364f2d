//! Texts in every language, from `menus/locales/*.ftl`.

use serde::{Deserialize, Serialize};

/// A language we speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Nigerian Pidgin.
    Pcm,
    /// Hausa.
    Ha,
    /// Yoruba.
    Yo,
    /// Igbo.
    Ig,
    /// Swahili.
    Sw,
    /// French.
    Fr,
}

/// A value put into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Text from anywhere: folded, bounded and stripped of control characters before it is shown.
    Text(String),
    /// A count, which may choose a plural form.
    Number(i64),
}
