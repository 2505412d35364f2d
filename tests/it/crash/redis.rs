//! Everybody links while something is done to Redis again and again: it is killed, it is slow, it forgets people between
//! two commands. Each time it is done after so many more answers, so that a seed does much the same again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;

use super::checker::{all_see_the_truth, settles};
use super::person::{FinalResult, Person};
use crate::support::aggregator::AggregatorClient;
use crate::support::eventually;
use crate::support::machine::Stopwatch;
use crate::support::node::Node;
use crate::support::options::Options;
use crate::support::proxy::Fault;
use crate::support::redis::RedisServer;
use crate::support::seeded_rng::SeededRng;
use crate::support::soak;
use crate::support::world::{Setup, World};

/// People under way at once.
const AT_ONCE: usize = 32;
/// The servers are well again so soon after Redis is.
const BACK: Duration = Duration::from_secs(5);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two servers whose provider is given little time.
async fn world(change: impl FnOnce(&mut Options)) -> World {
    World::with(Setup::TwoNodes, |options| {
        options.timeout = 2;
        options.lease_margin = Some(2);
        options.level = "info";
        change(options);
    })
    .await
}

fn people(count: usize, first: usize) -> Vec<Person> {
    (0..count).map(|n| Person::new(first + n, n % 6 == 0)).collect()
}

async fn well(nodes: &[Node]) {
    eventually(PATIENCE, async || {
        join_all(nodes.iter().map(Node::ready))
            .await
            .iter()
            .all(|status| *status == 200)
    })
    .await;
}

/// What the test does to Redis, and when to stop.
struct Harm<'a> {
    line: &'a AggregatorClient,
    done: &'a AtomicBool,
    rng: SeededRng,
    times: usize,
}

impl Harm<'_> {
    /// Waits for so many more answers; not for ever, for people wait as well. Says whether anybody is still there.
    async fn after(&mut self, least: u64, most: u64) -> bool {
        let more = usize::try_from(least + self.rng.below(most - least)).unwrap();
        let until = self.line.answers.load(Ordering::Relaxed) + more;
        let came = eventually(PATIENCE, async || {
            self.done.load(Ordering::Relaxed) || self.line.answers.load(Ordering::Relaxed) >= until
        });
        let _ = tokio::time::timeout(Duration::from_secs(3), came).await;
        !self.done.load(Ordering::Relaxed)
    }
}

/// Everybody dials until they are told, while `harm` is done; then what they were told is held against the truth.
async fn everybody(
    world: &World,
    mut people: Vec<Person>,
    harm: impl AsyncFnOnce(Harm<'_>),
    rng: SeededRng,
) -> Vec<Person> {
    let (line, done) = (world.line(), AtomicBool::new(false));
    let call_log = || world.call_log();
    let living = async {
        iter(people.iter_mut())
            .for_each_concurrent(AT_ONCE, async |person| {
                let well = async || well(&world.nodes).await;
                person
                    .dials(&line, &call_log, well)
                    .await
                    .expect("the servers are there");
            })
            .await;
        done.store(true, Ordering::Relaxed);
    };
    let harm = harm(Harm {
        line: &line,
        done: &done,
        rng,
        times: 0,
    });
    tokio::join!(living, harm);
    settles(world, &mut people, &line, "with Redis as it was").await;
    let linked = people
        .iter()
        .filter(|person| person.result == FinalResult::Linked)
        .count();
    assert!(
        linked * 2 > people.len(),
        "only {linked} of {} were linked",
        people.len()
    );
    well(&world.nodes).await;
    all_see_the_truth(world, &people, &line, "with Redis as it was").await;
    people
}

/// Redis is killed and started again at any moment, again and again, under many people: nobody is told what is not
/// so, nothing is sent twice, no link is lost, every answer comes in time and in form, and the servers are ready again
/// within five seconds.
#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed_again_and_again() {
    let mut rng = SeededRng::seeded();
    let mut world = world(|_| ()).await;
    let mut redis = world.redis.take().unwrap();
    let own_rng = rng.fork();
    let harm = async |mut harm: Harm<'_>| {
        while harm.after(60, 240).await {
            redis.kill();
            // Some turns meet a Redis that is not there.
            harm.after(0, 12).await;
            redis.restart(&[]).await;
            let back = Stopwatch::start();
            well(&world.nodes).await;
            assert!(back.fair() < BACK, "ready after {:?}", back.elapsed());
            harm.times += 1;
        }
        let least = soak::number(3, 5);
        assert!(harm.times >= least, "killed only {} times", harm.times);
    };
    everybody(&world, people(soak::number(120, 240), 300_000), harm, own_rng).await;
}

/// Values run out between any two commands of a turn, and of a login: people begin afresh or are told that their session
/// is over. Nothing is sent twice and nobody sees what is another's.
#[tokio::test(flavor = "multi_thread")]
async fn values_run_out_at_any_moment() {
    let mut rng = SeededRng::seeded();
    let world = world(|_| ()).await;
    let redis = world.redis.as_ref().unwrap();
    let own_rng = rng.fork();
    let harm = async |mut harm: Harm<'_>| {
        while harm.after(2, 10).await {
            let keys: Vec<String> = redis::from_redis_value(redis.command(&["KEYS", "kg:{*"]).await).unwrap();
            if !keys.is_empty() {
                let (key, ttl) = (harm.rng.pick(&keys).clone(), 1 + harm.rng.below(50));
                redis.command(&["PEXPIRE", &key, &ttl.to_string()]).await;
                harm.times += 1;
            }
        }
        let least = soak::number(25, 50);
        assert!(harm.times >= least, "only {} values ran out", harm.times);
    };
    let people = everybody(&world, people(soak::number(60, 120), 310_000), harm, own_rng).await;
    assert!(people.iter().any(|person| person.redials > 1), "nobody noticed");
}

/// Makes Redis slow for two seconds, in one of three ways.
async fn slow_down(way: u64, redis: &RedisServer, world: &World) {
    match way {
        0 => drop(redis.command(&["CLIENT", "PAUSE", "2000", "ALL"]).await),
        // Answers when it has slept.
        1 => drop(redis.command(&["DEBUG", "SLEEP", "2"]).await),
        _ => world.proxy.as_ref().unwrap().set(Fault::Delay(Duration::from_secs(2))),
    }
}

/// How long the server took to say that it lives, over and over, until done.
async fn pulse(world: &World, done: &AtomicBool, taken: &Mutex<Vec<Duration>>) {
    let client = crate::support::http::client();
    let url = format!("{}/health/live", world.nodes[0].url());
    eventually(PATIENCE, async || {
        let began = Stopwatch::start();
        let status = client.get(&url).send().await.expect("an answer").status();
        assert_eq!(status, 200);
        taken.lock().unwrap().push(began.fair());
        done.load(Ordering::Relaxed)
    })
    .await;
}

/// Redis takes two seconds for everything, again and again: people see a screen or are told that it is busy, in time, and
/// nothing is sent twice. Meanwhile the servers are not held up: they say at once that they live.
#[tokio::test(flavor = "multi_thread")]
async fn redis_is_slow_again_and_again() {
    let mut rng = SeededRng::seeded();
    let world = world(|options| {
        options.redis = vec!["--enable-debug-command", "yes"];
        options.proxy = true;
    })
    .await;
    let (redis, own_rng, stop) = (world.redis.as_ref().unwrap(), rng.fork(), AtomicBool::new(false));
    let taken = Mutex::default();
    let harm = async |mut harm: Harm<'_>| {
        while harm.after(50, 130).await {
            slow_down(u64::try_from(harm.times).unwrap() % 3, redis, &world).await;
            // All who were under way meet it.
            harm.after(20, 40).await;
            world.proxy.as_ref().unwrap().set(Fault::None);
            well(&world.nodes).await;
            harm.times += 1;
        }
        let least = soak::number(3, 6);
        assert!(harm.times >= least, "slow only {} times", harm.times);
    };
    let living = async {
        everybody(&world, people(soak::number(80, 160), 320_000), harm, own_rng).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(living, pulse(&world, &stop, &taken));
    let mut taken = taken.into_inner().unwrap();
    taken.sort_unstable();
    let (median, slowest) = (taken[taken.len() / 2], taken[taken.len() - 1]);
    println!(
        "alive {} times, half of them within {median:?}, the slowest within {slowest:?}",
        taken.len()
    );
    assert!(median < Duration::from_millis(100), "{median:?}");
    // A thread that waited for Redis would take two.
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
}
