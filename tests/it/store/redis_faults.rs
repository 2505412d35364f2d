//! Redis faults: every call ends within a second, fails with one code, and the store recovers by itself.

use std::time::Instant;

use futures_util::future::join_all;
use kiungo::store::redis::RedisStore;
use kiungo::store::{Store, StoreError, SwapResult, Version};
use rstest::rstest;

use super::{CALL, Duration, LONG, RECOVERY, failure, key, put, random_tag, redis_at, value};
use crate::support::eventually;
use crate::support::machine::Stopwatch;
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::RedisServer;

pub async fn server_and_store() -> (RedisServer, RedisStore) {
    let server = RedisServer::start().await;
    let store = redis_at(&server.url());
    (server, store)
}

/// Waits until the store works again, within the promised time.
pub async fn recovers(store: &RedisStore) {
    eventually(RECOVERY, async || store.ready().await.is_ok()).await;
}

/// A crash: calls fail at once while Redis is down, and after its restart the store has every acknowledged write.
#[tokio::test]
async fn a_killed_redis_is_missed_and_found_again() {
    let (mut server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.written().await;
    server.kill();
    for _ in 0..20 {
        let word = failure(store.load(&tag)).await;
        assert!(["refused", "closed"].contains(&word.as_str()), "{word}");
        failure(store.swap(&tag, Some(stored.version), &value(b"x"), LONG)).await;
        failure(store.ready()).await;
    }
    server.restart(&[]).await;
    recovers(&store).await;
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}

/// A read does not notice a restart between two calls: it finds the connection closed and is sent again.
#[tokio::test]
async fn a_read_survives_a_connection_closed_while_idle() {
    let (mut server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.stop();
    server.restart(&[]).await;
    assert_eq!(store.load(&tag).await, Ok(Some(stored.clone())));
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}

/// A frozen Redis does not answer on open connections but accepts new ones: a hundred concurrent callers all fail within a
/// second, later ones too, and the store recovers when Redis continues.
#[tokio::test]
async fn a_frozen_redis_blocks_nobody() {
    let (server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.freeze().await;
    for _ in 0..3 {
        let start = Stopwatch::start();
        let calls = join_all((0..100).map(|_| failure(store.load(&tag)))).await;
        assert!(start.fair() <= CALL, "{:?}", start.elapsed());
        assert!(calls.iter().all(|word| word == "timeout"), "{calls:?}");
    }
    assert_eq!(failure(store.ready()).await, "timeout");
    server.thaw();
    recovers(&store).await;
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}

/// Whatever the network does, calls fail within a second with an expected code, and the store recovers with the network,
/// although its old connection may be dead forever.
#[rstest]
#[case(Fault::Blackhole, &["timeout"])]
#[case(Fault::Reset, &["closed"])]
#[case(Fault::Refuse, &["closed", "refused"])]
#[case(Fault::HalfClose, &["closed"])]
#[case(Fault::Delay(Duration::from_secs(2)), &["timeout"])]
#[case(Fault::Limit(0), &["closed"])]
#[tokio::test]
async fn a_broken_network_is_survived(#[case] fault: Fault, #[case] words: &[&str]) {
    let server = RedisServer::start().await;
    let proxy = Proxy::before(server.port());
    let store = redis_at(&format!("redis://127.0.0.1:{}", proxy.port()));
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    proxy.set(fault);
    for _ in 0..3 {
        let word = failure(store.swap(&tag, Some(Version(0)), &value(b"x"), LONG)).await;
        assert!(words.contains(&word.as_str()), "{word}");
        let word = failure(store.load(&tag)).await;
        assert!(words.contains(&word.as_str()), "{word}");
    }
    proxy.set(Fault::None);
    recovers(&store).await;
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}

/// A command that Redis pauses for two seconds delays no caller beyond one second.
#[tokio::test]
async fn a_slow_redis_is_given_up_in_time() {
    let (server, store) = server_and_store().await;
    let tag = random_tag();
    put(&store, &tag, b"kept").await;
    server.command(&["CLIENT", "PAUSE", "2000", "ALL"]).await;
    assert_eq!(failure(store.load(&tag)).await, "timeout");
    assert_eq!(failure(store.swap(&tag, None, &value(b"x"), LONG)).await, "timeout");
    eventually(Duration::from_secs(2) + RECOVERY, async || store.ready().await.is_ok()).await;
}

/// During an outage, many callers make few connections.
#[rstest]
#[case(Fault::Reset)]
#[case(Fault::Limit(0))]
#[case(Fault::Blackhole)]
#[tokio::test]
async fn an_outage_causes_no_connection_storm(#[case] fault: Fault) {
    let server = RedisServer::start().await;
    let proxy = Proxy::before(server.port());
    let store = redis_at(&format!("redis://127.0.0.1:{}", proxy.port()));
    store.ready().await.unwrap();
    proxy.set(fault);
    let (before, start, mut calls) = (proxy.accepted(), Instant::now(), 0);
    eventually(Duration::from_secs(5), async || {
        join_all((0..50).map(|_| failure(store.ready()))).await;
        calls += 50;
        start.elapsed() > Duration::from_secs(1)
    })
    .await;
    let tenths = usize::try_from(start.elapsed().as_millis() / 100).unwrap();
    let dialled = proxy.accepted() - before;
    assert!(
        dialled <= 2 * (tenths + 1),
        "{dialled} connections for {calls} calls in {tenths} tenths of a second"
    );
    proxy.set(Fault::None);
    recovers(&store).await;
}

/// A server that became a replica refuses writes with a code; values can still be read; after promotion it is used again.
#[tokio::test]
async fn a_demoted_redis_is_read_only() {
    let (server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    let word = failure(store.swap(&tag, Some(stored.version), &value(b"x"), LONG)).await;
    assert_eq!(word, "READONLY");
    eventually(RECOVERY, async || store.load(&tag).await == Ok(Some(stored.clone()))).await;
    eventually(RECOVERY, async || {
        store.ready().await == Err(StoreError("READONLY".to_owned()))
    })
    .await;
    server.command(&["REPLICAOF", "NO", "ONE"]).await;
    recovers(&store).await;
    let swap = store.swap(&tag, Some(stored.version), &value(b"x"), LONG).await;
    assert_eq!(swap, Ok(SwapResult::Won));
}

/// After a failover the address leads to another server while the old connection stays open and healthy: the store must
/// leave it by itself.
#[tokio::test]
async fn a_failover_is_followed() {
    let (old, new) = (RedisServer::start().await, RedisServer::start().await);
    let proxy = Proxy::before(old.port());
    let store = redis_at(&format!("redis://127.0.0.1:{}", proxy.port()));
    put(&store, &random_tag(), b"old").await;
    old.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    proxy.repoint(new.port());
    assert_eq!(
        failure(store.swap(&random_tag(), None, &value(b"x"), LONG)).await,
        "READONLY"
    );
    recovers(&store).await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"new").await;
    assert_eq!(redis_at(&new.url()).load(&tag).await, Ok(Some(stored)));
}

/// A password that is set on the running server locks us out with a code, and its removal lets us in again.
#[tokio::test]
async fn a_password_we_do_not_have_shuts_us_out() {
    let (server, store) = server_and_store().await;
    store.ready().await.unwrap();
    server.config_set("requirepass", "hunter2").await;
    let admin = redis::Client::open(format!("redis://:hunter2@127.0.0.1:{}", server.port())).unwrap();
    let mut admin = admin.get_multiplexed_async_connection().await.unwrap();
    let mut kill = redis::cmd("CLIENT");
    kill.arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]);
    kill.query_async::<()>(&mut admin).await.unwrap();
    eventually(RECOVERY, async || failure(store.load(&random_tag())).await == "NOAUTH").await;
    let wrong = redis_at(&format!("redis://:swordfish@127.0.0.1:{}", server.port()));
    assert_eq!(failure(wrong.ready()).await, "NOAUTH");
    let right = redis_at(&format!("redis://:hunter2@127.0.0.1:{}", server.port()));
    assert_eq!(right.ready().await, Ok(()));
    let mut open = redis::cmd("CONFIG");
    open.arg(&["SET", "requirepass", ""]);
    open.query_async::<()>(&mut admin).await.unwrap();
    recovers(&store).await;
}

/// A key that holds something else reads as a value with an empty blob, which its owner replaces like any other. A writer
/// that expected no value or another one loses, nobody else is affected, and no connection is lost.
#[rstest]
#[case::list(&["LPUSH", "x"])]
#[case::set(&["SADD", "x"])]
#[case::hash(&["HSET", "x", "y"])]
#[case::sorted(&["ZADD", "1", "x"])]
#[case::stream(&["XADD", "*", "x", "y"])]
#[case::one_byte(&["SET", "1"])]
#[case::seven_bytes(&["SET", "1234567"])]
#[tokio::test]
async fn a_poisoned_key_is_replaced(#[case] poison: &[&str]) {
    let server = RedisServer::start().await;
    let proxy = Proxy::before(server.port());
    let store = redis_at(&format!("redis://127.0.0.1:{}", proxy.port()));
    let (poisoned, well) = (random_tag(), random_tag());
    let stored = put(&store, &well, b"well").await;
    let before = put(&store, &poisoned, b"before").await;
    let connections = proxy.accepted();
    server.command(&["DEL", &key(&poisoned)]).await;
    server
        .command(&[&[poison[0], &key(&poisoned)], &poison[1..]].concat())
        .await;
    let found = store.load(&poisoned).await.unwrap().expect("something is there");
    assert_eq!(found.bytes, b"");
    for expected in [None, Some(before.version), Some(Version(0))] {
        let swap = store.swap(&poisoned, expected, &value(b"x"), LONG).await;
        assert_eq!(swap, Ok(SwapResult::Lost), "{expected:?}");
    }
    let next = value(b"next");
    let expected = Some(found.version);
    assert_eq!(store.swap(&poisoned, expected, &next, LONG).await, Ok(SwapResult::Won));
    assert_eq!(
        store.swap(&poisoned, expected, &value(b"x"), LONG).await,
        Ok(SwapResult::Lost)
    );
    assert_eq!(store.load(&poisoned).await, Ok(Some(next)));
    assert_eq!(store.load(&well).await, Ok(Some(stored)));
    assert_eq!(proxy.accepted(), connections);
}

/// A full server refuses writes, keeps its values, and accepts writes again when there is room.
#[tokio::test]
async fn a_full_redis_keeps_what_it_has() {
    let (server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.config_set("maxmemory", "1").await;
    for expected in [None, Some(stored.version)] {
        let who = expected.map_or_else(random_tag, |_| tag);
        assert_eq!(failure(store.swap(&who, expected, &value(b"x"), LONG)).await, "OOM");
    }
    assert_eq!(failure(store.ready()).await, "OOM");
    assert_eq!(store.load(&tag).await, Ok(Some(stored.clone())));
    server.config_set("maxmemory", "0").await;
    assert_eq!(store.ready().await, Ok(()));
    let swap = store.swap(&tag, Some(stored.version), &value(b"x"), LONG).await;
    assert_eq!(swap, Ok(SwapResult::Won));
}

/// A server that cannot save to its disk refuses writes with its own code, and can still be read.
#[tokio::test]
async fn a_redis_that_cannot_save_refuses_writes() {
    let (server, store) = server_and_store().await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.config_set("save", "3600 1").await;
    std::fs::remove_dir_all(server.dir()).unwrap();
    server.command(&["BGSAVE"]).await;
    eventually(Duration::from_secs(10), async || {
        store.ready().await == Err(StoreError("MISCONF".to_owned()))
    })
    .await;
    let swap = store.swap(&tag, Some(stored.version), &value(b"x"), LONG).await;
    assert_eq!(swap, Err(StoreError("MISCONF".to_owned())));
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}

/// A server that is still loading its log says so, calls end in time, and the store works afterwards.
#[tokio::test]
async fn a_loading_redis_is_waited_for() {
    let (mut server, store) = server_and_store().await;
    let fill = "for n = 1, 12000 do redis.call('SET', 'filler:' .. n, n) end";
    server.command(&["EVAL", fill, "0"]).await;
    let tag = random_tag();
    let stored = put(&store, &tag, b"kept").await;
    server.stop();
    // Redis answers clients at every 1,024th entry: with 150 us for each it takes two seconds in all and answers in time.
    server.launch(&["--key-load-delay", "100"]);
    let mut words = std::collections::BTreeSet::new();
    eventually(Duration::from_secs(20), async || {
        let start = Stopwatch::start();
        let ready = store.ready().await;
        assert!(start.fair() <= CALL);
        ready.map_err(|StoreError(word)| words.insert(word)).is_ok()
    })
    .await;
    assert!(words.contains("LOADING"), "{words:?}");
    assert_eq!(store.load(&tag).await, Ok(Some(stored)));
}
