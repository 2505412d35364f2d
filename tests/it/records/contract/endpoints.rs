//! Where webhooks go, what they are signed with, and lanes.

use kiungo::core::access::TenantScope;
use kiungo::core::events::EventKind;
use kiungo::core::ids::{EndpointId, UserId};
use kiungo::records::{EndpointChange, EndpointState, JobType as _, LinkState, Publish, WebhookEndpoint, WriteOutcome};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::events::{endpoint, entity, events_of, register, secret, whole_partner};
use crate::support::records::{Backend, Fixture, TYPES, at, audit_entry, job, node, partner, person, unique_bytes};

/// The delivery of the partner's newest event to the endpoint, if there is one, with its secrets at a moment.
async fn secrets_at(db: &Fixture, endpoint: &WebhookEndpoint, moment: i64) -> Vec<Vec<u8>> {
    let event = events_of(&**db, endpoint.partner).await.pop().unwrap();
    let deliveries = db.deliveries(&whole_partner(endpoint.partner), event.id).await.unwrap();
    let delivery = deliveries
        .iter()
        .find(|delivery| delivery.endpoint == endpoint.id)
        .unwrap();
    let outgoing = db.outgoing_delivery(delivery.id, at(moment)).await.unwrap().unwrap();
    outgoing.secrets.into_iter().map(|secret| secret.sealed).collect()
}

/// What was written is what is read, and what is changed is only what was to be changed; another partner, entity or user
/// neither sees nor changes it; a deleted one is gone.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_endpoint_is_its_owners(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let (branch, other, user) = (
        entity(&db, partner).await,
        entity(&db, partner).await,
        UserId::from_bytes(unique_bytes()),
    );
    let mine = WebhookEndpoint {
        entity: Some(branch),
        kinds: vec![EventKind::LinkRemoved, EventKind::LinkCreated],
        created_by: Some(user),
        ..endpoint(partner)
    };
    register(&*db, &mine, &secret(&mine, 0)).await;
    let scope = |partner, entity, own| TenantScope { partner, entity, own };
    for outside in [
        whole_partner(person(2, 1).partner),
        scope(partner, Some(other), None),
        scope(partner, Some(branch), Some(UserId::from_bytes(unique_bytes()))),
    ] {
        assert_eq!(db.endpoint(&outside, mine.id).await.unwrap(), None);
        assert_eq!(db.endpoints(&outside, None, 10).await.unwrap(), []);
        let change = EndpointChange {
            url: Some("https://elsewhere.example.com".to_owned()),
            ..EndpointChange::default()
        };
        assert_eq!(
            db.change_endpoint(&outside, mine.id, &change, &audit_entry(1, 1))
                .await
                .unwrap(),
            None
        );
        let rotated = db
            .rotate_secret(&outside, &secret(&mine, 1), at(2), &audit_entry(1, 1))
            .await;
        assert_eq!(rotated.unwrap(), None);
    }
    let inside = scope(partner, Some(branch), Some(user));
    assert_eq!(db.endpoint(&inside, mine.id).await.unwrap().as_ref(), Some(&mine));
    assert_eq!(
        db.endpoints(&inside, None, 10).await.unwrap(),
        std::slice::from_ref(&mine)
    );

    let mut want = mine.clone();
    for (n, change) in (1..).zip([
        EndpointChange {
            url: Some("https://new.example.com".to_owned()),
            ..EndpointChange::default()
        },
        EndpointChange {
            kinds: Some(Vec::new()),
            ..EndpointChange::default()
        },
        EndpointChange {
            state: Some((EndpointState::Disabled, Some("by_request"))),
            ..EndpointChange::default()
        },
        EndpointChange::default(),
        EndpointChange {
            state: Some((EndpointState::Enabled, None)),
            ..EndpointChange::default()
        },
    ]) {
        want.url = change.url.clone().unwrap_or(want.url);
        want.kinds = change.kinds.clone().unwrap_or(want.kinds);
        if let Some((state, reason)) = change.state {
            (want.state, want.reason) = (state, reason.map(str::to_owned));
        }
        want.updated_at = at(n);
        let changed = db
            .change_endpoint(&inside, mine.id, &change, &audit_entry(1, n))
            .await
            .unwrap();
        assert_eq!(changed.as_ref(), Some(&want), "{change:?}");
    }
    let end = EndpointChange {
        state: Some((EndpointState::Deleted, None)),
        ..EndpointChange::default()
    };
    assert!(
        db.change_endpoint(&inside, mine.id, &end, &audit_entry(1, 9))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(db.endpoint(&inside, mine.id).await.unwrap(), None);
    assert_eq!(db.endpoints(&inside, None, 10).await.unwrap(), []);
    assert_eq!(
        db.change_endpoint(&inside, mine.id, &end, &audit_entry(1, 9))
            .await
            .unwrap(),
        None
    );
}

/// An endpoint that is asked for again is there once, as it was, with the secret it began with; there are no more than
/// there may be, anyone who adds them at once; and none is for an entity that was deleted.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn adding_endpoints(#[case] backend: Backend) {
    const MOST: u32 = 3;
    let db = backend.create().await;
    let (mine, theirs) = (endpoint(partner(1).id), endpoint(partner(2).id));
    register(&*db, &theirs, &secret(&theirs, 0)).await;
    let first = secret(&mine, 0);
    let moved = WebhookEndpoint {
        url: "https://elsewhere.example.com".to_owned(),
        ..mine.clone()
    };
    for asked in [&mine, &moved] {
        let kept = db.add_endpoint(asked, &first, 1, &audit_entry(1, 0)).await.unwrap();
        assert_eq!(kept, WriteOutcome::Done(mine.clone()));
    }
    assert_eq!(db.audit_count("test.done").await, 1);
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    db.publish(events_of(&*db, mine.partner).await[0].id, at(0))
        .await
        .unwrap();
    assert_eq!(secrets_at(&db, &mine, 0).await, [first.sealed]);

    let branch = entity(&db, mine.partner).await;
    db.execute("UPDATE entities SET deleted_at = 1").await;
    let orphan = WebhookEndpoint {
        entity: Some(branch),
        ..endpoint(mine.partner)
    };
    let kept = db
        .add_endpoint(&orphan, &secret(&orphan, 0), MOST, &audit_entry(1, 0))
        .await;
    assert_eq!(kept.unwrap(), WriteOutcome::NoEntity);

    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let (handle, one) = (db.second_handle().await, endpoint(mine.partner));
        tasks.spawn(async move {
            handle
                .add_endpoint(&one, &secret(&one, 0), MOST, &audit_entry(1, 0))
                .await
        });
    }
    let kept = tasks.join_all().await.into_iter().map(Result::unwrap);
    assert_eq!(kept.filter(|kept| *kept == WriteOutcome::TooMany).count(), 4);
    let scope = whole_partner(mine.partner);
    assert_eq!(db.endpoints(&scope, None, 100).await.unwrap().len(), 3);
    // What was deleted makes room.
    let end = EndpointChange {
        state: Some((EndpointState::Deleted, None)),
        ..EndpointChange::default()
    };
    db.change_endpoint(&scope, mine.id, &end, &audit_entry(1, 1))
        .await
        .unwrap();
    let one = endpoint(mine.partner);
    let kept = db
        .add_endpoint(&one, &secret(&one, 0), MOST, &audit_entry(1, 2))
        .await
        .unwrap();
    assert_eq!(kept, WriteOutcome::Done(one));
}

/// Endpoints are read page by page, newest first.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn listing_endpoints(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    for n in [0, 1, 1, 1, 2] {
        let one = WebhookEndpoint {
            created_at: at(n),
            ..endpoint(partner)
        };
        register(&*db, &one, &secret(&one, 0)).await;
    }
    let all = db.endpoints(&whole_partner(partner), None, 100).await.unwrap();
    assert!(all.is_sorted_by_key(|one| std::cmp::Reverse((one.created_at, one.id))));
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = db.endpoints(&whole_partner(partner), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        read.extend(page);
    }
    assert_eq!((read.len(), read), (5, all));
}

/// While one secret replaces another both are used, the new one first; after the overlap only the new one is. A third one
/// ends the first at once, so there are never more than two, even when they are replaced at the same time. (W4)
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_secrets_while_one_replaces_the_other(#[case] backend: Backend) {
    let db = backend.create().await;
    let mine = endpoint(partner(1).id);
    let numbered = |n: u8| {
        let mut row = secret(&mine, i64::from(n));
        row.sealed = vec![n];
        row
    };
    register(&*db, &mine, &numbered(0)).await;
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    db.publish(events_of(&*db, mine.partner).await[0].id, at(0))
        .await
        .unwrap();
    assert_eq!(secrets_at(&db, &mine, 0).await, [[0]]);
    let scope = whole_partner(mine.partner);
    let first = numbered(1);
    for until in [100, 500] {
        // Asked for again it is as it was.
        let rotated = db.rotate_secret(&scope, &first, at(until), &audit_entry(1, 1)).await;
        assert_eq!(rotated.unwrap(), Some(at(100)));
    }
    assert_eq!(db.audit_count("test.done").await, 1);
    for (moment, want) in [(1, &[[1], [0]][..]), (99, &[[1], [0]]), (100, &[[1]])] {
        assert_eq!(secrets_at(&db, &mine, moment).await, want, "{moment}");
    }
    let rotated = db
        .rotate_secret(&scope, &numbered(2), at(200), &audit_entry(1, 2))
        .await;
    assert_eq!(rotated.unwrap(), Some(at(200)));
    assert_eq!(secrets_at(&db, &mine, 3).await, [[2], [1]]);
    let other = db.second_handle().await;
    let mut tasks = JoinSet::new();
    for n in 3..9 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let (row, scope) = (numbered(n), scope);
        tasks.spawn(async move {
            handle
                .rotate_secret(&scope, &row, at(300), &audit_entry(1, 3))
                .await
                .unwrap()
        });
    }
    assert!(tasks.join_all().await.into_iter().all(|until| until.is_some()));
    assert!(secrets_at(&db, &mine, 50).await.len() <= 2);
    let nobody = WebhookEndpoint {
        id: EndpointId::from_bytes(unique_bytes()),
        ..mine.clone()
    };
    let rotated = db
        .rotate_secret(&scope, &secret(&nobody, 0), at(1), &audit_entry(1, 4))
        .await;
    assert_eq!(rotated.unwrap(), None);
}

/// Only an endpoint that took nothing since then, and was left as it is, is stopped for its silence; one that asked for
/// it is stopped at once. Either is told once.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn stopping_an_endpoint(#[case] backend: Backend) {
    use kiungo::records::{DeliveryResult, DeliveryState};
    let db = backend.create().await;
    let partner = partner(1).id;
    let mine = endpoint(partner);
    register(&*db, &mine, &secret(&mine, 0)).await;
    person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let event = events_of(&*db, partner).await[0].id;
    db.publish(event, at(0)).await.unwrap();
    let delivery = db.deliveries(&whole_partner(partner), event).await.unwrap()[0].id;
    let taken = DeliveryResult {
        state: DeliveryState::Delivered,
        tries: 1,
        status: Some(200),
        reason: None,
        due_at: None,
    };
    db.record_delivery_result(delivery, &taken, at(5)).await.unwrap();
    let stop = async |since: Option<i64>| {
        db.disable_endpoint(mine.id, "failing", since.map(at), at(9))
            .await
            .unwrap()
    };
    assert!(!stop(Some(5)).await, "it took something");
    assert!(!stop(Some(-1)).await, "it was changed since");
    assert!(stop(Some(6)).await);
    assert!(!stop(Some(6)).await && !stop(None).await, "stopped twice");
    let found = db.endpoint(&whole_partner(partner), mine.id).await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.reason.as_deref()),
        (EndpointState::Disabled, Some("failing"))
    );

    let gone = endpoint(partner);
    register(&*db, &gone, &secret(&gone, 0)).await;
    assert!(db.disable_endpoint(gone.id, "gone", None, at(9)).await.unwrap());
}

/// Jobs of a lane are taken by those who ask for the lane, and by nobody else: an endless queue in one is not in the way
/// of other lanes, nor of jobs without one.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn lanes_are_apart(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let (one, two) = (endpoint(partner), endpoint(partner));
    for endpoint in [&one, &two] {
        register(&*db, endpoint, &secret(endpoint, 0)).await;
    }
    for _ in 0..5 {
        person(1, 1).linked(&*db, 1, LinkState::Active).await;
    }
    assert_eq!(db.lanes_due(TYPES, at(9)).await.unwrap(), []);
    let plain = db.claim(TYPES, node(1), at(9), at(10), 100).await.unwrap();
    let published = plain
        .iter()
        .filter(|job| job.kind.subject::<Publish>().is_some())
        .count();
    assert_eq!(published, 5);
    for event in events_of(&*db, partner).await {
        assert_eq!(db.publish(event.id, at(3)).await.unwrap(), 2);
    }
    let late = job(
        partner,
        Publish::of(events_of(&*db, partner).await[0].id),
        "late",
        at(9),
    );
    db.enqueue(&late).await.unwrap();
    let claimed = db.claim(TYPES, node(1), at(9), at(10), 100).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [late.id]);

    assert_eq!(db.lanes_due(TYPES, at(2)).await.unwrap(), []);
    let mut due = db.lanes_due(TYPES, at(3)).await.unwrap();
    due.sort_unstable();
    let mut lanes = [one.id, two.id];
    lanes.sort_unstable();
    assert_eq!(due, lanes);
    let first = db.claim_in(TYPES, one.id, node(1), at(3), at(8), 3).await.unwrap();
    let rest = db.claim_in(TYPES, one.id, node(2), at(3), at(8), 100).await.unwrap();
    assert_eq!((first.len(), rest.len()), (3, 2));
    assert_eq!(db.lanes_due(TYPES, at(3)).await.unwrap(), [two.id]);
    assert_eq!(
        db.claim_in(TYPES, one.id, node(2), at(3), at(8), 100).await.unwrap(),
        []
    );
    // A lease that is over is anybody's again.
    assert_eq!(
        db.claim_in(TYPES, one.id, node(2), at(8), at(9), 100)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        db.claim_in(TYPES, two.id, node(2), at(8), at(9), 100)
            .await
            .unwrap()
            .len(),
        5
    );
}
