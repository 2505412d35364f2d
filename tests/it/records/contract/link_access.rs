//! What providers need to see again of a link.

use kiungo::core::ids::LinkId;
use kiungo::records::{AttemptState, Link, LinkAccess, LinkCompletion, LinkState, ProviderPerson, Records};
use rstest::rstest;
use tokio::task::JoinSet;

use super::provider_persons::provider_person;
use crate::support::records::{Backend, RecordedPerson, at, link, node, person, unique_bytes};

/// A link in use, made with a handle and an access that is `n` bytes long.
pub async fn linked_with_access(db: &dyn Records, who: &RecordedPerson, n: u8) -> Link {
    let attempt = who.attempted(db, AttemptState::Unknown, |_| ()).await;
    let made = Link {
        access: LinkAccess {
            handle_digest: Some(unique_bytes()),
            handle: Some(vec![4; usize::from(n)]),
            sealed: Some(vec![5; usize::from(n)]),
            version: 1,
        },
        ..link(&attempt, 1)
    };
    let completed = db.complete_link(&made, &[]).await.unwrap();
    assert_eq!(completed, LinkCompletion::Written(made.id));
    made
}

fn next(access: &LinkAccess, sealed: &[u8]) -> LinkAccess {
    LinkAccess {
        sealed: Some(sealed.to_vec()),
        version: access.version + 1,
        ..access.clone()
    }
}

/// What came with a link stands with it from its first moment on, and finds it; its versions follow each other; a link without
/// any has none.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn access_is_there_with_its_link(#[case] backend: Backend) {
    let db = backend.create().await;
    let made = linked_with_access(&*db, &person(1, 1), 7).await;
    let plain = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let handle = made.access.handle_digest.unwrap();
    assert_eq!(db.link(made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(
        db.link_by_handle(person(1, 1).partner, &handle).await.unwrap().as_ref(),
        Some(&made)
    );
    assert_eq!(
        db.link_by_handle(person(1, 1).partner, &unique_bytes()).await.unwrap(),
        None
    );
    assert_eq!(db.link_access(made.id).await.unwrap().as_ref(), Some(&made.access));
    assert_eq!(db.link_access(plain.id).await.unwrap(), Some(LinkAccess::default()));
    assert_eq!(db.link_access(LinkId::from_bytes(unique_bytes())).await.unwrap(), None);

    let second = LinkAccess {
        handle_digest: Some(unique_bytes()),
        handle: Some(b"another handle".to_vec()),
        ..next(&made.access, b"second")
    };
    // Asked for again, as after a call that was cut off, it is written as well.
    for _ in 0..2 {
        assert!(db.put_link_access(made.id, &second).await.unwrap());
    }
    for late in [
        made.access.clone(),
        next(&made.access, b"late"),
        next(&next(&second, b""), b"early"),
    ] {
        assert!(!db.put_link_access(made.id, &late).await.unwrap());
    }
    assert!(
        db.put_link_access(plain.id, &next(&plain.access, b"first"))
            .await
            .unwrap()
    );
    assert_eq!(db.link(made.id).await.unwrap().unwrap().access, second);
    assert_eq!(db.link_by_handle(person(1, 1).partner, &handle).await.unwrap(), None);
    let found = db
        .link_by_handle(person(1, 1).partner, &second.handle_digest.unwrap())
        .await
        .unwrap();
    assert_eq!(found.map(|link| link.id), Some(made.id));
}

/// What opens a removed link is wiped and stays so; what the provider calls it stays, for an event may come late. Of several
/// that it calls the same, the one in use is found.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn access_ends_with_its_link(#[case] backend: Backend) {
    let db = backend.create().await;
    let made = linked_with_access(&*db, &person(1, 1), 7).await;
    assert!(db.move_link(made.id, LinkState::Removing, &[], at(1)).await.unwrap());
    // It is still needed to tell the provider.
    assert_eq!(db.link_access(made.id).await.unwrap().as_ref(), Some(&made.access));
    assert!(
        db.lease_link_access(made.id, node(1), at(1), at(2))
            .await
            .unwrap()
            .is_some()
    );
    assert!(db.move_link(made.id, LinkState::Removed, &[], at(2)).await.unwrap());
    let wiped = LinkAccess {
        sealed: None,
        ..made.access.clone()
    };
    assert!(!db.put_link_access(made.id, &next(&made.access, b"late")).await.unwrap());
    assert_eq!(
        db.lease_link_access(made.id, node(1), at(9), at(10)).await.unwrap(),
        None
    );
    assert_eq!(db.link_access(made.id).await.unwrap(), Some(wiped));

    let handle = made.access.handle_digest.unwrap();
    let again = linked_with_access(&*db, &person(1, 1), 7).await;
    let same = LinkAccess {
        handle_digest: Some(handle),
        ..next(&again.access, b"again")
    };
    let found = db.link_by_handle(person(1, 1).partner, &handle).await.unwrap();
    assert_eq!(found.map(|link| link.id), Some(made.id));
    assert!(db.put_link_access(again.id, &same).await.unwrap());
    let found = db.link_by_handle(person(1, 1).partner, &handle).await.unwrap();
    assert_eq!(found.map(|link| link.id), Some(again.id));
}

/// Of those who replace it at once, on two nodes, one wins, round after round.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_replace_it_one_wins(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let made = linked_with_access(&*db, &person(1, 1), 3).await;
    let mut before = made.access.clone();
    for _ in 0..5 {
        let mut tasks = JoinSet::new();
        for n in 0..6u8 {
            let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
            let (id, next) = (made.id, next(&before, &[n]));
            tasks.spawn(async move {
                let won = handle.put_link_access(id, &next).await.unwrap();
                won.then_some(next)
            });
        }
        let won: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let [won] = &won[..] else { panic!("{won:?}") };
        assert_eq!(db.link_access(made.id).await.unwrap().as_ref(), Some(won));
        before = won.clone();
    }
}

/// One refreshes at a time, on whatever node, until it is done or its time is over; what it refreshes is what stands.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refreshes_at_a_time(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let made = linked_with_access(&*db, &person(1, 1), 3).await;
    let mut tasks = JoinSet::new();
    for n in 0..8u8 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let id = made.id;
        tasks.spawn(async move { handle.lease_link_access(id, node(n % 2), at(0), at(10)).await.unwrap() });
    }
    let leased: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(leased, std::slice::from_ref(&made.access));
    let lease = async |now| {
        db.lease_link_access(made.id, node(1), at(now), at(now + 10))
            .await
            .unwrap()
    };
    assert_eq!(lease(9).await, None);
    assert_eq!(lease(10).await.as_ref(), Some(&made.access));
    let second = next(&made.access, b"refreshed");
    assert!(db.put_link_access(made.id, &second).await.unwrap());
    assert_eq!(lease(11).await, Some(second));
}

/// Partners have keys of their own at a provider, and what it calls something with one partner's keys says nothing about
/// another's.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_is_called_the_same_stays_apart(#[case] backend: Backend) {
    let db = backend.create().await;
    let (account_digest, handle_digest) = (unique_bytes(), Some(unique_bytes()));
    let mut made = Vec::new();
    for n in 1..=2 {
        let who = person(n, 1);
        let attempt = who.attempted(&*db, AttemptState::Unknown, |_| ()).await;
        let mut link = link(&attempt, 1);
        link.access.handle_digest = handle_digest;
        link.accounts[0].account_digest = account_digest;
        db.complete_link(&link, &[]).await.unwrap();
        let user = ProviderPerson {
            handle_digest,
            ..provider_person(&who, "mono")
        };
        db.put_provider_person(&user).await.unwrap();
        made.push((who.partner, link, user));
    }
    let handle = handle_digest.unwrap();
    for (partner, link, user) in &made {
        let by_handle = db.link_by_handle(*partner, &handle).await.unwrap();
        assert_eq!(by_handle.as_ref(), Some(link));
        let by_account = db.link_by_account_of(*partner, &account_digest).await.unwrap();
        assert_eq!(by_account.as_ref(), Some(link));
        let by_user = db.provider_person_by_handle(*partner, &handle).await.unwrap();
        assert_eq!(by_user.as_ref(), Some(user));
        let (attempt, _) = db.attempt(link.attempt).await.unwrap().unwrap();
        for (asks, _, _) in &made {
            let found = db.attempt_by_session(*asks, &attempt.session_digest).await.unwrap();
            assert_eq!(found.is_some(), asks == partner);
        }
    }
    let nobody = person(3, 1).partner;
    assert_eq!(db.link_by_handle(nobody, &handle).await.unwrap(), None);
    assert_eq!(db.link_by_account_of(nobody, &account_digest).await.unwrap(), None);
    assert_eq!(db.provider_person_by_handle(nobody, &handle).await.unwrap(), None);
}

/// What an event about a person is about: their links at that partner and provider, but for those that are removed.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_persons_links_at_a_provider(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let mine = [
        linked_with_access(&*db, &ada, 3).await,
        ada.linked(&*db, 2, LinkState::ReauthRequired).await,
    ];
    let gone = ada.linked(&*db, 1, LinkState::Active).await;
    assert!(db.move_link(gone.id, LinkState::Removed, &[], at(1)).await.unwrap());
    for other in [person(1, 2), person(2, 1)] {
        other.linked(&*db, 1, LinkState::Active).await;
    }
    let found = db.links_at_provider(ada.partner, "mono", &ada.tag).await.unwrap();
    assert_eq!(found, mine);
    let elsewhere = db.links_at_provider(ada.partner, "powens", &ada.tag).await.unwrap();
    assert_eq!(elsewhere, []);
}
