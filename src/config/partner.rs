//! `[partner]`: the business on whose behalf accounts are linked.

use serde::Serialize;

use super::section::Section;
use crate::core::screen_text::{self, ScreenTextFault};

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
    let name = section.required("name", "say the business's name as people know it", |text| {
        screen_text::partner_name(text).map_err(ScreenTextFault::problem)
    });
    let purpose = section.required(
        "purpose",
        "say in a few words what the data are for, without . ! ? : and ;",
        |text| screen_text::purpose(text).map_err(ScreenTextFault::problem),
    );
    let data_days = section.number("data_days", 1..=730).unwrap_or(90);
    section.report_unknown_keys();
    Some(PartnerConfig {
        name: name?,
        purpose: purpose?,
        data_days,
    })
}
