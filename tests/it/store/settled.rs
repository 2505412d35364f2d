//! A swap whose answer was lost is settled by reading again.

use std::sync::Mutex;

use async_trait::async_trait;
use kiungo::core::seal::SubscriberTag;
use kiungo::store::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue, swap_or_confirm};

use super::{Duration, LONG, put, random_tag, redis_at, value};
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::RedisServer;

/// A store whose swap fails and whose read answers as scripted, once each.
struct ScriptedStore {
    swap: Result<SwapResult, StoreError>,
    load: Mutex<Option<Result<Option<VersionedValue>, StoreError>>>,
}

#[async_trait]
impl Store for ScriptedStore {
    async fn load(&self, _: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        self.load.lock().unwrap().take().expect("read once at most")
    }

    async fn swap(
        &self,
        _: &SubscriberTag,
        _: Option<Version>,
        _: &VersionedValue,
        _: Duration,
    ) -> Result<SwapResult, StoreError> {
        self.swap.clone()
    }

    async fn set_index(&self, _: &IndexKey, _: &SubscriberTag, _: Duration) -> Result<(), StoreError> {
        unreachable!("not asked for")
    }

    async fn look_up(&self, _: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        unreachable!("not asked for")
    }

    async fn ready(&self) -> Result<(), StoreError> {
        unreachable!("not asked for")
    }
}

/// Every result of a swap and the read after it. What cannot be known is returned as the error of the swap.
#[tokio::test]
async fn what_is_unknown_stays_an_error() {
    let (before, next, third) = (value(b"before"), value(b"next"), value(b"third"));
    let lost = || Err(StoreError("timeout".to_owned()));
    let gone = || Err(StoreError("refused".to_owned()));
    let expected = Some(before.version);
    let rows = [
        ("answered", Ok(SwapResult::Lost), expected, None, Ok(SwapResult::Lost)),
        ("answered", Ok(SwapResult::Won), expected, None, Ok(SwapResult::Won)),
        (
            "ours is there",
            lost(),
            expected,
            Some(Ok(Some(next.clone()))),
            Ok(SwapResult::Won),
        ),
        (
            "ours is there, first",
            lost(),
            None,
            Some(Ok(Some(next.clone()))),
            Ok(SwapResult::Won),
        ),
        (
            "a third",
            lost(),
            expected,
            Some(Ok(Some(third.clone()))),
            Ok(SwapResult::Lost),
        ),
        (
            "a third, first",
            lost(),
            None,
            Some(Ok(Some(third))),
            Ok(SwapResult::Lost),
        ),
        ("not yet", lost(), expected, Some(Ok(Some(before))), lost()),
        ("not yet, first", lost(), None, Some(Ok(None)), lost()),
        ("expired", lost(), expected, Some(Ok(None)), lost()),
        ("still gone", lost(), expected, Some(gone()), lost()),
    ];
    for (name, swap, expected, load, outcome) in rows {
        let store = ScriptedStore {
            swap,
            load: Mutex::new(load),
        };
        let settled = swap_or_confirm(&store, &random_tag(), expected, &next, LONG).await;
        assert_eq!(settled, outcome, "{name}");
    }
}

/// With a real Redis behind a proxy that loses the answer: the write happened, the plain swap cannot know that, and reading
/// again shows that we won.
#[tokio::test]
async fn a_write_whose_answer_was_lost_is_recognised() {
    let server = RedisServer::start().await;
    let proxy = Proxy::before(server.port());
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let (store, tag) = (redis_at(&url), random_tag());
    let first = put(&store, &tag, b"first").await;
    let (second, third) = (value(b"second"), value(b"third"));
    proxy.set(Fault::LoseAnswer);
    let swap = store.swap(&tag, Some(first.version), &second, LONG).await;
    assert_eq!(swap, Err(StoreError("closed".to_owned())));
    assert_eq!(store.load(&tag).await, Ok(Some(second.clone())), "it happened");

    let store = redis_at(&url);
    store.ready().await.unwrap();
    proxy.set(Fault::LoseAnswer);
    let settled = swap_or_confirm(&store, &tag, Some(second.version), &third, LONG).await;
    assert_eq!(settled, Ok(SwapResult::Won));
    assert_eq!(store.load(&tag).await, Ok(Some(third)));
}
