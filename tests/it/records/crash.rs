//! What was answered is there after the worst.

use std::ffi::OsString;
use std::future::poll_fn;
use std::io::{BufRead as _, BufReader};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::task::Poll;

use kiungo::core::ids::AttemptId;
use kiungo::records::{AttemptState, connect};
use rstest::rstest;

use crate::support::records::{Backend, at, node, partner, person, settle};

const URL: &str = "KIUNGO_TEST_RECORDS";
const COMMITTED: &str = "committed ";

/// A handle that is dropped without being closed leaves everything behind for the next.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn dropped_without_closing(#[case] backend: Backend) {
    let db = backend.create().await;
    let handle = db.second_handle().await;
    let attempt = person(1, 1).attempted(&*handle, AttemptState::Unknown, |_| ()).await;
    drop(handle);
    let handle = db.second_handle().await;
    assert_eq!(handle.attempt(attempt.id).await.unwrap(), Some((attempt, None)));
}

/// A caller that goes away in the middle of a call leaves all of it or nothing, and nobody else waiting: the next call
/// works, however far the abandoned one had come.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_in_the_middle(#[case] backend: Backend) {
    let db = backend.create().await;
    let mut abandoned = 0;
    for polls in (0..100).flat_map(|polls| [polls; 2]) {
        let consent = person(1, 1).consent();
        let attempt = person(1, 1).attempt(&consent);
        let settle = settle(&attempt);
        let answered = {
            let mut call = pin!(db.begin_attempt(&consent, &attempt, None, &settle));
            let mut answered = false;
            for _ in 0..polls {
                answered = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
                if answered {
                    break;
                }
                tokio::task::yield_now().await;
            }
            answered
        };
        abandoned += usize::from(!answered);
        db.check_ready().await.unwrap();
        let written = db.attempt(attempt.id).await.unwrap().is_some();
        let job = db.claim_key(&settle.key, node(1), at(0), at(1)).await.unwrap();
        assert_eq!(job.is_some(), written);
        assert!(written || !answered);
    }
    assert!(abandoned > 0);
}

/// A process that is killed while it writes loses nothing that it was told is written: each attempt is there with its
/// settling job, and the file is sound.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn killed_while_writing(#[case] backend: Backend) {
    let db = backend.create().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "records::crash::writes_until_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, &db.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let committed: Vec<AttemptId> = lines
        .map(Result::unwrap)
        .filter_map(|line| {
            line.split_once(COMMITTED)
                .map(|(_, id)| AttemptId::parse(id.trim()).unwrap())
        })
        .take(25)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();

    assert_eq!(committed.len(), 25);
    let handle = db.second_handle().await;
    for id in committed {
        let (attempt, _) = handle.attempt(id).await.unwrap().unwrap();
        let job = handle.claim_key(&settle(&attempt).key, node(1), at(0), at(1)).await;
        assert!(job.unwrap().is_some());
    }
    handle.check_ready().await.unwrap();
}

/// The process that is killed: writes attempts as fast as it can and says which are committed. Does nothing when run by
/// itself.
#[test]
#[ignore = "run by killed_while_writing as a process of its own"]
fn writes_until_killed() {
    let Some(url) = std::env::var_os(URL).map(OsString::into_string) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let db = connect(&url.unwrap()).await.unwrap();
        db.put_partner(&partner(1)).await.unwrap();
        loop {
            let attempt = person(1, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
            println!("\n{COMMITTED}{}", attempt.id);
        }
    });
}
