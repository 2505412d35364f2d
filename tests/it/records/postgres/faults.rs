//! The server is slow, silent, gone, or back again.

use std::time::Duration;

use futures_util::future::join_all;
use kiungo::records::{AttemptState, Records, connect};
use rstest::rstest;
use sqlx::Connection as _;

use crate::support::eventually;
use crate::support::machine::Stopwatch;
use crate::support::postgres::PostgresServer;
use crate::support::proxy::{Fault, Proxy};
use crate::support::records::{TYPES, at, node, partner, person};

/// Everything is answered within this time, if only with an error: a person at a phone waits for it.
const SOON: Duration = Duration::from_millis(2_900);
/// All is well this long after it is mended. A call may fail in it, none may hang.
const BACK: Duration = Duration::from_secs(5);

/// One call of each kind: reading alone, reading a snapshot, writing alone, and transactions.
async fn calls(db: &dyn Records) -> [bool; 5] {
    let consent = person(1, 1).consent();
    let attempt = person(1, 1).attempt(&consent);
    let settle = crate::support::records::settle(&attempt);
    tokio::join!(
        async { db.next_due(TYPES).await.is_ok() },
        async { db.history(attempt.partner, &attempt.tag, at(0), true).await.is_ok() },
        async { db.check_ready().await.is_ok() },
        async { db.begin_attempt(&consent, &attempt, None, &settle).await.is_ok() },
        async { db.claim(TYPES, node(1), at(0), at(1), 1).await.is_ok() },
    )
    .into()
}

/// Whatever happens to the network, every call ends in time; and when it is mended, the same handle works again at its
/// full width: no connection that went silent keeps its place.
#[rstest]
#[case::silent(Fault::Blackhole)]
#[case::reset(Fault::Reset)]
#[case::refused(Fault::Refuse)]
#[case::cut(Fault::Limit(40))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_network_is_survived(#[case] fault: Fault) {
    let server = PostgresServer::start().await;
    let proxy = Proxy::before(server.port());
    let db = connect(&PostgresServer::url_at(proxy.port())).await.unwrap();
    db.put_partner(&partner(1)).await.unwrap();
    // Every connection there may be is open when it begins.
    eventually(BACK, async || {
        let all = join_all((0..20).map(|_| calls(&*db))).await;
        all.into_iter().all(|all| all == [true; 5])
    })
    .await;
    proxy.set(fault);
    let begun = Stopwatch::start();
    for all in join_all((0..20).map(|_| calls(&*db))).await {
        assert_eq!(all, [false; 5]);
    }
    assert!(begun.fair() < SOON, "{:?}", begun.elapsed());
    proxy.set(Fault::None);
    let mended = Stopwatch::start();
    eventually(BACK, async || calls(&*db).await == [true; 5]).await;
    eventually(BACK, async || {
        let all = join_all((0..20).map(|_| calls(&*db))).await;
        all.into_iter().all(|all| all == [true; 5])
    })
    .await;
    assert!(mended.fair() < BACK * 2, "{:?}", mended.elapsed());
}

/// A server that dies and comes back is found again by the same handle, with everything that it had said is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_found_again() {
    let mut server = PostgresServer::start().await;
    let db = connect(&server.url()).await.unwrap();
    db.put_partner(&partner(1)).await.unwrap();
    let mut written = Vec::new();
    for _ in 0..3 {
        written.push(person(1, 1).attempted(&*db, AttemptState::Unknown, |_| ()).await);
        server.kill().await;
        let begun = Stopwatch::start();
        db.check_ready().await.unwrap_err();
        assert!(begun.fair() < SOON, "{:?}", begun.elapsed());
        server.restart().await;
        eventually(BACK, async || db.check_ready().await.is_ok()).await;
        for attempt in &written {
            let found = db.attempt(attempt.id).await.unwrap();
            assert_eq!(found, Some((attempt.clone(), None)));
        }
    }
}

/// Who waits for a row that somebody holds gets an error in time, others are served meanwhile, and nothing is left
/// waiting on the server afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_row_fails_in_time() {
    let server = PostgresServer::start().await;
    let db = connect(&server.url()).await.unwrap();
    db.put_partner(&partner(1)).await.unwrap();
    let attempt = person(1, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
    let (mut other, mut watch) = (server.raw().await, server.raw().await);
    let mut held = other.begin().await.unwrap();
    sqlx::query("SELECT id FROM attempts FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let begun = Stopwatch::start();
    // More than there are connections for writing.
    let moves = join_all((0..12).map(|_| db.move_attempt(attempt.id, AttemptState::Refused, at(1))));
    let reads = async {
        for _ in 0..20 {
            db.history(attempt.partner, &attempt.tag, at(0), true).await.unwrap();
        }
    };
    let (moved, ()) = tokio::join!(moves, reads);
    assert!(moved.iter().all(Result::is_err), "{moved:?}");
    assert!(begun.fair() < SOON, "{:?}", begun.elapsed());
    eventually(BACK, async || {
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut watch)
            .await
            .unwrap()
            == 0
    })
    .await;
    held.rollback().await.unwrap();
    assert!(db.move_attempt(attempt.id, AttemptState::Refused, at(1)).await.unwrap());
}
