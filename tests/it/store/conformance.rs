//! The contract of every store. Each test runs against both.

use std::collections::HashMap;
use std::sync::Arc;

use kiungo::core::seal::SubscriberTag;
use kiungo::store::{IndexKey, Store, SwapResult, Version, VersionedValue, connect};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{Duration, LONG, clock, next_version, put, random_tag, value};
use crate::support::eventually;
use crate::support::redis::RedisServer;
use crate::support::soak;

#[derive(Clone, Copy, Debug)]
enum StoreKind {
    Memory,
    Redis,
}

/// A store with two handles, as on two nodes, and what must live as long as it does.
struct StoreFixture {
    nodes: Vec<Arc<dyn Store>>,
    _server: Option<RedisServer>,
}

impl StoreFixture {
    async fn of(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Memory => {
                let store = connect("memory:", clock()).unwrap();
                Self {
                    nodes: vec![store.clone(), store],
                    _server: None,
                }
            }
            StoreKind::Redis => {
                let server = RedisServer::start().await;
                let node = || connect(&server.url(), clock()).unwrap();
                Self {
                    nodes: vec![node(), node()],
                    _server: Some(server),
                }
            }
        }
    }

    fn store(&self) -> &dyn Store {
        &*self.nodes[0]
    }

    fn other(&self) -> &dyn Store {
        &*self.nodes[1]
    }
}

/// A new store is empty, ready, and has no findings.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn a_new_store_is_empty_and_ready(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    assert_eq!(fixture.store().load(&random_tag()).await, Ok(None));
    assert_eq!(fixture.store().look_up(&IndexKey([1; 32])).await, Ok(None));
    assert_eq!(fixture.store().ready().await, Ok(()));
    assert_eq!(fixture.store().check_setup().await, []);
}

/// A swap wins only if the current version is the expected one, and a lost swap changes nothing.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn a_swap_wins_only_over_the_expected_version(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let (store, tag) = (fixture.store(), random_tag());
    let (first, second) = (value(b"first"), value(b"second"));
    let missing = store.swap(&tag, Some(first.version), &second, LONG).await;
    assert_eq!(
        missing,
        Ok(SwapResult::Lost),
        "expected a version where there is nothing"
    );
    assert_eq!(store.load(&tag).await, Ok(None));
    assert_eq!(store.swap(&tag, None, &first, LONG).await, Ok(SwapResult::Won));
    assert_eq!(
        store.swap(&tag, None, &second, LONG).await,
        Ok(SwapResult::Lost),
        "exists"
    );
    let stale = store.swap(&tag, Some(second.version), &second, LONG).await;
    assert_eq!(stale, Ok(SwapResult::Lost), "another version");
    assert_eq!(fixture.other().load(&tag).await, Ok(Some(first.clone())));
    let won = fixture.other().swap(&tag, Some(first.version), &second, LONG).await;
    assert_eq!(won, Ok(SwapResult::Won));
    assert_eq!(store.load(&tag).await, Ok(Some(second.clone())));
    let replayed = store.swap(&tag, Some(first.version), &first, LONG).await;
    assert_eq!(replayed, Ok(SwapResult::Lost), "a version that was there before");
}

/// All 64 bits of a version are compared; a blob is any bytes, up to a mebibyte.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn versions_and_blobs_come_back_as_they_were(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let all_bytes: Vec<u8> = (0..=255).collect();
    let blobs = [vec![], b"\0\r\n$-1\r\n".to_vec(), all_bytes.repeat(4_096)];
    let versions = [0, 1, u64::MAX, 1 << 63, 0x0d0a_0d0a_0d0a_0d0a];
    for (version, blob) in versions.iter().flat_map(|v| blobs.iter().map(move |b| (*v, b))) {
        let tag = random_tag();
        let stored = VersionedValue {
            version: Version(version),
            bytes: blob.clone(),
        };
        assert_eq!(
            fixture.store().swap(&tag, None, &stored, LONG).await,
            Ok(SwapResult::Won)
        );
        assert_eq!(fixture.store().load(&tag).await, Ok(Some(stored.clone())));
        for bit in [0, 31, 63] {
            let near = Version(version ^ (1 << bit));
            let swap = fixture.store().swap(&tag, Some(near), &value(b""), LONG).await;
            assert_eq!(swap, Ok(SwapResult::Lost), "version {version:#x} but for bit {bit}");
        }
    }
}

/// One subscriber's value does not affect another's, nor an opaque name with the same bytes.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn subscribers_and_names_are_separate(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let (store, ada, eve) = (fixture.store(), random_tag(), random_tag());
    let hers = put(store, &ada, b"ada").await;
    assert_eq!(store.load(&eve).await, Ok(None));
    let crossed = store.swap(&eve, Some(hers.version), &value(b"eve"), LONG).await;
    assert_eq!(crossed, Ok(SwapResult::Lost));
    let name = IndexKey(*ada.as_bytes());
    assert_eq!(store.look_up(&name).await, Ok(None));
    store.set_index(&name, &eve, LONG).await.unwrap();
    assert_eq!(fixture.other().look_up(&name).await, Ok(Some(eve)));
    assert_eq!(store.load(&ada).await, Ok(Some(hers)));
    store.set_index(&name, &ada, LONG).await.unwrap();
    assert_eq!(store.look_up(&name).await, Ok(Some(ada)), "the last one counts");
}

/// Values and names expire; a swap sets a new time to live; a time to live that is too long or zero is not an error.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn values_and_names_end(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let (store, short) = (fixture.store(), Duration::from_millis(60));
    let (fading, kept, name) = (random_tag(), random_tag(), IndexKey([9; 32]));
    store.swap(&fading, None, &value(b"x"), short).await.unwrap();
    store.set_index(&name, &fading, short).await.unwrap();
    let first = value(b"first");
    store.swap(&kept, None, &first, short).await.unwrap();
    let second = value(b"second");
    store.swap(&kept, Some(first.version), &second, LONG).await.unwrap();
    eventually(Duration::from_secs(5), async || {
        store.load(&fading).await == Ok(None) && store.look_up(&name).await == Ok(None)
    })
    .await;
    assert_eq!(store.load(&kept).await, Ok(Some(second)));
    assert_eq!(
        store.swap(&fading, None, &value(b"again"), LONG).await,
        Ok(SwapResult::Won)
    );
    let endless = store.swap(&random_tag(), None, &value(b""), Duration::MAX).await;
    assert_eq!(endless, Ok(SwapResult::Won));
    let brief = random_tag();
    let swap = store.swap(&brief, None, &value(b""), Duration::ZERO).await;
    assert_eq!(swap, Ok(SwapResult::Won));
    eventually(Duration::from_secs(5), async || store.load(&brief).await == Ok(None)).await;
}

/// When a value expires it is either whole or absent, never wrong, and once absent it stays absent.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test]
async fn a_value_expires_whole(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let store = fixture.store();
    let edge = |ttl: u64| async move {
        let (tag, ttl) = (random_tag(), Duration::from_millis(ttl));
        let mut present = value(b"0");
        assert_eq!(store.swap(&tag, None, &present, ttl).await, Ok(SwapResult::Won));
        let mut seen = 0;
        while let Some(found) = store.load(&tag).await.unwrap() {
            assert_eq!(found, present);
            seen += 1;
            let next = value(format!("{seen}").as_bytes());
            // In a third of the rounds the value expires between the load and the swap.
            if seen % 3 == 0 && seen < 30 {
                match store.swap(&tag, Some(present.version), &next, ttl).await.unwrap() {
                    SwapResult::Won => present = next,
                    SwapResult::Lost => assert_eq!(store.load(&tag).await, Ok(None)),
                }
            }
        }
        assert_eq!(store.load(&tag).await, Ok(None));
        let late = store.swap(&tag, Some(present.version), &value(b"late"), ttl).await;
        assert_eq!(late, Ok(SwapResult::Lost));
    };
    futures_util::future::join_all((1..=50).chain(1..=50).map(edge)).await;
}

/// Sixty-four callers on two nodes swap one version at once: one wins each round, and its value is stored.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_callers_exactly_one_wins(#[case] kind: StoreKind) {
    let fixture = StoreFixture::of(kind).await;
    let tag = random_tag();
    let mut expected = None;
    for round in 0..20 {
        let start = Arc::new(Barrier::new(64));
        let mut racers = JoinSet::new();
        for n in 0..64 {
            let (store, start, next) = (fixture.nodes[n % 2].clone(), start.clone(), value(&[0; 100]));
            racers.spawn(async move {
                start.wait().await;
                (store.swap(&tag, expected, &next, LONG).await.unwrap(), next)
            });
        }
        let ended = racers.join_all().await;
        let won: Vec<_> = ended.iter().filter(|(swap, _)| *swap == SwapResult::Won).collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(fixture.store().load(&tag).await, Ok(Some(won[0].1.clone())));
        expected = Some(won[0].1.version);
    }
}

/// One step of the model test: a subscriber or a name by number, and how the expected version is chosen.
#[derive(Clone, Debug)]
enum Step {
    Load(usize),
    Swap(usize, Expect, Vec<u8>),
    Point(usize, usize),
    Follow(usize),
}

#[derive(Clone, Debug)]
enum Expect {
    Nothing,
    Present,
    Former(prop::sample::Index),
    Unheard(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let expect = prop_oneof![
        2 => Just(Expect::Nothing),
        4 => Just(Expect::Present),
        2 => any::<prop::sample::Index>().prop_map(Expect::Former),
        1 => any::<u64>().prop_map(Expect::Unheard),
    ];
    prop_oneof![
        2 => (0..3_usize).prop_map(Step::Load),
        5 => (0..3_usize, expect, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(who, e, b)| Step::Swap(who, e, b)),
        1 => (0..2_usize, 0..3_usize).prop_map(|(name, who)| Step::Point(name, who)),
        1 => (0..2_usize).prop_map(Step::Follow),
    ]
}

/// Any sequence of calls behaves like a plain map.
#[rstest]
#[case(StoreKind::Memory)]
#[case(StoreKind::Redis)]
fn any_sequence_behaves_like_a_map(#[case] kind: StoreKind) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(StoreFixture::of(kind));
    let config = Config {
        cases: soak::number(100, 1_000),
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..60), |steps| {
            runtime.block_on(follow_model(fixture.store(), steps));
            Ok(())
        })
        .unwrap();
}

async fn follow_model(store: &dyn Store, steps: Vec<Step>) {
    let people: [SubscriberTag; 3] = std::array::from_fn(|_| random_tag());
    let names: [IndexKey; 2] = std::array::from_fn(|_| IndexKey(*random_tag().as_bytes()));
    let mut values: HashMap<usize, VersionedValue> = HashMap::new();
    let mut pointed: HashMap<usize, SubscriberTag> = HashMap::new();
    let mut versions = vec![Version(next_version())];
    for step in steps {
        match step {
            Step::Load(who) => assert_eq!(store.load(&people[who]).await, Ok(values.get(&who).cloned())),
            Step::Swap(who, expect, bytes) => {
                let next = value(&bytes);
                let present = values.get(&who).map(|stored| stored.version);
                let expected = match expect {
                    Expect::Nothing => None,
                    Expect::Present => present,
                    Expect::Former(index) => Some(*index.get(&versions)),
                    Expect::Unheard(version) => Some(Version(version)),
                };
                versions.push(next.version);
                let should = if expected == present {
                    SwapResult::Won
                } else {
                    SwapResult::Lost
                };
                assert_eq!(store.swap(&people[who], expected, &next, LONG).await, Ok(should));
                if should == SwapResult::Won {
                    values.insert(who, next);
                }
            }
            Step::Point(name, who) => {
                store.set_index(&names[name], &people[who], LONG).await.unwrap();
                pointed.insert(name, people[who]);
            }
            Step::Follow(name) => assert_eq!(store.look_up(&names[name]).await, Ok(pointed.get(&name).copied())),
        }
    }
}
