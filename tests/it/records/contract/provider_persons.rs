//! What belongs to people at providers.

use kiungo::core::ids::ProviderPersonId;
use kiungo::records::{AttemptState, ExpiredData, LinkState, ProviderPerson, ProviderPersonOutcome, Records};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, RecordedPerson, at, node, person, unique_bytes};
use crate::support::soak;

/// What a provider knows of a person, first written.
pub fn provider_person(who: &RecordedPerson, provider: &str) -> ProviderPerson {
    ProviderPerson {
        id: ProviderPersonId::from_bytes(unique_bytes()),
        partner: who.partner,
        provider: provider.to_owned(),
        tag: who.tag,
        handle_digest: Some(unique_bytes()),
        sealed: vec![3; 12],
        version: 1,
        updated_at: at(0),
    }
}

async fn stands(db: &dyn Records, person: &ProviderPerson) -> Option<ProviderPerson> {
    db.provider_person(person.partner, &person.provider, &person.tag)
        .await
        .unwrap()
}

/// What was written is what is read, by either name, and nobody else's; a version follows the one before it, and only that.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_version_follows_the_one_before(#[case] backend: Backend) {
    let db = backend.create().await;
    let first = provider_person(&person(1, 1), "powens");
    assert_eq!(stands(&*db, &first).await, None);
    let unfounded = ProviderPerson {
        version: 2,
        ..first.clone()
    };
    let nothing = ProviderPersonOutcome::Outdated(None);
    assert_eq!(db.put_provider_person(&unfounded).await.unwrap(), nothing);
    // Asked for again, as after a call that was cut off, it is written as well.
    for _ in 0..2 {
        let outcome = db.put_provider_person(&first).await.unwrap();
        assert_eq!(outcome, ProviderPersonOutcome::Written);
    }
    let others = [
        provider_person(&person(1, 1), "mono"),
        provider_person(&person(1, 2), "powens"),
        ProviderPerson {
            handle_digest: None,
            ..provider_person(&person(2, 1), "powens")
        },
    ];
    for other in &others {
        let outcome = db.put_provider_person(other).await.unwrap();
        assert_eq!(outcome, ProviderPersonOutcome::Written);
    }
    let second = ProviderPerson {
        handle_digest: Some(unique_bytes()),
        sealed: b"second".to_vec(),
        version: 2,
        updated_at: at(2),
        ..first.clone()
    };
    let outcome = db.put_provider_person(&second).await.unwrap();
    assert_eq!(outcome, ProviderPersonOutcome::Written);
    let another = ProviderPerson {
        id: ProviderPersonId::from_bytes(unique_bytes()),
        ..first.clone()
    };
    for late in [first.clone(), another] {
        let outcome = db.put_provider_person(&late).await.unwrap();
        assert_eq!(outcome, ProviderPersonOutcome::Outdated(Some(second.clone())));
    }
    for all in others.iter().chain([&second]) {
        assert_eq!(stands(&*db, all).await.as_ref(), Some(all));
        if let Some(handle) = &all.handle_digest {
            let found = db.provider_person_by_handle(all.partner, handle).await.unwrap();
            assert_eq!(found.as_ref(), Some(all));
        }
    }
    let handle = first.handle_digest.unwrap();
    assert_eq!(
        db.provider_person_by_handle(first.partner, &handle).await.unwrap(),
        None
    );

    assert!(db.delete_provider_person(second.id).await.unwrap());
    assert!(!db.delete_provider_person(second.id).await.unwrap());
    let third = ProviderPerson { version: 3, ..second };
    assert_eq!(db.put_provider_person(&third).await.unwrap(), nothing);
}

/// Of those who write at once, on two nodes, the first version or the next, one wins, and the others are told what stands.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_write_at_once_one_wins(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let mut before: Option<ProviderPerson> = None;
    for version in 1..6 {
        let mut tasks = JoinSet::new();
        for n in 0..6u8 {
            let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
            let next = ProviderPerson {
                sealed: vec![n],
                version,
                ..before
                    .clone()
                    .unwrap_or_else(|| provider_person(&person(1, 1), "powens"))
            };
            tasks.spawn(async move { (handle.put_provider_person(&next).await.unwrap(), next) });
        }
        let outcomes = tasks.join_all().await;
        let written: Vec<_> = outcomes
            .iter()
            .filter(|(outcome, _)| *outcome == ProviderPersonOutcome::Written)
            .collect();
        let [(_, won)] = written[..] else {
            panic!("{outcomes:?}")
        };
        for (outcome, mine) in &outcomes {
            if mine != won {
                assert_eq!(*outcome, ProviderPersonOutcome::Outdated(Some(won.clone())));
            }
        }
        assert_eq!(stands(&*db, won).await.as_ref(), Some(won));
        before = Some(won.clone());
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
    let first = provider_person(&person(1, 1), "powens");
    let nobody = db
        .lease_provider_person(first.id, node(1), at(0), at(10))
        .await
        .unwrap();
    assert_eq!(nobody, None);
    db.put_provider_person(&first).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..8u8 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        let id = first.id;
        tasks.spawn(async move {
            handle
                .lease_provider_person(id, node(n % 2), at(0), at(10))
                .await
                .unwrap()
        });
    }
    let leased: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(leased, std::slice::from_ref(&first));
    let lease = async |now| {
        db.lease_provider_person(first.id, node(1), at(now), at(now + 10))
            .await
            .unwrap()
    };
    assert_eq!(lease(9).await, None);
    assert_eq!(lease(10).await.as_ref(), Some(&first));
    let second = ProviderPerson {
        version: 2,
        sealed: b"refreshed".to_vec(),
        ..first.clone()
    };
    db.put_provider_person(&second).await.unwrap();
    assert_eq!(lease(11).await, Some(second));
}

/// It goes when nothing of the person is left at that provider, and stays as long as a link or a submission is.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn it_goes_with_the_last_of_the_person(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, bola, chike) = (person(1, 1), person(1, 2), person(1, 3));
    ada.linked(&*db, 1, LinkState::Active).await;
    bola.attempted(&*db, AttemptState::Refused, |_| ()).await;
    for who in [ada, bola, chike] {
        for provider in ["mono", "powens"] {
            let person = provider_person(&who, provider);
            db.put_provider_person(&person).await.unwrap();
        }
    }
    let forget = async |what, before| db.delete_expired(what, at(before), 9).await.unwrap();
    assert_eq!(forget(ExpiredData::ProviderPersons, 0).await, 0);
    assert_eq!(forget(ExpiredData::ProviderPersons, 1).await, 4);
    assert_eq!(forget(ExpiredData::Attempts, 1).await, 1);
    assert_eq!(forget(ExpiredData::ProviderPersons, 1).await, 1);
    let left = provider_person(&ada, "mono");
    assert!(stands(&*db, &left).await.is_some());
    assert_eq!(db.count("SELECT COUNT(*) FROM provider_persons").await, 1);
}

/// Whatever is written in whatever order, through two handles: what stands is the last that followed the one before it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn any_sequence_of_versions_is_counted_up(#[case] backend: Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (db, other) = runtime.block_on(async {
        let db = backend.create().await;
        let other = db.second_handle().await;
        (db, other)
    });
    let writes = prop::collection::vec((1u32..5, any::<u8>(), any::<bool>()), 1..10);
    TestRunner::new(Config {
        cases: soak::number(32, 320),
        failure_persistence: None,
        ..Config::default()
    })
    .run(&writes, |writes| {
        runtime.block_on(async {
            let tag = unique_bytes();
            let who = RecordedPerson {
                tag: kiungo::core::seal::SubscriberTag::from_bytes(tag),
                ..person(1, 1)
            };
            let first = provider_person(&who, "powens");
            let mut model: Option<ProviderPerson> = None;
            for (version, byte, elsewhere) in writes {
                let handle = if elsewhere { &*other } else { &*db };
                let next = ProviderPerson {
                    version,
                    sealed: vec![byte],
                    ..first.clone()
                };
                let outcome = handle.put_provider_person(&next).await.unwrap();
                let follows = version == model.as_ref().map_or(0, |person| person.version) + 1;
                if follows || model.as_ref() == Some(&next) {
                    prop_assert_eq!(outcome, ProviderPersonOutcome::Written);
                    model = Some(next);
                } else {
                    prop_assert_eq!(outcome, ProviderPersonOutcome::Outdated(model.clone()));
                }
            }
            prop_assert_eq!(stands(&*db, &first).await, model);
            Ok(())
        })
    })
    .unwrap();
}
