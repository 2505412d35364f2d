//! A phone that others use too, and a person's own code.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{failed, link};
use super::phone::{Phone, flow_with};
use crate::core::flow::{AttemptResult, Effect, LinkOrigin, SessionEvent, SubscriberFacts};
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;
use crate::core::pin::{Pin, SubscriberPin};
use crate::core::policy::SecretsOverUssd;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

/// How somebody comes to where a session stands.
type Way = fn(&mut Phone);

/// What the records know of somebody with this link and this code.
pub fn known(pin: Option<Pin>) -> SubscriberFacts {
    SubscriberFacts {
        links: vec![link(1, "zenith:p", "Zenith Bank")],
        last_institution: Some(("zenith:p".to_owned(), Timestamp::from_millis(1_780_000_000_000))),
        pin,
        ..SubscriberFacts::default()
    }
}

/// Somebody who has linked Zenith and chosen 4821.
pub fn protected() -> (Phone, SubscriberFacts) {
    let mut phone = Phone::linked();
    phone.dial_known(&known(None), &[]);
    phone.keys(&["2", "1", "3"]);
    assert!(phone.says().starts_with("Choose 4 new digits"), "{}", phone.says());
    assert_eq!(phone.types("4821"), "Type the same 4 digits once more.\n0 Back");
    let shown = phone.types("4821");
    assert!(shown.starts_with("Your code is set.\nYour linked accounts"), "{shown}");
    let kept = phone.effects.iter().find_map(|effect| match effect {
        Effect::SavePin(pin) => Some(pin.clone()),
        _ => None,
    });
    assert!(kept.is_some());
    phone.effects.clear();
    (phone, known(kept))
}

/// No bank and no account is on any screen of anyone who does not know the code, wherever the session stands.
#[test]
fn nothing_is_told_without_the_code() {
    let stages: [(&str, Way); 7] = [
        ("linked", |_| ()),
        ("a bank picked", |phone| {
            phone.keys(&["1", "1"]);
        }),
        ("half a login", |phone| {
            phone.keys(&["1", "1", "ada"]);
        }),
        ("under way", |phone| {
            phone.keys(&["1", "1", "ada", "pass-pw"]);
        }),
        ("refused", |phone| {
            phone.keys(&["1", "1", "ada", "pass-pw"]);
            let id = phone.submit().attempt;
            phone.sends(id);
            phone.polls(false);
            phone.resolves(id, failed(FailureClass::Refused));
        }),
        ("linked meanwhile", |phone| {
            phone.keys(&["1", "1", "ada", "pass-pw"]);
            let id = phone.submit().attempt;
            phone.sends(id);
            phone.polls(false);
            phone.resolves(id, AttemptResult::Linked(link(2, "zenith:p", "Zenith Bank")));
        }),
        ("unknown", |phone| {
            phone.keys(&["1", "1", "ada", "pass-pw"]);
            let id = phone.submit().attempt;
            phone.sends(id);
            phone.resolves(id, AttemptResult::Unknown);
        }),
    ];
    for (name, get_there) in stages {
        let (mut phone, known) = protected();
        phone.dial_known(&known, &[]);
        get_there(&mut phone);
        phone.passes(Duration::from_secs(5));
        for extras in [&[][..], &["2"]] {
            let mut says = phone.dial_known(&known, extras);
            if says.contains("2 My accounts") {
                says = phone.types("2");
            }
            assert!(
                says.starts_with("Type the 4 digits you chose here, not your bank PIN."),
                "{name} {extras:?}: {says}"
            );
            for wrong in ["4822", "4820"] {
                let says = phone.types(wrong);
                assert!(!says.contains("Zenith") && !says.contains("4321"), "{name}: {says}");
            }
            let mut says = phone.types("4821");
            if phone.state.awaits_reply() {
                says = phone.polls(false);
            }
            assert!(says.contains("Zenith"), "{name} {extras:?}: {says}");
        }
    }
}

/// The list of banks does not begin with the person's own for somebody who does not know the code.
#[test]
fn the_last_bank_is_not_given_away() {
    let (mut phone, mut known) = protected();
    known.last_institution = Some(("first:p".to_owned(), phone.now));
    phone.dial_known(&known, &[]);
    assert!(!phone.types("1").contains("1 First Bank"), "{}", phone.says());
    known.pin = None;
    phone.state.pin = None;
    let list = phone.dial_known(&known, &[]);
    assert!(list.contains("1 First Bank"), "{list}");
}

/// Wrong codes end in a wait that other dialogs share, and that a store which lost it gets back from the records.
#[test]
fn wrong_codes_end_in_a_wait() {
    let (mut phone, mut known) = protected();
    phone.dial_known(&known, &[]);
    phone.types("2");
    assert!(
        phone.types("0001").starts_with("That was not right. Tries left: 2."),
        "{}",
        phone.says()
    );
    assert!(phone.types("0002").starts_with("That was not right. Tries left: 1."));
    assert!(
        phone.types("0003").starts_with("Too many wrong codes. Wait 15 min"),
        "{}",
        phone.says()
    );
    known.pin = phone.effects.drain(..).rev().find_map(|effect| match effect {
        Effect::SavePin(pin) => Some(pin),
        _ => None,
    });
    for lost in [false, true] {
        if lost {
            phone.state.pin = None;
        }
        phone.dial_known(&known, &[]);
        let said = phone.types("2");
        assert!(said.starts_with("Too many wrong codes."), "{said}");
    }
    phone.passes(Duration::from_mins(15));
    phone.dial_known(&known, &[]);
    phone.types("2");
    assert!(
        phone.types("4821").starts_with("Your linked accounts"),
        "{}",
        phone.says()
    );
}

/// A forgotten code opens nothing; linking the same account again ends it, and linking another one does not.
#[test]
fn only_linking_the_same_account_again_ends_a_code() {
    for (again, ended) in [(false, false), (true, true)] {
        let (mut phone, known) = protected();
        phone.dial_known(&known, &[]);
        phone.keys(&["2", "0"]);
        assert!(phone.says().starts_with("Umoja Credit asks"), "{}", phone.says());
        assert!(phone.types("2").starts_with("Type the 4 digits"));
        phone.keys(&["0", "1", "1", "ada", "pass-pw"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        let mut made = link(2, "zenith:p", "Zenith Bank");
        made.duplicate = again;
        assert!(phone.applies(&SessionEvent::AttemptResolved {
            id,
            result: AttemptResult::Linked(made),
        }));
        assert!(phone.says().starts_with("Done!"), "{}", phone.says());
        assert_eq!(phone.state.pin.is_none(), ended);
    }
}

/// Where a code is required, it is chosen before the first bank, and what is easily guessed is not taken.
#[test]
fn a_required_code_is_chosen_first() {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    Arc::get_mut(&mut flow).expect("nobody else's").settings.subscriber_pin = SubscriberPin::Required;
    let mut phone = Phone::with(flow);
    phone.dial();
    assert!(phone.types("1").starts_with("Choose 4 new digits"), "{}", phone.says());
    for (typed, says) in [
        ("12", "It must be 4 digits."),
        ("abcd", "It must be 4 digits."),
        ("1234", "Too easy to guess."),
        ("٤٨٢١", "Type the same 4 digits once more."),
        ("4822", "The two were not the same. Choose again."),
        ("4821", "Type the same 4 digits once more."),
        ("0", "Choose"),
        ("4821", "Type the same 4 digits once more."),
        ("4821", "Your code is set.\nChoose your bank"),
    ] {
        assert!(phone.types(typed).starts_with(says), "{typed}: {}", phone.says());
    }
    phone.keys(&["1", "ada", "pass-pw"]);
    assert_eq!(phone.stage(), Some(Outcome::Checking));
}

/// Somebody with another's phone or number cannot lock them out: a code is chosen by who knows the present one, or
/// was let in by a bank a moment ago. That a code is required changes nothing of it.
#[test]
fn a_code_needs_a_login() {
    for rule in [SubscriberPin::Optional, SubscriberPin::Required] {
        let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
        Arc::get_mut(&mut flow).expect("nobody else's").settings.subscriber_pin = rule;
        let mut stranger = Phone::with(flow);
        stranger.dial_known(&known(None), &[]);
        let shown = stranger.keys(&["2", "1", "3"]);
        assert!(shown.starts_with("First log in again (1)"), "{shown}");
        assert!(stranger.state.pin.is_none());
        // Nor on the way to a link.
        stranger.dial_known(&known(None), &[]);
        let shown = stranger.types("1");
        assert!(shown.starts_with("Choose your bank"), "{shown}");
    }
    // A login counts for a quarter of an hour.
    let mut owner = Phone::linked();
    owner.passes(Duration::from_mins(16));
    owner.dial_known(&known(None), &[]);
    assert!(
        owner.keys(&["2", "1", "3"]).starts_with("First log in again"),
        "{}",
        owner.says()
    );
    // Who knows the code may change it at any time.
    let (mut owner, facts) = protected();
    owner.passes(Duration::from_hours(20));
    owner.dial_known(&facts, &[]);
    let shown = owner.keys(&["2", "4821", "1", "3"]);
    assert!(shown.starts_with("Choose 4 new digits"), "{shown}");
}

/// A login is as old as it is, however late it comes to be known what it led to: hearing of it opens no way to a code, neither
/// from the records nor by an event. One of a moment ago does.
#[test]
fn hearing_late_of_a_link_is_no_fresh_login() {
    for (later, fresh) in [(Duration::from_mins(5), true), (Duration::from_hours(72), false)] {
        for lost in [false, true] {
            let (mut phone, attempt) = Phone::submitted();
            phone.polls(true);
            let (session, begun_at) = (phone.session().id, phone.now);
            phone.passes(later);
            let made = link(1, "zenith:p", "Zenith Bank");
            let origin = LinkOrigin {
                session,
                attempt,
                begun_at,
                linked_at: phone.now,
                terms: None,
                link: made.clone(),
            };
            if lost {
                phone.state = Phone::new().state;
            } else {
                assert!(phone.resolves(attempt, AttemptResult::Linked(made.clone())));
            }
            let facts = SubscriberFacts {
                newest_link: Some(origin.clone()),
                untold_link: Some(origin),
                ..known(None)
            };
            let news = phone.dial_known(&facts, &[]);
            assert!(news.contains("is linked for"), "{news}");
            let shown = phone.keys(&["2", "1", "3"]);
            let want = if fresh {
                "Choose 4 new digits"
            } else {
                "First log in again"
            };
            assert!(shown.starts_with(want), "{later:?}, lost: {lost}: {shown}");
        }
    }
}

/// Where there are no codes, none is asked for and none can be chosen.
#[test]
fn codes_can_be_switched_off() {
    let (_, known) = protected();
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    Arc::get_mut(&mut flow).expect("nobody else's").settings.subscriber_pin = SubscriberPin::Off;
    let mut phone = Phone::with(flow);
    phone.dial_known(&known, &[]);
    assert!(phone.types("2").starts_with("Your linked accounts"), "{}", phone.says());
    phone.types("1");
    assert!(
        phone.types("3").starts_with("That is not offered here."),
        "{}",
        phone.says()
    );
}

/// A code that was chosen counts from then on, whatever a dial finds in the records before it is written there: none, the
/// one before, or that one with its wrong tries. It is asked to be written again until the records have it; one that they
/// have had and do not have any more is over.
#[test]
fn a_code_just_chosen_is_not_lost() {
    let earlier = |phone: &Phone, code: &str| {
        let at = phone.now.minus(Duration::from_hours(1));
        let mut pin = Pin::new(&phone.flow.keyring, &phone.state.msisdn, &Secret::new(code), at);
        (pin.wrong_tries, pin.wrong_at) = (2, phone.now.plus(Duration::from_hours(1)));
        pin
    };
    for (name, before) in [("none", None), ("another", Some("9013")), ("the same", Some("4821"))] {
        let (mut phone, written) = protected();
        let stale = known(before.map(|code| earlier(&phone, code)));
        for _ in 0..2 {
            phone.dial_known(&stale, &[]);
            assert!(
                phone
                    .effects
                    .drain(..)
                    .any(|effect| matches!(effect, Effect::SavePin(pin) if Some(&pin) == written.pin.as_ref())),
                "{name}"
            );
            assert!(
                phone
                    .types("2")
                    .starts_with("Type the 4 digits you chose here, not your bank PIN."),
                "{name}: {}",
                phone.says()
            );
            assert!(
                phone.types("4821").starts_with("Your linked accounts"),
                "{name}: {}",
                phone.says()
            );
        }
        phone.effects.clear();
        phone.dial_known(&written, &[]);
        assert!(phone.effects.is_empty(), "{name}: {:?}", phone.effects);
        assert!(
            phone
                .types("2")
                .starts_with("Type the 4 digits you chose here, not your bank PIN."),
            "{name}"
        );
        phone.dial_known(&known(None), &[]);
        assert!(
            phone.types("2").starts_with("Your linked accounts"),
            "{name}: {}",
            phone.says()
        );
    }
}

/// That a code is written down is noted of the code that it is, and once; a later one is still to be written.
#[test]
fn a_code_that_is_written_is_noted() {
    let (mut phone, written) = protected();
    let first = written.pin.unwrap();
    phone.passes(Duration::from_secs(1));
    let mut later = first.clone();
    later.chosen_at = phone.now;
    phone.state.pin = Some(later.clone());
    for (kept, noted, unkept) in [(&first, None, true), (&later, Some(()), false), (&later, None, false)] {
        assert_eq!(phone.state.mark_pin_saved(kept), noted);
        assert_eq!(phone.state.pin_unsaved, unkept);
    }
}
