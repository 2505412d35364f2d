//! Whom to call: said where somebody may be stuck, and nowhere where there is nobody.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{failed, terms};
use super::phone::{Phone, flow_with};
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{Flow, SubscriberFacts};
use crate::core::ids::IntentId;
use crate::core::messages::Locale;
use crate::core::next_step::FailureClass;
use crate::core::policy::SecretsOverUssd;

const OPERATORS: &str = "0700 123 4567";
const PARTNERS: &str = "+234 1 234 5678";

fn flow(contact: Option<&str>) -> Arc<Flow> {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    let own = Arc::get_mut(&mut flow).expect("nobody else's");
    own.settings.default_terms.contact = contact.map(str::to_owned);
    flow
}

fn refused(phone: &mut Phone) -> String {
    phone.keys(&["ada", "Zq7password"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    assert!(phone.resolves(id, failed(FailureClass::Refused)));
    phone.says()
}

/// The number stands in HELP, in "Goodbye" and where a bank has refused twice, and not where it has refused once.
#[test]
fn a_number_to_call_stands_where_people_are_stuck() {
    for contact in [None, Some(OPERATORS)] {
        let flow = flow(contact);
        let wanted = contact.is_some();
        for locale in Locale::ALL {
            let help = flow.help_sms(locale, "sms-help", "*384*96#");
            assert_eq!(help.contains(OPERATORS), wanted, "{locale}: {help}");
        }
        let mut phone = Phone::with(flow);
        phone.dial();
        assert_eq!(phone.types("0").contains(OPERATORS), wanted, "{}", phone.says());
        phone.dial();
        phone.keys(&["1", "1"]);
        let once = refused(&mut phone);
        assert!(!once.contains(OPERATORS), "{once}");
        phone.passes(Duration::from_secs(1));
        phone.types("1");
        let twice = refused(&mut phone);
        assert_eq!(twice.contains(OPERATORS), wanted, "{twice}");
    }
}

/// A partner's own number is said where it is that partner's request; the operator's where it has none.
#[test]
fn a_partners_number_goes_before_the_operators() {
    for (own, said) in [(Some(PARTNERS), PARTNERS), (None, OPERATORS)] {
        let mut phone = Phone::with(flow(Some(OPERATORS)));
        let known = SubscriberFacts {
            requests: Some(vec![RequestTerms {
                intent: Some(IntentId::from_bytes([3; 16])),
                contact: own.map(str::to_owned),
                ..terms(3, "Rent Co")
            }]),
            ..SubscriberFacts::default()
        };
        phone.dial_known(&known, &[]);
        let left = phone.types("0");
        assert!(left.ends_with(&format!("Help: {said}")), "{left}");
    }
}
