//! Requests of partners as rows.

use kiungo::core::access::Reach;
use kiungo::core::ids::{IntentId, PartnerId};
use kiungo::core::scope::Scope;
use kiungo::records::{Deed, IntentState, Kept, LinkIntent, Records};

use super::records::{at, deed, fresh};

/// An open request of this partner for whoever has its code, over after a minute.
pub fn intent(partner: PartnerId) -> LinkIntent {
    LinkIntent {
        id: IntentId::from_bytes(fresh()),
        partner,
        entity: None,
        created_by: None,
        state: IntentState::Open,
        purpose: "loans".to_owned(),
        days: 90,
        scope: Scope::default(),
        reference: None,
        tag: None,
        msisdn: None,
        code_digest: Some(fresh()),
        code: Some(vec![4, 4, 4]),
        institution: None,
        locale: None,
        many: false,
        expected: None,
        renews: None,
        links: 0,
        created_at: at(0),
        moved_at: at(0),
        expires_at: at(60_000),
    }
}

/// Something done about a request at that time.
pub fn done(reach: &Reach, offset: i64) -> Deed {
    Deed {
        partner: reach.partner,
        entity: reach.entity,
        user: reach.own,
        ..deed(1, offset)
    }
}

/// Adds a request changed by `change`.
pub async fn add(db: &dyn Records, partner: PartnerId, change: impl FnOnce(&mut LinkIntent)) -> LinkIntent {
    let mut new = intent(partner);
    change(&mut new);
    let reach = super::events::whole(partner);
    let kept = db.add_intent(&new, None, &done(&reach, 0)).await.unwrap();
    assert_eq!(kept, Kept::Done(new.clone()));
    new
}
