//! Requests that may come twice.

use futures_util::future::join_all;
use kiungo::records::{ExpiredData, IdempotencyOutcome, RequestFingerprint};
use rstest::rstest;
use tokio::runtime::Handle;

use crate::support::records::{Backend, at, partner, unique_bytes};

/// A day.
const DAY: i64 = 86_400_000;

fn request(n: u8) -> RequestFingerprint {
    RequestFingerprint {
        partner: partner(n).id,
        caller: unique_bytes(),
        key: unique_bytes(),
        request: unique_bytes(),
    }
}

/// A request is one caller's at a time: taken, it is in progress until the lease ends, and then the next one's, as of the
/// same moment; answered, it is answered the same for a day, and then new.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_done_once_a_day(#[case] backend: Backend) {
    let db = backend.create().await;
    let mine = request(1);
    let begin = async |key: RequestFingerprint, now: i64| {
        let begun = db.begin_request(&key, at(now), at(now + 100), at(now - DAY));
        begun.await.unwrap()
    };
    let yours = |since| IdempotencyOutcome::Acquired { since: at(since) };
    assert_eq!(begin(mine, 0).await, yours(0));
    for other in [
        RequestFingerprint {
            partner: partner(2).id,
            ..mine
        },
        RequestFingerprint {
            caller: unique_bytes(),
            ..mine
        },
        RequestFingerprint {
            key: unique_bytes(),
            ..mine
        },
    ] {
        assert_eq!(begin(other, 1).await, yours(1));
    }
    let different = RequestFingerprint {
        request: unique_bytes(),
        ..mine
    };
    assert_eq!(begin(different, 1).await, IdempotencyOutcome::Mismatch);
    assert_eq!(begin(mine, 99).await, IdempotencyOutcome::InProgress);
    assert_eq!(begin(mine, 100).await, yours(0));
    db.store_response(&mine, 201, b"sealed").await.unwrap();
    db.store_response(&mine, 200, b"later").await.unwrap();
    let answered = IdempotencyOutcome::Answered {
        status: 201,
        sealed: b"sealed".to_vec(),
    };
    assert_eq!(begin(mine, DAY - 1).await, answered);
    assert_eq!(begin(different, DAY - 1).await, IdempotencyOutcome::Mismatch);
    assert_eq!(begin(different, DAY).await, yours(DAY));
    assert_eq!(db.delete_expired(ExpiredData::Answers, at(DAY), 2).await.unwrap(), 2);
    assert_eq!(db.delete_expired(ExpiredData::Answers, at(DAY), 9).await.unwrap(), 1);
    assert_eq!(begin(different, DAY + 1).await, IdempotencyOutcome::InProgress);
}

/// Who lets go leaves it to the next at once, or as if it had never come; but not who was too slow and has lost it, and
/// not where it was answered.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn only_who_holds_it_lets_go(#[case] backend: Backend) {
    let db = backend.create().await;
    let mine = request(1);
    let begin = async |now: i64| {
        let begun = db.begin_request(&mine, at(now), at(now + 100), at(now - DAY));
        begun.await.unwrap()
    };
    let yours = |since| IdempotencyOutcome::Acquired { since: at(since) };
    assert_eq!(begin(0).await, yours(0));
    db.release_request(&mine, at(100), false).await.unwrap();
    assert_eq!(begin(1).await, yours(0));
    db.release_request(&mine, at(100), true).await.unwrap();
    assert_eq!(begin(2).await, IdempotencyOutcome::InProgress);
    db.release_request(&mine, at(101), true).await.unwrap();
    assert_eq!(begin(3).await, yours(3));
    db.store_response(&mine, 204, b"").await.unwrap();
    db.release_request(&mine, at(103), true).await.unwrap();
    assert!(matches!(
        begin(4).await,
        IdempotencyOutcome::Answered { status: 204, .. }
    ));
}

/// Of many that come at once, one is to do it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_is_to_do_it(#[case] backend: Backend) {
    let db = backend.create().await;
    for _ in 0..5 {
        let mine = request(1);
        let all = (0..8).map(|_| {
            let db = db.shared();
            async move { db.begin_request(&mine, at(0), at(100), at(-DAY)).await.unwrap() }
        });
        let begun = join_all(all.map(|one| Handle::current().spawn(one))).await;
        let yours = begun
            .iter()
            .filter(|begun| matches!(begun, Ok(IdempotencyOutcome::Acquired { .. })))
            .count();
        let waits = begun
            .iter()
            .filter(|begun| matches!(begun, Ok(IdempotencyOutcome::InProgress)))
            .count();
        assert_eq!((yours, waits), (1, 7));
    }
}
