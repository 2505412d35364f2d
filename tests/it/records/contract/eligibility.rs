//! What partners state before live keys are taken from them.

use kiungo::core::access::TenantScope;
use kiungo::core::eligibility::Eligibility;
use kiungo::core::page::PageRequest;
use kiungo::records::{AuditEntry, StatementSource, StoredEligibility};
use rstest::rstest;

use crate::support::records::{Backend, at, partner};

/// The newest statement of a partner for a provider is the one that is read, each is in its trail, and it is nobody else's and
/// for no other provider; of a partner nobody knows none is kept, and neither is its audit entry.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn statements_belong_to_a_partner_and_provider(#[case] backend: Backend) {
    let db = backend.create().await;
    let stated = |licensed_partner: Option<&str>, by: &str, source, when| StoredEligibility {
        statement: Eligibility {
            licensed_partner: licensed_partner.map(str::to_owned),
            agreement_signed_on: "2026-01-31".to_owned(),
            stated_by: by.to_owned(),
        },
        source,
        stated_at: at(when),
    };
    let first = stated(None, "Ada Obi", StatementSource::Api, 1);
    let second = stated(Some("Umoja Bank"), "Musa Bello", StatementSource::CommandLine, 2);
    let other = stated(None, "Wanjiru", StatementSource::Configuration, 3);
    for (n, provider, statement) in [(1, "mono", &first), (1, "mono", &second), (2, "mono", &other)] {
        let by = statement.statement.stated_by.clone();
        let audit = AuditEntry::new(partner(n).id, "eligibility.stated", by, statement.stated_at);
        db.put_eligibility(provider, statement, &audit).await.unwrap();
    }
    for (n, provider, wanted) in [
        (1, "mono", Some(&second)),
        (2, "mono", Some(&other)),
        (1, "umoja", None),
        (3, "mono", None),
    ] {
        let found = db.eligibility(partner(n).id, provider).await.unwrap();
        assert_eq!(found.as_ref(), wanted, "{n} {provider}");
    }
    let all = TenantScope {
        partner: partner(1).id,
        entity: None,
        own: None,
    };
    let trail = db.audit_trail(&all, &PageRequest::default()).await.unwrap().rows;
    let told: Vec<_> = trail.iter().map(|entry| (entry.detail.as_str(), entry.at)).collect();
    assert_eq!(told, [("Musa Bello", at(2)), ("Ada Obi", at(1))]);
    let nobody = AuditEntry::new(partner(9).id, "eligibility.stated", String::new(), at(4));
    db.put_eligibility("mono", &first, &nobody).await.unwrap_err();
    assert_eq!(db.audit_count("eligibility.stated").await, 3);
}
