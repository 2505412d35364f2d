//! Keys are rotated as the operations manual says, under load; and a key that is missing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kiungo::ambient::OsRng;
use kiungo::config::keys::generate;
use kiungo::service::resealing::count_keys;

use super::{granted, link, to_login};
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::eventually;
use crate::support::world::{Setup, World};

/// People who link at once, one after another on each of as many phones.
const PHONES: usize = 6;
/// How often the keys are rotated.
const ROTATIONS: usize = 2;

/// Takes each server out of the balancer, restarts it and puts it back.
async fn roll(world: &mut World, line: &AggregatorClient) {
    for node in &mut world.nodes {
        let old = node.callback();
        line.servers.write().await.retain(|server| *server != old);
        assert_eq!(node.terminate().await, Some(0));
        node.restart().await;
        line.servers.write().await.push(node.callback());
    }
}

/// Servers are given a new key, then told to seal with it, one after the other and again and again, while people link:
/// every dialog goes through as if nothing happened, each login is sent once, and what was linked under every key is
/// there at the end, by then sealed under the last one alone.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_load() {
    let mut world = World::with(Setup::TwoNodes, |options| options.level = "info").await;
    let (line, done) = (world.line(), AtomicBool::new(false));
    let people = join_all((0..PHONES).map(async |phone| {
        let mut linked = Vec::new();
        while !done.load(Ordering::Relaxed) {
            let number = format!("+2348031{phone}{:05}", linked.len());
            let user = format!("ada@rotated-{phone}-{}", linked.len());
            let mut phone = Phone::new(&number, line.clone());
            link(&mut phone, &user, "good-pass-rotated").await;
            linked.push((number, user));
        }
        linked
    }));
    let rotating = async {
        for rotation in 0..ROTATIONS {
            let key = generate(&world.keys(), &OsRng).unwrap().id;
            assert_eq!(key, format!("k{}", rotation + 2));
            // All must be able to open it before anybody seals with it.
            roll(&mut world, &line).await;
            world.seal_with(&key);
            roll(&mut world, &line).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let (people, ()) = tokio::join!(people, rotating);
    assert!(people.iter().all(|linked| linked.len() > ROTATIONS), "{people:?}");
    let last = format!("k{}", ROTATIONS + 1);
    eventually(Duration::from_mins(1), async || {
        let stand = count_keys(world.records.as_ref(), |_| ()).await.unwrap();
        stand.keys().collect::<Vec<_>>() == [&last]
    })
    .await;
    for (number, user) in people.into_iter().flatten() {
        assert_eq!(world.submits(&user), granted(), "{user}");
        let mut phone = Phone::new(&number, line.clone());
        phone.dial().await.asks("It cannot move money");
        phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
    }
    for node in &world.nodes {
        let unopened = ["does not open", "cannot be opened"].map(|words| node.log().contains(words));
        assert_eq!(unopened, [false, false], "{}", node.log());
    }
}

/// A value under a key that the server does not have ends the dialog politely, is kept as a security event, submits
/// nothing, and the person begins afresh.
#[tokio::test]
async fn a_missing_key_ends_politely() {
    let mut world = World::start(Setup::Redis).await;
    let key = generate(&world.keys(), &OsRng).unwrap().id;
    world.seal_with(&key);
    let line = world.line();
    roll(&mut world, &line).await;
    let mut phone = Phone::new("+2348030007701", line.clone());
    to_login(&mut phone).await;
    phone.say("ada@no-key").await.asks("Password");
    std::fs::remove_file(world.keys().join(format!("{key}.key"))).unwrap();
    world.seal_with("k1");
    roll(&mut world, &line).await;
    phone
        .say("good-pass-no-key")
        .await
        .ends("Time is up. Please dial *384*96# to go on.");
    assert!(world.call_log().submits.is_empty());
    let log = || world.nodes[0].log();
    eventually(Duration::from_secs(10), async || {
        log().contains("live value does not open")
    })
    .await;
    link(&mut phone, "ada@no-key", "good-pass-no-key").await;
    assert_eq!(world.submits("ada@no-key"), granted());
    world.assert_absent(&["ada@no-key", "good-pass-no-key"]).await;
}
