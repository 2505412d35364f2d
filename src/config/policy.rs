//! `[policy]`: whether bank secrets may be typed over USSD and by text.

use super::section::Section;
use crate::core::pin::SubscriberPin;
use crate::core::policy::{Policy, PolicyOverride, SecretsOverSms, SecretsOverUssd};

const WORDS: &[(&str, SecretsOverUssd)] = &[
    ("allow", SecretsOverUssd::Allow),
    ("warn", SecretsOverUssd::Warn),
    ("deny", SecretsOverUssd::Deny),
];

const TEXTED: &[(&str, SecretsOverSms)] = &[("allow", SecretsOverSms::Allow), ("deny", SecretsOverSms::Deny)];

const PINS: &[(&str, SubscriberPin)] = &[
    ("off", SubscriberPin::Off),
    ("optional", SubscriberPin::Optional),
    ("required", SubscriberPin::Required),
];

/// The policy, and whether people may have a code of their own.
pub(super) fn read(mut section: Section<'_>) -> Option<(Policy, SubscriberPin)> {
    let secrets_over_ussd = rule(
        &mut section,
        "there is no default: read docs/OPERATIONS.md on secrets over USSD, then say \"allow\", \"warn\" or \"deny\"",
    );
    let secrets_over_sms = section.choice("secrets_over_sms", TEXTED).unwrap_or_default();
    let card_and_pin = section.flag("card_and_pin").unwrap_or(false);
    let subscriber_pin = section
        .parsed("subscriber_pin", "say \"off\", \"optional\" or \"required\"", pin)
        .unwrap_or_default();
    let overrides: Vec<_> = section
        .sections("overrides")
        .into_iter()
        .map(|mut exception| {
            // An exception may be for texts only; one for nothing is a slip.
            let texts_only = exception.has("secrets_over_sms") && !exception.has("secrets_over_ussd");
            let secrets_over_sms = exception.choice("secrets_over_sms", TEXTED);
            let secrets_over_ussd = if texts_only {
                exception.known("secrets_over_ussd");
                None
            } else {
                let rule = rule(&mut exception, "say \"allow\", \"warn\" or \"deny\"");
                Some(rule.unwrap_or(SecretsOverUssd::Deny))
            };
            let read = PolicyOverride {
                country: exception.parsed("country", COUNTRY_REMEDY, country),
                provider: exception.text("provider"),
                institution: exception.text("institution"),
                secrets_over_ussd,
                secrets_over_sms,
            };
            exception.finish();
            read
        })
        .collect();
    section.finish();
    let policy = Policy {
        secrets_over_ussd: secrets_over_ussd?,
        secrets_over_sms,
        overrides,
        card_and_pin,
    };
    Some((policy, subscriber_pin))
}

fn pin(text: &str) -> Result<SubscriberPin, String> {
    let named = PINS.iter().find(|(word, _)| *word == text);
    named
        .map(|(_, rule)| *rule)
        .ok_or_else(|| "is not one of the three rules".to_owned())
}

/// How the rule on people's own codes is spelt.
pub(super) fn pin_word(rule: SubscriberPin) -> &'static str {
    PINS.iter()
        .find(|(_, known)| *known == rule)
        .map_or("", |(word, _)| word)
}

fn rule(section: &mut Section<'_>, remedy: &str) -> Option<SecretsOverUssd> {
    section.required("secrets_over_ussd", remedy, |text| {
        WORDS
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, rule)| *rule)
            .ok_or_else(|| "is not one of the three rules".to_owned())
    })
}

/// What to say when [`country`] refuses.
pub(super) const COUNTRY_REMEDY: &str = "write the two capital letters of ISO 3166-1, such as \"NG\"";

/// Two capital letters.
pub(super) fn country(text: &str) -> Result<String, String> {
    let letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    letters
        .then(|| text.to_owned())
        .ok_or_else(|| "is not a country code".to_owned())
}
