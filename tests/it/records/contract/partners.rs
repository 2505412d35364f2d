//! Partners, credentials, audit, readiness.

use kiungo::core::access::TenantScope;
use kiungo::core::ids::{EntityId, UserId};
use kiungo::core::page::PageRequest;
use kiungo::core::seal::SubscriberTag;
use kiungo::records::{AuditEntry, Partner, PartnerChange};
use rstest::rstest;

use crate::support::records::{Backend, at, audit_entry, partner};

/// A partner's credentials are its own, per provider, and the last ones stored are the ones given back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn credentials_belong_to_a_partner_and_provider(#[case] backend: Backend) {
    let db = backend.create().await;
    let (one, two) = (partner(1).id, partner(2).id);
    db.put_credentials(one, "mono", b"old", at(0)).await.unwrap();
    db.put_credentials(one, "mono", b"new", at(1)).await.unwrap();
    db.put_credentials(two, "mono", b"other", at(0)).await.unwrap();
    for (partner, provider, expected) in [
        (one, "mono", Some(&b"new"[..])),
        (two, "mono", Some(b"other")),
        (one, "powens", None),
        (partner(3).id, "mono", None),
    ] {
        let found = db.credentials(partner, provider).await.unwrap();
        assert_eq!(found.as_deref(), expected, "{partner} {provider}");
    }
}

/// A renamed partner keeps everything that refers to it; credentials of a partner nobody knows are refused.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_partner_may_be_renamed(#[case] backend: Backend) {
    let db = backend.create().await;
    db.put_credentials(partner(1).id, "mono", b"kept", at(0)).await.unwrap();
    let renamed = Partner {
        name: "Renamed".to_owned(),
        ..partner(1)
    };
    db.put_partner(&renamed).await.unwrap();
    assert_eq!(
        db.credentials(partner(1).id, "mono").await.unwrap().as_deref(),
        Some(&b"kept"[..])
    );
    db.put_credentials(partner(9).id, "mono", b"x", at(0))
        .await
        .unwrap_err();
}

/// Audit entries are written with and without a person, even for a partner that is not there; readiness can be checked
/// again and again.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn audit_and_readiness(#[case] backend: Backend) {
    let db = backend.create().await;
    for (partner, tag) in [
        (partner(1), Some(SubscriberTag::from_bytes([1; 32]))),
        (partner(9), None),
    ] {
        let event = AuditEntry {
            tag,
            ..AuditEntry::new(partner.id, "seal.broken", "live state".to_owned(), at(0))
        };
        db.audit(&event).await.unwrap();
    }
    db.check_ready().await.unwrap();
    db.check_ready().await.unwrap();
}

/// What is done is in the trail, with what it did; pages of it are of the partner, and within an entity or a user's own
/// only of these. What changed nothing is not in it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn deeds_are_in_the_trail(#[case] backend: Backend) {
    let db = backend.create().await;
    let (entity, user) = (EntityId::from_bytes([7; 16]), UserId::from_bytes([8; 16]));
    let by = |n, entity, user, kind, when| AuditEntry {
        entity,
        user,
        tag: None,
        kind,
        ..audit_entry(n, when)
    };
    db.set_credentials("mono", b"sealed", &by(1, None, None, "a", 1))
        .await
        .unwrap();
    assert_eq!(
        db.credentials(partner(1).id, "mono").await.unwrap().as_deref(),
        Some(&b"sealed"[..])
    );
    assert_eq!(
        db.providers_of(partner(1).id).await.unwrap(),
        [("mono".to_owned(), at(1))]
    );
    assert!(db.providers_of(partner(2).id).await.unwrap().is_empty());
    assert!(!db.forget_credentials("mono", &by(2, None, None, "b", 2)).await.unwrap());
    assert!(
        db.forget_credentials("mono", &by(1, Some(entity), None, "c", 3))
            .await
            .unwrap()
    );
    let change = PartnerChange {
        purpose: Some("insurance".into()),
        days: Some(30),
        walk_in: None,
        contact: Some(Some("0700 123 4567".to_owned())),
    };
    let changed = db
        .change_partner(&change, &by(1, Some(entity), Some(user), "d", 4))
        .await
        .unwrap();
    let expected = Partner {
        purpose: "insurance".into(),
        days: 30,
        contact: Some("0700 123 4567".to_owned()),
        ..partner(1)
    };
    assert_eq!(changed.as_ref(), Some(&expected));
    assert_eq!(db.partner(partner(1).id).await.unwrap(), Some(expected));
    assert_eq!(db.partner(partner(2).id).await.unwrap(), Some(partner(2)));
    assert_eq!(db.partner(partner(9).id).await.unwrap(), None);
    assert_eq!(db.partners().await.unwrap().len(), 3);
    let scope = |n, entity, own| TenantScope {
        partner: partner(n).id,
        entity,
        own,
    };
    for (scope, expected) in [
        (scope(1, None, None), "dca"),
        (scope(1, Some(entity), None), "dc"),
        (scope(1, Some(entity), Some(user)), "d"),
        (scope(1, Some(EntityId::from_bytes([9; 16])), None), ""),
        (scope(2, None, None), ""),
    ] {
        let (mut kinds, mut page) = (String::new(), PageRequest { limit: 1, after: None });
        loop {
            let found = db.audit_trail(&scope, &page).await.unwrap();
            kinds.extend(found.rows.iter().map(|event| event.kind.as_str()));
            page.after = found.next;
            if found.next.is_none() {
                break;
            }
        }
        assert_eq!(kinds, expected, "{scope:?}");
    }
}
