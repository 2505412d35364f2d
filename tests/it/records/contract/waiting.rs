//! Attempts with which the provider goes on without a secret.

use kiungo::core::ids::LinkId;
use kiungo::records::{
    Attempt, AttemptState, Consent, Job, LinkCompletion, ProviderWait, Records, ReturnTicket, TicketPurpose,
};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::events::whole_partner;
use crate::support::intents;
use crate::support::records::{
    Backend, RecordedPerson, at, begin, job, link, node, person, redeem, settle, ticket, unique_bytes,
};

fn waiting(who: &RecordedPerson, consent: &Consent) -> Attempt {
    Attempt {
        state: AttemptState::Waiting,
        waits_until: Some(at(600_000)),
        ..who.attempt(consent)
    }
}

fn ask(attempt: &Attempt) -> Job {
    job(
        attempt.partner,
        settle(attempt).kind,
        &format!("ask:{}", attempt.id),
        at(0),
    )
}

/// Whether both of an attempt's job and ticket are there, or neither.
async fn follows(db: &dyn Records, job: &Job, ticket: &ReturnTicket) -> bool {
    let job = db.claim_key(&job.key, node(1), at(1), at(1)).await.unwrap().is_some();
    let ticket = db.ticket(&ticket.digest, at(1)).await.unwrap().is_some();
    assert_eq!(job, ticket);
    job
}

/// An attempt that needs no secret is there with its consent, its jobs and its tickets, all of them or none; writing it
/// again changes nothing, and one that is to be sent is not begun so.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_wait_begins_whole(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let attempt = waiting(&ada, &consent);
    let tickets = [TicketPurpose::Go, TicketPurpose::State].map(|purpose| ticket(&attempt, purpose));
    let jobs = [settle(&attempt), ask(&attempt)];
    assert!(db.begin_waiting(&consent, &attempt, &jobs, &tickets).await.unwrap());
    assert_eq!(db.attempt(attempt.id).await.unwrap(), Some((attempt.clone(), None)));
    assert_eq!(db.consent(consent.id).await.unwrap().as_ref(), Some(&consent));
    for (job, ticket) in jobs.iter().zip(&tickets) {
        assert!(follows(&*db, job, ticket).await);
    }
    let facts = db.history(ada.partner, &ada.tag, at(1), false).await.unwrap();
    assert_eq!(facts.pending_attempt.as_ref(), Some(&attempt));

    assert!(db.move_attempt(attempt.id, AttemptState::Refused, at(2)).await.unwrap());
    let later = ticket(&attempt, TicketPurpose::Go);
    let again = std::slice::from_ref(&later);
    assert!(db.begin_waiting(&consent, &attempt, &[], again).await.unwrap());
    assert_eq!(
        db.attempt(attempt.id).await.unwrap().unwrap().0.state,
        AttemptState::Refused
    );
    assert_eq!(db.ticket(&later.digest, at(0)).await.unwrap(), None);

    let consent = ada.consent();
    let open = ada.attempt(&consent);
    db.begin_waiting(&consent, &open, &[], &[]).await.unwrap_err();
    let next = waiting(&ada, &consent);
    let stray = ReturnTicket {
        partner: person(2, 1).partner,
        ..ticket(&next, TicketPurpose::Go)
    };
    db.begin_waiting(&consent, &next, &[ask(&next)], &[stray])
        .await
        .unwrap_err();
    for missing in [open.id, next.id] {
        assert_eq!(db.attempt(missing).await.unwrap(), None);
    }
    assert_eq!(db.consent(consent.id).await.unwrap(), None);
    assert_eq!(
        db.claim_key(&ask(&next).key, node(1), at(1), at(1)).await.unwrap(),
        None
    );
}

/// Nothing begins for an intent that is over, but for a renewal of a link.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn no_wait_for_an_intent_that_is_over(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let asked = intents::add(&*db, ada.partner, |_| ()).await;
    let audit = intents::audit_entry_at(&whole_partner(ada.partner), 1);
    db.cancel_intent(&whole_partner(ada.partner), asked.id, &audit)
        .await
        .unwrap();
    for renews in [None, Some(LinkId::from_bytes(unique_bytes()))] {
        let consent = Consent {
            intent: asked.id,
            ..ada.consent()
        };
        let attempt = Attempt {
            renews,
            ..waiting(&ada, &consent)
        };
        let (job, ticket) = (ask(&attempt), ticket(&attempt, TicketPurpose::Go));
        let begun = db.begin_waiting(
            &consent,
            &attempt,
            std::slice::from_ref(&job),
            std::slice::from_ref(&ticket),
        );
        assert_eq!(begun.await.unwrap(), renews.is_some());
        assert_eq!(db.attempt(attempt.id).await.unwrap().is_some(), renews.is_some());
        assert_eq!(follows(&*db, &job, &ticket).await, renews.is_some());
    }
}

/// An attempt that was submitted waits with all that follows from that, if it may still wait; if not, nothing is written. In
/// no state that follows is it ever sent again.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_submitted_may_wait(#[case] backend: Backend) {
    let db = backend.create().await;
    for from in AttemptState::ALL {
        let before = person(1, 1).attempted(&*db, from, |_| ()).await;
        let (job, ticket, digest) = (ask(&before), ticket(&before, TicketPurpose::State), unique_bytes());
        let wait = ProviderWait {
            session: b"next",
            session_digest: &digest,
            until: at(99),
            jobs: std::slice::from_ref(&job),
            tickets: std::slice::from_ref(&ticket),
        };
        let expected = from.next().contains(&AttemptState::Waiting);
        assert_eq!(db.move_to_waiting(before.id, &wait, at(1)).await.unwrap(), expected);
        let (found, _) = db.attempt(before.id).await.unwrap().unwrap();
        let waits = Attempt {
            provider_session: b"next".to_vec(),
            session_digest: digest,
            state: AttemptState::Waiting,
            waits_until: Some(at(99)),
            ..before.clone()
        };
        assert_eq!(found, if expected { waits } else { before.clone() }, "{from:?}");
        assert_eq!(follows(&*db, &job, &ticket).await, expected, "{from:?}");
        if expected {
            let sent = db.move_attempt(before.id, AttemptState::Sending, at(2)).await.unwrap();
            assert!(!sent, "{from:?}");
        }
    }
}

/// Every state that may follow waiting, and all that may follow those: none of them is sending.
#[test]
fn waiting_never_leads_back_to_sending() {
    let mut reached = vec![AttemptState::Waiting];
    let mut looked = 0;
    while let Some(state) = reached.get(looked).copied() {
        looked += 1;
        for &next in state.next() {
            assert!(!matches!(
                next,
                AttemptState::Open | AttemptState::Sending | AttemptState::Unknown | AttemptState::Waiting
            ));
            if !reached.contains(&next) {
                reached.push(next);
            }
        }
    }
    assert_eq!(reached.len(), 11);
}

/// Of two nodes that go on with one attempt at once, one stores what the provider said; and nobody does once it waits no
/// more.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_is_replaced_by_one(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let attempt = waiting(&ada, &consent);
    assert!(db.begin_waiting(&consent, &attempt, &[], &[]).await.unwrap());
    let mut before = attempt.clone();
    for round in 0..5u8 {
        let mut tasks = JoinSet::new();
        for n in 0..6u8 {
            let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
            let attempt = before.clone();
            tasks.spawn(async move {
                let (session, session_digest) = (vec![round, n], unique_bytes());
                let tickets = [ticket(&attempt, TicketPurpose::Go)];
                let wait = ProviderWait {
                    session: &session,
                    session_digest: &session_digest,
                    until: at(i64::from(n)),
                    jobs: &[],
                    tickets: &tickets,
                };
                let won = handle.go_on_waiting(&attempt, &wait).await.unwrap();
                let found = handle.ticket(&tickets[0].digest, at(0)).await.unwrap();
                assert_eq!(found.is_some(), won);
                won.then(|| Attempt {
                    provider_session: session,
                    session_digest,
                    waits_until: Some(at(i64::from(n))),
                    ..attempt
                })
            });
        }
        let won: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [won] = &won[..] else { panic!("{won:?}") };
        assert_eq!(
            db.attempt_by_session(person(1, 1).partner, &won.session_digest)
                .await
                .unwrap()
                .as_ref(),
            Some(won)
        );
        before.clone_from(won);
    }
    assert_eq!(
        db.attempt_by_session(person(1, 1).partner, &attempt.session_digest)
            .await
            .unwrap(),
        None
    );
    assert!(db.move_attempt(attempt.id, AttemptState::Refused, at(1)).await.unwrap());
    let wait = ProviderWait {
        session: b"late",
        session_digest: &attempt.session_digest,
        until: at(9),
        jobs: &[],
        tickets: &[],
    };
    assert!(!db.go_on_waiting(&before, &wait).await.unwrap());
}

/// An event about a session is about its newest attempt: a login, the code after it, and what waits after that.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_session_finds_its_newest_attempt(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, consent) = (person(1, 1), person(1, 1).consent());
    let login = ada.attempt(&consent);
    let code = Attempt {
        session_digest: login.session_digest,
        created_at: at(-60),
        ..ada.attempt(&consent)
    };
    person(1, 2).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    for attempt in [&login, &code] {
        begin(&*db, &consent, attempt).await;
        let found = db
            .attempt_by_session(person(1, 1).partner, &login.session_digest)
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(attempt));
    }
    assert_eq!(
        db.attempt_by_session(person(1, 1).partner, &unique_bytes())
            .await
            .unwrap(),
        None
    );
}

/// What waited for the person makes a link like what was submitted: by its grant, once.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_waited_is_linked(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let consent = ada.consent();
    let attempt = waiting(&ada, &consent);
    assert!(db.begin_waiting(&consent, &attempt, &[], &[]).await.unwrap());
    for first in [true, false] {
        let stored = db.store_grant(attempt.id, b"grant", &redeem(&attempt), at(1)).await;
        assert_eq!(stored.unwrap(), first);
    }
    let made = link(&attempt, 1);
    assert_eq!(
        db.complete_link(&made, &[]).await.unwrap(),
        LinkCompletion::Written(made.id)
    );
    let (found, grant) = db.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!((found.state, grant), (AttemptState::Linked, None));
}
