//! What becomes of submissions: refusals and their limits, late answers, hand-over.

use std::time::Duration;

use super::fixtures::{failed, link};
use super::phone::Phone;
use crate::core::attempt::Refusal;
use crate::core::flow::handover::Notification;
use crate::core::flow::{AttemptResult, Effect, PendingAttempt, SessionEvent, SubscriberFacts, UndoneLink};
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;

fn refuse(phone: &mut Phone) {
    let id = phone.submit().attempt;
    phone.sends(id);
    phone.passes(Duration::from_secs(3));
    assert!(phone.resolves(id, failed(FailureClass::Refused)));
}

/// Two refused logins at one bank, and the person waits a quarter of an hour; another bank is free. When the wait is
/// over they go on, without starting again.
#[test]
fn two_refusals_make_a_person_wait() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada", "pass-pw"]);
    refuse(&mut phone);
    let left = "a wrong detail, or the bank is down. Tries left: 1.\n1 Try again";
    assert!(phone.says().contains(left), "{}", phone.says());
    phone.keys(&["1", "ada", "pass-pw"]);
    refuse(&mut phone);
    // There is no other try, so none is offered.
    let none = "So that it does not lock you out, wait 15 min.\n2 Another bank\n0 Leave";
    assert!(phone.types("1").ends_with(none), "{}", phone.says());
    assert!(phone.types("2").starts_with("Choose your bank"));
    assert!(phone.types("1").starts_with("To keep your Zenith Bank"));
    phone.types("2");
    assert!(phone.types("2").starts_with("Access Bank: USERNAME"));

    phone.keys(&["0", "1"]);
    assert_eq!(phone.stage(), Some(Outcome::Limited));
    phone.passes(Duration::from_mins(20));
    phone.dial();
    let text = phone.types("1");
    assert!(text.starts_with("Zenith Bank: USERNAME"), "{text}");
}

/// A phone at whose list Zenith Bank stands twice, as its provider has it: personal and business, by one id of its own.
fn phone_with_two_sides() -> Phone {
    let mut phone = Phone::new();
    let mut business = phone.banks[3].clone();
    assert_eq!(business.institution.id, "zenith:p");
    business.institution.id = "zenith:b".to_owned();
    business.institution.business = true;
    phone.banks.push(business);
    phone
}

/// Picks the bank with this name in the list that is shown.
fn pick(phone: &mut Phone, name: &str) {
    let list = phone.says();
    let line = list.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '));
    let key = line.unwrap_or_else(|| panic!("{name} in {list}")).to_owned();
    phone.types(&key);
}

/// What a provider lists twice is one bank, which counts failed logins once: they count together on both sides, also where
/// the records tell of them.
#[test]
fn two_sides_of_a_bank_share_its_limits() {
    let mut phone = phone_with_two_sides();
    phone.dial();
    phone.types("1");
    pick(&mut phone, "Zenith Bank");
    phone.keys(&["ada", "pass-pw"]);
    refuse(&mut phone);
    phone.types("2");
    pick(&mut phone, "Zenith Bank Business");
    phone.keys(&["ada", "pass-pw"]);
    refuse(&mut phone);
    for name in ["Zenith Bank", "Zenith Bank Business"] {
        phone.types("2");
        pick(&mut phone, name);
        assert_eq!(phone.stage(), Some(Outcome::Limited), "{name}: {}", phone.says());
    }
    phone.types("2");
    pick(&mut phone, "Access Bank");
    assert!(phone.says().starts_with("Access Bank: USERNAME"), "{}", phone.says());

    let mut phone = phone_with_two_sides();
    let refusal = |secs_ago| Refusal {
        institution: "zenith".to_owned(),
        at: phone.now.minus(Duration::from_secs(secs_ago)),
    };
    let told = SubscriberFacts {
        refusals: vec![refusal(1), refusal(2)],
        ..SubscriberFacts::default()
    };
    phone.dial_known(&told, &[]);
    phone.types("1");
    pick(&mut phone, "Zenith Bank Business");
    assert_eq!(phone.stage(), Some(Outcome::Limited), "{}", phone.says());
}

/// While a login at one side of a bank may still come to something none is begun at the other: it is led back to.
#[test]
fn two_sides_of_a_bank_have_one_login_under_way() {
    let mut phone = phone_with_two_sides();
    phone.dial();
    phone.types("1");
    pick(&mut phone, "Zenith Bank");
    phone.keys(&["ada", "pass-pw"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    phone.resolves(id, AttemptResult::Unknown);
    for name in ["Zenith Bank Business", "Zenith Bank"] {
        phone.types("2");
        pick(&mut phone, name);
        assert_eq!(phone.state.attempt_id(), Some(id), "{name}: {}", phone.says());
        let bank = phone.session().institution.as_ref().map(|bank| bank.id.clone());
        assert_eq!(bank.as_deref(), Some("zenith:p"), "{name}");
        phone.resolves(id, AttemptResult::Unknown);
    }
}

/// A refused login counts once, although the records tell of it too.
#[test]
fn a_refusal_counts_once() {
    let mut phone = Phone::at_banks();
    phone.keys(&["1", "ada", "pass-pw"]);
    let begun = phone
        .session()
        .attempt
        .as_ref()
        .map(|attempt| attempt.begun_at)
        .expect("begun");
    refuse(&mut phone);
    let known = SubscriberFacts {
        refusals: vec![Refusal {
            institution: "zenith".to_owned(),
            at: begun,
        }],
        ..SubscriberFacts::default()
    };
    phone.dial_known(&known, &[]);
    assert_eq!(phone.state.refusals.len(), 1);
    phone.types("1");
    assert!(
        phone.types("1").starts_with("Zenith Bank: USERNAME"),
        "{}",
        phone.says()
    );
}

/// What the provider took in the end counts for nothing against the person; what it refused in the end counts once.
#[test]
fn a_late_answer_sets_the_count_right() {
    let granted = || AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"));
    for (result, count) in [
        (granted(), 0),
        (failed(FailureClass::Refused), 1),
        (AttemptResult::NotSent, 0),
        (AttemptResult::Lapsed, 1),
    ] {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, AttemptResult::Unknown);
        assert_eq!(phone.state.refusals.len(), 1);
        phone.passes(Duration::from_mins(1));
        assert!(phone.resolves(id, result.clone()));
        assert_eq!(phone.state.refusals.len(), count, "{result:?}");
    }
}

/// A late yes after silence is a link, whichever comes first: the grant, the link, or both after the search was given up.
#[test]
fn late_answers_are_links() {
    for lapsed in [false, true] {
        for granted in [false, true] {
            let (mut phone, id) = Phone::submitted();
            phone.resolves(id, AttemptResult::Unknown);
            assert!(
                phone.says().starts_with("Zenith Bank has not answered"),
                "{}",
                phone.says()
            );
            if lapsed {
                assert!(phone.resolves(id, AttemptResult::Lapsed));
            }
            if granted {
                assert!(phone.resolves(id, AttemptResult::Granted));
            }
            assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
            assert!(!phone.resolves(id, failed(FailureClass::Refused)), "linked is linked");
            assert!(phone.dial().starts_with("Zenith Bank ..4321 is linked"));
        }
    }
}

/// Found after all while the person reads that it was not: trying again looks at what was found and logs in no second
/// time.
#[test]
fn found_after_all() {
    for key in ["1", "2"] {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, AttemptResult::Unknown);
        phone.resolves(id, AttemptResult::Lapsed);
        assert!(
            phone.types("1").starts_with("We could not find out"),
            "{}",
            phone.says()
        );
        assert!(phone.resolves(id, AttemptResult::Granted));
        assert_eq!(phone.types(key), "");
        assert!(phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank"))));
        assert!(phone.says().starts_with("Done! Zenith Bank"), "{}", phone.says());
    }
}

/// What had made the link that a phone was told of.
fn made_by(phone: &Phone) -> PendingAttempt {
    let session = phone.session().clone();
    PendingAttempt {
        series: session.series,
        submissions: session.submissions,
        terms: None,
        attempt: session.attempt.expect("an attempt"),
        session: session.id,
        consent: session.consent,
        renews: None,
        institution: session.institution.expect("a bank"),
    }
}

/// A link that turns out to be something else after it was told is taken back: by the next screen, and by an SMS, also where
/// the person has dialled or agreed since. Once; and what is under way goes on.
#[test]
fn a_link_that_was_told_is_taken_back() {
    for (result, says) in [
        (
            AttemptResult::OtherAccount,
            "This is not the Zenith Bank account that you chose",
        ),
        (AttemptResult::Lapsed, "We could not find out"),
    ] {
        for since in [&[][..], &[""], &["", "1"], &["", "2"]] {
            let (mut phone, attempt) = Phone::submitted();
            let made = link(1, "zenith:p", "Zenith Bank");
            let event = SessionEvent::LinkUndone {
                link: made.id,
                attempt,
                result: result.clone(),
                made: Some(Box::new(made_by(&phone))),
            };
            assert!(phone.resolves(attempt, AttemptResult::Linked(made)));
            assert!(phone.says().starts_with("Done!"), "{}", phone.says());
            for line in since {
                if line.is_empty() {
                    phone.dial();
                } else {
                    phone.types(line);
                }
            }
            assert!(phone.applies(&event));
            assert!(phone.state.links.is_empty());
            let owed = phone.state.pending_notification();
            assert_eq!(owed, Some((attempt, Notification::NotLinked)), "{since:?}");
            let text = if since.is_empty() {
                phone.dial()
            } else {
                phone.types("1")
            };
            assert!(text.starts_with(says), "{since:?}: {text}");
            assert_eq!(phone.submits(), 0, "nothing is done with what was typed");
            assert!(!phone.dial().starts_with(says), "{since:?}: it is told once");
        }
    }
}

/// While a later login is under way it is not broken off; the next dial after it takes the link back, as the records say.
#[test]
fn a_link_is_taken_back_after_what_is_under_way() {
    let (mut phone, first) = Phone::submitted();
    let (made, made_link) = (made_by(&phone), link(1, "zenith:p", "Zenith Bank"));
    assert!(phone.resolves(first, AttemptResult::Linked(made_link.clone())));
    phone.dial();
    phone.keys(&["1", "1", "ada", "Zq7pw"]);
    let second = phone.submit().attempt;
    phone.sends(second);
    let event = SessionEvent::LinkUndone {
        link: made_link.id,
        attempt: first,
        result: AttemptResult::OtherAccount,
        made: Some(Box::new(made.clone())),
    };
    assert!(phone.applies(&event));
    let known = SubscriberFacts {
        undone: Some(UndoneLink {
            made,
            stage: Outcome::OtherAccount,
        }),
        ..SubscriberFacts::default()
    };
    let text = phone.dial_known(&known, &[]);
    assert!(text.starts_with("Zenith Bank is checking"), "{text}");
    assert!(phone.resolves(second, failed(FailureClass::Refused)));
    let text = phone.types("1");
    assert!(text.starts_with("Zenith Bank did not let you in"), "{text}");
    for says in [true, false] {
        let text = phone.dial_known(&known, &[]);
        assert_eq!(text.starts_with("This is not the Zenith Bank account"), says, "{text}");
    }
}

/// The same account linked before is said.
#[test]
fn linked_twice_is_said() {
    let (mut phone, id) = Phone::submitted();
    let mut twice = link(1, "zenith:p", "Zenith Bank");
    twice.duplicate = true;
    phone.resolves(id, AttemptResult::Linked(twice));
    assert!(phone.says().contains("Linked before"), "{}", phone.says());
}

/// At the end of a turn's budget the poll screen, at the end of the dialog's the way on; checking again waits again.
#[test]
fn polls_and_hands_over() {
    let (mut phone, id) = Phone::submitted();
    phone.passes(Duration::from_secs(4));
    let text = phone.polls(false);
    assert_eq!(
        text,
        "Zenith Bank is checking your details (4 s).\n1 Check again\n0 Leave"
    );
    assert_eq!(phone.types("1"), "");
    phone.passes(Duration::from_secs(20));
    let text = phone.polls(true);
    assert!(text.starts_with("We keep asking Zenith Bank, up to 15 min"), "{text}");
    assert!(phone.answer().is_some_and(|answer| answer.end));
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    assert!(phone.dial().starts_with("Zenith Bank ..4321 is linked"));
}

/// An event about an attempt that is not the present one changes nothing.
#[test]
fn events_of_others_changes_nothing() {
    let (mut phone, _) = Phone::submitted();
    let before = phone.value();
    let other = crate::core::ids::AttemptId::from_bytes([0xee; 16]);
    for result in [
        AttemptResult::Granted,
        AttemptResult::Unknown,
        AttemptResult::Lapsed,
        failed(FailureClass::Refused),
    ] {
        assert!(!phone.resolves(other, result));
    }
    assert_eq!(phone.value(), before);
}

/// An account ended: which one is named, whatever else is going on, and only to anyone who asked.
#[test]
fn unlinking_names_what_was_unlinked() {
    let mut phone = Phone::linked();
    phone.dial();
    phone.keys(&["2", "1", "2"]);
    assert!(
        phone.says().starts_with("Unlink Zenith Bank ..4321?"),
        "{}",
        phone.says()
    );
    phone.types("1");
    let Some(Effect::Unlink(id)) = phone.effects.pop() else {
        panic!("no unlink")
    };
    assert!(phone.applies(&SessionEvent::Unlinked(id)));
    assert!(
        phone.says().starts_with("Zenith Bank ..4321 is unlinked"),
        "{}",
        phone.says()
    );
    assert!(phone.state.links.is_empty());

    // It took longer than the turn, and the person has gone on to something else.
    let mut phone = Phone::linked();
    phone.dial();
    phone.keys(&["2", "1", "2", "1"]);
    let Some(Effect::Unlink(id)) = phone.effects.pop() else {
        panic!("no unlink")
    };
    phone.polls(false);
    phone.dial();
    let banks = phone.types("1");
    phone.applies(&SessionEvent::Unlinked(id));
    assert_eq!(phone.says(), banks);
    assert!(
        phone.types("1").starts_with("Zenith Bank: USERNAME"),
        "{}",
        phone.says()
    );
}
