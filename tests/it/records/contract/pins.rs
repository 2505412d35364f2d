//! People's own codes.

use kiungo::core::pin::Pin;
use kiungo::core::seal::Tag;
use rstest::rstest;

use crate::support::records::{Backend, at, partner};

fn pin(digest: u8, wrong: u8, minute: i64) -> Pin {
    Pin {
        digest: [digest; 32],
        wrong,
        wrong_at: at(minute),
    }
}

/// A code belongs to a person at a partner, is replaced as a whole, and is gone when it ends; of two wrong tries that
/// cross, the later one stays, so that nobody gets a try back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_code_is_kept_with_its_wrong_tries(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let (one, two) = (partner(1).id, partner(2).id);
    let (ada, bola) = (Tag::from_bytes([1; 32]), Tag::from_bytes([2; 32]));
    for (name, kept, found) in [
        ("first", pin(1, 0, 0), pin(1, 0, 0)),
        ("a wrong try", pin(1, 2, 5), pin(1, 2, 5)),
        ("an older one", pin(1, 1, 4), pin(1, 2, 5)),
        ("right again", pin(1, 0, 5), pin(1, 0, 5)),
        ("another code", pin(2, 0, 0), pin(2, 0, 0)),
    ] {
        db.keep_pin(one, &ada, &kept, at(9)).await.unwrap();
        assert!(db.pin(one, &ada).await.unwrap() == Some(found), "{name}");
    }
    db.keep_pin(one, &bola, &pin(3, 0, 0), at(9)).await.unwrap();
    assert!(db.pin(two, &ada).await.unwrap().is_none());
    db.forget_pin(one, &ada).await.unwrap();
    db.forget_pin(one, &ada).await.unwrap();
    assert!(db.pin(one, &ada).await.unwrap().is_none());
    assert!(db.pin(one, &bola).await.unwrap() == Some(pin(3, 0, 0)));
}
