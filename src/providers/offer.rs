//! What may be offered on a line: the auth methods that a keypad can answer, that the policy allows and whose page can reach
//! the person. The same rule says, before anybody dials, whether there is any way to link at all.

use std::collections::BTreeSet;
use std::fmt;

use crate::core::policy::{Policy, SecretsOverUssd};

use super::{AuthMethod, Institution, Journey};

/// Why an auth method is not offered on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// It asks for secrets, and the policy forbids them here.
    SecretsDenied,
    /// It asks for a card number with its PIN, and the policy forbids that.
    CardAndPin,
    /// It needs a page, and none can be sent: there is no SMS gateway, or no public address.
    NoPages,
    /// It asks for what a keypad cannot answer.
    Keypad,
}

impl Obstacle {
    /// What takes it away, for the operator.
    fn remedy(self) -> &'static str {
        match self {
            Self::SecretsDenied => {
                "policy.secrets_over_ussd = \"deny\" forbids logins that are typed: allow them here by an override, or \
                 set up a provider with logins in a browser or an app"
            }
            Self::CardAndPin => "policy.card_and_pin = false forbids logins by card and PIN",
            Self::NoPages => "logins in a browser need an [[sms]] gateway and server.public_url",
            Self::Keypad => "some logins ask for what a keypad cannot answer",
        }
    }
}

/// Which ways to link there are on the lines of a country, of all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkingWays {
    pub country: String,
    /// How many institutions of this country are known.
    pub known: usize,
    /// How many of them can be linked.
    pub offered: usize,
    /// What takes others away.
    pub obstacles: BTreeSet<Obstacle>,
}

impl LinkingWays {
    pub fn nobody_can_link(&self) -> bool {
        self.offered == 0
    }
}

/// Of each country in which nobody can link anything, why.
pub fn no_ways(ways: &[LinkingWays]) -> Vec<String> {
    let none = ways.iter().filter(|ways| ways.nobody_can_link());
    none.map(ToString::to_string).collect()
}

impl fmt::Display for LinkingWays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.offered > 0 {
            let Self {
                country,
                known,
                offered,
                ..
            } = self;
            return write!(
                f,
                "{offered} of {known} institutions can be linked on lines of {country}"
            );
        }
        write!(f, "nobody can link an account on lines of {}: ", self.country)?;
        let why: Vec<_> = self.obstacles.iter().map(|obstacle| obstacle.remedy()).collect();
        match why.as_slice() {
            [] => f.write_str("no provider has an institution there"),
            why => f.write_str(&why.join("; ")),
        }
    }
}

/// Which ways to link there are in `country` (ISO 3166-1 alpha-2, of the channels), of these institutions and their
/// providers; `pages` as in [`with_offerable_methods`].
pub fn linking_ways<'a>(
    institutions: impl IntoIterator<Item = (&'a str, &'a Institution)>,
    policy: &Policy,
    country: &str,
    pages: bool,
) -> LinkingWays {
    let mut ways = LinkingWays {
        country: country.to_owned(),
        known: 0,
        offered: 0,
        obstacles: BTreeSet::new(),
    };
    for (provider, institution) in institutions {
        if !is_in(institution, country) {
            continue;
        }
        ways.known += 1;
        let line = ChannelRules::of(institution, provider, policy, country, pages);
        let found: Vec<_> = institution.methods.iter().map(|method| line.obstacle(method)).collect();
        ways.offered += usize::from(found.contains(&None));
        ways.obstacles.extend(found.into_iter().flatten());
    }
    ways
}

/// Whether an institution is shown on lines of a country; one that is of no country is, everywhere.
pub fn is_in(institution: &Institution, country: &str) -> bool {
    let own = institution.country.as_deref();
    own.is_none_or(|own| own.eq_ignore_ascii_case(country))
}

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
    let line = ChannelRules::of(institution, provider, policy, country, pages);
    let mut offered = institution.clone();
    offered.methods.retain(|method| line.obstacle(method).is_none());
    offered
}

/// What a line lets through, for one institution.
struct ChannelRules {
    secrets: SecretsOverUssd,
    card_and_pin: bool,
    pages: bool,
}

impl ChannelRules {
    fn of(institution: &Institution, provider: &str, policy: &Policy, country: &str, pages: bool) -> Self {
        Self {
            secrets: policy.ussd_rule(country, provider, &institution.id),
            card_and_pin: policy.card_and_pin,
            pages,
        }
    }

    fn obstacle(&self, method: &AuthMethod) -> Option<Obstacle> {
        // What goes on in a browser or in the bank's application may ask nothing on the phone.
        let nothing_asked = method.asks_nothing();
        if !nothing_asked && !method.form.fits_keypad() {
            Some(Obstacle::Keypad)
        } else if method.card_and_pin && !self.card_and_pin {
            Some(Obstacle::CardAndPin)
        } else if !nothing_asked && self.secrets == SecretsOverUssd::Deny && method.form.asks_secret() {
            Some(Obstacle::SecretsDenied)
        } else if !self.pages && method.journey == Journey::Browser {
            Some(Obstacle::NoPages)
        } else {
            None
        }
    }
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

    /// Whether anybody can link is told by the same rule, with what stands in the way; an exception for one institution is a
    /// way, and another country's institutions are none.
    #[test]
    fn no_way_to_link_is_seen_before_anybody_dials() {
        let policy = |secrets_over_ussd, allowed: Option<&str>| Policy {
            secrets_over_ussd,
            secrets_over_sms: SecretsOverSms::Deny,
            overrides: Vec::from_iter(allowed.map(|id| PolicyOverride {
                country: None,
                provider: None,
                institution: Some(id.to_owned()),
                secrets_over_ussd: Some(SecretsOverUssd::Allow),
                secrets_over_sms: None,
            })),
            card_and_pin: false,
        };
        let login = Institution {
            methods: vec![
                method("login", false, &[FieldKind::Secret]),
                method("card", true, &[FieldKind::Secret]),
            ],
            ..bank()
        };
        let page = Institution {
            methods: vec![AuthMethod {
                journey: Journey::Browser,
                ..method("page", false, &[])
            }],
            ..bank()
        };
        let elsewhere = Institution {
            country: Some("GH".to_owned()),
            ..bank()
        };
        let (allow, deny) = (SecretsOverUssd::Allow, SecretsOverUssd::Deny);
        for (policy, banks, pages, offered, word) in [
            (policy(allow, None), vec![&login, &page], true, 2, "2 of 2"),
            (policy(deny, None), vec![&login, &page], true, 1, "1 of 2"),
            (policy(deny, None), vec![&login], true, 0, "secrets_over_ussd"),
            (policy(deny, Some("a1")), vec![&login], true, 1, "1 of 1"),
            (policy(deny, Some("b2")), vec![&login], true, 0, "secrets_over_ussd"),
            (policy(allow, None), vec![&page], false, 0, "[[sms]]"),
            (policy(allow, None), vec![&elsewhere], true, 0, "no provider"),
            (policy(allow, None), vec![], true, 0, "no provider"),
        ] {
            let known = banks.iter().map(|bank| ("mono", *bank));
            let ways = linking_ways(known, &policy, "NG", pages);
            assert_eq!(
                (ways.offered, ways.nobody_can_link()),
                (offered, offered == 0),
                "{ways}"
            );
            assert!(ways.to_string().contains(word), "{ways}");
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
