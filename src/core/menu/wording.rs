//! What can be said of the texts without laying them out: that they are all there, want the same values in every
//! language, and hold nothing that a phone cannot show or that a person would take for a key.

use std::collections::{BTreeMap, BTreeSet};

use super::Menu;
use super::check::{MenuFinding, SampleValues};
use crate::core::gsm7;
use crate::core::labels;
use crate::core::messages::{Locale, TemplateArg, Templates};

/// Says that a key means nothing on the screen; every other notice says something that must be read.
pub const WRONG_KEY: &str = "note-choice";

/// Notices shown above a screen once.
pub const NOTICES: &[&str] = &[
    "note-ask-again",
    "note-session-ended",
    "note-back",
    "note-by-sms",
    "note-changed",
    "note-choice",
    "note-code",
    "note-code-length",
    "note-codes",
    "note-date",
    "note-digits",
    "note-empty",
    "note-length",
    "note-letters",
    "note-link-sent",
    "note-link-soon",
    "note-no-more",
    "note-no-text",
    "note-not-found",
    "note-not-now",
    "note-once-more",
    "note-other-way",
    "note-pattern",
    "note-pin",
    "note-pin-differs",
    "note-pin-digits",
    "note-pin-easy",
    "note-pin-login",
    "note-pin-off",
    "note-pin-set",
    "note-removed",
    "note-short",
    "note-short-again",
    "note-star",
    "note-time",
    "note-too-long",
    "note-unlinkable",
    "note-wrong-code",
];

/// Answers that end a dialog without a screen of the menu.
pub const LAST_RESORT: &[&str] = &[
    "busy",
    "elsewhere",
    "elsewhere-by-text",
    "expired",
    "no-service",
    "sorry",
    "too-long",
    "too-many",
    "unreadable",
];

/// Messages that are sent by SMS.
pub const SMS_MESSAGES: &[&str] = &[
    "sms-asked",
    "sms-asked-again",
    "sms-bank-back",
    "sms-elsewhere",
    "sms-ended",
    "sms-ends-soon",
    "sms-go-on",
    "sms-help",
    "sms-help-stopped",
    "sms-hint",
    "sms-linked",
    "sms-lost",
    "sms-mismatched",
    "sms-approve",
    "sms-not-linked",
    "sms-page-link",
    "sms-question",
    "sms-receipt",
    "sms-start",
    "sms-stop",
    "sms-too-many",
];

/// What an SMS says where the phone shows a screen of the menu; the screen's key to go back is below it.
pub const SMS_SCREENS: &[&str] = &[
    "sms-accounts",
    "sms-checking",
    "sms-delete",
    "sms-dial",
    "sms-left",
    "sms-own-code",
    "sms-phone-only",
];

/// What a screen says instead of its own message as things stand: the screen's message, and the other.
pub const SCREEN_VARIANTS: &[(&str, &str)] = &[
    ("approve-elsewhere", "sms-approve-elsewhere"),
    ("choose-pin", "choose-pin-warned"),
    ("choose-pin", "choose-pin-again"),
    ("confirming", "confirming-text"),
    ("left", "left-code"),
    ("left-checking", "left-asking"),
    ("left-checking", "left-asking-text"),
    ("field", "field-warned"),
    ("limited", "sms-limited"),
    ("link", "link-needs-login"),
    ("links", "links-some-unused"),
    ("needs-login", "needs-login-elsewhere"),
    ("open-page", "open-page-approve"),
    ("refused", "refused-codes"),
    ("refused", "refused-help"),
    ("refused", "refused-wait"),
    ("welcome", "sms-welcome"),
    ("welcome", "welcome-again"),
];

/// Words that code puts beside keys or names.
pub const LABEL_WORDS: &[&str] = &[
    "account-current",
    "account-other",
    "account-savings",
    "back",
    "bank-away",
    "bank-needs-login",
    "bank-slow",
    "approve-code",
    "bank-first",
    "business",
    "call-for-help",
    "data-account",
    "data-balance",
    "data-identity",
    "data-transactions",
    "date-format",
    "more",
    "more-accounts",
    "sms-agree",
    "wait-hours",
    "wait-minutes",
    "your-bank",
];

/// What is said on pages in a browser.
pub const PAGES: &[&str] = &[
    "page-back",
    "page-back-title",
    "page-go",
    "page-go-button",
    "page-go-title",
    "page-later",
    "page-later-title",
    "page-over",
    "page-over-title",
];

/// Keys that some operators take before we see them; a line that begins so would be read as an option.
const OPERATOR_KEYS: [&str; 2] = ["98", "00"];

/// Which message is used where.
pub(super) struct MessageUsage {
    /// By message: the place to name in a finding, which is the first screen that uses it or the message itself.
    places: BTreeMap<String, String>,
    /// Messages that are on one line beside a key.
    labels: BTreeSet<String>,
}

impl MessageUsage {
    pub(super) fn of(menu: &Menu) -> Self {
        let mut places = BTreeMap::new();
        let mut labels = BTreeSet::new();
        for screen in menu.screens() {
            places.entry(screen.text.clone()).or_insert_with(|| screen.id.clone());
            for choice in &screen.options {
                places.entry(choice.label.clone()).or_insert_with(|| screen.id.clone());
                labels.insert(choice.label.clone());
            }
        }
        let texted = SMS_MESSAGES.iter().chain(SMS_SCREENS);
        for id in NOTICES
            .iter()
            .chain(LAST_RESORT)
            .chain(texted)
            .chain(LABEL_WORDS)
            .chain(PAGES)
            .copied()
            .chain(labels::message_ids())
        {
            places.entry(id.to_owned()).or_insert_with(|| id.to_owned());
        }
        for (of, id) in SCREEN_VARIANTS {
            let place = places.get(*of).cloned().unwrap_or_else(|| (*id).to_owned());
            places.entry((*id).to_owned()).or_insert(place);
        }
        labels.extend(
            LABEL_WORDS
                .iter()
                .copied()
                .chain(labels::message_ids())
                .map(str::to_owned),
        );
        Self { places, labels }
    }
}

/// Messages that nothing uses, and messages that only a translation has.
pub(super) fn sets(usage: &MessageUsage, texts: &Templates) -> Vec<MenuFinding> {
    let mut findings = Vec::new();
    for locale in Locale::ALL {
        for id in texts.ids(locale) {
            let message = if !usage.places.contains_key(id) {
                "no screen and no code uses this message; remove it"
            } else if texts.variables(Locale::En, id).is_none() {
                "English has no such message; translate one that it has"
            } else {
                continue;
            };
            findings.push(MenuFinding {
                screen: id.to_owned(),
                locale: Some(locale),
                message: message.to_owned(),
                place: texts.place(locale, id).cloned(),
            });
        }
    }
    findings
}

/// What is wrong with this language's messages, one by one.
pub(super) fn messages(
    usage: &MessageUsage,
    texts: &Templates,
    locale: Locale,
    samples: &SampleValues,
) -> Vec<MenuFinding> {
    let mut findings = Vec::new();
    for (id, place) in &usage.places {
        let mut find = |message: String| {
            findings.push(MenuFinding {
                screen: place.clone(),
                locale: Some(locale),
                message,
                place: texts.place(locale, id).cloned(),
            });
        };
        let Some(variables) = texts.variables(locale, id) else {
            find(format!(
                "the message `{id}` is missing; write it in menus/locales/{locale}.ftl"
            ));
            continue;
        };
        if let Some(english) = texts.variables(Locale::En, id)
            && english != variables
        {
            find(format!(
                "`{id}` uses {}, English uses {}; use the same",
                list(variables),
                list(english)
            ));
        }
        if let Some(replaced) = texts
            .replaced_variables(locale, id)
            .filter(|replaced| *replaced != variables)
        {
            find(format!(
                "`{id}` uses {}, what it is laid over uses {}; use the same",
                list(variables),
                list(replaced)
            ));
        }
        if let Some(unknown) = variables.iter().find(|name| !samples.0.contains_key(name.as_str())) {
            find(format!(
                "`{id}` uses ${unknown}, which the flow never fills in; use another value"
            ));
            continue;
        }
        for text in formatted(texts, locale, id, samples) {
            if let Some(foreign) = text.chars().find(|c| gsm7::septet_cost(*c).is_none()) {
                find(format!(
                    "`{id}` holds `{foreign}`, which is not in GSM-7; write it without"
                ));
            }
            if usage.labels.contains(id) && text.contains('\n') {
                find(format!("`{id}` stands beside a key; write it on one line"));
            }
            if let Some(key) = text.lines().find_map(operator_key) {
                find(format!(
                    "a line of `{id}` begins with {key}, which belongs to operators; reword it"
                ));
            }
        }
    }
    findings
}

fn operator_key(line: &str) -> Option<&'static str> {
    let first = line.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    OPERATOR_KEYS.into_iter().find(|key| *key == first)
}

fn list(variables: &BTreeSet<String>) -> String {
    if variables.is_empty() {
        return "no values".to_owned();
    }
    variables
        .iter()
        .map(|name| format!("${name}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The message with every combination of the sample values that it uses.
pub(super) fn formatted(texts: &Templates, locale: Locale, id: &str, samples: &SampleValues) -> Vec<String> {
    let mut combinations: Vec<Vec<(&str, TemplateArg)>> = vec![Vec::new()];
    let own = texts.variables(locale, id).or_else(|| texts.variables(Locale::En, id));
    for name in own.into_iter().flatten() {
        let Some(values) = samples.0.get(name.as_str()) else {
            continue;
        };
        combinations = combinations
            .iter()
            .flat_map(|args| {
                values
                    .iter()
                    .map(|value| args.iter().cloned().chain([(name.as_str(), value.clone())]).collect())
            })
            .collect();
    }
    combinations.iter().map(|args| texts.format(locale, id, args)).collect()
}

/// The message at its longest. Characters outside GSM-7, which are findings of their own, count as one.
pub(super) fn longest(texts: &Templates, locale: Locale, id: &str, samples: &SampleValues) -> String {
    formatted(texts, locale, id, samples)
        .into_iter()
        .max_by_key(|text| septets(text))
        .unwrap_or_default()
}

pub(super) fn septets(text: &str) -> usize {
    text.chars().map(|c| gsm7::septet_cost(c).unwrap_or(1)).sum()
}

/// A name of words with this many septets.
pub(super) fn name_of(length: usize) -> String {
    let mut name: String = "Longest Name of a "
        .chars()
        .cycle()
        .take(length.saturating_sub(1))
        .collect();
    name.push('x');
    name
}
