//! How events come to endpoints, and how far.

use kiungo::core::access::TenantScope;
use kiungo::core::events::EventKind;
use kiungo::core::ids::{DeliveryId, EndpointId, EntityId, EventId, PartnerId, UserId};
use kiungo::records::{
    AttemptState, Deliver, Delivery, DeliveryResult, DeliveryState, EndpointState, JobType as _, LinkState,
    PartnerEvent, Records, WebhookEndpoint,
};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::events::{
    attempt_for, endpoint, entity, events_of, register, requested_intent, secret, whole_partner,
};
use crate::support::records::{Backend, TYPES, at, audit_entry, link, node, partner, person, unique_bytes};

async fn add(db: &dyn Records, endpoint: WebhookEndpoint) -> EndpointId {
    register(db, &endpoint, &secret(&endpoint, 0)).await;
    endpoint.id
}

async fn of_event(db: &dyn Records, event: &PartnerEvent) -> Vec<Delivery> {
    db.deliveries(&whole_partner(event.partner), event.id).await.unwrap()
}

/// An event is for every enabled endpoint of its partner that wants its kind and its entity, and for nobody else. Doing it
/// again, by several servers at once, adds nothing.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_reaches_those_who_want_it(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let (branch, other) = (entity(&db, partner).await, entity(&db, partner).await);
    let plain = || endpoint(partner);
    let mut wanted = vec![
        add(&*db, plain()).await,
        add(
            &*db,
            WebhookEndpoint {
                entity: Some(branch),
                kinds: vec![EventKind::LinkRemoved, EventKind::LinkCreated],
                ..plain()
            },
        )
        .await,
    ];
    for unwanted in [
        WebhookEndpoint {
            entity: Some(other),
            ..plain()
        },
        WebhookEndpoint {
            kinds: vec![EventKind::LinkUpdated],
            ..plain()
        },
        WebhookEndpoint {
            state: EndpointState::Disabled,
            ..plain()
        },
        WebhookEndpoint {
            state: EndpointState::Deleted,
            ..plain()
        },
        endpoint(person(2, 1).partner),
    ] {
        add(&*db, unwanted).await;
    }
    let intent = requested_intent(&db, partner, branch, UserId::from_bytes(unique_bytes())).await;
    let attempt = attempt_for(&*db, person(1, 1), intent, AttemptState::Unknown).await;
    db.complete_link(&link(&attempt, 1), &[]).await.unwrap();
    let event = created(&*db, partner).await;
    let mut tasks = JoinSet::new();
    for n in 0..6 {
        let handle = if n % 2 == 0 {
            db.shared()
        } else {
            db.second_handle().await
        };
        tasks.spawn(async move { handle.publish(event.id, at(1)).await.unwrap() });
    }
    assert!(tasks.join_all().await.into_iter().all(|count| count == 2));
    let event = created(&*db, partner).await;
    let deliveries = of_event(&*db, &event).await;
    let mut reached: Vec<_> = deliveries.iter().map(|delivery| delivery.endpoint).collect();
    reached.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(reached, wanted);
    for delivery in &deliveries {
        assert_eq!((delivery.state, delivery.tries), (DeliveryState::Pending, 0));
        let jobs = db
            .claim_in(TYPES, delivery.endpoint, node(1), at(1), at(2), 10)
            .await
            .unwrap();
        let kinds: Vec<_> = jobs.iter().map(|job| job.kind.clone()).collect();
        assert_eq!(kinds, [Deliver::of(delivery.id)]);
        let outgoing = db.outgoing_delivery(delivery.id, at(1)).await.unwrap().unwrap();
        assert_eq!((&outgoing.delivery, &outgoing.event), (delivery, &event));
        assert_eq!((outgoing.endpoint.id, outgoing.secrets.len()), (delivery.endpoint, 1));
    }
    assert_eq!(db.publish(EventId::from_bytes(unique_bytes()), at(1)).await.unwrap(), 0);
    assert_eq!(
        db.outgoing_delivery(DeliveryId::from_bytes(unique_bytes()), at(1))
            .await
            .unwrap(),
        None
    );
    for outside in [
        whole_partner(person(2, 1).partner),
        TenantScope {
            entity: Some(EntityId::from_bytes(unique_bytes())),
            ..whole_partner(partner)
        },
    ] {
        assert_eq!(db.deliveries(&outside, event.id).await.unwrap(), []);
        assert_eq!(
            db.replay(&outside, event.id, None, &audit_entry(1, 2)).await.unwrap(),
            []
        );
    }
}

/// A link nobody asked for belongs to no entity: it is for the partner's own endpoints only.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_belongs_to_no_entity_reaches_none(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let branch = entity(&db, partner).await;
    let own = add(&*db, endpoint(partner)).await;
    add(
        &*db,
        WebhookEndpoint {
            entity: Some(branch),
            ..endpoint(partner)
        },
    )
    .await;
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let event = created(&*db, partner).await;
    assert_eq!(db.publish(event.id, at(1)).await.unwrap(), 1);
    assert_eq!(of_event(&*db, &event).await[0].endpoint, own);
}

/// Sending again begins again where it had ended, hastens what is still on its way, adds what was never sent, and leaves
/// out anyone who is disabled. A try that comes in late changes nothing of what has ended.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn sending_an_event_again(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let scope = whole_partner(partner);
    let [ended, pending] = [add(&*db, endpoint(partner)).await, add(&*db, endpoint(partner)).await];
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let event = created(&*db, partner).await;
    db.publish(event.id, at(1)).await.unwrap();
    let delivery = async |to: EndpointId| {
        let all = of_event(&*db, &event).await;
        all.into_iter().find(|delivery| delivery.endpoint == to).unwrap()
    };
    let tried = |state, due: Option<i64>| DeliveryResult {
        state,
        tries: 1,
        status: Some(503),
        reason: Some("status"),
        due_at: due.map(at),
    };
    for (to, state, due) in [
        (ended, DeliveryState::Failed, None),
        (pending, DeliveryState::Pending, Some(1_000)),
    ] {
        let [job] = <[_; 1]>::try_from(db.claim_in(TYPES, to, node(1), at(1), at(50), 9).await.unwrap()).unwrap();
        let id = delivery(to).await.id;
        db.record_delivery_result(id, &tried(state, due), at(2)).await.unwrap();
        match due {
            None => db.finish(job.id, node(1)).await.unwrap(),
            Some(due) => db.postpone(job.id, node(1), at(due), "status").await.unwrap(),
        }
        let found = delivery(to).await;
        assert_eq!((found.state, found.tries, found.status), (state, 1, Some(503)));
        assert_eq!((found.reason.as_deref(), found.due_at), (Some("status"), due.map(at)));
    }
    db.record_delivery_result(delivery(ended).await.id, &tried(DeliveryState::Delivered, None), at(3))
        .await
        .unwrap();
    assert_eq!(delivery(ended).await.state, DeliveryState::Failed);

    let fresh_one = add(&*db, endpoint(partner)).await;
    let wants_another = WebhookEndpoint {
        kinds: vec![EventKind::LinkRemoved],
        ..endpoint(partner)
    };
    let wants_another = add(&*db, wants_another).await;
    let disabled = WebhookEndpoint {
        state: EndpointState::Disabled,
        ..endpoint(partner)
    };
    let disabled = add(&*db, disabled).await;
    assert_eq!(
        db.replay(&scope, event.id, Some(disabled), &audit_entry(1, 5))
            .await
            .unwrap(),
        []
    );
    let theirs = add(&*db, endpoint(person(2, 1).partner)).await;
    assert_eq!(
        db.replay(&scope, event.id, Some(theirs), &audit_entry(1, 5))
            .await
            .unwrap(),
        []
    );
    assert_eq!(db.lanes_due(TYPES, at(5)).await.unwrap(), []);

    let mut again = db.replay(&scope, event.id, None, &audit_entry(1, 5)).await.unwrap();
    let mut want = vec![ended, pending, fresh_one];
    again.sort_unstable();
    want.sort_unstable();
    assert_eq!(again, want);
    // Asked for twice it is still sent once.
    db.replay(&scope, event.id, Some(ended), &audit_entry(1, 5))
        .await
        .unwrap();
    for (to, tries) in [(ended, 0), (pending, 1), (fresh_one, 0)] {
        let found = delivery(to).await;
        assert_eq!(
            (found.state, found.tries, found.due_at),
            (DeliveryState::Pending, tries, Some(at(5)))
        );
        let jobs = db.claim_in(TYPES, to, node(1), at(5), at(50), 9).await.unwrap();
        assert_eq!(jobs.len(), 1, "{to}");
        assert_eq!(jobs[0].kind, Deliver::of(found.id));
    }
    // What was sent to nobody is not audited.
    assert_eq!(db.audit_count("test.done").await, 2);
    // Anyone who is named gets it, wanted or not.
    let named = db
        .replay(&scope, event.id, Some(wants_another), &audit_entry(1, 6))
        .await
        .unwrap();
    assert_eq!(named, [wants_another]);
}

/// The event of the one link that there is; what it was asked by is told of, too.
async fn created(db: &dyn Records, partner: PartnerId) -> PartnerEvent {
    let all = events_of(db, partner).await;
    all.into_iter()
        .find(|event| event.kind == EventKind::LinkCreated)
        .unwrap()
}
