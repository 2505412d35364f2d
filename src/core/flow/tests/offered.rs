//! Digits instead of letters: what is known already is one key away.

use std::time::Duration;

use super::fixtures::{bank, field, form, login_form, terms};
use super::phone::Phone;
use crate::core::flow::SubscriberFacts;
use crate::core::flow::partial_answer::PartialAnswer;
use crate::core::flow::terms::{RequestTerms, Suggested};
use crate::core::ids::IntentId;
use crate::core::next_step::{Field, FieldKind, Form};

fn labelled(name: &str, label: &str, kind: FieldKind) -> Field {
    Field {
        label: label.to_owned(),
        ..field(name, kind)
    }
}

fn with_pin(asked: Field) -> Form {
    form(vec![asked, field("pin", FieldKind::Secret)])
}

/// At the first question of a bank with this form, having dialled what asks so. Another bank asks the same.
fn asked(first: Field, suggested: Suggested) -> Phone {
    let mut phone = Phone::new();
    phone.idle = Duration::from_secs(20);
    phone.banks = vec![
        bank("gtb", "GTBank", vec![with_pin(first.clone())]),
        bank("wema", "Wema Bank", vec![with_pin(first)]),
    ];
    let straight = suggested.institution.is_some();
    let request = RequestTerms {
        intent: Some(IntentId::from_bytes([8; 16])),
        suggested,
        ..terms(4, "Umoja Savings")
    };
    let known = SubscriberFacts {
        requests: Some(vec![request]),
        ..SubscriberFacts::default()
    };
    phone.dial_known(&known, &[]);
    phone.keys(if straight { &["1"] } else { &["1", "1"] });
    phone
}

fn answers(phone: &mut Phone) -> Vec<String> {
    let submit = phone.submit();
    submit
        .answers
        .iter()
        .map(|(_, answer)| answer.expose().to_owned())
        .collect()
}

/// The number that dials is one key away where a phone number is asked, written as the form wants it.
#[test]
fn the_number_that_dials_is_one_key_away() {
    let number = |kind| labelled("username", "Phone Number", kind);
    for (first, sent) in [
        (number(FieldKind::Text), "08031234567"),
        (number(FieldKind::Digits), "08031234567"),
        (
            Field {
                exact_len: Some(13),
                ..number(FieldKind::Digits)
            },
            "2348031234567",
        ),
        (
            Field {
                exact_len: Some(14),
                ..number(FieldKind::Text)
            },
            "+2348031234567",
        ),
    ] {
        let mut phone = asked(first, Suggested::default());
        assert!(phone.says().contains("1 This number"), "{}", phone.says());
        phone.keys(&["1", "Zq7password"]);
        assert_eq!(answers(&mut phone), [sent, "Zq7password"]);
    }
    for first in [
        labelled("username", "Username", FieldKind::Text),
        Field {
            exact_len: Some(6),
            ..number(FieldKind::Digits)
        },
    ] {
        let mut phone = asked(first, Suggested::default());
        assert!(!phone.says().contains("This number"), "{}", phone.says());
        // Then the key is an answer as any other.
        assert!(!phone.types("1").contains("This number"));
    }
}

/// A user name and an account number that the partner knows are offered masked, and anything else may be typed.
#[test]
fn what_is_suggested_is_offered_masked() {
    let known = |text: &str| Some(PartialAnswer::new(text));
    let suggested = || Suggested {
        institution: Some("mono/gtb:p".to_owned()),
        username: known("ada.obi@example.com"),
        account_number: known("0123456789"),
        ..Suggested::default()
    };
    for (first, masked, sent) in [
        (
            labelled("username", "Email Address", FieldKind::Text),
            "1 ad..@e..",
            "ada.obi@example.com",
        ),
        (
            labelled("accountNo", "Account Number", FieldKind::Digits),
            "1 ..6789",
            "0123456789",
        ),
    ] {
        let mut phone = asked(first, suggested());
        assert!(
            phone.says().contains(masked) && !phone.says().contains(sent),
            "{}",
            phone.says()
        );
        // At another bank it is somebody else's name.
        phone.types("0");
        let elsewhere = phone.types("wema");
        assert!(
            elsewhere.starts_with("Wema Bank: ") && !elsewhere.contains("\n1 "),
            "{elsewhere}"
        );
        phone.keys(&["0", "gtb", "1", "Zq7password"]);
        assert_eq!(answers(&mut phone)[0], sent);
    }
    let mut phone = asked(labelled("username", "Username", FieldKind::Text), suggested());
    phone.keys(&["ngozi", "Zq7password"]);
    assert_eq!(answers(&mut phone)[0], "ngozi");
    // A bank whose question it does not fit is asked without it.
    let short = Field {
        max_len: Some(8),
        ..labelled("username", "Username", FieldKind::Text)
    };
    assert!(!asked(short, suggested()).says().contains("1 "));
    let debug = format!("{:?}", suggested());
    assert!(!debug.contains("ada") && !debug.contains("0123"), "{debug}");
}

/// The bank and the way that are suggested are where a consent leads; both can be changed.
#[test]
fn a_suggested_bank_and_way_are_begun_with() {
    let mut phone = Phone::new();
    phone.banks.push(bank(
        "gtb",
        "GTBank",
        vec![login_form(), with_pin(field("id", FieldKind::Digits))],
    ));
    let request = |institution: &str, way: &str| RequestTerms {
        intent: Some(IntentId::from_bytes([8; 16])),
        suggested: Suggested {
            institution: Some(institution.to_owned()),
            auth_method: Some(way.to_owned()),
            ..Suggested::default()
        },
        ..terms(4, "Umoja Savings")
    };
    let known = |request| SubscriberFacts {
        requests: Some(vec![request]),
        ..SubscriberFacts::default()
    };
    // Not the usual way, which would be the digits.
    phone.dial_known(&known(request("mono/gtb:p", "method-0")), &[]);
    assert!(phone.types("1").starts_with("GTBank: USERNAME"), "{}", phone.says());
    assert!(phone.types("9").contains("2 Way 1"), "{}", phone.says());
    assert!(phone.types("2").starts_with("GTBank: ID"), "{}", phone.says());
    let list = phone.types("0");
    assert!(
        list.starts_with("Choose your bank") && list.contains("Zenith Bank"),
        "{list}"
    );
    // What was left for the list is not begun again by a redial.
    assert!(!phone.opens().is_empty());
    let list = phone.dial_known(&known(request("mono/gtb:p", "method-0")), &[]);
    assert!(list.starts_with("Choose your bank"), "{list}");
    assert!(phone.opens().is_empty());
    // One that cannot be had leads to the list, and an unknown way to the usual one.
    for (institution, way, want) in [
        ("mono/gone:p", "method-0", "Choose your bank"),
        ("mono/gtb:p", "gone", "GTBank: ID"),
    ] {
        let mut other = Phone::new();
        other.banks.clone_from(&phone.banks);
        other.dial_known(&known(request(institution, way)), &[]);
        assert!(other.types("1").starts_with(want), "{way}: {}", other.says());
    }
}

/// What most people cannot type in the time that the network gives is said to be so, where they type it.
#[test]
fn what_takes_longer_than_the_network_waits_is_said() {
    for (label, kind, said) in [
        ("Email Address", FieldKind::Text, true),
        ("Username", FieldKind::Text, true),
        ("Phone Number", FieldKind::Text, false),
        ("Account Number", FieldKind::Digits, false),
    ] {
        // The network of these tests waits for twenty seconds.
        let mut phone = asked(labelled("username", label, kind), Suggested::default());
        assert_eq!(phone.says().contains("within 20 s"), said, "{}", phone.says());
        phone.state.dialogs[0].idle = Duration::from_mins(2);
        let patient = phone.types("");
        assert!(!patient.contains("within"), "{patient}");
    }
}
