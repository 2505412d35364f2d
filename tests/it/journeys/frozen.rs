//! A server stands still for longer than anybody waits, and goes on as if nothing had been: as a machine does that is
//! paused, moved or swapped out. Another one has served its people meanwhile. (A4)

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::msisdn::Msisdn;
use kiungo::sandbox::bank::{BankFailure, FailureRule, sha256_hex};
use kiungo::sandbox::mono::MonoCall;
use kiungo::service::live::{LiveValues, LoadedValue};
use kiungo::store::connect;

use super::{granted, to_login};
use crate::support::aggregator::{NoReply, Phone, UssdReply};
use crate::support::eventually;
use crate::support::options::Options;
use crate::support::proxy::Fault as Wire;
use crate::support::world::{Setup, World};

/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lease of a submission is over after so many seconds.
fn short_lease(options: &mut Options) {
    options.timeout = 2;
    options.lease_margin = Some(1);
}

/// Whatever a server says that was frozen in the middle of a turn, if its gateway still listens: it claims nothing about a
/// submission that others have seen to.
fn claims_nothing(late: Result<UssdReply, NoReply>) {
    if let Ok(late) = late {
        late.ends("").lacks("Nothing was").lacks("did not let you in");
    }
}

/// One link, and the server says so.
async fn listed(phone: &mut Phone) {
    phone.dial().await.asks("It cannot move money");
    phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
}

/// It stands still while the bank thinks, and the bank's answer waits in its socket: the other server finds the truth out
/// and tells it. When the first goes on and reads the answer, it changes nothing.
#[tokio::test]
async fn frozen_while_the_bank_thinks() {
    const NUMBER: &str = "+2348030009601";
    let mut world = World::with(Setup::TwoNodes, short_lease).await;
    world.hook(1);
    world.switch(|switches| {
        switches.faults = vec![FailureRule {
            on: MonoCall::Login,
            trouble: BankFailure::Slow(1_000),
            times: Some(1),
            processed: None,
        }];
    });
    let mut stuck = Phone::new(NUMBER, world.nodes[0].line().patient());
    to_login(&mut stuck).await;
    stuck.say("ada@frozen").await.asks("Password");
    let elsewhere = async {
        eventually(PATIENCE, async || world.call_log().submits.len() == 1).await;
        world.nodes[0].freeze().await;
        let mut phone = world.phone_at(1, NUMBER);
        let mut reply = phone.dial().await;
        if !reply.end {
            reply.asks("Providus Bank is checking your details");
            reply = phone.until("1", "Done!").await;
        }
        reply.ends("is linked for Sandbox Lender");
        world.nodes[0].thaw();
    };
    let (late, ()) = tokio::join!(stuck.try_say("good-pass-frozen"), elsewhere);
    claims_nothing(late);
    listed(&mut world.phone_at(0, NUMBER)).await;
    // Everything that it had begun is done.
    assert_eq!(world.nodes[0].terminate().await, Some(0));
    assert_eq!(world.submits("ada@frozen"), granted());
    assert_eq!(world.accounts("ada@frozen").len(), 1);
    assert_eq!(world.links().await.len(), 1);
    listed(&mut world.phone_at(1, NUMBER)).await;
}

/// It stands still after it took a password and before it sent it: the person is asked again by the other server, and
/// links there. When the first goes on, what it holds is out of date and stays unsent.
#[tokio::test]
async fn frozen_before_it_was_sent() {
    const NUMBER: &str = "+2348030009602";
    let mut world = World::with(Setup::Bare, |options| {
        short_lease(options);
        options.proxy = true;
    })
    .await;
    let mut stale = world.node(None).await;
    // The other one is near its Redis; the first does not hear of its own last write until it was stopped.
    let far = world.proxy.take().expect("a proxy");
    let well = world.node(None).await;
    let mut stuck = Phone::new(NUMBER, stale.line().patient());
    to_login(&mut stuck).await;
    stuck.say("ada@stale").await.asks("Password");
    far.set(Wire::HoldAfter("EVALSHA"));
    let redis = connect(&world.redis.as_ref().unwrap().url(), Arc::new(SystemClock)).unwrap();
    let keyring = Arc::new(world.keyring());
    let tag = keyring.tag(&Msisdn::parse(NUMBER, "NG").unwrap());
    let live = LiveValues::new(redis, keyring, Arc::new(OsRng));
    let elsewhere = async {
        // Redis has the submission; its server does not know that yet.
        eventually(PATIENCE, async || match live.load(&tag).await.unwrap().value {
            LoadedValue::Subscriber(state) => state.attempt_id().is_some(),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => false,
        })
        .await;
        stale.freeze().await;
        assert!(world.call_log().submits.is_empty(), "stopped too late");
        let mut phone = Phone::new(NUMBER, well.line());
        phone.dial().await.asks("Providus Bank is checking your details");
        phone
            .until("1", "Password")
            .await
            .asks("It was not sent. Please type it again.");
        phone.say("second-pass-stale").await.ends("Done!");
        far.set(Wire::None);
        stale.thaw();
    };
    let (late, ()) = tokio::join!(stuck.try_say("first-pass-stale"), elsewhere);
    claims_nothing(late);
    assert_eq!(stale.terminate().await, Some(0));
    assert_eq!(world.submits("ada@stale"), granted());
    let sent = world.call_log().submits.remove(0).secret_sha256;
    assert_eq!(sent, Some(sha256_hex("second-pass-stale")));
    assert_eq!(world.links().await.len(), 1);
    listed(&mut Phone::new(NUMBER, well.line())).await;
    world.assert_absent(&["first-pass-stale", "second-pass-stale"]).await;
}
