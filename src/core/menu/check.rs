//! Proves that menu and texts work together: that a person can get everywhere and out again, in every language, on the
//! smallest screen. What is found is for the person who edits `menus/`; nothing here runs while people are served.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::wording::{self, MessageUsage};
use super::{Action, Menu, OptionTarget, ScreenKind};
use crate::core::messages::{Locale, TemplateArg, TemplatePlace, Templates};
use crate::core::scope::{Data, Scope};
use crate::core::screen_text;

/// Something to put right in `menus/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MenuFinding {
    /// The screen, or the message where no single screen is concerned.
    pub screen: String,
    /// The language, where only one is concerned.
    pub locale: Option<Locale>,
    /// What is wrong and how to put it right.
    pub message: String,
    /// Where the message stands that is concerned.
    pub place: Option<TemplatePlace>,
}

impl fmt::Display for MenuFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(TemplatePlace { file, line }) = &self.place {
            write!(f, "{file}, line {line}: ")?;
        }
        f.write_str(&self.screen)?;
        if let Some(locale) = self.locale {
            write!(f, " ({locale})")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The values that messages are measured with, by variable. A count has several, for its plural forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleValues(pub BTreeMap<&'static str, Vec<TemplateArg>>);

impl SampleValues {
    /// The longest values that the flow puts into messages: it cuts names to these lengths, in septets.
    pub fn worst_case() -> Self {
        let name = |length| vec![TemplateArg::Text(wording::name_of(length))];
        let count = |most| [0, 1, 2, 3, most].map(TemplateArg::Number).to_vec();
        Self(BTreeMap::from([
            ("partner", name(22)),
            ("purpose", name(40)),
            // In the texts that are checked it is all that can be asked for, see [`Self::in_language`].
            ("data", name(54)),
            ("languages", name(20)),
            ("bank", name(22)),
            ("field", name(40)),
            ("choice", name(24)),
            ("message", name(40)),
            ("code", name(16)),
            // As long as an address with the token of a page.
            ("url", name(80)),
            ("account", vec![TemplateArg::Text("..5678".to_owned())]),
            ("until", vec![TemplateArg::Text("28/12/2026".to_owned())]),
            ("dial", vec![TemplateArg::Text("*38496*12*482913507#".to_owned())]),
            ("contact", name(screen_text::MAX_CONTACT)),
            ("days", count(365)),
            ("seconds", count(60)),
            ("minutes", count(119)),
            ("hours", count(24)),
            // As long as minutes or hours in any language.
            ("wait", name(WAIT)),
            ("left", count(3)),
            ("count", count(99)),
            ("length", count(20)),
        ]))
    }

    /// The same, with the data as they are called in these texts: as many as can be asked for.
    fn in_language(&self, texts: &Templates, locale: Locale) -> Self {
        let mut values = self.0.clone();
        if let Some(all) = Scope::of(Data::ALL) {
            values.insert("data", vec![TemplateArg::Text(all.said(texts, locale))]);
        }
        Self(values)
    }
}

/// Septets that a wait may take in words.
const WAIT: usize = 10;
impl SampleValues {
    /// The same where no code is dialled behind the service code: on a screen, which people read in the middle of a dialog.
    pub(super) fn on_screens(&self) -> Self {
        let mut own = self.clone();
        if let Some(dial) = own.0.get_mut("dial") {
            *dial = vec![TemplateArg::Text("*38496*12#".to_owned())];
        }
        own
    }
}

/// Everything that is wrong with this menu in these languages; nothing when all is well.
///
/// `limits` are the septets of each gateway's page, its own marks such as `CON ` already taken off; the smallest decides
/// whether a screen fits, and notes are tried on all of them.
pub fn check(menu: &Menu, texts: &Templates, limits: &[u16], samples: &SampleValues) -> Vec<MenuFinding> {
    let mut findings = paths(menu);
    let usage = MessageUsage::of(menu);
    findings.extend(wording::sets(&usage, texts));
    let limit = limits.iter().min().map(|limit| usize::from(*limit));
    for locale in Locale::ALL {
        let samples = &samples.in_language(texts, locale);
        findings.extend(wording::messages(&usage, texts, locale, samples));
        if let Some(limit) = limit {
            findings.extend(super::fit::screens(menu, texts, locale, limit, samples));
            findings.extend(super::fit::from_code(texts, locale, limit, samples));
        }
        findings.extend(super::notes::over_screens(menu, texts, locale, limits, samples));
    }
    findings.sort();
    findings.dedup();
    findings
}

/// What [`check`] found, to be read by a person, and whether all is well.
pub fn check_report(menu: &Menu, texts: &Templates, limits: &[u16], samples: &SampleValues) -> (String, bool) {
    let findings = check(menu, texts, limits, samples);
    let mut report = String::new();
    for finding in &findings {
        let _ = writeln!(report, "{finding}");
    }
    let screens = menu.screens().count();
    let languages = Locale::ALL.len();
    if findings.is_empty() {
        let _ = writeln!(
            report,
            "{screens} screens in {languages} languages: all can be reached and left, and all fit."
        );
    } else {
        let _ = writeln!(
            report,
            "{screens} screens in {languages} languages: {} to put right.",
            findings.len()
        );
    }
    if let Some(limit) = limits.iter().min() {
        let _ = writeln!(
            report,
            "Fullest single page with the longest values, of {limit} septets:"
        );
        for locale in Locale::ALL {
            let samples = &samples.in_language(texts, locale);
            if let Some((screen, septets)) = super::fit::fullest(menu, texts, locale, usize::from(*limit), samples) {
                let _ = writeln!(report, "  {:<3} {septets:>3}  {screen}", locale.tag());
            }
        }
    }
    (report, findings.is_empty())
}

/// Screens that nobody reaches, and screens that nobody gets out of.
fn paths(menu: &Menu) -> Vec<MenuFinding> {
    let edges: Vec<(&str, Vec<String>)> = menu
        .screens()
        .map(|screen| {
            let targets = screen
                .moves()
                .flat_map(|(_, go)| menu.targets(&go).into_iter().map(str::to_owned).collect::<Vec<_>>());
            (screen.id.as_str(), targets.collect())
        })
        .collect();

    // A dial begins at the start, or where `home` leads when something waits to be continued or told.
    let mut reached = BTreeSet::from([menu.start.clone()]);
    reached.extend(
        menu.targets(&OptionTarget::Action(Action::Home))
            .into_iter()
            .map(str::to_owned),
    );
    grow(&mut reached, |reached| {
        edges
            .iter()
            .filter(|(from, _)| reached.contains(*from))
            .flat_map(|(_, to)| to.clone())
            .collect()
    });

    let ends = menu.screens().filter(|screen| screen.kind == ScreenKind::End);
    let mut leaving: BTreeSet<String> = ends.map(|screen| screen.id.clone()).collect();
    grow(&mut leaving, |leaving| {
        let out = edges
            .iter()
            .filter(|(_, to)| to.iter().any(|target| leaving.contains(target)));
        out.map(|(from, _)| (*from).to_owned()).collect()
    });

    let lost = |id: &str, message: &str| MenuFinding {
        screen: id.to_owned(),
        locale: None,
        message: message.to_owned(),
        place: None,
    };
    let unreached = menu.screens().filter(|screen| !reached.contains(&screen.id));
    let stuck = menu.screens().filter(|screen| !leaving.contains(&screen.id));
    unreached
        .map(|screen| {
            lost(
                &screen.id,
                "no screen and no outcome leads here; lead to it or remove it",
            )
        })
        .chain(stuck.map(|screen| {
            lost(
                &screen.id,
                "a dead end: no way leads from here to an `end` screen; add one",
            )
        }))
        .collect()
}

/// Adds what `next` finds from the set until nothing new is found.
fn grow(set: &mut BTreeSet<String>, next: impl Fn(&BTreeSet<String>) -> Vec<String>) {
    loop {
        let before = set.len();
        let found = next(set);
        set.extend(found);
        if set.len() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No wait in words, in any language, is longer than the sample that stands for it.
    #[test]
    fn a_wait_is_as_long_as_its_sample() {
        let (texts, samples) = (Templates::embedded().unwrap(), SampleValues::worst_case());
        for locale in Locale::ALL {
            for id in ["wait-minutes", "wait-hours"] {
                let longest = wording::longest(&texts, locale, id, &samples);
                assert!(wording::septets(&longest) <= WAIT, "{locale}: {longest}");
            }
        }
    }
}
