//! Requests that may come twice.

use futures_util::future::join_all;
use kiungo::records::{Begun, RequestKey};
use rstest::rstest;
use tokio::runtime::Handle;

use crate::support::records::{Backend, at, fresh, partner};

/// A day.
const DAY: i64 = 86_400_000;

fn request(n: u8) -> RequestKey {
    RequestKey {
        partner: partner(n).id,
        caller: fresh(),
        key: fresh(),
        request: fresh(),
    }
}

/// A request is one caller's at a time: taken, it is in progress until the lease ends, and then the next one's, as of the
/// same moment; answered, it is answered the same for a day, and then new.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_done_once_a_day(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let mine = request(1);
    let begin = async |key: RequestKey, now: i64| {
        let begun = db.begin_request(&key, at(now), at(now + 100), at(now - DAY));
        begun.await.unwrap()
    };
    let yours = |since| Begun::Yours { since: at(since) };
    assert_eq!(begin(mine, 0).await, yours(0));
    for other in [
        RequestKey {
            partner: partner(2).id,
            ..mine
        },
        RequestKey {
            caller: fresh(),
            ..mine
        },
        RequestKey { key: fresh(), ..mine },
    ] {
        assert_eq!(begin(other, 1).await, yours(1));
    }
    let different = RequestKey {
        request: fresh(),
        ..mine
    };
    assert_eq!(begin(different, 1).await, Begun::Mismatch);
    assert_eq!(begin(mine, 99).await, Begun::InProgress);
    assert_eq!(begin(mine, 100).await, yours(0));
    db.keep_answer(&mine, 201, b"sealed").await.unwrap();
    db.keep_answer(&mine, 200, b"later").await.unwrap();
    let answered = Begun::Answered {
        status: 201,
        sealed: b"sealed".to_vec(),
    };
    assert_eq!(begin(mine, DAY - 1).await, answered);
    assert_eq!(begin(different, DAY - 1).await, Begun::Mismatch);
    assert_eq!(begin(different, DAY).await, yours(DAY));
    assert_eq!(db.forget_requests(at(DAY), 2).await.unwrap(), 2);
    assert_eq!(db.forget_requests(at(DAY), 9).await.unwrap(), 1);
    assert_eq!(begin(different, DAY + 1).await, Begun::InProgress);
}

/// Who lets go leaves it to the next at once, or as if it had never come; but not who was too slow and has lost it, and
/// not where it was answered.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn only_who_holds_it_lets_go(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let mine = request(1);
    let begin = async |now: i64| {
        let begun = db.begin_request(&mine, at(now), at(now + 100), at(now - DAY));
        begun.await.unwrap()
    };
    let yours = |since| Begun::Yours { since: at(since) };
    assert_eq!(begin(0).await, yours(0));
    db.let_go(&mine, at(100), false).await.unwrap();
    assert_eq!(begin(1).await, yours(0));
    db.let_go(&mine, at(100), true).await.unwrap();
    assert_eq!(begin(2).await, Begun::InProgress);
    db.let_go(&mine, at(101), true).await.unwrap();
    assert_eq!(begin(3).await, yours(3));
    db.keep_answer(&mine, 204, b"").await.unwrap();
    db.let_go(&mine, at(103), true).await.unwrap();
    assert!(matches!(begin(4).await, Begun::Answered { status: 204, .. }));
}

/// Of many that come at once, one is to do it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_is_to_do_it(#[case] backend: Backend) {
    let db = backend.fresh().await;
    for _ in 0..5 {
        let mine = request(1);
        let all = (0..8).map(|_| {
            let db = db.shared();
            async move { db.begin_request(&mine, at(0), at(100), at(-DAY)).await.unwrap() }
        });
        let begun = join_all(all.map(|one| Handle::current().spawn(one))).await;
        let yours = begun
            .iter()
            .filter(|begun| matches!(begun, Ok(Begun::Yours { .. })))
            .count();
        let waits = begun
            .iter()
            .filter(|begun| matches!(begun, Ok(Begun::InProgress)))
            .count();
        assert_eq!((yours, waits), (1, 7));
    }
}
