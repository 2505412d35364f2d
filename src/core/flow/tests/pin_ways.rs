//! The ways back from the questions for a person's own code.

use std::sync::Arc;
use std::time::Duration;

use super::phone::{Phone, flow_with};
use super::pins::protected;
use crate::core::pin::SubscriberPin;
use crate::core::policy::SecretsOverUssd;

/// Back loses nothing: from the question for the code, what is under way stays under way, and who knows the code finds it
/// there; from the choice of one, what is typed is forgotten and nothing else.
#[test]
fn back_loses_nothing() {
    let (mut phone, known) = protected();
    phone.dial_known(&known, &[]);
    phone.keys(&["1", "1", "ada"]);
    phone.passes(Duration::from_secs(5));
    let (session, answers) = (phone.session().id, phone.session().fields_answered);
    let asked = phone.dial_known(&known, &[]);
    assert!(asked.contains("Go back and link the same account"), "{asked}");
    assert!(phone.types("0").starts_with("Umoja Credit asks"), "{}", phone.says());
    phone.types("0");
    assert_eq!(
        (phone.session().id, phone.session().fields_answered),
        (session, answers)
    );
    phone.dial_known(&known, &[]);
    let shown = phone.types("4821");
    assert!(shown.contains("Zenith Bank"), "{shown}");
    assert!(phone.types("1").contains("PASSWORD"), "{}", phone.says());

    let (mut phone, known) = protected();
    phone.dial_known(&known, &[]);
    phone.keys(&["2", "4821", "1", "3", "5937"]);
    assert!(phone.says().starts_with("Type the same"), "{}", phone.says());
    phone.keys(&["0", "0"]);
    assert!(phone.says().starts_with("Your linked accounts"), "{}", phone.says());
    assert_eq!(phone.state.pin, known.pin);
}

/// Where a code of one's own is required, 0 before anything is typed leads back to what is agreed to, and out.
#[test]
fn back_from_a_required_code_leads_out() {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    Arc::get_mut(&mut flow).expect("nobody else's").settings.subscriber_pin = SubscriberPin::Required;
    let mut phone = Phone::with(flow);
    phone.dial();
    assert!(phone.types("1").contains("Choose 4 new digits"), "{}", phone.says());
    assert!(phone.types("0").starts_with("Umoja Credit asks"), "{}", phone.says());
    assert!(phone.types("0").starts_with("Goodbye"), "{}", phone.says());
    assert!(phone.dial().starts_with("Umoja Credit asks"), "{}", phone.says());
    // Who is cut there comes back to it without agreeing twice.
    phone.types("1");
    assert!(phone.dial().contains("Choose 4 new digits"), "{}", phone.says());
}

/// While no code is taken none is asked for: the wait is told at once.
#[test]
fn a_wait_is_told_before_anything_is_typed() {
    let (mut phone, mut known) = protected();
    phone.dial_known(&known, &[]);
    phone.keys(&["2", "0001", "0002", "0003"]);
    phone.passes(Duration::from_mins(5));
    known.pin.clone_from(&phone.state.pin);
    phone.dial_known(&known, &[]);
    let shown = phone.types("2");
    assert!(
        shown.starts_with("Too many wrong codes. Wait 10 min and dial *384*96#"),
        "{shown}"
    );
    assert!(shown.contains("\n1 Link a bank\n0 Leave"), "{shown}");
}
