//! When a link was last used: by whom it is seen, and by whom its account is linked again.

use kiungo::core::time::Timestamp;
use kiungo::records::{AccountReading, AttemptState, Link, LinkCompletion, Records};
use rstest::rstest;

use crate::support::records::{Backend, RecordedPerson, at, link, person};

const DAY: i64 = 24 * 3_600_000;

/// A link that this person made on this day.
async fn made(db: &dyn Records, who: &RecordedPerson, day: i64) -> Link {
    let attempt = who.attempted(db, AttemptState::Unknown, |_| ()).await;
    let made = Link {
        created_at: at(day * DAY),
        used_at: at(day * DAY),
        ..link(&attempt, 1)
    };
    assert_eq!(
        db.complete_link(&made, &[]).await.unwrap(),
        LinkCompletion::Written(made.id)
    );
    made
}

/// Its only account has this number, says its provider.
async fn read(db: &dyn Records, link: &Link, number: u8) {
    let reading = AccountReading {
        masked: "4321".to_owned(),
        number_digest: [number; 32],
        holder: None,
        kind: None,
        currency: None,
    };
    db.store_account_reading(link.accounts[0].id, &reading).await.unwrap();
}

async fn used_at(db: &dyn Records, links: &[Link]) -> Vec<Timestamp> {
    let mut found = Vec::new();
    for link in links {
        found.push(db.link(link.id).await.unwrap().unwrap().used_at);
    }
    found
}

/// What a person has seen is used: of what is named only what is theirs; it never goes back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_seen_was_used(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, elsewhere, bola) = (person(1, 1), person(2, 1), person(1, 2));
    let mut links = Vec::new();
    for (who, day) in [(&ada, 1), (&ada, 2), (&elsewhere, 3), (&bola, 3)] {
        links.push(made(&*db, who, day).await);
    }
    for (seen, now, days) in [
        (&[1, 2, 3][..], 10, [1, 10, 10, 3]),
        (&[0, 1], 9, [9, 10, 10, 3]),
        (&[], 11, [9, 10, 10, 3]),
    ] {
        let seen: Vec<_> = seen.iter().map(|at: &usize| links[*at].id).collect();
        db.note_use(&ada.tag, &seen, at(now * DAY)).await.unwrap();
        assert_eq!(used_at(&*db, &links).await, days.map(|day| at(day * DAY)), "{now}");
    }
}

/// An account that is linked again is used at all partners where this person has linked it; no other account of theirs is,
/// nor the same account under somebody else, and reading an older link once more says nothing new.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_same_account_linked_again_is_used(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, elsewhere, bola) = (person(1, 1), person(2, 1), person(1, 2));
    let mut links = Vec::new();
    for (who, day, number) in [(&ada, 1, 7), (&elsewhere, 2, 7), (&ada, 1, 8), (&bola, 1, 7)] {
        let link = made(&*db, who, day).await;
        read(&*db, &link, number).await;
        links.push(link);
    }
    let days = |days: [i64; 4]| days.map(|day| at(day * DAY));
    assert_eq!(used_at(&*db, &links).await, days([2, 2, 1, 1]));
    let again = made(&*db, &ada, 200).await;
    assert_eq!(used_at(&*db, &links).await, days([2, 2, 1, 1]));
    read(&*db, &again, 7).await;
    assert_eq!(used_at(&*db, &links).await, days([200, 200, 1, 1]));
    read(&*db, &links[2], 8).await;
    assert_eq!(used_at(&*db, &links).await, days([200, 200, 1, 1]));
}

/// So is one whose person has logged in again for it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_new_login_is_use(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = made(&*db, &person(1, 1), 0).await;
    db.renew_link(link.id, link.consent, None, at(DAY)).await.unwrap();
    assert_eq!(used_at(&*db, &[link]).await, [at(DAY)]);
}
