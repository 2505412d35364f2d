//! People's own codes.

use kiungo::core::ids::PartnerId;
use kiungo::core::pin::Pin;
use kiungo::core::seal::SubscriberTag;
use kiungo::records::Records;
use rstest::rstest;

use crate::support::records::{Backend, at, partner};

fn pin(digest: u8, chosen: i64, wrong: u8, minute: i64) -> Pin {
    Pin {
        digest: [digest; 32],
        chosen_at: at(chosen),
        wrong_tries: wrong,
        wrong_at: at(minute),
    }
}

async fn read(db: &dyn Records, partner: PartnerId, tag: &SubscriberTag) -> Option<Pin> {
    assert!(db.history(partner, tag, at(0), false).await.unwrap().pin.is_none());
    db.history(partner, tag, at(0), true).await.unwrap().pin
}

/// A code belongs to a person at a partner, is replaced as a whole, and is gone when it ends; it is read with the history,
/// where it is wanted. Of two codes or two wrong tries that cross, the later one stays, so that nobody gets a try back, nor
/// a code that they have given up.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_code_is_kept_with_its_wrong_tries(#[case] backend: Backend) {
    let db = backend.create().await;
    let (one, two) = (partner(1).id, partner(2).id);
    let (ada, bola) = (SubscriberTag::from_bytes([1; 32]), SubscriberTag::from_bytes([2; 32]));
    for (name, kept, found) in [
        ("first", pin(1, 1, 0, 0), pin(1, 1, 0, 0)),
        ("a wrong try", pin(1, 1, 2, 5), pin(1, 1, 2, 5)),
        ("an older one", pin(1, 1, 1, 4), pin(1, 1, 2, 5)),
        ("right again", pin(1, 1, 0, 5), pin(1, 1, 0, 5)),
        ("another code", pin(2, 2, 0, 0), pin(2, 2, 0, 0)),
        ("the one before, late", pin(1, 1, 0, 9), pin(2, 2, 0, 0)),
        ("the same again", pin(2, 3, 0, 0), pin(2, 3, 0, 0)),
    ] {
        db.store_pin(one, &ada, &kept, at(9)).await.unwrap();
        assert!(read(&*db, one, &ada).await == Some(found), "{name}");
    }
    db.store_pin(one, &bola, &pin(3, 1, 0, 0), at(9)).await.unwrap();
    assert!(read(&*db, two, &ada).await.is_none());
    assert!(db.delete_pin(one, &ada).await.unwrap());
    assert!(!db.delete_pin(one, &ada).await.unwrap());
    assert!(read(&*db, one, &ada).await.is_none());
    assert!(read(&*db, one, &bola).await == Some(pin(3, 1, 0, 0)));
}
