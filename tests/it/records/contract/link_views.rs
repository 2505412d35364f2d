//! Links and connect sessions as their partner sees them: each once, with the intent it grew out of, and within scope.

use kiungo::core::access::TenantScope;
use kiungo::core::ids::{ConnectSessionId, IntentId, JobId, LinkId, UserId};
use kiungo::core::page::PageRequest;
use kiungo::core::scope::Scope;
use kiungo::records::{
    AttemptState, IntentState, Job, JobType as _, Link, LinkFilter, LinkState, Records, WriteOutcome,
};
use kiungo::service::linking::unlink::Unlink;
use rstest::rstest;

use crate::support::events::{attempt_for, entity, events_about, whole_partner};
use crate::support::intents::{add, audit_entry_at};
use crate::support::records::{Backend, DAYS, at, link, node, partner, person, unique_bytes};

/// A link of this partner's first person, made at that time for an intent.
async fn linked(db: &dyn Records, intent: IntentId, offset: i64, accounts: usize) -> Link {
    let attempt = attempt_for(db, person(1, 1), intent, AttemptState::Unknown).await;
    let link = Link {
        created_at: at(offset),
        ..link(&attempt, accounts)
    };
    db.complete_link(&link, &[]).await.unwrap();
    link
}

/// The links in scope, two at a time.
async fn found(db: &dyn Records, scope: &TenantScope, filter: &LinkFilter) -> Vec<LinkId> {
    let (mut found, mut page) = (Vec::new(), PageRequest { limit: 2, after: None });
    loop {
        let links = db.link_views(scope, filter, &page).await.unwrap();
        for details in &links.rows {
            let one = db.link_view(scope, details.link.id).await.unwrap();
            assert_eq!(one.as_ref(), Some(details));
            found.push(details.link.id);
        }
        match links.next {
            Some(next) => page.after = Some(next),
            None => return found,
        }
    }
}

/// Links come newest first, each once however many accounts it has, with what the intent says; what another partner, entity
/// or user asked for is not there, and what nobody asked for is there for the partner as a whole.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn links_are_seen_by_whose_request_they_answer(#[case] backend: Backend) {
    let db = backend.create().await;
    let (mine, ada) = (whole_partner(partner(1).id), UserId::from_bytes(unique_bytes()));
    let lagos = entity(&db, mine.partner).await;
    let asked = add(&*db, mine.partner, |intent| {
        (intent.entity, intent.created_by, intent.many) = (Some(lagos), Some(ada), true);
        intent.reference = Some("r1".to_owned());
    })
    .await;
    let plain = add(&*db, mine.partner, |_| ()).await;
    let walk_in = IntentId::from_bytes(unique_bytes());
    let mut all = Vec::new();
    for (n, (intent, accounts)) in (0..).zip([(asked.id, 3), (asked.id, 0), (plain.id, 1), (walk_in, 2)]) {
        all.insert(0, linked(&*db, intent, n, accounts).await);
    }
    db.move_link(all[2].id, LinkState::ReauthRequired, &[], at(9))
        .await
        .unwrap();
    let ids = |places: &[usize]| places.iter().map(|&n| all[n].id).collect::<Vec<_>>();
    let scope = |entity, own| TenantScope { entity, own, ..mine };
    for (scope, seen) in [
        (mine, &[0, 1, 2, 3][..]),
        (scope(Some(lagos), None), &[2, 3]),
        (scope(Some(lagos), Some(ada)), &[2, 3]),
        (scope(Some(lagos), Some(UserId::from_bytes(unique_bytes()))), &[]),
        (whole_partner(partner(2).id), &[]),
    ] {
        assert_eq!(
            found(&*db, &scope, &LinkFilter::default()).await,
            ids(seen),
            "{scope:?}"
        );
        for other in all.iter().filter(|link| !ids(seen).contains(&link.id)) {
            assert_eq!(db.link_view(&scope, other.id).await.unwrap(), None);
        }
    }
    let filter = |state, intent, reference: Option<&str>| LinkFilter {
        state,
        intent,
        reference: reference.map(str::to_owned),
        at: at(0),
    };
    for (filter, seen) in [
        (filter(Some(LinkState::ReauthRequired), None, None), &[2][..]),
        (filter(Some(LinkState::Removed), None, None), &[]),
        (filter(None, Some(asked.id), None), &[2, 3]),
        (filter(None, Some(walk_in), None), &[0]),
        (filter(Some(LinkState::Active), None, Some("r1")), &[3]),
    ] {
        assert_eq!(found(&*db, &mine, &filter).await, ids(seen), "{filter:?}");
    }
    let details = db.link_view(&mine, all[3].id).await.unwrap().unwrap();
    let (intent, consent) = (details.intent.unwrap(), details.consent);
    assert_eq!(details.link, all[3]);
    assert_eq!(
        (details.moved_at, consent.id, consent.intent),
        (at(0), all[3].consent, asked.id)
    );
    assert_eq!(
        (intent.id, intent.entity, intent.created_by),
        (asked.id, Some(lagos), Some(ada))
    );
    assert_eq!(
        (intent.reference.as_deref(), consent.days, consent.scope),
        (Some("r1"), DAYS, Scope::default())
    );
    assert_eq!(db.link_view(&mine, all[0].id).await.unwrap().unwrap().intent, None);
}

/// A link is ended once, by anyone who it is in scope of, with the job that tells the provider, and told once; out of scope
/// nothing is done.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_link_is_ended_within_reach(#[case] backend: Backend) {
    let db = backend.create().await;
    let mine = whole_partner(partner(1).id);
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let key = Unlink::key(link.id);
    let unlink = || Job {
        id: JobId::from_bytes(unique_bytes()),
        partner: mine.partner,
        kind: Unlink::of(link.id),
        due_at: at(1),
        tries: 0,
        key: key.clone(),
    };
    let lagos = entity(&db, mine.partner).await;
    let narrow = TenantScope {
        entity: Some(lagos),
        ..mine
    };
    for scope in [whole_partner(partner(2).id), narrow] {
        let ended = db
            .end_link(&scope, link.id, &unlink(), &audit_entry_at(&scope, 1))
            .await
            .unwrap();
        assert_eq!(ended, None);
    }
    assert!(db.claim_key(&key, node(1), at(1), at(2)).await.unwrap().is_none());
    for now in [true, false] {
        let ended = db
            .end_link(&mine, link.id, &unlink(), &audit_entry_at(&mine, 1))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (ended.tag, ended.state, ended.newly_ended),
            (link.tag, LinkState::Removing, now)
        );
    }
    assert!(db.claim_key(&key, node(1), at(1), at(2)).await.unwrap().is_some());
    let told = events_about(&*db, mine.partner, link.id.as_bytes()).await;
    assert_eq!(told.last().map(|event| event.kind.as_str()), Some("link.removed"));
    assert_eq!((told.len(), db.audit_count("test.done").await), (2, 1));
}

/// An intent to log in again is done when the link is in use again, also where it never was out of use, and void when the
/// link ends; each is told once, with the link.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_renewal_is_done_when_its_link_is_in_use(#[case] backend: Backend) {
    use IntentState::{Cancelled, Completed, Open};
    use LinkState::{Active, ReauthRequired, Removed, Removing};
    let db = backend.create().await;
    let mine = whole_partner(partner(1).id);
    for (moves, state) in [
        (&[ReauthRequired][..], Open),
        (&[ReauthRequired, Active], Completed),
        (&[Active], Completed),
        (&[Removing, Active, Removed], Cancelled),
        (&[Removed], Cancelled),
    ] {
        let link = person(1, 1).linked(&*db, 1, Active).await;
        let asked = add(&*db, mine.partner, |intent| {
            (intent.renews, intent.tag) = (Some(link.id), Some(link.tag));
            (intent.code, intent.code_digest) = (None, None);
        })
        .await;
        for (offset, &to) in (1..).zip(moves) {
            db.move_link(link.id, to, &[], at(offset)).await.unwrap();
        }
        let found = db.intent(&mine, asked.id).await.unwrap().unwrap();
        assert_eq!(found.state, state, "{moves:?}");
        let told = events_about(&*db, mine.partner, asked.id.as_bytes()).await;
        assert_eq!(told.len(), usize::from(state != Open), "{moves:?}");
        assert!(told.iter().all(|event| event.data.contains(&link.id.to_string())));
        let cancelled = db
            .cancel_intent(&mine, asked.id, &audit_entry_at(&mine, 9))
            .await
            .unwrap();
        assert_eq!(matches!(cancelled, WriteOutcome::Done(_)), state == Open);
    }
}

/// A connect session is one row, however often somebody tried in it: where the login stands that linked, or else the last.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_connect_session_is_seen_once(#[case] backend: Backend) {
    use AttemptState::{Refused, Sending, Unknown, WrongCode};
    let db = backend.create().await;
    let (mine, ada) = (whole_partner(partner(1).id), person(1, 1));
    let session = |n| ConnectSessionId::from_bytes([n; 16]);
    for (offset, n, state) in [(0, 1, Refused), (1, 1, WrongCode), (2, 1, Sending), (2, 2, Refused)] {
        ada.attempted(&*db, state, |attempt| {
            (attempt.session, attempt.created_at) = (session(n), at(offset));
        })
        .await;
    }
    let made = ada
        .attempted(&*db, Unknown, |attempt| attempt.session = session(2))
        .await;
    let link = link(&made, 1);
    db.complete_link(&link, &[]).await.unwrap();
    ada.attempted(&*db, Refused, |attempt| attempt.session = session(2))
        .await;
    person(2, 1).attempted(&*db, Refused, |_| ()).await;

    let (mut rows, mut page) = (Vec::new(), PageRequest { limit: 1, after: None });
    loop {
        let tries = db.connect_sessions(&mine, None, &page).await.unwrap();
        rows.extend(tries.rows);
        match tries.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    let seen: Vec<_> = rows
        .iter()
        .map(|one| (one.id, one.state, one.link, one.created_at))
        .collect();
    assert_eq!(
        seen,
        [
            (session(2), AttemptState::Linked, Some(link.id), at(2)),
            (session(1), Sending, None, at(0)),
        ]
    );
    for one in &rows {
        assert_eq!(db.connect_session(&mine, one.id).await.unwrap().as_ref(), Some(one));
        assert_eq!(
            db.connect_session(&whole_partner(partner(2).id), one.id).await.unwrap(),
            None
        );
    }
    let (user, lagos) = (UserId::from_bytes(unique_bytes()), entity(&db, mine.partner).await);
    let asked = add(&*db, mine.partner, |intent| {
        (intent.entity, intent.created_by) = (Some(lagos), Some(user));
    })
    .await;
    let attempt = attempt_for(&*db, ada, asked.id, Unknown).await;
    let own = TenantScope {
        entity: Some(lagos),
        own: Some(user),
        ..mine
    };
    for (scope, intent, count) in [(own, None, 1), (mine, Some(asked.id), 1), (mine, None, 3)] {
        let tries = db
            .connect_sessions(&scope, intent, &PageRequest::default())
            .await
            .unwrap();
        assert_eq!(tries.rows.len(), count);
    }
    let one = db.connect_session(&own, attempt.session).await.unwrap().unwrap();
    assert_eq!(
        one.intent.map(|intent| (intent.id, intent.entity)),
        Some((asked.id, Some(lagos)))
    );
    assert_eq!(db.connect_session(&own, session(1)).await.unwrap(), None);
}
