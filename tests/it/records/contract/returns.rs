//! Tickets with which a browser finds its attempt.

use kiungo::core::ids::{AttemptId, PartnerId};
use kiungo::records::{AttemptState, ExpiredData, ProviderWait, ReturnTicket, TicketPurpose};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, at, job, node, person, redeem, settle, ticket, unique_bytes};
use crate::support::soak;

/// A ticket is read as it was written as often as one likes, and leads to its attempt once; one that nobody wrote, or whose
/// time is over, leads nowhere.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_ticket_leads_to_its_attempt_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    let go = ticket(&attempt, TicketPurpose::Go);
    let state = ReturnTicket {
        until: at(10),
        ..ticket(&attempt, TicketPurpose::State)
    };
    db.add_tickets(&[go.clone(), state.clone()]).await.unwrap();
    // Written again it is the same.
    db.add_tickets(std::slice::from_ref(&go)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(db.ticket(&go.digest, at(1)).await.unwrap().as_ref(), Some(&go));
    }
    assert_eq!(db.use_ticket(&go.digest, at(2)).await.unwrap(), Some(attempt.id));
    assert_eq!(db.use_ticket(&go.digest, at(2)).await.unwrap(), None);
    let used = ReturnTicket {
        used_at: Some(at(2)),
        ..go
    };
    db.add_tickets(std::slice::from_ref(&used)).await.unwrap();
    assert_eq!(db.ticket(&used.digest, at(3)).await.unwrap(), Some(used));

    assert_eq!(db.ticket(&state.digest, at(9)).await.unwrap().as_ref(), Some(&state));
    assert_eq!(db.ticket(&state.digest, at(10)).await.unwrap(), None);
    assert_eq!(db.use_ticket(&state.digest, at(10)).await.unwrap(), None);
    let unknown = unique_bytes();
    assert_eq!(db.ticket(&unknown, at(0)).await.unwrap(), None);
    assert_eq!(db.use_ticket(&unknown, at(0)).await.unwrap(), None);
}

/// Of many browsers, or one that is impatient, on two nodes at once, one is let in.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_one_uses_it(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    for _ in 0..5 {
        let ticket = ticket(&attempt, TicketPurpose::State);
        db.add_tickets(std::slice::from_ref(&ticket)).await.unwrap();
        let mut tasks = JoinSet::new();
        for n in 0..8 {
            let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
            let digest = ticket.digest;
            tasks.spawn(async move { handle.use_ticket(&digest, at(n)).await.unwrap() });
        }
        let used: Vec<AttemptId> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(used, [attempt.id]);
    }
}

/// What a browser brought back is kept with the job that goes on with it, once; it is wiped when the provider has it, however
/// that went on. Who asked the provider before it came does not wipe it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_came_back_is_kept_until_the_provider_has_it(#[case] backend: Backend) {
    let db = backend.create().await;
    let ends = AttemptState::Waiting.next().iter().copied();
    for (n, to) in ends.map(Some).chain([None]).enumerate() {
        let before = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
        let ticket = ticket(&before, TicketPurpose::State);
        db.add_tickets(std::slice::from_ref(&ticket)).await.unwrap();
        let advance = |n| {
            job(
                before.partner,
                settle(&before).kind,
                &format!("{n}:{}", before.id),
                at(0),
            )
        };
        let (first, second) = (advance(1), advance(2));
        for (bytes, job, expected) in [(b"brought", &first, Some(before.id)), (b"another", &second, None)] {
            let used = db.return_with_ticket(&ticket.digest, bytes, std::slice::from_ref(job), at(1));
            assert_eq!(used.await.unwrap(), expected);
            let asked = db.claim_key(&job.key, node(1), at(1), at(1)).await.unwrap();
            assert_eq!(asked.is_some(), expected.is_some());
        }
        let found = db.attempt(before.id).await.unwrap().unwrap().0;
        assert_eq!(found.returned.as_deref(), Some(&b"brought"[..]));
        let wait = ProviderWait {
            session: b"next",
            session_digest: &before.session_digest,
            until: at(9),
            jobs: &[],
            tickets: &[],
        };
        assert!(!db.go_on_waiting(&before, &wait).await.unwrap());
        let went_on = match to {
            None => db.go_on_waiting(&found, &wait).await.unwrap(),
            Some(AttemptState::Granted) => {
                let redeem = redeem(&before);
                db.store_grant(before.id, b"grant", &redeem, at(2)).await.unwrap()
            }
            Some(to) => db.move_attempt(before.id, to, at(2)).await.unwrap(),
        };
        assert!(went_on, "{n}");
        let found = db.attempt(before.id).await.unwrap().unwrap().0;
        assert_eq!(
            (found.returned, found.state),
            (None, to.unwrap_or(AttemptState::Waiting))
        );
    }
}

/// A browser that comes when nobody waits for it any more uses its ticket, and leaves nothing behind.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_browser_that_comes_late(#[case] backend: Backend) {
    let db = backend.create().await;
    let lapsed = person(1, 1).attempted(&*db, AttemptState::Lapsed, |_| ()).await;
    let ticket = ticket(&lapsed, TicketPurpose::State);
    db.add_tickets(std::slice::from_ref(&ticket)).await.unwrap();
    let advance = job(lapsed.partner, settle(&lapsed).kind, "advance", at(0));
    let used = db.return_with_ticket(&ticket.digest, b"late", std::slice::from_ref(&advance), at(1));
    assert_eq!(used.await.unwrap(), Some(lapsed.id));
    assert_eq!(db.attempt(lapsed.id).await.unwrap(), Some((lapsed, None)));
    assert_eq!(db.claim_key("advance", node(1), at(1), at(1)).await.unwrap(), None);
}

/// The ticket in a text is exchanged for the one that comes back with the browser: on two nodes at once, once, and there is
/// no second one without the first being used up. One that cannot be written leaves the first as it was.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_ticket_is_exchanged_for_one(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    let go = ticket(&attempt, TicketPurpose::Go);
    db.add_tickets(std::slice::from_ref(&go)).await.unwrap();
    let stray = ReturnTicket {
        partner: PartnerId::from_bytes([2; 16]),
        ..ticket(&attempt, TicketPurpose::State)
    };
    db.exchange_ticket(&go.digest, &stray, at(1)).await.unwrap_err();
    assert_eq!(db.ticket(&go.digest, at(1)).await.unwrap().as_ref(), Some(&go));
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let (digest, next) = (go.digest, ticket(&attempt, TicketPurpose::State));
        tasks.spawn(async move {
            let exchanged = handle.exchange_ticket(&digest, &next, at(n)).await.unwrap();
            let there = handle.ticket(&next.digest, at(n)).await.unwrap();
            assert_eq!(there.is_some(), exchanged);
            exchanged
        });
    }
    let exchanged = tasks.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!(exchanged, 1);
    assert_eq!(db.count("SELECT COUNT(*) FROM return_tickets").await, 2);
}

/// A ticket leads nowhere without an attempt, nor to another partner's; with the first that cannot be written none is.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn no_ticket_without_its_attempt(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    let good = ticket(&attempt, TicketPurpose::Go);
    let stray = ReturnTicket {
        attempt: AttemptId::from_bytes(unique_bytes()),
        ..ticket(&attempt, TicketPurpose::Go)
    };
    let across = ReturnTicket {
        partner: PartnerId::from_bytes([2; 16]),
        ..ticket(&attempt, TicketPurpose::Go)
    };
    for bad in [stray, across] {
        db.add_tickets(&[good.clone(), bad]).await.unwrap_err();
        assert_eq!(db.ticket(&good.digest, at(0)).await.unwrap(), None);
    }
}

/// Tickets go a while after their time, and with the attempt that they lead to; others stay.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn old_tickets_are_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    let waiting = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
    let refused = person(1, 2).attempted(&*db, AttemptState::Refused, |_| ()).await;
    let until = |n: i64| ReturnTicket {
        until: at(n),
        ..ticket(&waiting, TicketPurpose::Go)
    };
    let tickets = [until(10), until(20), until(90), ticket(&refused, TicketPurpose::Go)];
    db.add_tickets(&tickets).await.unwrap();
    let forget = async |what, before| db.delete_expired(what, at(before), 1).await.unwrap();
    assert_eq!(forget(ExpiredData::Tickets, 10).await, 0);
    assert_eq!(forget(ExpiredData::Tickets, 50).await, 1);
    assert_eq!(db.ticket(&tickets[0].digest, at(0)).await.unwrap(), None);
    assert!(db.ticket(&tickets[1].digest, at(0)).await.unwrap().is_some());
    assert_eq!(forget(ExpiredData::Tickets, 50).await, 1);
    assert_eq!(forget(ExpiredData::Tickets, 50).await, 0);
    assert_eq!(forget(ExpiredData::Attempts, 50).await, 1);
    for (ticket, stays) in tickets.iter().zip([false, false, true, false]) {
        assert_eq!(db.ticket(&ticket.digest, at(0)).await.unwrap().is_some(), stays);
    }
}

/// Whatever is asked in whatever order at whatever time, through two handles, a ticket is used at most once, and never after
/// its time.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn any_sequence_of_uses_is_one(#[case] backend: Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (db, other, attempt) = runtime.block_on(async {
        let db = backend.create().await;
        let other = db.second_handle().await;
        let attempt = person(1, 1).attempted(&*db, AttemptState::Waiting, |_| ()).await;
        (db, other, attempt)
    });
    let uses = prop::collection::vec((0_i64..20, any::<bool>()), 1..8);
    TestRunner::new(Config {
        cases: soak::number(32, 320),
        failure_persistence: None,
        ..Config::default()
    })
    .run(&(0_i64..20, uses), |(until, uses)| {
        runtime.block_on(async {
            let ticket = ReturnTicket {
                until: at(until),
                ..ticket(&attempt, TicketPurpose::Go)
            };
            db.add_tickets(std::slice::from_ref(&ticket)).await.unwrap();
            let mut free = true;
            for (now, elsewhere) in uses {
                let handle = if elsewhere { &*other } else { &*db };
                let seen = handle.ticket(&ticket.digest, at(now)).await.unwrap();
                prop_assert_eq!(seen.map(|seen| seen.used_at.is_none()), (now < until).then_some(free));
                let used = handle.use_ticket(&ticket.digest, at(now)).await.unwrap();
                prop_assert_eq!(used.is_some(), free && now < until);
                free &= used.is_none();
            }
            Ok(())
        })
    })
    .unwrap();
}
