//! The languages that people have chosen.

use kiungo::core::messages::Locale;
use kiungo::core::seal::SubscriberTag;
use rstest::rstest;

use crate::support::records::{Backend, at, partner};

/// A language belongs to a person at a menu, is read with their history, and of two choices that cross the later one stays.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_language_is_kept(#[case] backend: Backend) {
    let db = backend.create().await;
    let (one, two) = (partner(1).id, partner(2).id);
    let (ada, bola) = (SubscriberTag::from_bytes([1; 32]), SubscriberTag::from_bytes([2; 32]));
    for (chosen, minute, kept) in [
        (Locale::Ha, 1, Locale::Ha),
        (Locale::Fr, 3, Locale::Fr),
        (Locale::Sw, 2, Locale::Fr),
        (Locale::En, 4, Locale::En),
    ] {
        db.store_language(one, &ada, chosen, at(minute)).await.unwrap();
        assert_eq!(db.history(one, &ada, at(9), false).await.unwrap().language, Some(kept));
        assert_eq!(db.language(one, &ada).await.unwrap(), Some(kept));
    }
    assert_eq!(db.language(one, &bola).await.unwrap(), None);
    assert_eq!(db.history(one, &bola, at(9), false).await.unwrap().language, None);
    assert_eq!(db.history(two, &ada, at(9), false).await.unwrap().language, None);
    assert_eq!(db.partners_holding(&ada).await.unwrap().len(), 1);
    assert_eq!(db.export(one, &ada).await.unwrap().language.as_deref(), Some("en"));
}
