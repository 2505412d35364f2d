//! `[partner]`: the business on whose behalf accounts are linked.

use serde::Serialize;

use super::section::Section;
use crate::core::screen_text::{self, ScreenTextFault};

/// Characters that fit on a phone's screen beside the rest of the consent.
const MAX_NAME: usize = 30;
const MAX_PURPOSE: usize = 40;

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
        let checked = screen_text::check_name(text, MAX_NAME);
        checked.map(|()| text.trim().to_owned()).map_err(problem)
    });
    let purpose = section.required(
        "purpose",
        "say in a few words what the data are for, without . ! ? : and ;",
        |text| screen_text::purpose(text, MAX_PURPOSE).map_err(problem),
    );
    let data_days = section.number("data_days", 1..=730).unwrap_or(90);
    section.report_unknown_keys();
    Some(PartnerConfig {
        name: name?,
        purpose: purpose?,
        data_days,
    })
}

/// The end of a sentence about a text.
fn problem(fault: ScreenTextFault) -> String {
    match fault {
        ScreenTextFault::Blank => "is blank: nothing of it can be read on a phone".to_owned(),
        ScreenTextFault::TooLong(most) => {
            format!("is longer than {most} characters, too long for a phone's screen")
        }
        ScreenTextFault::ControlCharacters => "has control characters".to_owned(),
        ScreenTextFault::Sentence => {
            "has the end of a sentence in it; a second one could be read as somebody else's".to_owned()
        }
    }
}
