//! A login of which nobody knows what became.

use std::time::Duration;

use super::fixtures::{failed, link};
use super::phone::Phone;
use crate::core::flow::{AttemptResult, SubscriberFacts};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;

/// Somebody whose bank has not answered.
fn unknown() -> (Phone, AttemptId) {
    let (mut phone, id) = Phone::submitted();
    phone.polls(false);
    phone.types("1");
    assert!(phone.resolves(id, AttemptResult::Unknown));
    assert_eq!(phone.stage(), Some(Outcome::Confirming));
    (phone, id)
}

/// The screen says how long it is looked for, which is true however often it is looked at, and promises a text only to who
/// gets one.
#[test]
fn the_time_is_true() {
    let (mut phone, id) = unknown();
    let said = phone.says();
    assert_eq!(
        said,
        "Zenith Bank has not answered yet. We keep asking, up to 15 min, and text you. Do not log in there again for now.\n\
         1 Check again\n2 Another bank\n0 Leave"
    );
    phone.passes(Duration::from_mins(6));
    assert_eq!(phone.types("1"), "");
    assert!(phone.resolves(id, AttemptResult::Unknown));
    assert!(phone.says().contains("up to 9 min, and text you"), "{}", phone.says());
    let facts = SubscriberFacts {
        texts_stopped: true,
        ..SubscriberFacts::default()
    };
    phone.dial_known(&facts, &[]);
    assert!(phone.says().contains("up to 9 min. Do not"), "{}", phone.says());
    assert_eq!(
        phone.types("0"),
        "We keep asking Zenith Bank, up to 9 min. To see how it went, dial *384*96#"
    );
}

/// After two looks we end it, and say what happens next; who dials again may look again.
#[test]
fn looking_on_ends() {
    let (mut phone, id) = unknown();
    for _ in 0..2 {
        for (look, end) in [(1, false), (2, true)] {
            assert_eq!(phone.types("1"), "");
            // Nothing is new, or nothing comes in time.
            if look == 1 {
                phone.resolves(id, AttemptResult::Unknown);
            } else {
                phone.polls(false);
            }
            assert_eq!(phone.answer().map(|answer| answer.end), Some(end), "{}", phone.says());
        }
        assert_eq!(
            phone.says(),
            "We keep asking Zenith Bank, up to 15 min, and then text you. Or dial *384*96#"
        );
        assert!(
            phone.dial().starts_with("Zenith Bank has not answered yet."),
            "{}",
            phone.says()
        );
    }
    assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
    assert!(phone.dial().contains("is linked"), "{}", phone.says());
}

/// No way from there is a second login at that bank: by another bank, from the beginning of a dial, or by its name.
#[test]
fn no_way_leads_to_a_second_login_there() {
    let ways: [&[&str]; 3] = [&["2", "1"], &["2", "zenith", "1"], &["2", "2", "0", "1"]];
    for way in ways {
        let (mut phone, id) = unknown();
        phone.effects.clear();
        for key in way {
            phone.types(key);
        }
        if phone.state.awaits_reply() {
            phone.polls(false);
        }
        assert!(
            phone.says().starts_with("Zenith Bank has not answered yet."),
            "{way:?}: {}",
            phone.says()
        );
        assert_eq!(phone.submits(), 0);
        // Elsewhere they may.
        phone.keys(&["2", "2", "ada", "Zq7password"]);
        assert_eq!(phone.submit().open.institution.name, "Access Bank");
        assert!(phone.resolves(id, failed(FailureClass::Refused)));
    }
}

/// Four refusals in a day are told of in minutes, and five in hours.
#[test]
fn a_long_wait_is_told_in_hours() {
    let mut phone = Phone::at_banks();
    for round in 1..=5 {
        phone.keys(&["1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        assert!(phone.resolves(id, failed(FailureClass::Refused)));
        let said = phone.says();
        assert_eq!(said.contains("1 Try again"), round < 5, "{round}: {said}");
        if round == 5 {
            assert!(said.contains("wait 23 hours."), "{said}");
            phone.types("2");
            assert!(
                phone.types("1").contains("login safe, wait 23 hours before"),
                "{}",
                phone.says()
            );
        } else {
            assert!(said.contains("Tries left: 1."), "{round}: {said}");
            phone.passes(Duration::from_mins(20));
            phone.types("2");
        }
    }
}
