//! The store has lost its last writes: what it still remembers of a person is older than what the records know.

use std::time::Duration;

use super::fixtures::{failed, link};
use super::phone::Phone;
use crate::core::attempt::{LiveAttempt, LiveAttemptState};
use crate::core::flow::state::Subscriber;
use crate::core::flow::{AttemptResult, LinkOrigin, PendingAttempt, SubscriberFacts};
use crate::core::ids::AttemptId;
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;

/// Two logins at Zenith in one connect session, of which the first was never sent and the second made a link; with
/// every value that the store held on the way, and what the records know at the end.
fn history() -> (Phone, Vec<Subscriber>, SubscriberFacts) {
    let mut phone = Phone::new();
    let mut values = Vec::new();
    phone.dial();
    for line in ["1", "1", "ada", "Zq7password"] {
        phone.types(line);
        values.push(phone.state.clone());
    }
    assert_eq!(
        phone
            .state
            .session
            .as_ref()
            .and_then(|s| s.attempt.as_ref())
            .map(|a| a.state),
        Some(LiveAttemptState::Pending)
    );
    phone.submit();
    // Its owner dies before it is sent; the person is asked again after its lease.
    phone.passes(Duration::from_mins(3));
    phone.dial();
    values.push(phone.state.clone());
    phone.keys(&["1", "ada", "Zq7another"]);
    values.push(phone.state.clone());
    let submit = phone.submit();
    phone.sends(submit.attempt);
    values.push(phone.state.clone());
    assert!(phone.resolves(submit.attempt, AttemptResult::Granted));
    values.push(phone.state.clone());
    phone.passes(Duration::from_secs(5));
    let made = link(1, "zenith:p", "Zenith Bank");
    let known = SubscriberFacts {
        links: vec![made.clone()],
        newest_link: Some(LinkOrigin {
            terms: None,
            session: phone.session().id,
            attempt: submit.attempt,
            begun_at: submit.begun_at,
            linked_at: phone.now,
            link: made.clone(),
        }),
        ..SubscriberFacts::default()
    };
    assert!(phone.resolves(submit.attempt, AttemptResult::Linked(made)));
    (phone, values, known)
}

/// Whatever the store falls back to, a dial tells of the link, or offers it among the accounts; nobody is asked to log in
/// again.
#[test]
fn a_link_is_told_from_whatever_the_store_remembers() {
    let (mut phone, values, known) = history();
    for (n, value) in values.into_iter().enumerate() {
        for later in [Duration::from_secs(1), Duration::from_mins(20)] {
            let before = phone.now;
            phone.state = value.clone();
            phone.passes(later);
            let text = phone.dial_known(&known, &[]);
            assert!(
                text.contains("Zenith Bank") && text.contains(" is linked for "),
                "{n}: {text}"
            );
            assert_eq!(phone.stage(), Some(Outcome::Linked), "{n}");
            assert_eq!(phone.submits(), 0, "{n}");
            phone.now = before;
        }
    }
}

/// The link came of the first login, and what the store remembers is a second one on its way: the records let no second one
/// out under a consent that has led to a link, so the dial tells of the link, not that nothing was sent.
#[test]
fn a_later_login_that_was_not_sent_hides_no_link() {
    let (mut phone, values, mut known) = history();
    let first = values[3]
        .session
        .as_ref()
        .and_then(|session| session.attempt.clone())
        .unwrap();
    let made = known.newest_link.as_mut().unwrap();
    (made.attempt, made.begun_at) = (first.id, first.begun_at);
    let waiting = |value: &&Subscriber| {
        let attempt = value.session.as_ref().and_then(|session| session.attempt.as_ref());
        attempt.is_some_and(|attempt| attempt.id != first.id && attempt.in_flight())
    };
    let values: Vec<_> = values.iter().filter(waiting).cloned().collect();
    assert!(!values.is_empty());
    for value in values {
        phone.state = value;
        phone.passes(Duration::from_secs(1));
        let text = phone.dial_known(&known, &[]);
        assert!(
            text.contains("Zenith Bank") && text.contains(" is linked for "),
            "{text}"
        );
        assert_eq!(phone.submits(), 0);
    }
}

/// What was left behind undecided stands in the way of a login there until it is decided: that is written, although it is not
/// about the session at hand. Of what the records hold undecided no more is kept in mind than of what is left in dialogs.
#[test]
fn what_was_left_behind_is_forgotten_once_decided() {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Unknown);
    phone.types("2");
    assert_eq!(phone.state.set_aside.len(), 1);
    for still in [AttemptResult::Unknown, AttemptResult::Granted] {
        assert!(!phone.resolves(id, still));
    }
    assert!(phone.resolves(id, failed(FailureClass::Refused)), "it is to be written");
    assert!(phone.state.set_aside.is_empty());
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank));
    assert!(
        !phone.resolves(id, failed(FailureClass::Refused)),
        "there is nothing left of it"
    );

    let (phone, _) = Phone::submitted();
    let session = phone.session().clone();
    let pending = |n: u8| PendingAttempt {
        series: session.series,
        submissions: session.submissions,
        terms: None,
        attempt: LiveAttempt {
            id: AttemptId::from_bytes([n; 16]),
            state: LiveAttemptState::Unknown,
            ..session.attempt.clone().expect("an attempt")
        },
        session: session.id,
        consent: session.consent.clone(),
        renews: None,
        institution: session.institution.clone().expect("a bank"),
    };
    let facts = SubscriberFacts {
        unresolved: (1..=9).map(pending).collect(),
        ..SubscriberFacts::default()
    };
    let mut phone = Phone::new();
    phone.dial_known(&facts, &[]);
    let known = phone
        .state
        .set_aside
        .iter()
        .map(|aside| aside.attempt.as_ref().map(|attempt| attempt.id));
    let newest: Vec<_> = (1..=4).map(|n| Some(AttemptId::from_bytes([n; 16]))).collect();
    assert_eq!(known.collect::<Vec<_>>(), newest);
}
