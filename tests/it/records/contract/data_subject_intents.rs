//! Intents that a partner has addressed to a person who is erased.

use kiungo::core::events::EventKind;
use kiungo::records::{AttemptState, Redaction};
use rstest::rstest;

use super::data_subject::{begun, erasure, exported};
use crate::support::events::events_of;
use crate::support::records::{Backend, RecordedPerson, at, person};

/// An intent in this state for everybody with a submission in that one; addressed to them or not.
macro_rules! intent {
    ($state:literal, $tag:literal, $whose:literal) => {
        concat!(
            "INSERT INTO link_intents (id, partner, state, purpose, days, scope, reference, tag, msisdn, code_digest, code, \
             many, expected, suggested, links, created_at, moved_at, expires_at) SELECT c.intent, c.partner, '",
            $state,
            "', 'loans', 90, 'account', 'customer 17', ",
            $tag,
            ", c.msisdn, $1, c.msisdn, FALSE, c.msisdn, c.msisdn, 0, 0, 0, 0 FROM consents c JOIN attempts a ON a.consent = c.id \
             WHERE a.state = '",
            $whose,
            "'"
        )
    };
}

/// Intents addressed to a person are redacted and, if open, cancelled, which the partner is told; so are those that are
/// over and that nobody but they have answered. One that is open and not theirs alone is left as it is: it would match
/// anybody.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn intents_for_a_person_are_redacted(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for state in [AttemptState::Refused, AttemptState::WrongCode, AttemptState::NotSent] {
        ada.attempted(&*db, state, |_| ()).await;
    }
    for (digest, statement) in [
        ([1; 32], intent!("open", "c.tag", "refused")),
        ([2; 32], intent!("completed", "NULL", "wrong_code")),
        ([3; 32], intent!("open", "NULL", "not_sent")),
    ] {
        db.execute_with(statement, &[&digest]).await;
    }
    assert_eq!(exported(&db, &ada).await.intents.len(), 1);
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    assert_eq!(db.redact(&erasure, at(3)).await.unwrap(), Redaction::Redacted);
    let told = events_of(&*db, ada.partner).await;
    let cancelled = told.iter().filter(|event| event.kind == EventKind::IntentCancelled);
    assert_eq!(cancelled.count(), 1, "{told:?}");
    let redacted = RecordedPerson {
        tag: erasure.pseudonym,
        ..ada
    };
    let intents = exported(&db, &redacted).await.intents;
    assert_eq!((intents[0].state.as_str(), &intents[0].reference), ("cancelled", &None));
    for (statement, wanted) in [
        (
            "SELECT COUNT(*) FROM link_intents WHERE state = 'completed' AND expected IS NULL AND suggested IS NULL AND reference IS NULL",
            1,
        ),
        (
            "SELECT COUNT(*) FROM link_intents WHERE state = 'open' AND expected IS NOT NULL AND code IS NOT NULL",
            1,
        ),
        (
            "SELECT COUNT(*) FROM link_intents WHERE msisdn IS NOT NULL OR code_digest IS NOT NULL",
            1,
        ),
    ] {
        assert_eq!(db.count(statement).await, wanted, "{statement}");
    }
}
