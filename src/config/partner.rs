//! `[partner]`: the business on whose behalf accounts are linked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::section::Section;
use super::{ChannelConfig, Mode};
use crate::core::labels::KnownPurposes;
use crate::core::messages::{Locale, Templates};
use crate::core::purpose::Purpose;
use crate::core::screen_text::{self, ScreenTextFault};

/// The business, as people see it in the consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartnerConfig {
    /// The partner's id is derived from it: another name is another partner.
    pub name: String,
    /// What the data is for, in a few words, for everybody for whom `purposes` has none. May be missing beside those.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// For how many days people agree to their data being read. The default, 90, is enough to see a quarter's income. It
    /// is part of the consent, so ask for no more than the purpose needs.
    pub data_days: u16,
    /// The languages that are offered, the first where people begin; by default all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Locale>,
    /// `[partner.purposes]`: what the data is for, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    purposes: BTreeMap<Locale, String>,
    /// The telephone number that people can call for help.
    pub contact: Option<String>,
    /// Whether people get an SMS for every account that they link. By default they do not: each costs the operator an SMS, and
    /// the screen has told them.
    pub receipts: bool,
}

impl PartnerConfig {
    /// What the data is for, in all languages. The text of `purpose` counts as English where `purposes` has no English one.
    pub fn purpose(&self) -> Purpose {
        let mut texts = self.purposes.clone();
        if let Some(text) = &self.purpose {
            if texts.is_empty() {
                return Purpose::Text(text.clone());
            }
            texts.entry(Locale::En).or_insert_with(|| text.clone());
        }
        Purpose::Translated(texts)
    }
}

const PURPOSE: &str = "say in a few words what the data are for, without . ! ? : and ;";

pub(super) fn read(mut section: Section<'_>) -> Option<PartnerConfig> {
    let purpose = |text: &str| screen_text::purpose(text).map_err(ScreenTextFault::problem);
    let name = section.required("name", "say the business's name as people know it", |text| {
        screen_text::partner_name(text).map_err(ScreenTextFault::problem)
    });
    let mut by_language = section.section("purposes");
    let purposes: BTreeMap<_, _> = Locale::ALL
        .into_iter()
        .filter_map(|locale| Some((locale, by_language.parsed(locale.tag(), PURPOSE, purpose)?)))
        .collect();
    let stated = by_language.is_present();
    by_language.report_unknown_names(
        "is no language that is spoken here",
        &Locale::ALL.map(Locale::tag).join(", "),
    );
    let one = if stated && !purposes.is_empty() {
        section.parsed("purpose", PURPOSE, purpose)
    } else {
        section.required("purpose", PURPOSE, purpose)
    };
    if let (Some(one), Some(english)) = (&one, purposes.get(&Locale::En))
        && one != english
    {
        section.warn(
            "purpose",
            "is not read by anybody: partner.purposes.en goes before it",
            "leave it out, or partner.purposes.en",
        );
    }
    let languages = read_languages(&mut section);
    let data_days = section.number("data_days", 1..=730).unwrap_or(90);
    let contact = section.parsed("contact", &ScreenTextFault::NotTelephone.remedy(), |text| {
        screen_text::contact(text).map_err(ScreenTextFault::problem)
    });
    let receipts = section.flag("receipts").unwrap_or(false);
    section.report_unknown_keys();
    Some(PartnerConfig {
        name: name?,
        purpose: Some(one).filter(|one| one.is_some() || !purposes.is_empty())?,
        data_days,
        languages,
        purposes,
        contact,
        receipts,
    })
}

fn read_languages(section: &mut Section<'_>) -> Vec<Locale> {
    let Some(tags) = section.text_list("languages") else {
        return Vec::new();
    };
    let languages: Option<Vec<_>> = tags.iter().map(|tag| Locale::from_tag(tag)).collect();
    let once = |languages: &Vec<Locale>| languages.iter().collect::<BTreeSet<_>>().len() == languages.len();
    let languages = languages.filter(|languages| !languages.is_empty() && once(languages));
    if languages.is_none() {
        let known = Locale::ALL.map(Locale::tag).join(", ");
        section.report(
            "languages",
            "is not a list of languages, each once",
            format!("there are: {known}"),
        );
    }
    languages.unwrap_or_default()
}

/// Says which languages are offered in which nobody can read what the data are for.
pub(super) fn report_languages(root: &Section<'_>, partner: &PartnerConfig, channels: &[ChannelConfig]) {
    if root.mode() == Mode::Sandbox {
        return;
    }
    let offered: BTreeSet<Locale> = if partner.languages.is_empty() {
        let spoken = channels.iter().flat_map(|channel| Locale::spoken_in(&channel.country));
        spoken.copied().collect()
    } else {
        partner.languages.iter().copied().collect()
    };
    let purpose = partner.purpose();
    let unwritten = |locale: &Locale| *locale != Locale::En && purpose.written_in(*locale).is_none();
    let unwritten: Vec<_> = offered.into_iter().filter(unwritten).collect();
    if unwritten.is_empty() {
        return;
    }
    let Ok(templates) = Templates::embedded() else {
        return;
    };
    let known = KnownPurposes::of(&templates);
    let ours = |locale: Locale| known.translate(&templates, locale, purpose.in_language(locale));
    let foreign = unwritten.into_iter().filter(|locale| ours(*locale).is_none());
    let foreign: Vec<_> = foreign.map(Locale::tag).collect();
    if !foreign.is_empty() {
        root.warn(
            "partner.purposes",
            format!(
                "has no text in {}: who reads these languages agrees to {:?}",
                foreign.join(", "),
                purpose.in_language(Locale::En)
            ),
            "write [partner.purposes] with a text for each, or offer fewer partner.languages",
        );
    }
}
