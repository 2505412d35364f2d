//! Answers that do not reach their gateway: it sends the callback again, or gives up.

use std::time::Duration;

use kiungo::sandbox::bank::SubmitOutcome::{AccountsAsked, Granted, InputAsked};
use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall::{Commit, Login};
use rstest::rstest;

use super::providers::dial_until;
use super::{granted, to_login};
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::eventually;
use crate::support::node::callback_at;
use crate::support::proxy::{Fault as Wire, Proxy};
use crate::support::world::{Setup, World};

/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A phone whose callbacks come through a proxy.
fn through(world: &World, number: &str) -> (Proxy, Phone) {
    let proxy = Proxy::before(world.nodes[0].port());
    let callback = callback_at(proxy.port());
    let phone = Phone::new(number, AggregatorClient::new(vec![callback], world.client.clone()));
    (proxy, phone)
}

fn slow(millis: u64) -> FailureRule<kiungo::sandbox::mono::MonoCall> {
    FailureRule {
        on: Login,
        trouble: BankFailure::Slow(millis),
        times: Some(1),
        processed: None,
    }
}

/// The answer to every callback of a dialog is lost, and the callback sent again: it gets the screen that was lost, and is
/// no second step. (G11)
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[tokio::test]
async fn every_lost_answer_is_given_again(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let (proxy, mut phone) = through(&world, "+2348030009501");
    for (line, shown) in [
        ("", "It cannot move money"),
        ("1", "Choose your bank"),
        ("providus", "Username"),
        ("otp-many@lost-way", "Password"),
        ("good-pass-lost-way", "Providus Bank:"),
        ("123456", "which account?"),
        ("2", "Done!"),
    ] {
        proxy.set(Wire::LoseAnswer);
        let lost = match line {
            "" => phone.try_dial_with("").await,
            line => phone.try_say(line).await,
        };
        lost.expect_err("it was lost");
        let reply = phone.again().await;
        assert!(reply.text.contains(shown), "{line:?}: {reply:?}");
        assert_eq!(phone.again().await, reply, "{line:?}");
    }
    let wanted = [(Login, InputAsked), (Commit, AccountsAsked), (Commit, Granted)];
    let wanted: Vec<_> = wanted.map(|(call, outcome)| (call, Some(outcome))).into();
    assert_eq!(world.submits("otp-many@lost-way"), wanted);
    assert_eq!(world.accounts("otp-many@lost-way").len(), 1);
}

/// The connection is reset while the bank is thinking: the login goes on, and the callback that is sent again waits for
/// its answer instead of sending another. (G11)
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[tokio::test]
async fn a_reset_in_the_middle_of_a_turn_stops_nothing(#[case] setup: Setup) {
    let world = World::start(setup).await;
    world.switch(|switches| switches.faults = vec![slow(1_000)]);
    let (proxy, mut phone) = through(&world, "+2348030009502");
    to_login(&mut phone).await;
    phone.say("ada@reset-turn").await.asks("Password");
    let reset = async {
        eventually(PATIENCE, async || world.call_log().submits.len() == 1).await;
        proxy.set(Wire::Reset);
    };
    let (broken, ()) = tokio::join!(phone.try_say("good-pass-reset-turn"), reset);
    broken.expect_err("it was reset");
    proxy.set(Wire::None);
    let mut reply = phone.again().await;
    if !reply.end {
        reply = phone.until("1", "Done!").await;
    }
    reply.ends("Done! Providus Bank ..");
    assert_eq!(world.submits("ada@reset-turn"), granted());
    assert_eq!(world.accounts("ada@reset-turn").len(), 1);
}

/// When a gateway that has given up says that the dialog failed.
#[derive(Clone, Copy, Debug)]
enum Says {
    /// While the bank is still thinking.
    AtOnce,
    /// When our answer had been there for long.
    Late,
    /// Never.
    Never,
}

/// Whether the server is answering no turn.
async fn idle(world: &World) -> bool {
    let url = format!("{}/metrics", world.nodes[0].url());
    let metrics = world.client.get(url).send().await.unwrap().text().await.unwrap();
    metrics.lines().any(|line| line == "kiungo_turns_open 0")
}

/// The gateway gives up before the bank answers, and what we answer is shown to nobody: the next dial tells the result where
/// the gateway says that the dialog failed, and shows the link in any case; the login is sent once. (G10)
#[rstest]
#[case::at_once(Says::AtOnce)]
#[case::late(Says::Late)]
#[case::never(Says::Never)]
#[tokio::test]
async fn a_result_that_came_too_late_is_told_at_the_next_dial(#[case] says: Says) {
    let world = World::start(Setup::Memory).await;
    world.switch(|switches| switches.faults = vec![slow(1_500)]);
    let mut phone = world.phone("+2348030009503");
    to_login(&mut phone).await;
    phone.say("ada@gave-up").await.asks("Password");
    let mut deaf = phone.clone();
    tokio::select! {
        reply = deaf.say("good-pass-gave-up") => panic!("it was in time: {reply:?}"),
        () = eventually(PATIENCE, async || world.call_log().submits.len() == 1) => {}
    }
    if matches!(says, Says::AtOnce) {
        phone.over("Failed").await;
    }
    eventually(PATIENCE, async || !world.links().await.is_empty()).await;
    if matches!(says, Says::Late) {
        // The turn goes on without its gateway, and ends.
        eventually(PATIENCE, async || idle(&world).await).await;
        phone.over("Failed").await;
    }
    if !matches!(says, Says::Never) {
        dial_until(&mut phone, "is linked for Sandbox Lender").await;
    }
    dial_until(&mut phone, "It cannot move money").await;
    // The digits may come a little after the link.
    eventually(PATIENCE, async || {
        let listed = phone.say("2").await;
        listed.asks("1 Providus Bank").lacks("2 Providus");
        // What was told is written beside the turns: who dials again within milliseconds may hear it once more.
        dial_until(&mut phone, "It cannot move money").await;
        listed.text.contains("1 Providus Bank ..")
    })
    .await;
    assert_eq!(world.submits("ada@gave-up"), granted());
    assert_eq!(world.accounts("ada@gave-up").len(), 1);
}
