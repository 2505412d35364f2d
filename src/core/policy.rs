//! Whether bank secrets may be typed over USSD, which carries them in clear through the operator's network, and sent by SMS,
//! which also stays on the phone, and whose sender can be forged.

use serde::Serialize;

/// Secrets on a channel that the mobile operator can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsOverUssd {
    Allow,
    /// Tell the person who can read them, then ask.
    Warn,
    /// Never ask: auth methods with secrets are not offered.
    Deny,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsOverSms {
    /// Ask for them, if they may be typed over USSD too.
    Allow,
    /// Never ask: the person is told what to dial instead.
    #[default]
    Deny,
}

/// The rules and their exceptions. The most specific exception wins: institution, then provider, then country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    pub secrets_over_ussd: SecretsOverUssd,
    pub secrets_over_sms: SecretsOverSms,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PolicyOverride>,
    /// Whether auth methods that ask for a card number together with its PIN may be offered.
    pub card_and_pin: bool,
}

/// An exception. Every criterion that is set must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyOverride {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    /// A provider's name, such as `mono`.
    pub provider: Option<String>,
    /// An institution's id at its provider.
    pub institution: Option<String>,
    pub secrets_over_ussd: Option<SecretsOverUssd>,
    pub secrets_over_sms: Option<SecretsOverSms>,
}

impl Policy {
    pub fn ussd_rule(&self, country: &str, provider: &str, institution: &str) -> SecretsOverUssd {
        self.most_specific(country, provider, institution, |rule| rule.secrets_over_ussd)
            .unwrap_or(self.secrets_over_ussd)
    }

    /// Whether secrets for an institution may be sent by SMS: never if they may not be typed over USSD, which fewer can read.
    pub fn sms_rule(&self, country: &str, provider: &str, institution: &str) -> SecretsOverSms {
        if self.ussd_rule(country, provider, institution) == SecretsOverUssd::Deny {
            return SecretsOverSms::Deny;
        }
        self.most_specific(country, provider, institution, |rule| rule.secrets_over_sms)
            .unwrap_or(self.secrets_over_sms)
    }

    /// The rule of the most specific exception that applies and has one.
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

/// Our institution ids are the provider's id, with a suffix if that is not unique (`6a00:business`): a rule with the
/// provider's id covers them all.
fn matches_institution(rule: &str, institution: &str) -> bool {
    institution
        .strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most specific exception decides, in whatever order they are written.
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

    /// SMS has rules of its own, with the same exceptions; but what is refused over USSD is never allowed by SMS, and an
    /// exception without a rule for SMS changes nothing for it.
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
