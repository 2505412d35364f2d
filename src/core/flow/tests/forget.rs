//! A partner erases somebody who is in a dialog.

use super::fixtures::{link, terms};
use super::phone::Phone;
use crate::core::flow::forget::Remainder;
use crate::core::flow::session::LinkSummary;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::flow::{AttemptResult, SubscriberFacts};
use crate::core::ids::{IntentId, PartnerId};

fn partner(n: u8) -> PartnerId {
    PartnerId::from_bytes([n; 16])
}

fn request(n: u8, name: &str) -> RequestTerms {
    RequestTerms {
        intent: Some(IntentId::from_bytes([n; 16])),
        ..terms(n, name)
    }
}

fn linked(n: u8, name: &str) -> LinkSummary {
    LinkSummary {
        partner: Some(PartnerRef {
            id: partner(n),
            name: name.to_owned(),
        }),
        ..link(n, "zenith:p", "Zenith Bank")
    }
}

fn known(requests: Vec<RequestTerms>, links: Vec<LinkSummary>) -> SubscriberFacts {
    SubscriberFacts {
        requests: Some(requests),
        links,
        ..SubscriberFacts::default()
    }
}

fn forgets(phone: &mut Phone, n: u8) -> Remainder {
    let flow = phone.flow.clone();
    flow.forget_partner(&mut phone.state, partner(n), phone.now)
}

/// A partner that holds nothing of a person changes nothing of where they are, wherever that is and however often it asks.
#[test]
fn a_stranger_throws_nobody_out() {
    for keys in [&[][..], &["1"], &["1", "1"], &["1", "1", "ada"], &["2"], &["3"]] {
        let mut phone = Phone::new();
        let facts = known(vec![terms(1, "Umoja Credit"), terms(2, "Acacia Cover")], Vec::new());
        phone.dial_known(&facts, &[]);
        phone.types("1");
        phone.keys(keys);
        let before = phone.state.clone();
        for _ in 0..10 {
            assert_eq!(forgets(&mut phone, 3), Remainder::Untouched, "{keys:?}");
        }
        assert!(phone.state == before, "{keys:?}");
    }
}

/// What a partner asked and what is linked for it goes; the dialog with another one goes on where it was, with what was typed.
#[test]
fn a_dialog_with_another_goes_on() {
    let mut phone = Phone::new();
    let facts = known(
        vec![request(1, "Umoja Credit"), request(2, "Acacia Cover")],
        vec![linked(1, "Umoja Credit"), linked(2, "Acacia Cover")],
    );
    phone.dial_known(&facts, &[]);
    phone.keys(&["1", "1", "1", "ada"]);
    assert_eq!(forgets(&mut phone, 2), Remainder::Others);
    assert_eq!(phone.state.links.len(), 1);
    assert_eq!(phone.state.requests.as_ref().map(Vec::len), Some(1));
    phone.types("Zq7password");
    let submit = phone.submit();
    assert_eq!(submit.open.partner, Some(partner(1)));
}

/// Who reads what the erasing partner asks is not thrown out either, and what they press next agrees to nothing: they are
/// shown who else asks.
#[test]
fn what_is_pressed_at_a_screen_that_is_gone_agrees_to_nothing() {
    let mut phone = Phone::new();
    let shown = phone.dial_known(
        &known(vec![request(2, "Acacia Cover"), terms(1, "Umoja Credit")], vec![]),
        &[],
    );
    assert!(shown.starts_with("Acacia Cover asks"), "{shown}");
    assert_eq!(forgets(&mut phone, 2), Remainder::Others);
    let shown = phone.types("1");
    assert!(shown.starts_with("Umoja Credit asks"), "{shown}");
    assert!(phone.state.session.is_none());
    // A try at linking for the partner goes too.
    phone.dial_known(
        &known(vec![request(2, "Acacia Cover"), terms(1, "Umoja Credit")], vec![]),
        &[],
    );
    phone.keys(&["1", "1", "ada"]);
    assert_eq!(forgets(&mut phone, 2), Remainder::Others);
    let shown = phone.types("Zq7password");
    assert!(shown.starts_with("Umoja Credit asks"), "{shown}");
    assert_eq!(phone.submits(), 0);
}

/// Where nobody else has to do with the person, nothing is left, in a dialog or after it; the operator's erasure ends their own
/// code, and no other's does.
#[test]
fn nothing_is_left_of_the_last_one() {
    let mut phone = Phone::new();
    phone.dial_known(
        &known(vec![terms(1, "Umoja Credit")], vec![linked(1, "Umoja Credit")]),
        &[],
    );
    phone.types("2");
    assert_eq!(forgets(&mut phone, 1), Remainder::Nothing);

    let mut phone = Phone::new();
    let facts = known(
        vec![terms(2, "Acacia Cover")],
        vec![linked(1, "Umoja Credit"), linked(2, "Acacia Cover")],
    );
    phone.dial_known(&facts, &[]);
    phone.passes(std::time::Duration::from_hours(1));
    phone.state.terms = None;
    assert_eq!(forgets(&mut phone, 2), Remainder::Others);
    assert_eq!(forgets(&mut phone, 1), Remainder::Nothing);
}

/// A login that was left undecided is its partner's: it goes with that partner's erasure, and with no other's.
#[test]
fn what_was_left_undecided_goes_with_its_partner() {
    let left = || {
        let mut phone = Phone::new();
        phone.dial_known(&known(vec![request(2, "Acacia Cover")], vec![]), &[]);
        phone.keys(&["1", "1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        phone.resolves(id, AttemptResult::Unknown);
        // They go on with another bank, and come back to nothing that was begun.
        phone.types("2");
        phone.state.session = None;
        phone.state.requests = None;
        phone.state.terms = None;
        assert_eq!(phone.state.set_aside.len(), 1);
        phone
    };
    // Nothing else is left.
    let mut phone = left();
    assert_eq!(forgets(&mut phone, 2), Remainder::Nothing);
    // It is all that is left of another one.
    let mut phone = left();
    phone.state.links = vec![linked(1, "Umoja Credit")];
    assert_eq!(forgets(&mut phone, 1), Remainder::Others);
    assert_eq!(phone.state.set_aside.len(), 1);
    // Something else is another one's.
    let mut phone = left();
    phone.state.links = vec![linked(1, "Umoja Credit")];
    assert_eq!(forgets(&mut phone, 2), Remainder::Others);
    assert_eq!((phone.state.set_aside.len(), phone.state.links.len()), (0, 1));
}
