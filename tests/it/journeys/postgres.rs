//! PostgreSQL dies in the middle of a dialog.

use std::time::Duration;

use super::{granted, to_login};
use crate::support::eventually;
use crate::support::world::{Setup, World};

/// A person is told that it is no use within this time.
const SOON: Duration = Duration::from_secs(4);
/// A server finds its way back within this time.
const BACK: Duration = Duration::from_secs(15);

/// While the records are away, no login is sent, people are told soon and politely, and the servers are not ready; when
/// they are back, the same servers go on, and what was linked before still is.
#[tokio::test]
async fn the_death_of_the_records_is_told_of_and_survived() {
    let mut world = World::start(Setup::TwoHosts).await;
    let mut linked = world.phone("+2348030007401");
    super::link(&mut linked, "ada@before", "good-pass-before").await;
    let mut phone = world.phone("+2348030007402");
    to_login(&mut phone).await;
    phone.say("ada@records-die").await.asks("Password");
    world.postgres.as_mut().unwrap().kill().await;
    let reply = phone.say("good-pass-records").await;
    assert!(reply.took.0 < SOON, "{reply:?}");
    let honest = ["Nothing was sent.", "Service is busy."];
    assert!(honest.iter().any(|words| reply.text.contains(words)), "{reply:?}");
    let reply = world.phone("+2348030007403").dial().await;
    reply.ends("Service is busy.");
    assert!(reply.took.0 < SOON, "{:?}", reply.took);
    for node in &world.nodes {
        eventually(BACK, async || node.ready().await == 503).await;
    }
    assert!(world.submits("ada@records-die").is_empty());
    world.postgres.as_mut().unwrap().restart().await;
    for node in &world.nodes {
        eventually(BACK, async || node.ready().await == 200).await;
    }
    phone.dial().await.asks("Go on with Providus Bank?");
    let mut shown = phone.say("1").await;
    for (asked, answer) in [("Try again", "1"), ("Username", "ada@records-die")] {
        if shown.text.contains(asked) {
            shown = phone.say(answer).await;
        }
    }
    shown.asks("Password");
    phone.say("good-pass-records").await.ends("Done!");
    assert_eq!(world.submits("ada@records-die"), granted());
    let listed = linked.dial().await;
    assert!(
        listed.text.contains("linked") || listed.text.contains("My accounts"),
        "{listed:?}"
    );
    let secrets = ["good-pass-records", "good-pass-before", "ada@records-die"];
    world.assert_absent(&secrets).await;
}
