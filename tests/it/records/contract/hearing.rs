//! What an endpoint hears: no more than its maker may read.

use std::collections::BTreeMap;

use kiungo::core::access::Permission::{self, Allowed, AllowedForOwn, NotAllowed};
use kiungo::core::access::{Action, Object, Permissions};
use kiungo::core::events::EventKind;
use kiungo::core::ids::DeliveryId;
use kiungo::records::{AttemptState, PartnerEvent, RoleChange, User, WebhookEndpoint};
use rstest::rstest;

use super::organization::{entity, of, role, user};
use crate::support::events::{attempt_for, endpoint, events_of, register, requested_intent, secret, whole_partner};
use crate::support::records::{Backend, Fixture, at, audit_entry, link, partner, person};

fn reading(permission: Permission) -> Permissions {
    Permissions(BTreeMap::from([(
        Object::Event,
        BTreeMap::from([(Action::Read, permission)]),
    )]))
}

/// Tells of a link that this user asked for.
async fn event_of(db: &Fixture, number: u8, asked: &User) -> PartnerEvent {
    let intent = requested_intent(db, asked.partner, asked.entity, asked.id).await;
    let attempt = attempt_for(&**db, person(1, number), intent, AttemptState::Unknown).await;
    db.complete_link(&link(&attempt, 1), &[]).await.unwrap();
    let mut events = events_of(&**db, asked.partner).await;
    events.retain(|event| event.kind == EventKind::LinkCreated && event.created_by == Some(asked.id));
    events.pop().unwrap()
}

/// An endpoint that a user made is sent, sent again, and sent what is on its way already, only what the user may read at
/// that moment: by the role they have now, and nothing once they are not there any more.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_endpoint_hears_what_its_maker_may_read(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let home = entity(1);
    db.add_entity(&home, &audit_entry(1, 0)).await.unwrap();
    let rights = role(1, None, reading(Allowed));
    db.add_role(&rights, &audit_entry(1, 0)).await.unwrap();
    let maker = User {
        role: Some(rights.id),
        ..user(&home, "maker")
    };
    let colleague = user(&home, "colleague");
    for user in [&maker, &colleague] {
        db.add_user(user, &audit_entry(1, 0)).await.unwrap();
    }
    let theirs = WebhookEndpoint {
        entity: Some(home.id),
        created_by: Some(maker.id),
        ..endpoint(partner)
    };
    register(&*db, &theirs, &secret(&theirs, 0)).await;
    let (own, other) = (event_of(&db, 1, &maker).await, event_of(&db, 2, &colleague).await);
    for event in [&own, &other] {
        assert_eq!(db.publish(event.id, at(1)).await.unwrap(), 1);
    }
    let hears = async |event: &PartnerEvent| {
        let delivery = DeliveryId::from_fact(&format!("delivery {} {}", event.id, theirs.id));
        let under_way = db.outgoing_delivery(delivery, at(1)).await.unwrap().unwrap().allowed;
        let (all, audit) = (whole_partner(partner), audit_entry(1, 2));
        let again = db.replay(&all, event.id, Some(theirs.id), &audit).await.unwrap().len() == 1;
        let published = db.publish(event.id, at(3)).await.unwrap() == 1;
        assert_eq!((under_way, again), (published, published));
        published
    };
    for (permission, hears_own, hears_other) in [
        (Allowed, true, true),
        (AllowedForOwn, true, false),
        (NotAllowed, false, false),
        (Allowed, true, true),
    ] {
        let change = RoleChange {
            name: None,
            permissions: Some(reading(permission)),
        };
        db.change_role(&of(1), rights.id, &change, &audit_entry(1, 1))
            .await
            .unwrap();
        assert_eq!(
            (hears(&own).await, hears(&other).await),
            (hears_own, hears_other),
            "{permission:?}"
        );
    }
    db.delete_user(&of(1), maker.id, &audit_entry(1, 4)).await.unwrap();
    assert_eq!((hears(&own).await, hears(&other).await), (false, false));
}
