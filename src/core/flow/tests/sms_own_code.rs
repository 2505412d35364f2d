//! A person's own code, and the conversation held by text: it is typed on the phone.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::link;
use super::phone::{Phone, flow_with};
use super::sms_phone::allowing;
use crate::core::flow::SubscriberFacts;
use crate::core::pin::SubscriberPin;
use crate::core::policy::SecretsOverUssd;

/// A person's own code stands before what it protects by text as on the phone, and is not typed there: they are told to dial,
/// and what they text is not kept. That is so where secrets may be texted, too.
#[test]
fn an_own_code_is_for_the_phone() {
    let mut phone = allowing();
    phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    let known = SubscriberFacts {
        links: phone.state.links.clone(),
        ..SubscriberFacts::default()
    };
    phone.dial_known(&known, &[]);
    phone.state.fresh_login = Some(phone.now);
    phone.keys(&["2", "1", "3", "4821", "4821"]);
    phone.passes(Duration::from_mins(10));
    phone.agrees_by_text();
    phone.sends_texts(&["zenith", "0", "access"]);
    phone.passes(Duration::from_hours(2));
    let told = phone.sends_text("CONTINUE").screen();
    assert_eq!(
        told,
        "Never text your own code. We kept nothing. Dial *384*96# and type it there.\n0 Back"
    );
    for text in ["4821", "1"] {
        let told = phone.sends_text(text).screen();
        assert!(
            told.starts_with("Never text your own code") && !told.contains("Zenith"),
            "{told}"
        );
    }
    assert!(!phone.value().contains("4821"));
    assert_eq!(phone.state.pin.as_ref().map(|pin| pin.wrong_tries), Some(0));
}

/// Where everybody must have a code of their own it is chosen by dialling.
#[test]
fn an_own_code_is_chosen_on_the_phone() {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    Arc::get_mut(&mut flow).expect("nobody else's").settings.subscriber_pin = SubscriberPin::Required;
    let mut phone = Phone::with(flow);
    let told = phone.agrees_by_text();
    assert!(told.starts_with("Never text your own code"), "{told}");
    phone.sends_text("4821");
    assert!(phone.state.pin.is_none() && !phone.value().contains("4821"));
}

/// What somebody began by text a day ago is not shown to anyone who texts then: another dialog has to know the code.
#[test]
fn a_new_dialog_by_text_has_to_know_the_code_again() {
    let mut phone = Phone::linked();
    let known = SubscriberFacts {
        links: phone.state.links.clone(),
        ..SubscriberFacts::default()
    };
    phone.dial_known(&known, &[]);
    phone.keys(&["2", "1", "3", "4821", "4821", "0"]);
    phone.passes(Duration::from_mins(10));
    phone.agrees_by_text();
    assert!(
        phone
            .sends_text("access")
            .screen()
            .contains("Never text a password or code"),
        "their own of this minute"
    );
    phone.passes(Duration::from_hours(2));
    let told = phone.sends_text("1").screen();
    assert!(
        told.starts_with("Never text your own code") && !told.contains("Access"),
        "{told}"
    );
}
