//! Erasures themselves: asked for once, and thorough.

use std::fs;

use kiungo::records::JobType as _;
use kiungo::service::data_subject::Erase;
use rstest::rstest;

use super::data_subject::{DIGITS, begun, erasure, finished, known};
use crate::support::files_below;
use crate::support::records::{Backend, at, node, person};

/// Asked for twice, a person is erased once; when that is done they can be erased again, and so can the same person at
/// another partner meanwhile. A job that was given up can be opened again, another cannot.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_erasure_is_asked_for_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let first = erasure(&person(1, 1));
    let (again, elsewhere) = (erasure(&person(1, 1)), erasure(&person(2, 1)));
    assert_eq!(begun(&*db, &first).await, first.id);
    assert_eq!(begun(&*db, &again).await, first.id);
    assert_eq!(begun(&*db, &elsewhere).await, elsewhere.id);
    assert_eq!(db.erasure(again.id).await.unwrap(), None);
    db.redact(&first, at(1)).await.unwrap();
    assert!(db.finish_erasure(first.id, &finished(&first)).await.unwrap());
    assert_eq!(begun(&*db, &again).await, again.id);

    let key = Erase::key(again.id);
    assert!(!db.reopen(&key, at(9)).await.unwrap());
    let taken = db.claim_key(&key, node(1), at(0), at(10)).await.unwrap().unwrap();
    assert!(!db.reopen(&key, at(9)).await.unwrap());
    db.give_up(taken.id, node(1), "test").await.unwrap();
    assert!(db.reopen(&key, at(9)).await.unwrap());
    let taken = db.claim_key(&key, node(1), at(10), at(20)).await.unwrap().unwrap();
    assert_eq!((taken.tries, taken.due_at), (1, at(9)));
}

/// What was redacted stands in no file of the database, neither in the table nor in the log of what was written to it.
#[tokio::test]
async fn what_was_blanked_is_in_no_file() {
    let db = Backend::Sqlite.create().await;
    let ada = person(1, 1);
    known(&*db, &ada).await;
    let stands = || {
        let files = files_below(db.folder.path());
        let holds = |path: &_| {
            let bytes = fs::read(path).unwrap();
            bytes.windows(DIGITS.len()).any(|window| window == DIGITS.as_bytes())
        };
        files.iter().filter(|path| holds(*path)).count()
    };
    assert!(stands() > 0);
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    db.redact(&erasure, at(3)).await.unwrap();
    assert!(stands() > 0, "the log is expected to hold what was");
    assert!(db.scrub_files().await.unwrap());
    assert_eq!(stands(), 0);
}
