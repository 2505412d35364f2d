//! The conversation as the server makes it.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::flow::asking::Terms;
use kiungo::core::flow::state::Business;
use kiungo::core::flow::{Flow, Settings};
use kiungo::core::menu::Menu;
use kiungo::core::messages::Texts;
use kiungo::core::pin::SubscriberPin;
use kiungo::core::policy::Policy;
use kiungo::core::seal::Keyring;

/// The menu and the texts that are built in, for one lender.
pub fn flow(policy: Policy, keyring: Arc<Keyring>) -> Flow {
    let lender = super::records::lender();
    let business = Business {
        id: lender.id,
        name: lender.name,
    };
    Flow {
        menu: Menu::embedded().expect("the menu"),
        texts: Texts::embedded().expect("the texts"),
        settings: Settings {
            home: Terms::walk_in(business, lender.purpose, lender.days),
            policy,
            subscriber_pin: SubscriberPin::Optional,
            texts: true,
            favourites: Vec::new(),
            provider_timeout: Duration::from_mins(1),
            lease_margin: kiungo::core::flow::LEASE_MARGIN,
        },
        keyring,
    }
}
