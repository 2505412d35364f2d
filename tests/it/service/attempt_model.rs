//! Attempts in a live value that several nodes write at once, over both stores, against a plain model.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::attempt::{AttemptEvent, LiveAttempt, LiveAttemptState};
use kiungo::core::flow::session::ConnectSession;
use kiungo::core::flow::state::Subscriber;
use kiungo::core::ids::{AttemptId, ConnectSessionId, NodeId};
use kiungo::core::linking::SubmissionStep;
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::{Keyring, SealError, SubscriberTag};
use kiungo::core::time::Timestamp;
use kiungo::service::live::{LiveValues, LoadedValue};
use kiungo::store::memory::MemoryStore;
use kiungo::store::redis::{RedisOptions, RedisStore};
use kiungo::store::{Store, SwapResult};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::support::app_fixture::keyring;
use crate::support::redis::RedisServer;
use crate::support::soak;

const LEASE: i64 = 1_000;

fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

fn id(n: u8) -> AttemptId {
    AttemptId::from_bytes([n; 16])
}

fn msisdn(n: u32) -> Msisdn {
    Msisdn::parse(&format!("+234803{n:07}"), "NG").expect("a number")
}

fn live(store: &Arc<dyn Store>, ring: &Arc<Keyring>) -> LiveValues {
    LiveValues::new(store.clone(), ring.clone(), Arc::new(OsRng))
}

fn begun(owner: u8, attempt: u8, now: i64) -> LiveAttempt {
    LiveAttempt {
        id: id(attempt),
        step: SubmissionStep::Login,
        state: LiveAttemptState::Pending,
        owner: node(owner),
        begun_at: Timestamp::from_millis(now),
        lease_until: Timestamp::from_millis(now + LEASE),
    }
}

/// What a node does.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    Take(AttemptEvent),
}

#[derive(Clone, Debug)]
struct NodeMove {
    node: u8,
    /// Which attempt it is about: an earlier one, or the present one.
    of: u8,
    act: Act,
    passes: i64,
}

fn moves() -> impl Strategy<Value = Vec<NodeMove>> {
    let act = prop_oneof![
        2 => Just(Act::Begin),
        6 => Just(Act::Take(AttemptEvent::Send(node(0)))),
        1 => Just(Act::Take(AttemptEvent::Accept)),
        1 => Just(Act::Take(AttemptEvent::Refuse)),
        1 => Just(Act::Take(AttemptEvent::Grant)),
        1 => Just(Act::Take(AttemptEvent::Link)),
        1 => Just(Act::Take(AttemptEvent::NoAnswer)),
        2 => Just(Act::Take(AttemptEvent::Tick)),
        1 => Just(Act::Take(AttemptEvent::Lapse)),
    ];
    let one = (1_u8..4, 0_u8..3, act, prop_oneof![4 => 0_i64..200, 1 => 900_i64..1_200]);
    prop::collection::vec(
        one.prop_map(|(node, of, act, passes)| NodeMove { node, of, act, passes }),
        1..25,
    )
}

/// Plays moves through the store and against the model, one after the other.
async fn play(nodes: &[LiveValues], tag: &SubscriberTag, number: &Msisdn, moves: &[NodeMove]) {
    let (mut now, mut last, mut model) = (0, 0_u8, None::<LiveAttempt>);
    let mut sends = [0_u32; 32];
    for step in moves {
        now += step.passes;
        let writer = &nodes[usize::from(step.node - 1)];
        let about = last.saturating_sub(step.of);
        match &step.act {
            Act::Begin => {
                if model.as_ref().is_some_and(LiveAttempt::in_flight) {
                    continue;
                }
                last += 1;
                let attempt = begun(step.node, last, now);
                begin(writer, tag, number, attempt.clone()).await;
                model = Some(attempt);
            }
            Act::Take(event) => {
                let event = match event {
                    AttemptEvent::Send(_) => AttemptEvent::Send(node(step.node)),
                    other => *other,
                };
                let at = Timestamp::from_millis(now);
                let taken = writer
                    .update(tag, |state| state.attempt_mut(id(about))?.apply(event, at).ok())
                    .await
                    .expect("the store");
                let present = model.as_mut().filter(|attempt| attempt.id == id(about));
                let before = present.as_ref().map(|attempt| attempt.state);
                let wanted = present.and_then(|attempt| attempt.apply(event, at).ok());
                assert_eq!(taken, wanted, "{step:?} from {before:?}");
                if taken.is_some() && matches!(event, AttemptEvent::Send(_)) {
                    sends[usize::from(about)] += 1;
                }
            }
        }
        assert!(sends.iter().all(|sent| *sent <= 1), "sent twice");
        for reader in nodes {
            assert_eq!(present(reader, tag).await, model);
        }
    }
}

async fn begin(live: &LiveValues, tag: &SubscriberTag, number: &Msisdn, attempt: LiveAttempt) {
    let loaded = live.load(tag).await.expect("the store");
    let mut state = match loaded.value {
        LoadedValue::Subscriber(state) => *state,
        LoadedValue::Nothing => Subscriber::new(number.clone(), Locale::En),
        LoadedValue::Unreadable(error) => panic!("{error}"),
    };
    let mut session = ConnectSession::new(ConnectSessionId::from_bytes([1; 16]), None);
    session.attempt = Some(attempt);
    state.session = Some(session);
    assert!(live.swap(tag, loaded.version, &state).await.expect("the store"));
}

async fn present(live: &LiveValues, tag: &SubscriberTag) -> Option<LiveAttempt> {
    match live.load(tag).await.expect("the store").value {
        LoadedValue::Subscriber(state) => state.session?.attempt,
        LoadedValue::Nothing => None,
        LoadedValue::Unreadable(error) => panic!("{error}"),
    }
}

async fn holds(store: Arc<dyn Store>, cases: u32) {
    let ring = Arc::new(keyring(&["k1"]));
    let nodes: Vec<_> = (0..3).map(|_| live(&store, &ring)).collect();
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = moves();
    for case in 0..cases {
        let moves = strategy.new_tree(&mut runner).expect("moves").current();
        let number = msisdn(case);
        play(&nodes, &ring.tag(&number), &number, &moves).await;
    }
}

/// Of several nodes that are about to send the same attempt at the same moment, one may: its owner, once.
async fn one_may_send(store: Arc<dyn Store>) {
    let (ring, handle) = (Arc::new(keyring(&["k1"])), Handle::current());
    for case in 0..40 {
        let number = msisdn(9_000_000 + case);
        let tag = ring.tag(&number);
        begin(&live(&store, &ring), &tag, &number, begun(1, 1, 0)).await;
        // Two tasks of the owner, as after a doubled effect, and two of other nodes.
        let tries = [1, 1, 2, 3].map(|who| {
            let live = live(&store, &ring);
            handle.spawn(async move {
                let sent = live.update(&tag, |state| {
                    state
                        .attempt_mut(id(1))?
                        .apply(AttemptEvent::Send(node(who)), Timestamp::from_millis(5))
                        .ok()
                });
                sent.await.expect("the store").is_some()
            })
        });
        let mut sent = Vec::new();
        for one in tries {
            sent.push(one.await.expect("no panic"));
        }
        assert_eq!(sent.iter().filter(|sent| **sent).count(), 1, "{sent:?}");
        assert!(sent[0] || sent[1]);
    }
}

/// A blob opens only in its own place, as the write that it was; and under any key that is still accepted.
async fn bound_to_its_place(store: Arc<dyn Store>) {
    let ttl = Duration::from_mins(5);
    let old = Arc::new(keyring(&["k1"]));
    let (one, other) = (msisdn(8_000_001), msisdn(8_000_002));
    let (mine, theirs) = (old.tag(&one), old.tag(&other));
    let before = live(&store, &old);
    begin(&before, &mine, &one, begun(1, 1, 0)).await;
    begin(&before, &theirs, &other, begun(1, 2, 0)).await;
    let first = store.load(&mine).await.unwrap().expect("a value");

    // Rotated: sealed again under the new key, still opened under the old one, and no further than it is accepted.
    let both = live(&store, &Arc::new(keyring(&["m2", "k1"])));
    assert_eq!(present(&both, &mine).await.map(|attempt| attempt.id), Some(id(1)));
    begin(&both, &mine, &one, begun(2, 3, 0)).await;
    let rotated = store.load(&mine).await.unwrap().expect("a value");
    assert_eq!(broken(&before, &mine).await, Some(SealError::UnknownKey));
    let new = live(&store, &Arc::new(keyring(&["m2"])));
    assert_eq!(present(&new, &mine).await.map(|attempt| attempt.id), Some(id(3)));
    assert_eq!(broken(&new, &theirs).await, Some(SealError::UnknownKey));

    // Another person's blob, and an older one of one's own under the present version: both are refused.
    let their_version = store.load(&theirs).await.unwrap().map(|stored| stored.version);
    assert_eq!(
        store.swap(&theirs, their_version, &rotated, ttl).await,
        Ok(SwapResult::Won)
    );
    assert_eq!(broken(&both, &theirs).await, Some(SealError::Broken));
    let mut replayed = first.clone();
    replayed.version = rotated.version;
    assert_eq!(
        store.swap(&mine, Some(rotated.version), &replayed, ttl).await,
        Ok(SwapResult::Won)
    );
    assert_eq!(broken(&both, &mine).await, Some(SealError::Broken));

    // Every changed byte is seen.
    for at in 0..rotated.bytes.len() {
        let mut altered = rotated.clone();
        altered.bytes[at] ^= 1;
        let version = store.load(&mine).await.unwrap().map(|stored| stored.version);
        assert_eq!(store.swap(&mine, version, &altered, ttl).await, Ok(SwapResult::Won));
        assert!(broken(&both, &mine).await.is_some(), "byte {at}");
    }
}

async fn broken(live: &LiveValues, tag: &SubscriberTag) -> Option<SealError> {
    match live.load(tag).await.expect("the store").value {
        LoadedValue::Unreadable(error) => Some(error),
        LoadedValue::Nothing | LoadedValue::Subscriber(_) => None,
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

/// In memory, the value always is what the model says, and nothing is sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_hold_in_memory() {
    holds(memory(), soak::number(300, 3_000)).await;
    one_may_send(memory()).await;
    bound_to_its_place(memory()).await;
}

/// The same in a real Redis.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_hold_in_redis() {
    let server = RedisServer::start().await;
    let store: Arc<dyn Store> =
        Arc::new(RedisStore::connect(&server.url(), RedisOptions::default()).expect("an address"));
    holds(store.clone(), soak::number(60, 600)).await;
    one_may_send(store.clone()).await;
    bound_to_its_place(store).await;
}
