//! `[partner]`: the business on whose behalf accounts are linked.

use serde::Serialize;

use super::section::Section;

/// The business, as people see it in the consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartnerConfig {
    /// The partner's id is derived from it: another name is another partner.
    pub name: String,
    /// What the data is for, in a few words.
    pub purpose: String,
    /// For how many days people agree to their data being read. The default, 90, is enough to see a quarter's income. It
    /// is part of the consent, so ask for no more than the purpose needs.
    pub data_days: u16,
}

pub(super) fn read(mut section: Section<'_>) -> Option<PartnerConfig> {
    let short = |most: usize| {
        move |text: &str| {
            if text.chars().count() > most {
                Err(format!(
                    "is longer than {most} characters, too long for a phone's screen"
                ))
            } else if text.chars().any(char::is_control) {
                Err("has control characters".to_owned())
            } else {
                Ok(text.trim().to_owned())
            }
        }
    };
    let name = section.required("name", "say the business's name as people know it", short(30));
    let purpose = section.required("purpose", "say in a few words what the data are for", short(40));
    let data_days = section.number("data_days", 1..=730).unwrap_or(90);
    section.report_unknown_keys();
    Some(PartnerConfig {
        name: name?,
        purpose: purpose?,
        data_days,
    })
}
