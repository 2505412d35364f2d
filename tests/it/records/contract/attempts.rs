//! The ledger of submissions.

use kiungo::core::ids::{AttemptId, ConsentId, LinkId};
use kiungo::providers::SubmissionStep;
use kiungo::records::{Attempt, AttemptState, Begun, Job, LinkCompletion};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, TYPES, at, begin, link, node, person, redeem, settle, unique_bytes};

/// What was written is what is read, every field of it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_attempt_and_its_consent_come_back_whole(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let attempt = Attempt {
        step: SubmissionStep::Choose,
        renews: Some(LinkId::from_bytes(unique_bytes())),
        created_at: at(-5),
        ..ada.attempt(&consent)
    };
    begin(&*db, &consent, &attempt).await;
    assert_eq!(db.consent(consent.id).await.unwrap().as_ref(), Some(&consent));
    assert_eq!(db.attempt(attempt.id).await.unwrap(), Some((attempt, None)));
    assert_eq!(db.consent(ConsentId::from_bytes(unique_bytes())).await.unwrap(), None);
    assert_eq!(db.attempt(AttemptId::from_bytes(unique_bytes())).await.unwrap(), None);
}

/// An attempt that is begun again is refused with what has become of it: only the first may send. Nothing is written, not
/// even after it has moved on, and its settling is asked for once.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn beginning_twice_is_beginning_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let consent = person(1, 1).consent();
    let attempt = person(1, 1).attempt(&consent);
    begin(&*db, &consent, &attempt).await;
    db.move_attempt(attempt.id, AttemptState::Refused, at(1)).await.unwrap();
    let mut reworded = consent.clone();
    reworded.text.push('!');
    let again = db
        .begin_attempt(&reworded, &attempt, None, &settle(&attempt))
        .await
        .unwrap();
    let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!(found.state, AttemptState::Refused);
    assert_eq!(again, Begun::Refused(Box::new(found)));
    assert_eq!(db.consent(consent.id).await.unwrap(), Some(consent));
    let mut jobs = db.claim(TYPES, node(1), at(1), at(100), 10).await.unwrap();
    jobs.retain(|job| job.kind == settle(&attempt).kind);
    assert_eq!(jobs.len(), 1);
}

/// One consent allows several submissions; an attempt without its consent, or across partners, is not written at all.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_consent_is_shared_by_its_submissions_only(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let (login, code) = (ada.attempt(&consent), ada.attempt(&consent));
    begin(&*db, &consent, &login).await;
    begin(&*db, &consent, &code).await;

    let stranger = Attempt {
        partner: person(2, 1).partner,
        ..ada.attempt(&consent)
    };
    let orphan = Attempt {
        consent: ConsentId::from_bytes(unique_bytes()),
        ..ada.attempt(&consent)
    };
    for refused in [stranger, orphan] {
        db.begin_attempt(&consent, &refused, None, &settle(&refused))
            .await
            .unwrap_err();
        assert_eq!(db.attempt(refused.id).await.unwrap(), None);
    }
    assert_eq!(db.claim(TYPES, node(1), at(1), at(2), 10).await.unwrap().len(), 2);
}

/// A grant that is stored twice at once, by two handles, is stored once and redeemed once.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_is_kept_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Unknown, |_| ()).await;
    let mut tasks = JoinSet::new();
    for n in 0..8u8 {
        let handle = if n % 2 == 0 {
            db.shared()
        } else {
            db.second_handle().await
        };
        let (id, redeem) = (attempt.id, redeem(&attempt));
        tasks.spawn(async move { (n, handle.store_grant(id, &[n], &redeem, at(1)).await.unwrap()) });
    }
    let first: Vec<u8> = tasks
        .join_all()
        .await
        .into_iter()
        .filter_map(|(n, kept)| kept.then_some(n))
        .collect();
    let (found, grant) = db.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!(found.state, AttemptState::Granted);
    assert_eq!(grant, Some(first));
    let jobs = db.claim(TYPES, node(1), at(1), at(2), 10).await.unwrap();
    let redeems = jobs.iter().filter(|job| job.kind == redeem(&attempt).kind).count();
    assert_eq!(redeems, 1);
}

/// Anybody who has looked at an attempt closes it only if nobody has gone on with it since: what is being sent by then is never
/// called unsent, and a grant that has come is not given up with the search for it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_attempt_is_closed_as_it_was_seen(#[case] backend: Backend) {
    let db = backend.create().await;
    let to = [
        (AttemptState::Open, AttemptState::NotSent),
        (AttemptState::Unknown, AttemptState::Lapsed),
    ];
    for (seen, closed) in to {
        for state in AttemptState::ALL {
            let attempt = person(1, 1).attempted(&*db, state, |_| ()).await;
            let moved = db.move_attempt_from(attempt.id, seen, closed, at(1)).await.unwrap();
            assert_eq!(moved, state == seen, "{state:?}");
            let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
            assert_eq!(found.state, if moved { closed } else { state }, "{seen:?}");
        }
    }
    // The owner and somebody who closes it, at once: one of both.
    for n in 0..20 {
        let attempt = person(1, 2).attempted(&*db, AttemptState::Open, |_| ()).await;
        let (owner, other) = (db.shared(), db.second_handle().await);
        let (sends, closes) = tokio::join!(
            owner.move_attempt(attempt.id, AttemptState::Sending, at(1)),
            other.move_attempt_from(attempt.id, AttemptState::Open, AttemptState::NotSent, at(1)),
        );
        let (sends, closes) = (sends.unwrap(), closes.unwrap());
        assert!(sends != closes, "{n}: sent {sends}, closed {closes}");
        let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
        let wanted = if sends {
            AttemptState::Sending
        } else {
            AttemptState::NotSent
        };
        assert_eq!(found.state, wanted);
    }
}

/// A grant is a yes: it overrules not knowing and giving up looking, but never an explicit no.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_grant_overrules_all_but_an_explicit_no(#[case] backend: Backend) {
    let db = backend.create().await;
    for (before, kept) in [
        (AttemptState::Open, Some(true)),
        (AttemptState::Sending, Some(true)),
        (AttemptState::Unknown, Some(true)),
        (AttemptState::Waiting, Some(true)),
        (AttemptState::Accepted, Some(true)),
        (AttemptState::Lapsed, Some(true)),
        (AttemptState::Granted, Some(true)),
        (AttemptState::Linked, Some(false)),
        (AttemptState::Undone, Some(false)),
        (AttemptState::OtherAccount, Some(false)),
        (AttemptState::Refused, None),
        (AttemptState::WrongCode, None),
        (AttemptState::NotSent, None),
    ] {
        let attempt = person(1, 1).attempted(&*db, before, |_| ()).await;
        let answer = db.store_grant(attempt.id, b"grant", &redeem(&attempt), at(1)).await;
        assert_eq!(answer.ok(), kept, "{before:?}");
        let (found, grant) = db.attempt(attempt.id).await.unwrap().unwrap();
        let (state, bytes) = match kept {
            Some(true) => (AttemptState::Granted, Some(b"grant".to_vec())),
            _ => (before, None),
        };
        assert_eq!((found.state, grant), (state, bytes), "{before:?}");
        let job = db
            .claim_key(&redeem(&attempt).key, node(1), at(1), at(2))
            .await
            .unwrap();
        assert_eq!(job.is_some(), kept == Some(true), "{before:?}");
    }
    let nobody = person(1, 1).attempt(&person(1, 1).consent());
    db.store_grant(nobody.id, b"grant", &redeem(&nobody), at(1))
        .await
        .unwrap_err();
}

/// An attempt and its job are written together: when the job cannot be written, the attempt is not there either.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn no_fact_without_its_job(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
    let impossible = Job {
        partner: person(9, 1).partner,
        ..redeem(&attempt)
    };
    db.store_grant(attempt.id, b"grant", &impossible, at(1))
        .await
        .unwrap_err();
    assert_eq!(db.attempt(attempt.id).await.unwrap(), Some((attempt.clone(), None)));
    db.complete_link(&link(&attempt, 1), std::slice::from_ref(&impossible))
        .await
        .unwrap_err();
    assert_eq!(db.link_of_attempt(attempt.id).await.unwrap(), None);
    let consent = person(1, 1).consent();
    let next = person(1, 1).attempt(&consent);
    db.begin_attempt(&consent, &next, None, &impossible).await.unwrap_err();
    assert_eq!(db.attempt(next.id).await.unwrap(), None);
    assert_eq!(db.consent(consent.id).await.unwrap(), None);
}

/// A grant that came to nothing is wiped, however the attempt ended.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_grant_of_no_more_use_is_wiped(#[case] backend: Backend) {
    let db = backend.create().await;
    for end in [
        AttemptState::Linked,
        AttemptState::Undone,
        AttemptState::OtherAccount,
        AttemptState::Lapsed,
    ] {
        let attempt = person(1, 1).attempted(&*db, AttemptState::Unknown, |_| ()).await;
        let redeem = redeem(&attempt);
        db.store_grant(attempt.id, b"grant", &redeem, at(1)).await.unwrap();
        assert!(db.move_attempt(attempt.id, end, at(2)).await.unwrap(), "{end:?}");
        let (found, grant) = db.attempt(attempt.id).await.unwrap().unwrap();
        assert_eq!((found.state, grant), (end, None));
    }
}

/// Attempts that were given up are found again for a while: those of one partner at one provider, the last first.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn attempts_given_up_lately(#[case] backend: Backend) {
    let db = backend.create().await;
    let mut lapsed = Vec::new();
    for n in 0..4 {
        let then = |attempt: &mut Attempt| attempt.created_at = at(n);
        lapsed.insert(0, person(1, 1).attempted(&*db, AttemptState::Lapsed, then).await);
        person(1, 2).attempted(&*db, AttemptState::Unknown, then).await;
        person(2, 1).attempted(&*db, AttemptState::Lapsed, then).await;
        let elsewhere = |attempt: &mut Attempt| "powens".clone_into(&mut attempt.provider);
        person(1, 1).attempted(&*db, AttemptState::Lapsed, elsewhere).await;
    }
    for (since, limit, expected) in [
        (-1, 10, &lapsed[..]),
        (1, 10, &lapsed[..2]),
        (-1, 1, &lapsed[..1]),
        (3, 10, &[]),
    ] {
        let found = db.lapsed(person(1, 1).partner, "mono", at(since), limit).await.unwrap();
        assert_eq!(found, expected, "{since} {limit}");
    }
}

/// Attempts of one person that are begun at once, by two handles, are all written, each in a place of its own: of any two
/// of different sessions, one is later.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attempts_begun_at_once_have_an_order(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let mut tasks = JoinSet::new();
    for n in 0..24 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        tasks.spawn(async move { person(1, 1).attempted(&*handle, AttemptState::Open, |_| ()).await });
    }
    let attempts = tasks.join_all().await;
    let mut last = 0;
    for attempt in &attempts {
        let completed = db.complete_link(&link(attempt, 1), &[]).await.unwrap();
        last += usize::from(completed != LinkCompletion::Superseded);
    }
    assert_eq!((attempts.len(), last), (24, 1));
}
