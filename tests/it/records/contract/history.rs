//! What the conversation reads of a person.

use kiungo::providers::SubmissionStep;
use kiungo::records::{Attempt, AttemptState, LinkState, SubscriberHistory};
use rstest::rstest;

use crate::support::records::{Backend, at, person};

const HOUR: i64 = 60 * 60 * 1000;

/// Nobody learns anything of another person: not one field. What a person has at one partner is known in the dialog
/// whichever partner is asked for, but for their own code, which one partner keeps.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn facts_are_of_one_person(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let link = ada.linked(&*db, 2, LinkState::Active).await;
    let refused = ada.attempted(&*db, AttemptState::Refused, |_| ()).await;
    let last = ada.attempted(&*db, AttemptState::Open, |_| ()).await;
    for other in [person(1, 2), person(3, 3)] {
        let facts = db.history(other.partner, &other.tag, at(0), true).await.unwrap();
        assert_eq!(facts, SubscriberHistory::default(), "{other:?}");
    }
    let elsewhere = db.history(person(2, 1).partner, &ada.tag, at(0), true).await.unwrap();
    let facts = db.history(ada.partner, &ada.tag, at(0), true).await.unwrap();
    assert_eq!(elsewhere, facts);
    let (linked, _) = db.attempt(link.attempt).await.unwrap().unwrap();
    let expected = SubscriberHistory {
        last_institution: Some((link.institution.clone(), at(0))),
        links: vec![link],
        pending_attempt: Some(last.clone()),
        newest_submission: Some(last.clone()),
        unresolved: vec![last],
        untold_link: Some(linked),
        undone_link: None,
        failed_logins: vec![(refused.provider_institution, at(0))],
        pin: None,
        texts_stopped: false,
        language: None,
    };
    assert_eq!(facts, expected);
}

/// Links in use are shown, newest first, with their accounts; links that end or have ended are not.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn links_in_use_newest_first(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let mut expected = Vec::new();
    for state in [
        LinkState::Active,
        LinkState::Removing,
        LinkState::ReauthRequired,
        LinkState::Removed,
        LinkState::Active,
    ] {
        let link = ada.linked(&*db, 3, state).await;
        if matches!(state, LinkState::Active | LinkState::ReauthRequired) {
            expected.insert(0, link);
        }
    }
    let facts = db.history(ada.partner, &ada.tag, at(0), true).await.unwrap();
    assert_eq!(facts.links, expected);
}

/// Only the newest attempt can be pending, and only in the states in which an answer is owed.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn only_the_newest_attempt_can_be_unsettled(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for (state, owed) in [
        (AttemptState::Open, true),
        (AttemptState::Sending, true),
        (AttemptState::Unknown, true),
        (AttemptState::Waiting, true),
        (AttemptState::Granted, true),
        (AttemptState::Accepted, false),
        (AttemptState::Refused, false),
        (AttemptState::WrongCode, false),
        (AttemptState::NotSent, false),
        (AttemptState::NotTaken, false),
        (AttemptState::Linked, false),
        (AttemptState::Undone, false),
        (AttemptState::OtherAccount, false),
        (AttemptState::Lapsed, false),
    ] {
        let attempt = ada.attempted(&*db, state, |_| ()).await;
        let facts = db.history(ada.partner, &ada.tag, at(0), true).await.unwrap();
        assert_eq!(facts.pending_attempt, owed.then_some(attempt), "{state:?}");
    }
}

/// The institution offered first is that of the newest attempt that got anywhere, however long ago.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_last_institution_is_one_that_worked(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for (state, institution, expected) in [
        (AttemptState::Refused, "a", None),
        (AttemptState::Accepted, "b", Some("b")),
        (AttemptState::Unknown, "c", Some("b")),
        (AttemptState::Granted, "d", Some("d")),
        (AttemptState::Linked, "e", Some("e")),
        (AttemptState::NotSent, "f", Some("e")),
        (AttemptState::Lapsed, "g", Some("e")),
    ] {
        let there = |attempt: &mut Attempt| institution.clone_into(&mut attempt.institution);
        ada.attempted(&*db, state, there).await;
        let facts = db
            .history(ada.partner, &ada.tag, at(10_000 * HOUR), true)
            .await
            .unwrap();
        let found = facts.last_institution.map(|(institution, _)| institution);
        assert_eq!(found.as_deref(), expected, "{state:?}");
    }
}

/// Counted against the limits: logins that were sent and not accepted, as far as is known, of the last 24 hours; no later step,
/// nothing that provably did not reach the bank.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn refusals_are_logins_of_the_last_day(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, (state, step, age, counts)) in [
        (AttemptState::Refused, SubmissionStep::Login, 0, true),
        (AttemptState::Unknown, SubmissionStep::Login, 23 * HOUR, true),
        (AttemptState::Lapsed, SubmissionStep::Login, HOUR, true),
        (AttemptState::Sending, SubmissionStep::Login, 0, true),
        (AttemptState::Sending, SubmissionStep::Code, 0, false),
        (AttemptState::Refused, SubmissionStep::Login, 24 * HOUR, false),
        (AttemptState::Refused, SubmissionStep::Code, 0, false),
        (AttemptState::Unknown, SubmissionStep::Choose, 0, false),
        (AttemptState::WrongCode, SubmissionStep::Login, 0, true),
        (AttemptState::NotTaken, SubmissionStep::Login, 0, true),
        (AttemptState::NotTaken, SubmissionStep::Code, 0, false),
        (AttemptState::NotSent, SubmissionStep::Login, 0, false),
        (AttemptState::Accepted, SubmissionStep::Login, 0, false),
        (AttemptState::Open, SubmissionStep::Login, 0, false),
        (AttemptState::Waiting, SubmissionStep::Login, 0, false),
    ]
    .into_iter()
    .enumerate()
    {
        let somebody = person(1, u8::try_from(n).unwrap());
        let changed = |attempt: &mut Attempt| {
            attempt.step = step;
            attempt.created_at = at(-age);
        };
        let attempt = somebody.attempted(&*db, state, changed).await;
        let facts = db.history(somebody.partner, &somebody.tag, at(0), true).await.unwrap();
        let expected: Vec<_> = counts
            .then(|| (attempt.provider_institution, at(-age)))
            .into_iter()
            .collect();
        assert_eq!(facts.failed_logins, expected, "{state:?} {step:?} {age}");
    }
}

/// An attempt that is both the newest and old enough not to count stays out of the failed logins.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_old_unknown_login_is_owed_an_answer_but_does_not_count(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let old = |attempt: &mut Attempt| attempt.created_at = at(-25 * HOUR);
    let attempt = ada.attempted(&*db, AttemptState::Unknown, old).await;
    let facts = db.history(ada.partner, &ada.tag, at(0), true).await.unwrap();
    assert_eq!(facts.pending_attempt, Some(attempt));
    assert_eq!(facts.failed_logins, Vec::new());
}
