//! Whether bank secrets may be typed over USSD, which carries them in clear through the operator's network, and by text,
//! which also stay on the phone and come from whoever forges the number.

use serde::{Deserialize, Serialize};

/// What to do about secrets on a channel that the mobile operator can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsOverUssd {
    /// Ask for them.
    Allow,
    /// Say who can read them, then ask.
    Warn,
    /// Never ask for them: such auth methods are not offered.
    Deny,
}

/// What to do about secrets in texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsOverSms {
    /// Ask for them, where they may be typed over USSD too.
    Allow,
    /// Never ask for them: whoever comes so far is told what to dial.
    #[default]
    Deny,
}

/// The rule in force, with its exceptions; the most specific wins: institution, then provider, then country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Where no exception applies.
    pub secrets_over_ussd: SecretsOverUssd,
    /// In texts, where no exception applies.
    #[serde(default)]
    pub secrets_over_sms: SecretsOverSms,
    /// Exceptions.
    #[serde(default)]
    pub overrides: Vec<PolicyOverride>,
    /// Whether auth methods that want a card number together with a card PIN may be offered.
    #[serde(default)]
    pub card_and_pin: bool,
}

/// One exception; every field that is set must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyOverride {
    /// ISO 3166-1 alpha-2, upper case.
    #[serde(default)]
    pub country: Option<String>,
    /// A provider's name, such as `mono`.
    #[serde(default)]
    pub provider: Option<String>,
    /// An institution's id at its provider.
    #[serde(default)]
    pub institution: Option<String>,
    /// The rule for what matches, if it is another.
    #[serde(default)]
    pub secrets_over_ussd: Option<SecretsOverUssd>,
    /// The rule for texts for what matches, if it is another.
    #[serde(default)]
    pub secrets_over_sms: Option<SecretsOverSms>,
}

impl Policy {
    /// The rule for an institution of a provider in a country.
    pub fn ussd_rule(&self, country: &str, provider: &str, institution: &str) -> SecretsOverUssd {
        self.most_specific(country, provider, institution, |rule| rule.secrets_over_ussd)
            .unwrap_or(self.secrets_over_ussd)
    }

    /// Whether secrets of an institution of a provider in a country may be texted: never those that may not be typed over
    /// USSD, which is seen by fewer.
    pub fn sms_rule(&self, country: &str, provider: &str, institution: &str) -> SecretsOverSms {
        if self.ussd_rule(country, provider, institution) == SecretsOverUssd::Deny {
            return SecretsOverSms::Deny;
        }
        self.most_specific(country, provider, institution, |rule| rule.secrets_over_sms)
            .unwrap_or(self.secrets_over_sms)
    }

    /// What the most specific exception says that applies and says anything of it.
    fn most_specific<T>(
        &self,
        country: &str,
        provider: &str,
        institution: &str,
        says: impl Fn(&PolicyOverride) -> Option<T>,
    ) -> Option<T> {
        let applies = |rule: &PolicyOverride| {
            rule.country.as_deref().is_none_or(|c| c.eq_ignore_ascii_case(country))
                && rule.provider.as_deref().is_none_or(|p| p == provider)
                && rule
                    .institution
                    .as_deref()
                    .is_none_or(|i| matches_institution(i, institution))
        };
        let weight = |rule: &PolicyOverride| {
            u8::from(rule.institution.is_some()) * 4
                + u8::from(rule.provider.is_some()) * 2
                + u8::from(rule.country.is_some())
        };
        self.overrides
            .iter()
            .filter(|rule| applies(rule))
            .filter_map(|rule| Some((weight(rule), says(rule)?)))
            .max_by_key(|(weight, _)| *weight)
            .map(|(_, said)| said)
    }
}

/// Whether a rule's institution is this one. Ours are the provider's id with a suffix where that id is not unique
/// (`6a00:business`): a rule written with the provider's id covers them all.
fn matches_institution(rule: &str, institution: &str) -> bool {
    institution
        .strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most specific exception decides, whatever the order they are written in.
    #[test]
    fn the_most_specific_rule_wins() {
        let rule = |country: Option<&str>, provider: Option<&str>, institution: Option<&str>, secrets_over_ussd| {
            PolicyOverride {
                country: country.map(str::to_owned),
                provider: provider.map(str::to_owned),
                institution: institution.map(str::to_owned),
                secrets_over_ussd: Some(secrets_over_ussd),
                secrets_over_sms: None,
            }
        };
        let policy = Policy {
            secrets_over_ussd: SecretsOverUssd::Allow,
            secrets_over_sms: SecretsOverSms::Deny,
            overrides: vec![
                rule(None, Some("mono"), Some("bank-1"), SecretsOverUssd::Allow),
                rule(Some("NG"), None, None, SecretsOverUssd::Deny),
                rule(None, Some("mono"), None, SecretsOverUssd::Warn),
            ],
            card_and_pin: false,
        };
        for (country, provider, institution, want) in [
            ("KE", "powens", "x", SecretsOverUssd::Allow),
            ("ng", "powens", "x", SecretsOverUssd::Deny),
            ("NG", "mono", "x", SecretsOverUssd::Warn),
            ("NG", "mono", "bank-1", SecretsOverUssd::Allow),
            ("NG", "mono", "bank-1:business", SecretsOverUssd::Allow),
            ("NG", "mono", "bank-10", SecretsOverUssd::Warn),
        ] {
            assert_eq!(
                policy.ussd_rule(country, provider, institution),
                want,
                "{country} {provider} {institution}"
            );
        }
    }

    /// Texts have rules of their own, by the same exceptions; but what is refused over USSD is never let in by text, and an
    /// exception that says nothing of texts changes nothing for them.
    #[test]
    fn texts_have_rules_of_their_own() {
        let rule = |institution: &str, ussd, sms| PolicyOverride {
            country: None,
            provider: None,
            institution: Some(institution.to_owned()),
            secrets_over_ussd: ussd,
            secrets_over_sms: sms,
        };
        let (allow, deny) = (SecretsOverSms::Allow, SecretsOverSms::Deny);
        for (general, institution, want) in [
            (deny, "other", deny),
            (deny, "texted", allow),
            (deny, "quiet", deny),
            (allow, "other", allow),
            (allow, "warned", allow),
            (allow, "denied", deny),
            (allow, "both", deny),
            (allow, "quiet", deny),
        ] {
            let policy = Policy {
                secrets_over_ussd: SecretsOverUssd::Allow,
                secrets_over_sms: general,
                overrides: vec![
                    rule("texted", None, Some(allow)),
                    rule("quiet", None, Some(deny)),
                    rule("warned", Some(SecretsOverUssd::Warn), None),
                    rule("denied", Some(SecretsOverUssd::Deny), None),
                    rule("both", Some(SecretsOverUssd::Deny), Some(allow)),
                ],
                card_and_pin: false,
            };
            assert_eq!(
                policy.sms_rule("NG", "mono", institution),
                want,
                "{general:?} {institution}"
            );
        }
    }
}
