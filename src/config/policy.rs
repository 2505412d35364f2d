//! `[policy]`: whether bank secrets may be typed over USSD and sent by SMS, and what protects what is linked.

use std::time::Duration;

use serde::Serialize;

use super::section::Section;
use crate::core::pin::SubscriberPin;
use crate::core::policy::{Policy, PolicyOverride, SecretsOverSms, SecretsOverUssd};

const USSD_RULES: &[(&str, SecretsOverUssd)] = &[
    ("allow", SecretsOverUssd::Allow),
    ("warn", SecretsOverUssd::Warn),
    ("deny", SecretsOverUssd::Deny),
];

const SMS_RULES: &[(&str, SecretsOverSms)] = &[("allow", SecretsOverSms::Allow), ("deny", SecretsOverSms::Deny)];

/// After how many days without use a link is shown only once its account has been linked again.
const ASK_LOGIN_AFTER_DAYS: u16 = 180;

/// Use is noted once a day at most: with fewer days even those who dial daily would be asked.
const MIN_ASK_LOGIN_AFTER_DAYS: u16 = 7;

const PIN_RULES: &[(&str, SubscriberPin)] = &[
    ("off", SubscriberPin::Off),
    ("optional", SubscriberPin::Optional),
    ("required", SubscriberPin::Required),
];

#[derive(Debug, Serialize)]
pub struct PolicyConfig {
    #[serde(flatten)]
    pub rules: Policy,
    pub subscriber_pin: SubscriberPin,
    /// After how many days without use a link is shown only once its account has been linked again; 0: it always is.
    pub ask_login_after_days: u16,
}

impl PolicyConfig {
    /// The same as a time; `None`: a link is always shown.
    pub fn ask_login_after(&self) -> Option<Duration> {
        let days = u64::from(self.ask_login_after_days);
        (days > 0).then(|| Duration::from_hours(days * 24))
    }
}

pub(super) fn read(mut section: Section<'_>) -> Option<PolicyConfig> {
    let secrets_over_ussd = required_ussd_rule(
        &mut section,
        "there is no default: read docs/OPERATIONS.md on secrets over USSD, then say \"allow\", \"warn\" or \"deny\"",
    );
    let secrets_over_sms = section.one_of("secrets_over_sms", SMS_RULES).unwrap_or_default();
    let card_and_pin = section.flag("card_and_pin").unwrap_or(false);
    let subscriber_pin = section
        .parsed(
            "subscriber_pin",
            "say \"off\", \"optional\" or \"required\"",
            parse_pin_rule,
        )
        .unwrap_or_default();
    let ask_login_after_days = section
        .number("ask_login_after_days", 0..=730)
        .unwrap_or(ASK_LOGIN_AFTER_DAYS);
    if (1..MIN_ASK_LOGIN_AFTER_DAYS).contains(&ask_login_after_days) {
        let remedy = format!("say {MIN_ASK_LOGIN_AFTER_DAYS} or more, or 0 for never");
        section.report(
            "ask_login_after_days",
            "is too short: use is noted once a day at most",
            remedy,
        );
    }
    let overrides: Vec<_> = section
        .sections("overrides")
        .into_iter()
        .map(|mut exception| {
            // An exception may be for SMS only; one without any rule is a mistake.
            let sms_only = exception.contains("secrets_over_sms") && !exception.contains("secrets_over_ussd");
            let secrets_over_sms = exception.one_of("secrets_over_sms", SMS_RULES);
            let secrets_over_ussd = if sms_only {
                exception.mark_known("secrets_over_ussd");
                None
            } else {
                let rule = required_ussd_rule(&mut exception, "say \"allow\", \"warn\" or \"deny\"");
                Some(rule.unwrap_or(SecretsOverUssd::Deny))
            };
            let read = PolicyOverride {
                country: exception.parsed("country", COUNTRY_REMEDY, parse_country),
                provider: exception.text("provider"),
                institution: exception.text("institution"),
                secrets_over_ussd,
                secrets_over_sms,
            };
            exception.report_unknown_keys();
            read
        })
        .collect();
    section.report_unknown_keys();
    let rules = Policy {
        secrets_over_ussd: secrets_over_ussd?,
        secrets_over_sms,
        overrides,
        card_and_pin,
    };
    Some(PolicyConfig {
        rules,
        subscriber_pin,
        ask_login_after_days,
    })
}

fn parse_pin_rule(text: &str) -> Result<SubscriberPin, String> {
    let named = PIN_RULES.iter().find(|(word, _)| *word == text);
    named
        .map(|(_, rule)| *rule)
        .ok_or_else(|| "is not one of the three rules".to_owned())
}

fn required_ussd_rule(section: &mut Section<'_>, remedy: &str) -> Option<SecretsOverUssd> {
    section.required("secrets_over_ussd", remedy, |text| {
        USSD_RULES
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, rule)| *rule)
            .ok_or_else(|| "is not one of the three rules".to_owned())
    })
}

/// The remedy for [`parse_country`].
pub(super) const COUNTRY_REMEDY: &str = "write the two capital letters of ISO 3166-1, such as \"NG\"";

pub(super) fn parse_country(text: &str) -> Result<String, String> {
    let letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    letters
        .then(|| text.to_owned())
        .ok_or_else(|| "is not a country code".to_owned())
}
