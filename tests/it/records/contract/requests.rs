//! Requests that a partner has addressed to a person who is erased.

use kiungo::core::events::EventKind;
use kiungo::records::{AttemptState, Redaction};
use rstest::rstest;

use super::data_subject::{begun, erasure, held};
use crate::support::events::events_of;
use crate::support::records::{Backend, RecordedPerson, at, person};

/// A request in this state for everybody with a submission in that one; addressed to them or not.
macro_rules! request {
    ($state:literal, $tag:literal, $whose:literal) => {
        concat!(
            "INSERT INTO link_intents (id, partner, state, purpose, days, scope, reference, tag, msisdn, code_digest, code, \
             many, expected, links, created_at, moved_at, expires_at) SELECT c.intent, c.partner, '",
            $state,
            "', 'loans', 90, 'account', 'customer 17', ",
            $tag,
            ", c.msisdn, c.id, c.msisdn, 0, c.msisdn, 0, 0, 0, 0 FROM consents c JOIN attempts a ON a.consent = c.id \
             WHERE a.state = '",
            $whose,
            "'"
        )
    };
}

/// Requests addressed to a person are blanked and, if open, cancelled, which the partner is told; so are those that are over and that nobody but they
/// has answered. One that is open and not theirs alone is left as it is: it would match anybody.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn requests_to_a_person_are_blanked(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for state in [AttemptState::Refused, AttemptState::WrongCode, AttemptState::NotSent] {
        ada.attempted(&*db, state, |_| ()).await;
    }
    db.execute(request!("open", "c.tag", "refused")).await;
    db.execute(request!("completed", "NULL", "wrong_code")).await;
    db.execute(request!("open", "NULL", "not_sent")).await;
    assert_eq!(held(&db, &ada).await.intents.len(), 1);
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    assert_eq!(db.redact(&erasure, at(3)).await.unwrap(), Redaction::Redacted);
    let told = events_of(&*db, ada.partner).await;
    let cancelled = told.iter().filter(|event| event.kind == EventKind::IntentCancelled);
    assert_eq!(cancelled.count(), 1, "{told:?}");
    let blank = RecordedPerson {
        tag: erasure.pseudonym,
        ..ada
    };
    let intents = held(&db, &blank).await.intents;
    assert_eq!((intents[0].state.as_str(), &intents[0].reference), ("cancelled", &None));
    for (statement, wanted) in [
        (
            "SELECT COUNT(*) FROM link_intents WHERE state = 'completed' AND expected IS NULL AND reference IS NULL",
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
