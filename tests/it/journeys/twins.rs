//! Two phones with the same number: a SIM in two hands, or a person who dials again while the first dialog is open. (G7)

use std::time::Duration;

use kiungo::sandbox::bank::SubmitOutcome::{Granted, InputAsked};
use kiungo::sandbox::mono::MonoCall::{Commit, Login};

use super::{Submits, granted, to_login};
use crate::support::aggregator::Phone;
use crate::support::eventually_every;
use crate::support::world::{Setup, World};

const NUMBER: &str = "+2348030009401";
const ELSEWHERE: &str = "You dialled again on this number.";

/// A login that asks for a code, which was right.
fn with_code() -> Submits {
    [(Login, InputAsked), (Commit, Granted)]
        .map(|(call, outcome)| (call, Some(outcome)))
        .into()
}

/// Two servers, a phone at the question for a code, and another one with its number on another network, not dialled yet.
async fn one_at_the_code() -> (World, Phone, Phone) {
    let world = World::start(Setup::TwoNodes).await;
    let mut first = world.phone(NUMBER);
    to_login(&mut first).await;
    first
        .say_all(&["otp@twins", "good-pass-twins"])
        .await
        .asks("Providus Bank:");
    let mut second = world.phone_at(1, NUMBER);
    second.network = "62120".to_owned();
    (world, first, second)
}

/// The same, and both are at the question.
async fn at_the_code() -> (World, Phone, Phone) {
    let (world, first, mut second) = one_at_the_code().await;
    second.dial().await.asks("Providus Bank:");
    (world, first, second)
}

/// There is one link, and both phones show the same.
async fn one_link(world: &World) {
    assert_eq!(world.links().await.len(), 1);
    assert_eq!(world.call_log().accounts.len(), 1);
    for node in [0, 1] {
        let mut phone = world.phone_at(node, NUMBER);
        phone.dial().await.asks("It cannot move money");
        phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
    }
}

/// The second phone goes on where the first one was: the first is told so, its code is not sent, and there is one link.
#[tokio::test]
async fn the_second_phone_goes_on() {
    let (world, mut first, mut second) = at_the_code().await;
    // That it has only dialled leaves the first in charge; what it types takes over.
    second.say("1").await.asks("Providus Bank:");
    first.say("654321").await.ends(ELSEWHERE);
    second.say("123456").await.ends("Done!");
    first.say("1").await.ends("");
    assert_eq!(world.submits("otp@twins"), with_code());
    one_link(&world).await;
}

/// The second phone starts again: the first one's login comes to nothing, and there is one link.
#[tokio::test]
async fn the_second_phone_starts_again() {
    let (world, mut first, mut second) = one_at_the_code().await;
    // Once it has come back twice and not typed the code, it is asked whether to go on. With more dials the first dialog
    // would be forgotten.
    eventually_every(Duration::from_secs(6), Duration::from_secs(30), async || {
        second.dial().await.text.contains("2 Start again")
    })
    .await;
    second.say("2").await.asks("It cannot move money");
    second.say_all(&["1", "providus", "ada@twins"]).await.asks("Password");
    first.say("123456").await.ends(ELSEWHERE);
    second.say("good-pass-fresh").await.ends("Done!");
    assert_eq!(world.submits("otp@twins"), [(Login, Some(InputAsked))]);
    assert_eq!(world.submits("ada@twins"), granted());
    one_link(&world).await;
}

/// The second phone has only dialled: the first goes on, since both show the same question; the second is told where to go
/// on.
#[tokio::test]
async fn the_first_phone_goes_on() {
    let (world, mut first, mut second) = at_the_code().await;
    first.say("123456").await.ends("Done!");
    second.say("654321").await.ends(ELSEWHERE);
    assert_eq!(world.submits("otp@twins"), with_code());
    one_link(&world).await;
}

/// Both type at the same moment, on two servers: one of them goes on, the other is told so, and the code is sent once.
#[tokio::test]
async fn both_phones_at_once() {
    let (world, mut first, mut second) = at_the_code().await;
    let (one, other) = tokio::join!(first.say("123456"), second.say("123456"));
    let (goes_on, reply) = if one.text.contains(ELSEWHERE) {
        (other, one)
    } else {
        (one, other)
    };
    reply.ends(ELSEWHERE);
    goes_on.ends("Done!");
    assert_eq!(world.submits("otp@twins"), with_code());
    one_link(&world).await;
}
