//! The auth methods that may be offered: those that a keypad can answer and the policy allows.

use crate::core::policy::{Policy, SecretsOverUssd};

use super::{AuthMethod, Institution, Journey};

/// The institution with only those auth methods that may be offered over a channel that the operator can read, in `country`
/// (ISO 3166-1 alpha-2, of the channel). If none is left, the institution is not offered.
///
/// A rule for an institution uses the provider's id of it. Without `pages` none can be sent to a person, and no method that
/// needs one is offered.
#[must_use]
pub fn with_offerable_methods(
    institution: &Institution,
    provider: &str,
    policy: &Policy,
    country: &str,
    pages: bool,
) -> Institution {
    let secrets = policy.ussd_rule(country, provider, &institution.id);
    let mut offered = institution.clone();
    offered
        .methods
        .retain(|method| is_offerable(method, secrets, policy.card_and_pin) && (pages || !wants_page(method)));
    offered
}

fn wants_page(method: &AuthMethod) -> bool {
    method.journey == Journey::Browser
}

fn is_offerable(method: &AuthMethod, secrets: SecretsOverUssd, card_and_pin: bool) -> bool {
    // What goes on in a browser or in the bank's application may ask nothing on the phone.
    let nothing_asked = method.asks_nothing();
    (nothing_asked || method.form.fits_keypad())
        && (card_and_pin || !method.card_and_pin)
        && (nothing_asked || secrets != SecretsOverUssd::Deny || !method.form.asks_secret())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::next_step::{Field, FieldKind, Form};
    use crate::core::policy::{PolicyOverride, SecretsOverSms};

    fn method(id: &str, card_and_pin: bool, kinds: &[FieldKind]) -> AuthMethod {
        let fields = kinds.iter().map(|kind| Field::new("x", "X", kind.clone()));
        AuthMethod {
            id: id.to_owned(),
            name: id.to_owned(),
            journey: Journey::Keypad,
            form: Form {
                title: None,
                fields: fields.collect(),
            },
            card_and_pin,
        }
    }

    fn bank() -> Institution {
        Institution {
            id: "a1:p".to_owned(),
            provider_id: "a1".to_owned(),
            name: "Bank".to_owned(),
            country: Some("NG".to_owned()),
            business: false,
            methods: vec![
                method("login", false, &[FieldKind::Text, FieldKind::Secret]),
                method("captcha", false, &[FieldKind::Text, FieldKind::Unsupported]),
                method("card", true, &[FieldKind::Secret, FieldKind::Secret]),
                method("digits", false, &[FieldKind::Digits]),
                method("nothing", false, &[]),
            ],
            timeout: None,
        }
    }

    /// A journey that leaves the phone is offered with nothing to type, and where secrets are forbidden as long as it asks
    /// none here; one that needs a page only where that can be sent.
    #[test]
    fn journeys_that_leave_the_phone_are_offered() {
        let away = |id: &str, journey, kinds: &[FieldKind]| AuthMethod {
            journey,
            ..method(id, false, kinds)
        };
        let mut optional = away("optional", Journey::Elsewhere, &[FieldKind::Unsupported]);
        optional.form.fields[0].required = false;
        let bank = Institution {
            methods: vec![
                away("page", Journey::Browser, &[]),
                away("user", Journey::Browser, &[FieldKind::Text]),
                away("app", Journey::Elsewhere, &[]),
                away("app pin", Journey::Elsewhere, &[FieldKind::Secret]),
                away("camera", Journey::Elsewhere, &[FieldKind::Unsupported]),
                optional,
            ],
            ..bank()
        };
        for (secrets, pages, want) in [
            (
                SecretsOverUssd::Allow,
                true,
                vec!["page", "user", "app", "app pin", "optional"],
            ),
            (SecretsOverUssd::Allow, false, vec!["app", "app pin", "optional"]),
            (SecretsOverUssd::Deny, true, vec!["page", "user", "app", "optional"]),
        ] {
            let policy = Policy {
                secrets_over_ussd: secrets,
                secrets_over_sms: SecretsOverSms::Deny,
                overrides: Vec::new(),
                card_and_pin: false,
            };
            let offered = with_offerable_methods(&bank, "away", &policy, "NG", pages);
            let ids: Vec<_> = offered.methods.iter().map(|method| method.id.as_str()).collect();
            assert_eq!(ids, want, "{secrets:?}, pages: {pages}");
        }
    }

    /// What a keypad cannot answer, or any rule of the policy forbids, is never asked.
    #[test]
    fn only_what_may_be_asked_is_offered() {
        let rule = |institution: Option<&str>, secrets_over_ussd| PolicyOverride {
            country: None,
            provider: Some("mono".to_owned()),
            institution: institution.map(str::to_owned),
            secrets_over_ussd: Some(secrets_over_ussd),
            secrets_over_sms: None,
        };
        let (allow, deny) = (SecretsOverUssd::Allow, SecretsOverUssd::Deny);
        for (base, overrides, card_and_pin, want) in [
            (allow, vec![], false, vec!["login", "digits"]),
            (SecretsOverUssd::Warn, vec![], false, vec!["login", "digits"]),
            (allow, vec![], true, vec!["login", "card", "digits"]),
            (deny, vec![], true, vec!["digits"]),
            (allow, vec![rule(Some("a1"), deny)], false, vec!["digits"]),
            (allow, vec![rule(Some("b2"), deny)], false, vec!["login", "digits"]),
            (deny, vec![rule(None, allow)], false, vec!["login", "digits"]),
        ] {
            let policy = Policy {
                secrets_over_ussd: base,
                secrets_over_sms: SecretsOverSms::Deny,
                overrides,
                card_and_pin,
            };
            let offered = with_offerable_methods(&bank(), "mono", &policy, "NG", true);
            let ids: Vec<_> = offered.methods.iter().map(|method| method.id.as_str()).collect();
            assert_eq!(ids, want, "{policy:?}");
        }
    }
}
