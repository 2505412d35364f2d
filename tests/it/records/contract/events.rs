//! What partners are told: written with the fact, once, in order, and seen by nobody else.

use kiungo::core::access::TenantScope;
use kiungo::core::events::EventKind;
use kiungo::core::ids::{EntityId, EventId, UserId};
use kiungo::records::{AttemptState, EventFilter, JobType as _, LinkState, Publish, TimeRange};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::events::{attempt_for, entity, events_about, events_of, requested_intent, whole_partner};
use crate::support::records::{Backend, at, node, partner, person, unique_bytes};

/// A link's life is told move by move, numbered from one; what does not move is not told, and that the provider has been
/// told of the end is nothing new to the partner. Each event asks for its delivery.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_links_life_is_told(#[case] backend: Backend) {
    use LinkState::{Active, ReauthRequired, Removed, Removing};
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, Active).await;
    for (minute, to) in (1..).zip([
        Active,
        ReauthRequired,
        ReauthRequired,
        Active,
        Removing,
        Removed,
        Removed,
    ]) {
        db.move_link(link.id, to, &[], at(minute)).await.unwrap();
    }
    let events = events_about(&*db, link.partner, link.id.as_bytes()).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind.as_str(), event.sequence, event.at))
        .collect();
    assert_eq!(
        told,
        [
            ("link.created", 1, at(0)),
            ("link.reauth_required", 2, at(2)),
            ("link.updated", 3, at(4)),
            ("link.removed", 4, at(5)),
        ]
    );
    let id = link.id;
    let until = chrono::DateTime::from_timestamp_millis(link.until.as_millis()).unwrap();
    let until = until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    for (event, state) in events.iter().zip(["active", "reauth_required", "active", "removing"]) {
        let data = format!(
            r#"{{"link_id":"{id}","intent_id":null,"entity_id":null,"state":"{state}","until":"{until}","sequence":{}}}"#,
            event.sequence
        );
        assert_eq!(
            (event.data.as_str(), event.entity, event.created_by),
            (data.as_str(), None, None)
        );
        let key = Publish::key(event.id);
        let job = db.claim_key(&key, node(1), at(9), at(10)).await.unwrap().unwrap();
        assert_eq!((job.kind, job.due_at), (Publish::of(event.id), event.at));
    }
}

/// A link that ends at its provider, without us, is told as removed once as well; one that was never in use is not told
/// at all.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_end_of_a_link_is_told_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    assert!(db.move_link(link.id, LinkState::Removed, &[], at(1)).await.unwrap());
    let events = events_about(&*db, link.partner, link.id.as_bytes()).await;
    assert_eq!(events.len(), 2);
    assert!(events[1].data.contains(r#""state":"removed""#), "{}", events[1].data);

    let never = person(2, 1).linked(&*db, 1, LinkState::Removing).await;
    assert_eq!(events_of(&*db, never.partner).await, []);
}

/// Of all ends of an attempt only a final no is told, with its reason, once an attempt; attempts of one connect session
/// are numbered together.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_final_no_is_told_once(#[case] backend: Backend) {
    use AttemptState::{
        Accepted, Granted, Lapsed, Linked, NotSent, OtherAccount, Refused, Sending, Undone, Unknown, WrongCode,
    };
    let db = backend.create().await;
    for state in [Sending, Accepted, WrongCode, NotSent, Unknown, Granted, Linked] {
        let attempt = person(1, 1).attempted(&*db, state, |_| ()).await;
        let events = events_about(&*db, attempt.partner, attempt.session.as_bytes()).await;
        assert_eq!(events, [], "{state:?}");
    }
    let first = person(1, 1).attempted(&*db, Refused, |_| ()).await;
    let same = |attempt: &mut kiungo::records::Attempt| attempt.session = first.session;
    for state in [Undone, Lapsed, OtherAccount] {
        let later = person(1, 1).attempted(&*db, state, same).await;
        // What was given up may still be undone: that is no second end.
        db.move_attempt(later.id, Undone, at(5)).await.unwrap();
    }
    assert!(!db.move_attempt(first.id, Lapsed, at(5)).await.unwrap());
    let session = first.session;
    let events = events_about(&*db, first.partner, session.as_bytes()).await;
    let data: Vec<_> = events.iter().map(|event| event.data.clone()).collect();
    let expected = |reason: &str, sequence| {
        format!(
            r#"{{"connect_session_id":"{session}","intent_id":null,"entity_id":null,"state":"failed","reason":"{reason}","sequence":{sequence}}}"#
        )
    };
    assert_eq!(
        data,
        [
            expected("refused", 1),
            expected("undone", 2),
            expected("unconfirmed", 3),
            expected("other_account", 4)
        ]
    );
    assert!(events.iter().all(|event| event.kind == EventKind::ConnectSessionFailed));
}

/// What grew out of a partner's intent carries that intent, its entity and the user who made it; it is in nobody else's scope.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_event_belongs_to_whoever_asked(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let (branch, user) = (entity(&db, partner).await, UserId::from_bytes(unique_bytes()));
    let intent = requested_intent(&db, partner, branch, user).await;
    let attempt = attempt_for(&*db, person(1, 1), intent, AttemptState::Unknown).await;
    // A login that comes to nothing: of what comes of it, this alone is told.
    assert!(db.move_attempt(attempt.id, AttemptState::Refused, at(0)).await.unwrap());
    let [event] = <[_; 1]>::try_from(events_of(&*db, partner).await).unwrap();
    assert_eq!((event.entity, event.created_by), (Some(branch), Some(user)));
    assert!(
        event
            .data
            .contains(&format!(r#""intent_id":"{intent}","entity_id":"{branch}""#))
    );

    let (elsewhere, somebody) = (EntityId::from_bytes(unique_bytes()), UserId::from_bytes(unique_bytes()));
    let scope = |partner, entity, own| TenantScope { partner, entity, own };
    for (scope, seen) in [
        (scope(partner, None, None), true),
        (scope(partner, Some(branch), None), true),
        (scope(partner, Some(branch), Some(user)), true),
        (scope(partner, None, Some(user)), true),
        (scope(partner, Some(elsewhere), None), false),
        (scope(partner, Some(branch), Some(somebody)), false),
        (scope(person(2, 1).partner, None, None), false),
        (scope(person(2, 1).partner, Some(branch), Some(user)), false),
    ] {
        let listed = db.events(&scope, &EventFilter::default(), None, 10).await.unwrap();
        assert_eq!(listed.len(), usize::from(seen), "{scope:?}");
        let found = db.event(&scope, event.id).await.unwrap();
        assert_eq!(found.is_some(), seen, "{scope:?}");
        let span = TimeRange {
            from: at(-9),
            to: at(9),
        };
        let within = db.events_within(&scope, span, None, 10).await.unwrap();
        assert_eq!(within.len(), usize::from(seen), "{scope:?}");
    }
}

/// Two servers that move the same links at once tell each move once, and the numbers have no gap and no double.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn moves_made_at_once_are_told_in_order(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let mut tasks = JoinSet::new();
    for n in 0..24 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let to = if n % 3 == 0 {
            LinkState::Active
        } else {
            LinkState::ReauthRequired
        };
        tasks.spawn(async move { handle.move_link(link.id, to, &[], at(n)).await.unwrap() });
    }
    // Attempts of one session end at once, too: they hold no row in common.
    let session = person(1, 2)
        .attempted(&*db, AttemptState::Unknown, |_| ())
        .await
        .session;
    let mut ends = JoinSet::new();
    for n in 0..8 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let attempt = person(1, 2)
            .attempted(&*db, AttemptState::Unknown, |attempt| attempt.session = session)
            .await;
        ends.spawn(async move {
            let lapsed = handle
                .move_attempt(attempt.id, AttemptState::Lapsed, at(n))
                .await
                .unwrap();
            let undone = handle
                .move_attempt(attempt.id, AttemptState::Undone, at(n))
                .await
                .unwrap();
            assert!(lapsed && undone);
        });
    }
    let moved = tasks.join_all().await.into_iter().filter(|moved| *moved).count();
    ends.join_all().await;
    for (subject, count) in [(*link.id.as_bytes(), moved + 1), (*session.as_bytes(), 8)] {
        let events = events_about(&*db, link.partner, &subject).await;
        let numbers: Vec<_> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, (1..).take(count).collect::<Vec<_>>());
    }
    let events = events_about(&*db, link.partner, link.id.as_bytes()).await;
    for pair in events[1..].windows(2) {
        assert_ne!(pair[0].kind, pair[1].kind, "a move that was none was told");
    }
}

/// Events are read page by page, newest first or oldest first, by kind or by subject: none is lost, none comes twice.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn listing_events(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1).id;
    let mut first = None;
    for n in 0..4 {
        let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
        first = first.or(Some(link.id));
        // Several in the same millisecond.
        db.move_link(link.id, LinkState::ReauthRequired, &[], at(n / 2))
            .await
            .unwrap();
    }
    person(2, 1).linked(&*db, 1, LinkState::Active).await;
    let all = db
        .events(&whole_partner(partner), &EventFilter::default(), None, 100)
        .await
        .unwrap();
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted_by_key(|event| std::cmp::Reverse((event.at, event.id))));
    for limit in 1..=3 {
        let (mut down, mut after) = (Vec::new(), None);
        loop {
            let page = db
                .events(&whole_partner(partner), &EventFilter::default(), after, limit)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.id));
            down.extend(page);
        }
        assert_eq!(down, all, "{limit}");
        let (mut up, mut after) = (Vec::new(), None);
        let span = TimeRange { from: at(0), to: at(1) };
        loop {
            let page = db
                .events_within(&whole_partner(partner), span, after, limit)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.id));
            up.extend(page);
        }
        up.reverse();
        assert!(up.len() < all.len() && all.ends_with(&up), "{limit}");
    }
    let of_kind = EventFilter {
        kind: Some(EventKind::LinkReauthRequired),
        subject: None,
    };
    assert_eq!(
        db.events(&whole_partner(partner), &of_kind, None, 100)
            .await
            .unwrap()
            .len(),
        4
    );
    let about = events_about(&*db, partner, first.unwrap().as_bytes()).await;
    assert_eq!(about.len(), 2);
    assert_eq!(
        db.event(&whole_partner(partner), EventId::from_bytes(unique_bytes()))
            .await
            .unwrap(),
        None
    );
}
