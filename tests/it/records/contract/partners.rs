//! Partners, credentials, audit, readiness.

use kiungo::core::seal::Tag;
use kiungo::records::{AuditEvent, Partner};
use rstest::rstest;

use crate::support::records::{Backend, at, partner};

/// A partner's credentials are its own, per provider, and the last ones kept are the ones given back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn credentials_belong_to_a_partner_and_provider(#[case] backend: Backend) {
    let db = backend.fresh().await;
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

/// A renamed partner keeps what hangs on it; credentials of a partner nobody knows are refused.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_partner_may_be_renamed(#[case] backend: Backend) {
    let db = backend.fresh().await;
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

/// Security events are taken with and without a person, even for a partner that is not there; readiness can be asked
/// again and again.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn audit_and_readiness(#[case] backend: Backend) {
    let db = backend.fresh().await;
    for (partner, tag) in [(partner(1), Some(Tag::from_bytes([1; 32]))), (partner(9), None)] {
        let event = AuditEvent {
            partner: partner.id,
            tag,
            kind: "seal.broken",
            detail: "live state".to_owned(),
            at: at(0),
        };
        db.audit(&event).await.unwrap();
    }
    db.ready().await.unwrap();
    db.ready().await.unwrap();
}
