//! Two servers whose machines' clocks are minutes apart.

use std::fs;
use std::time::Duration;

use kiungo::sandbox::bank::{DelayRange, Latency};

use super::{granted, to_login};
use crate::support::eventually;
use crate::support::world::{Setup, World};

const NUMBER: &str = "+2348030008801";

/// A login is out at one server, and the person dials another whose clock is far ahead or behind: it is told of as under
/// way, never as lost, and nothing is sent twice. The server says how far its clock is off.
#[tokio::test]
async fn clocks_apart_lose_no_login() {
    for ahead_ms in [180_000, -960_000] {
        let mut world = World::start(Setup::TwoHosts).await;
        let other = &mut world.nodes[1];
        other.terminate().await;
        let config = fs::read_to_string(&other.config).unwrap();
        fs::write(
            &other.config,
            config.replace("[sandbox]", &format!("[sandbox]\nclock_ahead = {ahead_ms}")),
        )
        .unwrap();
        other.restart().await;
        assert!(
            other.log().contains("the database's, which is used instead"),
            "{}",
            other.log()
        );
        world.switch(|switches| {
            switches.latency = Latency {
                login: DelayRange(8_000, 8_000),
                ..Latency::NONE
            };
        });
        let mut there = world.phone_at(0, NUMBER);
        to_login(&mut there).await;
        there.say("ada@apart").await.asks("Password");
        there.say("good-pass-apart").await;
        let shown = world.phone_at(1, NUMBER).dial().await;
        assert!(!shown.text.contains("Nothing was linked"), "{ahead_ms}: {shown:?}");
        eventually(Duration::from_secs(30), async || world.links().await.len() == 1).await;
        assert_eq!(world.submits("ada@apart"), granted(), "{ahead_ms}");
    }
}
