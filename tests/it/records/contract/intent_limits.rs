//! How many requests may be open at a time.

use kiungo::core::seal::SubscriberTag;
use kiungo::records::{IntentLimits, OPEN_INTENTS_FOR_NUMBER, WriteOutcome};
use rstest::rstest;

use crate::support::events::whole_partner;
use crate::support::intents::{audit_entry_at, intent};
use crate::support::records::{Backend, at, partner, unique_bytes};

/// Nobody fills a person's first screens, and no partner takes up all codes: what is open at a time is limited, for a partner,
/// for one number of a partner's, and for a number over all partners. What is over, or over-due, does not count.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn open_requests_are_limited(#[case] backend: Backend) {
    let db = backend.create().await;
    let tag = |n| Some(SubscriberTag::from_bytes([n; 32]));
    let limits = IntentLimits {
        of_partner: 6,
        of_partner_for_number: 2,
    };
    let asks = async |n: u8, tag: Option<SubscriberTag>, expires_at| {
        let mut new = intent(partner(n).id);
        (new.tag, new.code_digest, new.expires_at) = (tag, tag.is_none().then(unique_bytes), expires_at);
        let entry = audit_entry_at(&whole_partner(new.partner), 0);
        match db.add_intent(&new, limits, None, &entry).await.unwrap() {
            WriteOutcome::Done(stored) => Some(stored.id),
            refused => {
                assert_eq!(refused, WriteOutcome::TooMany);
                None
            }
        }
    };
    for n in 1..=2 {
        db.put_partner(&partner(n)).await.unwrap();
    }
    let later = intent(partner(1).id).expires_at;
    // Over-due ones do not count, though nothing has ended them yet.
    for _ in 0..3 {
        assert!(asks(1, tag(1), at(0)).await.is_some());
    }
    let first = asks(1, tag(1), later).await.unwrap();
    assert!(asks(1, tag(1), later).await.is_some());
    assert!(asks(1, tag(1), later).await.is_none());
    assert!(asks(2, tag(1), later).await.is_some(), "another partner's do not count");
    let scope = whole_partner(partner(1).id);
    db.cancel_intent(&scope, first, &audit_entry_at(&scope, 1))
        .await
        .unwrap();
    assert!(asks(1, tag(1), later).await.is_some());
    for _ in 0..4 {
        assert!(asks(1, None, later).await.is_some());
    }
    assert!(asks(1, None, later).await.is_none());
    assert!(asks(2, None, later).await.is_some());
    for n in 3..=u8::try_from(OPEN_INTENTS_FOR_NUMBER).unwrap() + 2 {
        db.put_partner(&partner(n)).await.unwrap();
        assert!(asks(n, tag(9), later).await.is_some(), "{n}");
    }
    assert!(asks(2, tag(9), later).await.is_none());
}
