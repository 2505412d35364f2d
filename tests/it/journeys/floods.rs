//! More callbacks than a server takes: from everybody, and from one person.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{granted, link, to_login};
use crate::support::aggregator::Phone;
use crate::support::eventually;
use crate::support::http::client;
use crate::support::soak;
use crate::support::world::{Setup, World};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a person is told when everybody calls.
const BUSY: &str = "Service is busy. Please dial *384*96# in a minute.";
/// What a person is told who calls too often.
const TOO_MANY: &str = "Too many tries. Please wait a minute, then dial *384*96#";

/// How many turns ended so.
async fn turns(world: &World, outcome: &str) -> usize {
    let metrics = client()
        .get(format!("{}/metrics", world.nodes[0].url()))
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    let name = format!("kiungo_turns_total{{outcome=\"{outcome}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().unwrap())
}

/// How many people dial in the flood.
fn dials() -> usize {
    soak::number(1_200, 3_000)
}

/// Dials from new numbers until all of the flood's were dialled, and counts those that were served.
async fn flood(world: &World, dialled: &AtomicUsize, served: &AtomicUsize) {
    loop {
        let number = dialled.fetch_add(1, Ordering::SeqCst);
        if number >= dials() {
            return;
        }
        let reply = world.phone(&format!("+234803{:07}", 1_000_000 + number)).dial().await;
        if reply.end {
            assert_eq!(reply.text, BUSY);
        } else {
            reply.asks("It cannot move money");
            served.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Finishes a journey that has come to the user name, a turn in each quarter of the flood.
async fn finish(mut phone: Phone, user: &str, dialled: &AtomicUsize) {
    let amid = async |part: usize| {
        eventually(PATIENCE, async || dialled.load(Ordering::SeqCst) > dials() * part / 4).await;
    };
    amid(1).await;
    phone.say(user).await.asks("Password");
    amid(2).await;
    let mut reply = phone.say("good-pass-flood").await;
    if !reply.end {
        reply = phone.until("1", "Done!").await;
    }
    reply.ends("Done! Providus Bank ..");
}

/// Thousands of people dial at once. Those who were in a dialog finish it, all of them; those who dial meanwhile get the
/// first screen or are told politely to try later; anyone who was told so has left nothing behind.
#[tokio::test]
async fn people_in_a_dialog_finish_it_in_a_flood() {
    const LANES: usize = 12;
    const PEOPLE: usize = 6;
    let world = World::with(Setup::Redis, |options| {
        options.limits = "turns_per_second = 20\nburst = 40";
    })
    .await;
    let world = &world;
    let (dialled, served) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let users: Vec<_> = (0..PEOPLE).map(|n| format!("ada@flood-{n}")).collect();
    let mut honest = Vec::new();
    for (n, user) in users.iter().enumerate() {
        let mut phone = world.phone(&format!("+23480300050{n:02}"));
        to_login(&mut phone).await;
        honest.push(finish(phone, user, &dialled));
    }
    let lanes = (0..LANES).map(|_| flood(world, &dialled, &served));
    tokio::join!(join_all(lanes), join_all(honest));
    for user in &users {
        assert_eq!(world.submits(user), granted());
    }
    let served = served.into_inner();
    assert!(
        served > 0 && served < dials() / 2,
        "{served} of {}: no flood, or no service",
        dials()
    );
    assert_eq!(turns(world, "shed").await, dials() - served);
    let keys = world.redis.as_ref().unwrap().command(&["KEYS", "kg:{*"]).await;
    let keys: Vec<String> = redis::from_redis_value(keys).unwrap();
    assert_eq!(keys.len(), served + PEOPLE);
}

/// One number calls as fast as it can, in many dialogs at once: it gets a minute's worth of turns and is then told to
/// wait. Everybody else is served as ever, and the bank hears no more of the number than of any other.
#[tokio::test]
async fn one_person_cannot_take_it_all() {
    const LANES: usize = 6;
    const TURNS: usize = 150;
    let world = World::with(Setup::Redis, |options| options.limits = "person_turns_per_minute = 30").await;
    let world = &world;
    let began = Instant::now();
    let (asked, granted_turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let greedy = |lane: usize| {
        let (asked, served) = (&asked, &granted_turns);
        async move {
            let mut phone = world.phone("+2348030005101");
            let user = format!("ada@greedy-{lane}");
            let lines = ["1", "providus", &user, "wrong-pass-greedy"];
            let mut line = lines.iter();
            let mut reply = phone.dial().await;
            while asked.fetch_add(1, Ordering::SeqCst) < LANES * TURNS {
                served.fetch_add(usize::from(!reply.end), Ordering::SeqCst);
                reply = if let Some(line) = line.next().filter(|_| !reply.end) {
                    phone.say(line).await
                } else {
                    line = lines.iter();
                    phone.dial().await
                };
            }
        }
    };
    let others = |n: usize| async move {
        let mut phone: Phone = world.phone(&format!("+23480300052{n:02}"));
        link(&mut phone, &format!("ada@beside-{n}"), &format!("good-pass-beside-{n}")).await;
    };
    tokio::join!(join_all((0..LANES).map(greedy)), join_all((0..4).map(others)));
    let most = 30 + usize::try_from(began.elapsed().as_secs()).unwrap() / 2 + 1;
    let granted_turns = granted_turns.into_inner();
    assert!(
        granted_turns <= most,
        "{granted_turns} turns were served, at most {most} may be"
    );
    assert!(turns(world, "shed").await > LANES * TURNS / 2);
    // The others took their time: a few more turns, and it is told again.
    let mut greedy = world.phone("+2348030005101");
    eventually(Duration::from_secs(20), async || greedy.dial().await.text == TOO_MANY).await;
    for n in 0..4 {
        assert_eq!(world.submits(&format!("ada@beside-{n}")), granted());
    }
    let submitted: usize = (0..LANES)
        .map(|lane| world.submits(&format!("ada@greedy-{lane}")).len())
        .sum();
    assert!(submitted <= 2, "{submitted} logins reached the bank");
}
