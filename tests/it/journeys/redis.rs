//! Redis is frozen, killed, demoted, locked, full, tampered with or robbed of its last writes, in the middle of a dialog.

use std::time::Duration;

use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;
use rstest::rstest;

use super::{granted, link, to_login};
use crate::support::aggregator::{Phone, UssdReply};
use crate::support::eventually;
use crate::support::proxy::Fault as Wire;
use crate::support::redis::{Cut, RedisServer};
use crate::support::world::{Setup, World};

/// A person is told that it is no use within this time.
const SOON: Duration = Duration::from_millis(1_500);
/// A server finds its way back within this time.
const BACK: Duration = Duration::from_secs(15);

fn server(world: &mut World) -> &mut RedisServer {
    world.redis.as_mut().unwrap()
}

/// Breaks Redis.
async fn harm(world: &mut World, fault: &str) {
    let server = server(world);
    match fault {
        "frozen" => server.freeze().await,
        "killed" => {
            server.written().await;
            server.kill();
        }
        "demoted" => drop(server.command(&["REPLICAOF", "127.0.0.1", "1"]).await),
        "full" => server.config_set("maxmemory", "1").await,
        "locked" => {
            // Anyone who is connected has been let in already, so it is started again.
            server.written().await;
            server.kill();
            server.restart_locked("somebody-elses-password").await;
        }
        "hole" => world.proxy.as_ref().unwrap().set(Wire::Blackhole),
        "reset" => world.proxy.as_ref().unwrap().set(Wire::Reset),
        "half-closed" => world.proxy.as_ref().unwrap().set(Wire::HalfClose),
        other => panic!("{other}"),
    }
}

/// Puts it right.
async fn mend(world: &mut World, fault: &str) {
    let server = server(world);
    match fault {
        "frozen" => server.thaw(),
        "killed" => server.restart(&[]).await,
        "demoted" => drop(server.command(&["REPLICAOF", "NO", "ONE"]).await),
        "full" => server.config_set("maxmemory", "0").await,
        "locked" => {
            server.kill();
            server.restart(&[]).await;
        }
        _ => world.proxy.as_ref().unwrap().set(Wire::None),
    }
}

/// Whatever is wrong with Redis, a person in the middle of a dialog is told soon and politely, the server says that it is
/// not ready, nothing is sent, and when Redis is back dialling again goes on where they were.
#[tokio::test]
async fn a_broken_redis_is_told_of_and_survived() {
    let mut world = World::with(Setup::Redis, |options| options.proxy = true).await;
    let faults = [
        "frozen",
        "killed",
        "demoted",
        "full",
        "locked",
        "hole",
        "reset",
        "half-closed",
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let mut phone = world.phone(&format!("+23480300070{number:02}"));
        let user = format!("ada@redis-{fault}");
        to_login(&mut phone).await;
        phone.say(&user).await.asks("Password");
        harm(&mut world, fault).await;
        let reply = phone.say("good-pass-redis").await;
        reply
            .ends("Service is busy. Please dial *384*96# in a minute.")
            .lacks("sent");
        assert!(reply.took.0 < SOON, "{fault}: {:?}", reply.took);
        let reply = world.phone("+2348030007099").dial().await;
        reply.ends("Service is busy.");
        assert!(reply.took.0 < SOON, "{fault}: {:?}", reply.took);
        eventually(BACK, async || world.nodes[0].ready().await == 503).await;
        assert!(world.submits(&user).is_empty(), "{fault}");
        mend(&mut world, fault).await;
        eventually(BACK, async || world.nodes[0].ready().await == 200).await;
        phone.dial().await.asks("Providus Bank: Password");
        phone.say("good-pass-redis").await.ends("Done!");
        assert_eq!(world.submits(&user), granted(), "{fault}");
    }
    let secrets = ["good-pass-redis", "ada@redis-frozen", "ada@redis-locked"];
    world.assert_absent(&secrets).await;
}

/// A server that is started while Redis does not answer waits for it, instead of giving up at once.
#[tokio::test]
async fn a_start_waits_for_redis() {
    let mut world = World::start(Setup::Redis).await;
    world.nodes[0].kill();
    server(&mut world).freeze().await;
    let (node, redis) = (&mut world.nodes[0], world.redis.as_ref().unwrap());
    let log = node.launch();
    eventually(BACK, async || node.log()[log..].contains("Redis connection closed")).await;
    redis.thaw();
    node.comes_up(log).await;
    world.phone("+2348030007801").dial().await.asks("It cannot move money");
}

/// Redis dies, freezes or is full while a bank is thinking: the login is not sent again, and the link is told as soon as
/// Redis is back, for the records have taken the answer.
#[rstest]
#[case::killed("killed")]
#[case::frozen("frozen")]
#[case::full("full")]
#[tokio::test]
async fn a_login_survives_the_loss_of_redis(#[case] fault: &str) {
    let mut world = World::start(Setup::TwoNodes).await;
    let slow = FailureRule {
        on: MonoCall::Login,
        trouble: BankFailure::Slow(1_500),
        times: Some(1),
        processed: None,
    };
    world.switch(|switches| switches.faults = vec![slow]);
    let mut phone = world.phone("+2348030007101");
    to_login(&mut phone).await;
    phone.say("ada@redis-dies").await.asks("Password");
    let mut waiting = phone.clone();
    let typed = async { waiting.say("good-pass-redis-dies").await };
    let harmed = async {
        eventually(BACK, async || world.call_log().submits.len() == 1).await;
        harm(&mut world, fault).await;
    };
    let (reply, ()) = tokio::join!(typed, harmed);
    if reply.end {
        reply.ends("Service is busy.");
    } else {
        // A full Redis is still read: the turn waits to its end and finds no answer there.
        reply.asks("is checking your details");
    }
    mend(&mut world, fault).await;
    eventually(Duration::from_secs(30), async || {
        let reply = phone.dial().await;
        reply.text.contains("is linked for Sandbox Lender") || reply.text.contains("It cannot move money")
    })
    .await;
    list(&mut phone).await.asks("1 Providus Bank ..");
    assert_eq!(world.submits("ada@redis-dies"), granted());
    assert_eq!(world.accounts("ada@redis-dies").len(), 1);
}

/// The end of Redis's log is lost as in a power failure: what was told as linked still is, and nothing is sent again. What
/// Redis brings back may be a moment at which the login was under way: then it is being checked until its lease is over.
#[rstest]
#[case::little(0.05)]
#[case::much(0.6)]
#[tokio::test]
async fn a_lost_tail_loses_no_link(#[case] lost: f64) {
    let mut world = World::with(Setup::TwoNodes, |options| options.timeout = 1).await;
    let mut phone = world.phone("+2348030007201");
    let reply = link(&mut phone, "ada@tail", "good-pass-tail").await;
    let server = server(&mut world);
    server.kill();
    server.truncate_aof(Cut::Fraction(lost));
    server.restart(&[]).await;
    for node in &world.nodes {
        eventually(BACK, async || node.ready().await == 200).await;
    }
    let own = format!("1 Providus Bank ..{}", reply.masked());
    eventually(Duration::from_secs(30), async || {
        let listed = list(&mut phone).await;
        listed.lacks("2 Providus").text.contains(&own)
    })
    .await;
    assert_eq!(world.submits("ada@tail"), granted());
}

/// Redis brings back the moment at which a login was under way, after the person was told of its end: the login is not
/// sent again, and the truth is found in the records.
#[tokio::test]
async fn a_login_that_comes_back_is_not_sent_again() {
    let world = World::with(Setup::TwoNodes, |options| options.timeout = 2).await;
    let slow = FailureRule {
        on: MonoCall::Login,
        trouble: BankFailure::Slow(1_000),
        times: Some(1),
        processed: None,
    };
    world.switch(|switches| switches.faults = vec![slow]);
    let redis = world.redis.as_ref().unwrap();
    let mut phone = world.phone("+2348030007251");
    to_login(&mut phone).await;
    phone.say("ada@comes-back").await.asks("Password");
    let key = keys(&world).await.remove(0);
    let copied = async {
        eventually(BACK, async || world.call_log().submits.len() == 1).await;
        redis.command(&["COPY", &key, "under-way"]).await;
    };
    let (reply, ()) = tokio::join!(phone.say("good-pass-comes-back"), copied);
    reply.ends("Done!");
    redis.command(&["COPY", "under-way", &key, "REPLACE"]).await;
    phone.dial().await.asks("is linked for Sandbox Lender.");
    assert_eq!(world.submits("ada@comes-back"), granted());
    assert_eq!(world.accounts("ada@comes-back").len(), 1);
}

/// A redial with whatever it offers, then My accounts where they are offered.
async fn list(phone: &mut Phone) -> UssdReply {
    let mut shown = phone.dial().await;
    for _ in 0..4 {
        let key = match shown.text.as_str() {
            text if text.contains("2 Start again") => "2",
            text if text.contains("0 Back") => "0",
            _ => break,
        };
        shown = phone.say(key).await;
    }
    if shown.text.contains("2 My accounts") {
        shown = phone.say("2").await;
    }
    shown
}

/// The keys of all people in Redis.
async fn keys(world: &World) -> Vec<String> {
    let found = world.redis.as_ref().unwrap().command(&["KEYS", "kg:{*"]).await;
    redis::from_redis_value(found).unwrap()
}

/// A value that was altered, moved to another person, put back from before or replaced by something else shows nobody
/// anything of anybody, submits nothing, and does not stop the person from dialling again.
#[tokio::test]
async fn tampered_values_harm_nobody() {
    let world = World::start(Setup::TwoNodes).await;
    let redis = world.redis.as_ref().unwrap();
    let (mut ada, mut bola) = (world.phone("+2348030007301"), world.phone("+2348030007302"));
    to_login(&mut ada).await;
    let ada_key = keys(&world).await.remove(0);
    to_login(&mut bola).await;
    bola.say("bola@tampered").await.asks("Password");
    let bola_key = keys(&world).await.into_iter().find(|key| *key != ada_key).unwrap();

    redis.command(&["SETRANGE", &ada_key, "60", "altered"]).await;
    let reply = ada.say("ada@tampered").await;
    reply.ends("Time is up. Please dial *384*96# to go on.");
    to_login(&mut ada).await;

    redis.command(&["RENAME", &ada_key, "kept"]).await;
    redis.command(&["RENAME", &bola_key, &ada_key]).await;
    redis.command(&["RENAME", "kept", &bola_key]).await;
    ada.say("ada@tampered").await.ends("Time is up.").lacks("bola");
    bola.say("good-pass-bola").await.ends("Time is up.").lacks("ada");
    assert!(world.call_log().submits.is_empty());

    to_login(&mut ada).await;
    ada.say("ada@tampered").await.asks("Password");
    redis.command(&["COPY", &ada_key, "before"]).await;
    ada.say("good-pass-ada").await.ends("Done!");
    redis.command(&["COPY", "before", &ada_key, "REPLACE"]).await;
    ada.dial().await.asks("is linked for Sandbox Lender.");
    assert_eq!(world.submits("ada@tampered"), granted());
    list(&mut ada).await.asks("1 Providus Bank ..");

    redis.command(&["DEL", &ada_key]).await;
    redis.command(&["RPUSH", &ada_key, "x"]).await;
    ada.dial().await.ends("Time is up. Please dial *384*96# to go on.");
    list(&mut ada).await.asks("1 Providus Bank ..");

    redis.command(&["FLUSHALL"]).await;
    list(&mut ada).await.asks("1 Providus Bank ..");
    bola.dial().await.asks("It cannot move money");
    let secrets = ["good-pass-ada", "good-pass-bola", "bola@tampered", "ada@tampered"];
    world.assert_absent(&secrets).await;
}
