//! Several nodes work through the same jobs, and the server dies under them.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kiungo::core::ids::{AttemptId, JobId};
use kiungo::records::{JobType as _, Records, connect};
use kiungo::service::linking::redeem::Redeem;

use crate::support::eventually;
use crate::support::postgres::PostgresServer;
use crate::support::records::{TYPES, at, job, node, partner, unique_bytes};

/// How many jobs there are.
const JOBS: usize = 2_000;
/// How long a lease lasts, by the clock of the test.
const LEASE: i64 = 1_000;

/// What was done, by the clock at which it was claimed.
#[derive(Default)]
struct Log {
    claimed: Mutex<HashSet<(i64, JobId)>>,
    done: Mutex<HashMap<JobId, usize>>,
    errors: AtomicUsize,
}

impl Log {
    /// Claims and does jobs until there are none at this moment. What a dying server answers is not to be had: it is asked
    /// again.
    async fn work(&self, db: &dyn Records, name: u8, clock: &AtomicI64) {
        loop {
            let now = clock.load(Ordering::SeqCst);
            let Ok(jobs) = db.claim(TYPES, node(name), at(now), at(now + LEASE), 7).await else {
                self.errors.fetch_add(1, Ordering::SeqCst);
                continue;
            };
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                assert!(
                    self.claimed.lock().unwrap().insert((now, job.id)),
                    "claimed by two at the same time"
                );
                if db.finish(job.id, node(name)).await.is_ok() {
                    *self.done.lock().unwrap().entry(job.id).or_default() += 1;
                } else {
                    self.errors.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}

/// Two nodes with eight workers each share two thousand jobs while the server is killed in the middle: each job that was
/// taken in is done, none is held by two at once, and none that was told as done is done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_survive_the_death_of_the_server() {
    let mut server = PostgresServer::start().await;
    let (one, two) = (
        connect(&server.url()).await.unwrap(),
        connect(&server.url()).await.unwrap(),
    );
    one.put_partner(&partner(1)).await.unwrap();
    let jobs: Vec<_> = (0..JOBS)
        .map(|n| {
            let kind = Redeem::of(AttemptId::from_bytes(unique_bytes()));
            job(partner(1).id, kind, &format!("job:{n}"), at(0))
        })
        .collect();
    for some in jobs.chunks(8) {
        for written in join_all(some.iter().map(|job| one.enqueue(job))).await {
            written.unwrap();
        }
    }
    let (log, clock) = (Log::default(), AtomicI64::new(0));
    let round = || {
        let handles = [&one, &two].into_iter().cycle();
        join_all((0..16).zip(handles).map(|(name, db)| log.work(&**db, name, &clock)))
    };
    let death = async {
        // Early, so that however fast the machine is, it happens while there is work.
        let begun = || log.done.lock().unwrap().len() > JOBS / 10;
        eventually(Duration::from_secs(30), async || begun()).await;
        server.kill().await;
        server.restart().await;
    };
    tokio::join!(round(), death);
    assert!(log.errors.load(Ordering::SeqCst) > 0, "the death was not noticed");
    // What was claimed by an answer that nobody got is taken again when its lease is over.
    clock.store(LEASE, Ordering::SeqCst);
    round().await;
    assert_eq!(one.next_due(TYPES).await.unwrap(), None);
    let done = log.done.lock().unwrap();
    assert!(done.values().all(|times| *times == 1), "done twice");
    let mut held: HashMap<JobId, usize> = HashMap::new();
    for (_, id) in log.claimed.lock().unwrap().iter() {
        *held.entry(*id).or_default() += 1;
    }
    // Finishing may have happened although the answer was lost, so such a job need not come again.
    for job in &jobs {
        assert!(held.contains_key(&job.id), "{} was lost", job.key);
    }
}
