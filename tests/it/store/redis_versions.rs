//! Why versions are random: a Redis that lost writes, and many copies of one message at once.

use std::sync::Arc;

use kiungo::store::{Store, SwapResult, Version, VersionedValue};
use rstest::rstest;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::redis_faults::{recovers, server_and_store};
use super::{LONG, put, random_tag, redis_at, value};
use crate::support::redis::{Cut, RedisServer};

/// After a power failure the end of the log is lost and an older version comes back. A writer with the lost version loses,
/// and one that reads again continues from the stored value.
#[rstest]
#[case(None)]
#[case(Some(0.001))]
#[case(Some(0.1))]
#[tokio::test]
async fn a_version_that_was_lost_wins_nothing(#[case] part: Option<f64>) {
    let (mut server, store) = server_and_store().await;
    let tag = random_tag();
    let mut history = vec![put(&store, &tag, b"0").await];
    let mut ends = vec![server.aof_len().await];
    for n in 1..=20 {
        let next = value(format!("{n}").as_bytes());
        let swap = store.swap(&tag, Some(history[n - 1].version), &next, LONG).await;
        assert_eq!(swap, Ok(SwapResult::Won));
        history.push(next);
        ends.push(server.aof_len().await);
    }
    server.kill();
    server.truncate_aof(part.map_or(Cut::Bytes(ends[20] - ends[15]), Cut::Fraction));
    server.restart(&[]).await;
    recovers(&store).await;
    let present = store
        .load(&tag)
        .await
        .unwrap()
        .expect("the beginning of the log is there");
    let back = history
        .iter()
        .position(|stored| *stored == present)
        .expect("one of ours, whole");
    assert!(back < 20, "nothing was lost");
    for lost in &history[back + 1..] {
        let swap = store.swap(&tag, Some(lost.version), &value(b"x"), LONG).await;
        assert_eq!(swap, Ok(SwapResult::Lost), "against {lost:?}");
    }
    let swap = store.swap(&tag, Some(present.version), &value(b"on"), LONG).await;
    assert_eq!(swap, Ok(SwapResult::Won));
}

/// A node reads a value and sleeps; the log loses it; another node writes. With random versions the sleeper's swap loses.
/// With a counter the same number is used again and the sleeper overwrites a value it has never read: so the test can fail.
#[rstest]
#[case::drawn(|_| value(b"").version, SwapResult::Lost)]
#[case::counted(Version, SwapResult::Won)]
#[tokio::test]
async fn a_version_never_comes_again(#[case] version: fn(u64) -> Version, #[case] sleeper: SwapResult) {
    let (mut server, store) = server_and_store().await;
    let tag = random_tag();
    let write = |n: u64, bytes: &[u8]| VersionedValue {
        version: version(n),
        bytes: bytes.to_vec(),
    };
    let first = write(1, b"first");
    store.swap(&tag, None, &first, LONG).await.unwrap();
    let kept = server.aof_len().await;
    let seen = write(2, b"seen by the sleeper");
    store.swap(&tag, Some(first.version), &seen, LONG).await.unwrap();
    let length = server.aof_len().await;
    server.kill();
    server.truncate_aof(Cut::Bytes(length - kept));
    server.restart(&[]).await;
    recovers(&store).await;
    assert_eq!(
        store.load(&tag).await,
        Ok(Some(first.clone())),
        "the second write is lost"
    );
    let other = write(2, b"never seen by the sleeper");
    assert_eq!(
        store.swap(&tag, Some(first.version), &other, LONG).await,
        Ok(SwapResult::Won)
    );
    let swap = store.swap(&tag, Some(seen.version), &write(3, b"x"), LONG).await;
    assert_eq!(swap, Ok(sleeper));
}

/// Eight copies of each of two hundred messages arrive at once. Reading first and writing afterwards lets copies through;
/// compare-and-set lets exactly one of each through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reading_first_and_writing_afterwards_lets_duplicates_through() {
    const MESSAGES: usize = 200;
    let server = RedisServer::start().await;
    let client = redis::Client::open(server.url()).unwrap();
    let (mut naive, mut swapped) = (0, 0);
    let store = Arc::new(redis_at(&server.url()));
    for n in 0..MESSAGES {
        let (tag, start) = (random_tag(), Arc::new(Barrier::new(8)));
        let mut copies = JoinSet::new();
        for _ in 0..8 {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let (start, store) = (start.clone(), store.clone());
            copies.spawn(async move {
                start.wait().await;
                let key = format!("naive:{n}");
                let known: Option<String> = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
                let () = redis::cmd("SET")
                    .arg(&key)
                    .arg("1")
                    .query_async(&mut connection)
                    .await
                    .unwrap();
                start.wait().await;
                let swap = store.swap(&tag, None, &value(b"x"), LONG).await.unwrap();
                (usize::from(known.is_none()), usize::from(swap == SwapResult::Won))
            });
        }
        for (by_asking, by_swap) in copies.join_all().await {
            naive += by_asking;
            swapped += by_swap;
        }
    }
    assert!(naive > MESSAGES, "the harness does not race: {naive} of {MESSAGES}");
    assert_eq!(swapped, MESSAGES);
}
