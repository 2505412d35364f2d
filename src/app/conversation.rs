//! The conversation, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use super::{StartError, partner_id};
use crate::config::Config;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::flow::{Flow, FlowSettings};
use crate::core::labels::KnownPurposes;
use crate::core::menu::{Menu, MenuWords};
use crate::core::seal::Keyring;
use crate::core::service_codes::ServiceCodes;
use crate::service::providers::Providers;
use crate::service::sms::routes::SmsRoutes;

/// In these words.
pub(super) fn flow(
    config: &Config,
    words: MenuWords,
    providers: &Providers,
    (routes, service_codes): (&SmsRoutes, ServiceCodes),
    keyring: Arc<Keyring>,
) -> Result<Flow, StartError> {
    Ok(Flow {
        menu: Menu::embedded()?,
        purposes: KnownPurposes::of(&words.templates),
        templates: words.templates,
        bank_names: words.bank_names,
        order: words.order,
        settings: FlowSettings {
            default_terms: default_request_terms(config),
            languages: config.partner.languages.clone(),
            policy: config.policy.rules.clone(),
            subscriber_pin: config.policy.subscriber_pin,
            ask_login_after: config.policy.ask_login_after(),
            sms_countries: routes.all().map(|route| route.country.clone()).collect(),
            receipts: config.partner.receipts,
            service_codes,
            providers: providers.rules(),
            lease_margin: lease_margin(config),
        },
        keyring,
    })
}

/// What the operator's own business asks of anyone who dials.
fn default_request_terms(config: &Config) -> RequestTerms {
    let business = PartnerRef {
        id: partner_id(&config.partner.name),
        name: config.partner.name.clone(),
    };
    RequestTerms {
        contact: config.partner.contact.clone(),
        ..RequestTerms::open_offer(business, config.partner.purpose(), config.partner.data_days)
    }
}

#[cfg(feature = "sandbox")]
fn lease_margin(config: &Config) -> Duration {
    config.sandbox.lease_margin
}

#[cfg(not(feature = "sandbox"))]
fn lease_margin(_: &Config) -> Duration {
    crate::core::flow::LEASE_MARGIN
}
