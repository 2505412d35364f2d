//! Requests of partners as rows.

use kiungo::core::access::TenantScope;
use kiungo::core::ids::{IntentId, PartnerId};
use kiungo::core::scope::Scope;
use kiungo::records::{AuditEntry, IntentLimits, IntentState, LinkIntent, Records, WriteOutcome};

use super::records::{at, audit_entry, unique_bytes};

/// An open request of this partner for anyone who has its code, over after a minute.
pub fn intent(partner: PartnerId) -> LinkIntent {
    LinkIntent {
        id: IntentId::from_bytes(unique_bytes()),
        partner,
        entity: None,
        created_by: None,
        state: IntentState::Open,
        purpose: "loans".into(),
        days: 90,
        scope: Scope::default(),
        reference: None,
        tag: None,
        msisdn: None,
        code_digest: Some(unique_bytes()),
        code: Some(vec![4, 4, 4]),
        institution: None,
        locale: None,
        many: false,
        expected: None,
        suggested: None,
        renews: None,
        links: 0,
        created_at: at(0),
        moved_at: at(0),
        expires_at: at(60_000),
    }
}

/// Something done about a request at that time.
pub fn audit_entry_at(scope: &TenantScope, offset: i64) -> AuditEntry {
    AuditEntry {
        partner: scope.partner,
        entity: scope.entity,
        user: scope.own,
        tag: None,
        ..audit_entry(1, offset)
    }
}

/// More than any test makes that is not about them.
pub const LIMITS: IntentLimits = IntentLimits {
    of_partner: 1_000,
    of_partner_for_number: 20,
};

/// Adds a request changed by `change`.
pub async fn add(db: &dyn Records, partner: PartnerId, change: impl FnOnce(&mut LinkIntent)) -> LinkIntent {
    let mut new = intent(partner);
    change(&mut new);
    let scope = super::events::whole_partner(partner);
    let kept = db
        .add_intent(&new, LIMITS, None, &audit_entry_at(&scope, 0))
        .await
        .unwrap();
    assert_eq!(kept, WriteOutcome::Done(new.clone()));
    new
}
