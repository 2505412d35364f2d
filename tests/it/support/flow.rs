//! The conversation as the server makes it.

use std::collections::HashMap;
use std::sync::Arc;

use kiungo::core::bank_names::BankNames;
use kiungo::core::flow::terms::PartnerRef;
use kiungo::core::flow::terms::RequestTerms;
use kiungo::core::flow::{Flow, FlowSettings, ProviderRules};
use kiungo::core::labels::KnownPurposes;
use kiungo::core::menu::{ListOrder, Menu};
use kiungo::core::messages::Templates;
use kiungo::core::pin::SubscriberPin;
use kiungo::core::policy::Policy;
use kiungo::core::seal::Keyring;

/// The menu and the texts that are built in, for one lender.
pub fn flow(policy: Policy, keyring: Arc<Keyring>, providers: HashMap<String, ProviderRules>) -> Flow {
    let lender = super::records::operator_partner();
    let business = PartnerRef {
        id: lender.id,
        name: lender.name,
    };
    let templates = Templates::embedded().expect("the texts");
    Flow {
        menu: Menu::embedded().expect("the menu"),
        purposes: KnownPurposes::of(&templates),
        templates,
        bank_names: BankNames::embedded().expect("the names"),
        order: ListOrder::default(),
        settings: FlowSettings {
            default_terms: RequestTerms::open_offer(business, lender.purpose, lender.days),
            languages: Vec::new(),
            policy,
            subscriber_pin: SubscriberPin::Optional,
            ask_login_after: None,
            sms_countries: ["NG".to_owned()].into(),
            receipts: false,
            service_codes: super::app_fixture::service_codes(),
            providers,
            lease_margin: kiungo::core::flow::LEASE_MARGIN,
        },
        keyring,
    }
}
