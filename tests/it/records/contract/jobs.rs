//! Work that is claimed.

use std::collections::HashSet;

use kiungo::core::ids::{AttemptId, JobId, MessageId, WatchId};
use kiungo::records::{AttemptState, Job, JobType as _, LinkState};
use kiungo::service::bank_alerts::BankBack;
use kiungo::service::handover_queue::HandOver;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::redeem::Redeem;
use kiungo::service::linking::settle::Settle;
use kiungo::service::linking::unlink::Unlink;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;
use tokio::task::JoinSet;

use super::provider_events::is_first;
use crate::support::records::{Backend, Fixture, TYPES, at, job, node, partner, person, redeem, unique_bytes};

fn some_job(key: &str, due: i64) -> Job {
    let kind = Redeem::of(AttemptId::from_bytes(unique_bytes()));
    job(partner(1).id, kind, key, at(due))
}

async fn with_jobs(backend: Backend, dues: &[i64]) -> (Fixture, Vec<Job>) {
    let db = backend.create().await;
    let jobs: Vec<Job> = dues
        .iter()
        .enumerate()
        .map(|(n, due)| some_job(&format!("job:{n}"), *due))
        .collect();
    for job in &jobs {
        db.enqueue(job).await.unwrap();
    }
    (db, jobs)
}

/// 64 workers on two handles share 200 jobs: every job is done, none twice.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_claimed_twice(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[0; 200]).await;
    let other = db.second_handle().await;
    let mut tasks = JoinSet::new();
    for n in 0..64u8 {
        let handle = if n % 2 == 0 { db.shared() } else { other.clone() };
        tasks.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = handle.claim(TYPES, node(n), at(0), at(1000), 3).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                assert!(claimed.len() <= 3);
                mine.extend(claimed.into_iter().map(|job| job.id));
            }
        });
    }
    let claimed: Vec<JobId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), jobs.len());
    let distinct: HashSet<_> = claimed.into_iter().collect();
    assert_eq!(distinct, jobs.iter().map(|job| job.id).collect());
}

/// Every kind of work comes back as it was written, with its try counted.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn jobs_come_back_whole(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let kinds = [
        Redeem::of(link.attempt),
        ReadAccounts::of(link.id),
        Unlink::of(link.id),
        Settle::of(link.attempt),
        SendSms::of(MessageId::from_bytes(unique_bytes())),
        HandOver::of(link.attempt),
        BankBack::of(WatchId::from_bytes(unique_bytes())),
    ];
    for kind in kinds {
        let key = format!("{kind:?}");
        let written = Job {
            tries: 4,
            ..job(link.partner, kind, &key, at(0))
        };
        db.enqueue(&written).await.unwrap();
        let claimed = db.claim_key(&key, node(1), at(0), at(1)).await.unwrap();
        assert_eq!(claimed, Some(Job { tries: 5, ..written }));
    }
}

/// Only what is due is claimed, the longest due first, up to the limit.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_longest_due_first(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[30, 10, 20, 40]).await;
    let ids = |claimed: Vec<Job>| claimed.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(db.claim(TYPES, node(1), at(9), at(99), 9).await.unwrap()), []);
    assert_eq!(
        ids(db.claim(TYPES, node(1), at(30), at(99), 2).await.unwrap()),
        [jobs[1].id, jobs[2].id]
    );
    assert_eq!(
        ids(db.claim(TYPES, node(2), at(30), at(99), 9).await.unwrap()),
        [jobs[0].id]
    );
}

/// A node that dies keeps its job only until its lease ends; it then counts another try, and the late node's word on it
/// no longer counts.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_lease_ends(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[0]).await;
    let id = jobs[0].id;
    assert_eq!(db.claim(TYPES, node(1), at(0), at(100), 9).await.unwrap()[0].tries, 1);
    for holder in [node(1), node(2)] {
        assert_eq!(db.claim(TYPES, holder, at(99), at(200), 9).await.unwrap(), []);
        assert_eq!(db.claim_key("job:0", holder, at(99), at(200)).await.unwrap(), None);
    }
    assert_eq!(db.claim(TYPES, node(2), at(100), at(200), 9).await.unwrap()[0].tries, 2);

    db.finish(id, node(1)).await.unwrap();
    db.give_up(id, node(1), "late").await.unwrap();
    db.postpone(id, node(1), at(5000), "late").await.unwrap();
    let again = db.claim(TYPES, node(3), at(200), at(300), 9).await.unwrap();
    assert_eq!((again[0].id, again[0].tries, again[0].due_at), (id, 3, at(0)));
}

/// A key claims its job before it is due, one node only, until it is done.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_claims_its_job_early(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[1000]).await;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let handle = db.shared();
        tasks.spawn(async move { handle.claim_key("job:0", node(n), at(0), at(100)).await.unwrap() });
    }
    let claimed: Vec<Job> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].id, jobs[0].id);
    assert_eq!(
        db.claim_key("no such key", node(1), at(0), at(100)).await.unwrap(),
        None
    );
}

/// How a job ends: done and given up are never claimed again and keep their key; postponed waits, with its tries.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn how_a_job_ends(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[0, 0, 0]).await;
    db.claim(TYPES, node(1), at(0), at(100), 9).await.unwrap();
    db.finish(jobs[0].id, node(1)).await.unwrap();
    db.give_up(jobs[1].id, node(1), "grant_gone").await.unwrap();
    db.postpone(jobs[2].id, node(1), at(50), "provider_busy").await.unwrap();

    for job in &jobs {
        db.enqueue(&some_job(&job.key, 0)).await.unwrap();
    }
    assert_eq!(db.claim(TYPES, node(2), at(49), at(1000), 9).await.unwrap(), []);
    for key in ["job:0", "job:1"] {
        assert_eq!(
            db.claim_key(key, node(2), at(5000), at(6000)).await.unwrap(),
            None,
            "{key}"
        );
    }
    let later = db.claim(TYPES, node(2), at(5000), at(6000), 9).await.unwrap();
    assert_eq!(later.len(), 1);
    assert_eq!((later[0].id, later[0].tries), (jobs[2].id, 2));
}

/// The same fact asks for its work once.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_key_is_taken_once(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[0]).await;
    db.enqueue(&some_job("job:0", 0)).await.unwrap();
    let claimed = db.claim(TYPES, node(1), at(0), at(1), 9).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [jobs[0].id]);
}

/// Anyone who sleeps until the next job wakes for the earliest one, for a held one when its lease ends, and never for one
/// that is over.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn when_to_wake(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[]).await;
    assert_eq!((db.next_due(TYPES).await.unwrap(), jobs.len()), (None, 0));
    let (early, late) = (some_job("early", 10), some_job("late", 500));
    db.enqueue(&late).await.unwrap();
    db.enqueue(&early).await.unwrap();
    assert_eq!(db.next_due(TYPES).await.unwrap(), Some(at(10)));
    db.claim(TYPES, node(1), at(10), at(100), 9).await.unwrap();
    assert_eq!(db.next_due(TYPES).await.unwrap(), Some(at(100)));
    db.postpone(early.id, node(1), at(700), "busy").await.unwrap();
    assert_eq!(db.next_due(TYPES).await.unwrap(), Some(at(500)));
    for job in [&early, &late] {
        db.claim_key(&job.key, node(1), at(0), at(1)).await.unwrap();
    }
    assert_eq!(db.next_due(TYPES).await.unwrap(), Some(at(500)));
    db.finish(late.id, node(1)).await.unwrap();
    db.give_up(early.id, node(1), "gone").await.unwrap();
    assert_eq!(db.next_due(TYPES).await.unwrap(), None);
}

/// The lease of a job that runs long is extended by its node, and by no other; one that is over is not.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_lease_is_renewed(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[0]).await;
    let id = jobs[0].id;
    assert!(!db.extend_lease(id, node(1), at(500)).await.unwrap());
    db.claim(TYPES, node(1), at(0), at(100), 9).await.unwrap();
    assert!(!db.extend_lease(id, node(2), at(500)).await.unwrap());
    assert!(db.extend_lease(id, node(1), at(300)).await.unwrap());
    assert_eq!(db.claim(TYPES, node(2), at(299), at(400), 9).await.unwrap(), []);
    assert_eq!(db.claim(TYPES, node(2), at(300), at(400), 9).await.unwrap().len(), 1);
    assert!(!db.extend_lease(id, node(1), at(500)).await.unwrap());
    db.finish(id, node(2)).await.unwrap();
    assert!(!db.extend_lease(id, node(2), at(500)).await.unwrap());
}

/// What was done long ago is forgotten, the oldest first and not all at once; what is open or was given up stays.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_done_long_ago_is_forgotten(#[case] backend: Backend) {
    let (db, jobs) = with_jobs(backend, &[1, 2, 3, 4, 5, 50]).await;
    db.claim(TYPES, node(1), at(50), at(100), 9).await.unwrap();
    for done in [0, 1, 2, 5] {
        db.finish(jobs[done].id, node(1)).await.unwrap();
    }
    db.give_up(jobs[3].id, node(1), "gone").await.unwrap();
    for (event, seen) in [("old", 1), ("older", 0), ("new", 50)] {
        assert!(is_first(&*db, "mono", event, at(seen)).await);
    }
    assert_eq!(db.delete_old_work(at(0), 10).await.unwrap(), 0);
    assert_eq!(db.delete_old_work(at(10), 2).await.unwrap(), 2 + 2);
    assert_eq!(db.delete_old_work(at(10), 2).await.unwrap(), 1);
    assert_eq!(db.delete_old_work(at(10), 2).await.unwrap(), 0);
    for (event, forgotten) in [("old", true), ("older", true), ("new", false)] {
        assert_eq!(is_first(&*db, "mono", event, at(60)).await, forgotten, "{event}");
    }
    // A key that was forgotten is free again; those of the others are taken.
    for (n, free) in [(0, true), (1, true), (2, true), (3, false), (5, false)] {
        let again = some_job(&jobs[n].key, 60);
        db.enqueue(&again).await.unwrap();
        let found = db.claim_key(&again.key, node(1), at(60), at(61)).await.unwrap();
        assert_eq!(found.is_some(), free, "{n}");
    }
    let open = db.claim_key(&jobs[4].key, node(1), at(100), at(101)).await.unwrap();
    assert_eq!(open.map(|job| job.id), Some(jobs[4].id));
}

/// A kind of job that only a newer server knows is left alone and keeps nothing else waiting.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_unknown_kind_of_job_is_left_alone(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
    db.execute("UPDATE jobs SET kind = 'from_the_future'").await;
    db.enqueue(&redeem(&attempt)).await.unwrap();
    let claimed = db.claim(TYPES, node(1), at(0), at(100), 9).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].kind, redeem(&attempt).kind);
    db.finish(claimed[0].id, node(1)).await.unwrap();
    assert_eq!(db.next_due(TYPES).await.unwrap(), None);
}
