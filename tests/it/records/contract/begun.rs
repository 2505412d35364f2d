//! The gate of submissions: the records decide, whatever the live value remembers.

use kiungo::core::ids::{AttemptId, ConnectSessionId, SeriesId};
use kiungo::providers::SubmissionStep;
use kiungo::records::{Attempt, AttemptState, Begun, Consent, Records};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, at, begin, person, settle, unique_bytes};

/// The next submission after this one, as a live value that has lost nothing makes it.
fn next(before: &Attempt) -> Attempt {
    Attempt {
        id: AttemptId::from_bytes(unique_bytes()),
        ordinal: before.ordinal + 1,
        state: AttemptState::Open,
        ..before.clone()
    }
}

/// One by a live value that has never heard of the others: of another session and series, with a consent of its own.
fn forgetful(before: &Attempt, consent: &Consent) -> Attempt {
    Attempt {
        consent: consent.id,
        session: ConnectSessionId::from_bytes(unique_bytes()),
        series: SeriesId::from_bytes(unique_bytes()),
        ordinal: 1,
        ..next(before)
    }
}

async fn try_begin(db: &dyn Records, consent: &Consent, attempt: &Attempt, follows: Option<AttemptId>) -> Begun {
    db.begin_attempt(consent, attempt, follows, &settle(attempt))
        .await
        .unwrap()
}

fn refused_by(begun: &Begun) -> Option<AttemptId> {
    match begun {
        Begun::Refused(standing) => Some(standing.id),
        _ => None,
    }
}

/// While a submission may still come to something no other is begun at its institution, by whatever session; once it is over
/// another may be.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn one_at_a_time_at_an_institution(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, state) in AttemptState::ALL.iter().copied().enumerate() {
        let ada = person(1, u8::try_from(n).unwrap());
        let first = ada.attempted(&*db, state, |_| ()).await;
        let consent = ada.consent();
        let second = forgetful(&first, &consent);
        let begun = try_begin(&*db, &consent, &second, None).await;
        if state.is_pending() {
            assert_eq!(refused_by(&begun), Some(first.id), "{state:?}");
            assert_eq!(db.attempt(second.id).await.unwrap(), None, "{state:?}");
            assert_eq!(db.consent(consent.id).await.unwrap(), None, "{state:?}");
        } else {
            assert_eq!(begun, Begun::New, "{state:?}");
        }
        // Another institution of the list that is the same bank to its provider.
        let side = Attempt {
            institution: "first:b".to_owned(),
            ..forgetful(&first, &consent)
        };
        if state.is_pending() {
            let begun = try_begin(&*db, &consent, &side, None).await;
            assert_eq!(refused_by(&begun), Some(first.id), "{state:?}");
        }
        let elsewhere = Attempt {
            provider_institution: "another".to_owned(),
            ..forgetful(&first, &consent)
        };
        assert_eq!(
            try_begin(&*db, &consent, &elsewhere, None).await,
            Begun::New,
            "{state:?}"
        );
    }
}

/// A live value that was brought back to before a submission numbers the next one as it numbered that: it is refused, with
/// the newest of the series, whatever became of them and whatever was typed. After that it is numbered rightly, and begun.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_submission_that_was_lost_is_not_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let mut newest = ada.attempt(&consent);
    let mut lost = Vec::new();
    for _ in 0..3 {
        assert_eq!(try_begin(&*db, &consent, &newest, None).await, Begun::New);
        db.move_attempt(newest.id, AttemptState::NotSent, at(1)).await.unwrap();
        lost.push(newest.clone());
        newest = next(&newest);
    }
    for brought_back in &lost {
        let again = try_begin(&*db, &consent, brought_back, None).await;
        assert_eq!(refused_by(&again), Some(brought_back.id), "the same callback");
        let further = Attempt {
            id: AttemptId::from_bytes(unique_bytes()),
            ..brought_back.clone()
        };
        let further = try_begin(&*db, &consent, &further, None).await;
        assert_eq!(refused_by(&further), Some(lost[2].id), "a further key");
    }
    assert_eq!(try_begin(&*db, &consent, &newest, None).await, Begun::New);
}

/// What the provider has answered with a question is accepted, though the records have not heard of it yet; another that is
/// under way is not passed over for that.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_answer_follows_its_question(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let login = ada.attempt(&consent);
    begin(&*db, &consent, &login).await;
    db.move_attempt(login.id, AttemptState::Sending, at(1)).await.unwrap();
    let code = Attempt {
        step: SubmissionStep::Code,
        ..next(&login)
    };
    assert_eq!(
        refused_by(&try_begin(&*db, &consent, &code, None).await),
        Some(login.id)
    );
    assert_eq!(try_begin(&*db, &consent, &code, Some(login.id)).await, Begun::New);
    let (login, _) = db.attempt(login.id).await.unwrap().unwrap();
    assert_eq!(login.state, AttemptState::Accepted);
}

/// A consent links once: when it has, nothing more is submitted under it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_consent_that_has_linked_submits_no_more(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let first = ada.attempt(&consent);
    begin(&*db, &consent, &first).await;
    db.move_attempt(first.id, AttemptState::Linked, at(1)).await.unwrap();
    let again = Attempt {
        provider_institution: "another".to_owned(),
        ..next(&first)
    };
    assert_eq!(
        refused_by(&try_begin(&*db, &consent, &again, None).await),
        Some(first.id)
    );
}

/// Failed logins count from the rows, for every session, and for every institution that is the same bank to its provider; so
/// do wrong codes of a provider's session.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_limits_are_counted_here(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let bank = |attempt: &mut Attempt| "limited".clone_into(&mut attempt.provider_institution);
    let business = |attempt: &mut Attempt| {
        bank(attempt);
        "first:b".clone_into(&mut attempt.institution);
    };
    ada.attempted(&*db, AttemptState::Refused, bank).await;
    let last = ada.attempted(&*db, AttemptState::Lapsed, business).await;
    let consent = ada.consent();
    for side in ["first:p", "first:b"] {
        let third = Attempt {
            institution: side.to_owned(),
            ..forgetful(&last, &consent)
        };
        let begun = try_begin(&*db, &consent, &third, None).await;
        assert_eq!(begun, Begun::TooManyLogins(vec![at(0), at(0)]), "{side}");
    }

    let bola = person(1, 2);
    let consent = bola.consent();
    let mut code = Attempt {
        step: SubmissionStep::Code,
        ..bola.attempt(&consent)
    };
    for _ in 0..3 {
        assert_eq!(try_begin(&*db, &consent, &code, None).await, Begun::New);
        db.move_attempt(code.id, AttemptState::WrongCode, at(1)).await.unwrap();
        code = next(&code);
    }
    assert_eq!(try_begin(&*db, &consent, &code, None).await, Begun::TooManyCodes);
}

/// Two nodes that begin something for one person at one institution at once: one of them may send.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_one_may_send(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    for round in 0..8 {
        let ada = person(1, round);
        let pattern = ada.attempt(&ada.consent());
        let mut tasks = JoinSet::new();
        for n in 0..4 {
            let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
            let consent = ada.consent();
            let attempt = forgetful(&pattern, &consent);
            tasks.spawn(async move {
                let settle = settle(&attempt);
                handle.begin_attempt(&consent, &attempt, None, &settle).await.unwrap()
            });
        }
        let begun = tasks.join_all().await;
        assert_eq!(
            begun.iter().filter(|begun| **begun == Begun::New).count(),
            1,
            "{begun:?}"
        );
    }
}

/// What a screen told of an attempt is kept, and a link that no screen has told of is known until one has. A write that is
/// late, because it had to be tried again, replaces nothing that was told after it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_told_is_kept(#[case] backend: Backend) {
    use kiungo::core::attempt::ToldOutcome::{Linked, NotLinked};
    let db = backend.create().await;
    let ada = person(1, 1);
    let attempt = ada.attempted(&*db, AttemptState::Linked, |_| ()).await;
    for (told, revision, stays) in [
        (None, 1, None),
        (Some(NotLinked), 3, Some(NotLinked)),
        (Some(Linked), 2, Some(NotLinked)),
        (Some(Linked), 5, Some(Linked)),
        (Some(NotLinked), 4, Some(Linked)),
        (None, 7, None),
        (Some(Linked), 6, None),
    ] {
        db.save_told(attempt.id, told, revision).await.unwrap();
        let history = db.history(ada.partner, &ada.tag, at(1), false).await.unwrap();
        let untold = history.untold_link.map(|attempt| (attempt.id, attempt.told));
        let known = stays == Some(Linked);
        assert_eq!(untold, (!known).then_some((attempt.id, stays)), "{told:?} {revision}");
    }
}
