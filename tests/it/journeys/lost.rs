//! Answers that do not reach their gateway: it sends the callback again, or gives up.

use std::time::Duration;

use kiungo::sandbox::mono::Call::{Commit, Login};
use kiungo::sandbox::mono::Outcome::{AccountsAsked, Granted, InputAsked};
use kiungo::sandbox::mono::{Fault, Trouble};
use rstest::rstest;

use super::{granted, to_login};
use crate::support::aggregator::{Line, Phone};
use crate::support::eventually;
use crate::support::proxy::{Fault as Wire, Proxy};
use crate::support::world::{Setup, World};

/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A phone whose callbacks come through a proxy.
fn through(world: &World, number: &str) -> (Proxy, Phone) {
    let proxy = Proxy::before(world.nodes[0].port());
    let callback = world.nodes[0].callback_at(proxy.port());
    let phone = Phone::new(number, Line::new(vec![callback], world.client.clone()));
    (proxy, phone)
}

fn slow(millis: u64) -> Fault {
    Fault {
        on: Login,
        trouble: Trouble::Slow(millis),
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
        ("", "Agree?"),
        ("1", "Choose your bank"),
        ("providus", "1 Providus Bank"),
        ("1", "Username"),
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
        let told = phone.again().await;
        assert!(told.text.contains(shown), "{line:?}: {told:?}");
        assert_eq!(phone.again().await, told, "{line:?}");
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
        eventually(PATIENCE, async || world.ledger().submits.len() == 1).await;
        proxy.set(Wire::Reset);
    };
    let (broken, ()) = tokio::join!(phone.try_say("good-pass-reset-turn"), reset);
    broken.expect_err("it was reset");
    proxy.set(Wire::None);
    let mut told = phone.again().await;
    if !told.end {
        told = phone.until("1", "Done!").await;
    }
    told.ends("Done! Providus Bank ..");
    assert_eq!(world.submits("ada@reset-turn"), granted());
    assert_eq!(world.accounts("ada@reset-turn").len(), 1);
}
