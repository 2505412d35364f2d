//! Providers' events.

use kiungo::core::ids::LinkId;
use kiungo::core::time::Timestamp;
use kiungo::records::{
    IncomingProviderEvent, Job, JobType as _, LinkState, ProviderEventEffect, ProviderEventOutcome, Records,
};
use kiungo::service::linking::read_accounts::ReadAccounts;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, at, job, node, person, unique_bytes};
use crate::support::soak;

/// Whether an event that leads to nothing is new.
pub async fn is_first(db: &dyn Records, provider: &str, dedupe_key: &str, now: Timestamp) -> bool {
    let event = IncomingProviderEvent {
        partner: person(1, 1).partner,
        provider,
        dedupe_key,
        subject: &[0; 32],
        at: None,
    };
    db.apply_provider_event(&event, &[], now).await.unwrap() == ProviderEventOutcome::First
}

fn event<'a>(dedupe_key: &'a str, subject: &'a [u8; 32], happened: Option<i64>) -> IncomingProviderEvent<'a> {
    IncomingProviderEvent {
        partner: person(1, 1).partner,
        provider: "mono",
        dedupe_key,
        subject,
        at: happened.map(at),
    }
}

fn read(link: LinkId, key: &str) -> Job {
    job(person(1, 1).partner, ReadAccounts::of(link), key, at(0))
}

async fn asked(db: &dyn Records, job: &Job) -> bool {
    db.claim_key(&job.key, node(1), at(1), at(1)).await.unwrap().is_some()
}

/// A webhook that comes several times, to several nodes at once, is seen for the first time once; providers do not share
/// their events' names.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_is_new_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let handle = if n % 4 == 0 {
            db.second_handle().await
        } else {
            db.shared()
        };
        tasks.spawn(async move { is_first(&*handle, "mono", "evt_1", at(n)).await });
    }
    let firsts = tasks.join_all().await.into_iter().filter(|first| *first).count();
    assert_eq!(firsts, 1);
    assert!(is_first(&*db, "mono", "evt_2", at(0)).await);
    assert!(is_first(&*db, "powens", "evt_1", at(0)).await);
}

/// What follows from an event is done the first time it comes, and not again: a link that has moved on meanwhile stays where
/// it is.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_follows_is_done_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let subject = unique_bytes();
    let (moved, enqueued) = (read(link.id, "moved"), read(link.id, "enqueued"));
    let effects = [
        ProviderEventEffect::MoveLink {
            link: link.id,
            to: LinkState::ReauthRequired,
            jobs: std::slice::from_ref(&moved),
        },
        ProviderEventEffect::Enqueue(std::slice::from_ref(&enqueued)),
    ];
    let state = async || db.link(link.id).await.unwrap().unwrap().state;
    let outcome = db
        .apply_provider_event(&event("one", &subject, None), &effects, at(1))
        .await;
    assert_eq!(outcome, Ok(ProviderEventOutcome::First));
    assert_eq!(state().await, LinkState::ReauthRequired);
    assert!(asked(&*db, &moved).await && asked(&*db, &enqueued).await);

    assert!(db.move_link(link.id, LinkState::Active, &[], at(2)).await.unwrap());
    let outcome = db
        .apply_provider_event(&event("one", &subject, None), &effects, at(3))
        .await;
    assert_eq!(outcome, Ok(ProviderEventOutcome::Repeated));
    assert_eq!(state().await, LinkState::Active);

    // A link that may not move leaves its jobs unwritten, and the rest is done.
    assert!(db.move_link(link.id, LinkState::Removed, &[], at(4)).await.unwrap());
    let (late, other) = (read(link.id, "late"), read(link.id, "other"));
    let effects = [
        ProviderEventEffect::MoveLink {
            link: link.id,
            to: LinkState::Active,
            jobs: std::slice::from_ref(&late),
        },
        ProviderEventEffect::Enqueue(std::slice::from_ref(&other)),
    ];
    let outcome = db
        .apply_provider_event(&event("two", &subject, None), &effects, at(5))
        .await;
    assert_eq!(outcome, Ok(ProviderEventOutcome::First));
    assert_eq!((asked(&*db, &late).await, asked(&*db, &other).await), (false, true));
}

/// An event whose consequences cannot be written is not remembered either: the provider sends it again, and then they are.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_cannot_be_done_is_not_remembered(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let subject = unique_bytes();
    let good = read(link.id, "good");
    let impossible = Job {
        partner: person(9, 1).partner,
        ..read(link.id, "impossible")
    };
    let event = event("one", &subject, Some(5));
    let moves = ProviderEventEffect::MoveLink {
        link: link.id,
        to: LinkState::ReauthRequired,
        jobs: std::slice::from_ref(&good),
    };
    let fails = [moves, ProviderEventEffect::Enqueue(std::slice::from_ref(&impossible))];
    db.apply_provider_event(&event, &fails, at(1)).await.unwrap_err();
    assert_eq!(db.link(link.id).await.unwrap().unwrap().state, LinkState::Active);
    assert!(!asked(&*db, &good).await);
    let outcome = db.apply_provider_event(&event, &[moves], at(1)).await;
    assert_eq!(outcome, Ok(ProviderEventOutcome::First));
    assert!(asked(&*db, &good).await);
}

/// An event from before what was heard of the same thing changes nothing, but is remembered; of the same moment, of another
/// thing or without a moment it does.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn older_news_never_replace_newer(#[case] backend: Backend) {
    use ProviderEventOutcome::{First, Outdated, Repeated};
    let db = backend.create().await;
    let (account, other) = (unique_bytes(), unique_bytes());
    for (n, (key, subject, happened, expected)) in [
        ("a", account, Some(10), First),
        ("b", account, Some(9), Outdated),
        ("b", account, Some(9), Repeated),
        ("c", account, Some(10), First),
        ("d", other, Some(1), First),
        ("e", account, None, First),
        ("f", account, Some(11), First),
        ("g", account, Some(10), Outdated),
    ]
    .into_iter()
    .enumerate()
    {
        let job = read(LinkId::from_bytes(unique_bytes()), &format!("job {n}"));
        let effects = [ProviderEventEffect::Enqueue(std::slice::from_ref(&job))];
        let event = event(key, &subject, happened);
        let outcome = db.apply_provider_event(&event, &effects, at(0)).await.unwrap();
        assert_eq!(outcome, expected, "{n}");
        assert_eq!(asked(&*db, &job).await, expected == First, "{n}");
    }
    let elsewhere = IncomingProviderEvent {
        provider: "powens",
        ..event("h", &account, Some(1))
    };
    assert_eq!(db.apply_provider_event(&elsewhere, &[], at(0)).await, Ok(First));
    // So it is with another partner's keys: anyone who has those says nothing about this partner's accounts.
    let anothers = IncomingProviderEvent {
        partner: person(2, 1).partner,
        ..event("a", &account, Some(1))
    };
    assert_eq!(db.apply_provider_event(&anothers, &[], at(0)).await, Ok(First));
    assert_eq!(db.apply_provider_event(&anothers, &[], at(0)).await, Ok(Repeated));

    // What was heard long ago is forgotten with the events.
    assert_eq!(db.delete_old_work(at(1), 100).await.unwrap(), 9 + 4);
    assert_eq!(db.count("SELECT COUNT(*) FROM provider_event_order").await, 0);
}

/// Who has logged in again is not asked to once more by an event from before it, whatever event was heard last; one from after
/// it, or without a moment, is believed.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_renewal_overrules_what_was_said_before(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let subject = unique_bytes();
    for (key, happened, renewed, want) in [
        ("a", Some(10), false, LinkState::ReauthRequired),
        ("b", Some(15), true, LinkState::Active),
        ("c", Some(25), false, LinkState::ReauthRequired),
        ("d", None, true, LinkState::ReauthRequired),
    ] {
        if renewed {
            db.renew_link(link.id, link.consent, None, at(20)).await.unwrap();
        }
        let effects = [ProviderEventEffect::MoveLink {
            link: link.id,
            to: LinkState::ReauthRequired,
            jobs: &[],
        }];
        let event = event(key, &subject, happened);
        db.apply_provider_event(&event, &effects, at(30)).await.unwrap();
        assert_eq!(db.link(link.id).await.unwrap().unwrap().state, want, "{key}");
    }
}

/// Two events about one link that come at once, to two nodes, in whatever order: the later one is what the link says in the
/// end.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_later_event_stands(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let subject = unique_bytes();
    for round in 0..8_i64 {
        let (earlier, later) = if round % 2 == 0 {
            (LinkState::Active, LinkState::ReauthRequired)
        } else {
            (LinkState::ReauthRequired, LinkState::Active)
        };
        let mut tasks = JoinSet::new();
        for (n, to) in [(1, later), (0, earlier)] {
            let handle = if n == 0 { db.shared() } else { other.clone() };
            let id = link.id;
            tasks.spawn(async move {
                let key = format!("{round} {n}");
                let effect = ProviderEventEffect::MoveLink {
                    link: id,
                    to,
                    jobs: &[],
                };
                let event = event(&key, &subject, Some(2 * round + n));
                handle.apply_provider_event(&event, &[effect], at(round)).await.unwrap()
            });
        }
        let outcomes = tasks.join_all().await;
        assert!(!outcomes.contains(&ProviderEventOutcome::Repeated), "{outcomes:?}");
        assert_eq!(db.link(link.id).await.unwrap().unwrap().state, later, "{outcomes:?}");
    }
}

/// Whatever comes in whatever order, once or more often, through two handles: what follows is done for those that are new
/// and not older than any before them, and for no others.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn any_sequence_of_events_is_in_order(#[case] backend: Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (db, other) = runtime.block_on(async {
        let db = backend.create().await;
        let other = db.second_handle().await;
        (db, other)
    });
    let events = prop::collection::vec((0u8..6, prop::option::of(0_i64..6), any::<bool>()), 1..10);
    TestRunner::new(Config {
        cases: soak::number(32, 320),
        failure_persistence: None,
        ..Config::default()
    })
    .run(&events, |events| {
        runtime.block_on(async {
            let subject = unique_bytes::<32>();
            let (mut seen, mut newest) = (Vec::new(), i64::MIN);
            for (n, (name, happened, elsewhere)) in events.into_iter().enumerate() {
                let handle = if elsewhere { &*other } else { &*db };
                let key = format!("{subject:?} {name}");
                let job = read(LinkId::from_bytes(unique_bytes()), &format!("{subject:?} {n}"));
                let effects = [ProviderEventEffect::Enqueue(std::slice::from_ref(&job))];
                let event = event(&key, &subject, happened);
                let outcome = handle.apply_provider_event(&event, &effects, at(0)).await.unwrap();
                let expected = if seen.contains(&name) {
                    ProviderEventOutcome::Repeated
                } else if happened.is_some_and(|happened| happened < newest) {
                    ProviderEventOutcome::Outdated
                } else {
                    newest = newest.max(happened.unwrap_or(i64::MIN));
                    ProviderEventOutcome::First
                };
                seen.push(name);
                prop_assert_eq!(outcome, expected);
                prop_assert_eq!(asked(&*db, &job).await, expected == ProviderEventOutcome::First);
            }
            Ok(())
        })
    })
    .unwrap();
}
