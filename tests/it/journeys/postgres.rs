//! PostgreSQL dies, or takes no writes any more, in the middle of a dialog.

use std::time::Duration;

use rstest::rstest;

use super::{granted, to_login};
use crate::support::aggregator::{Phone, UssdReply};
use crate::support::eventually;
use crate::support::postgres::PostgresServer;
use crate::support::world::{Setup, World};

/// A person is told that it is no use within this time.
const SOON: Duration = Duration::from_secs(4);
/// A server finds its way back within this time.
const BACK: Duration = Duration::from_secs(15);

fn says_that_nothing_was_sent(reply: &UssdReply) {
    let honest = ["Nothing you typed was sent.", "Service is busy."];
    assert!(honest.iter().any(|words| reply.text.contains(words)), "{reply:?}");
}

/// Who could not log in does, once the records are back.
async fn goes_on(phone: &mut Phone, user: &str, password: &str) {
    let mut shown = phone.dial().await;
    for (asked, answer) in [("Go on?", "1"), ("Try again", "1"), ("Username", user)] {
        if shown.text.contains(asked) {
            shown = phone.say(answer).await;
        }
    }
    shown.asks("Password");
    phone.say(password).await.ends("Done!");
}

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
    says_that_nothing_was_sent(&reply);
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
    goes_on(&mut phone, "ada@records-die", "good-pass-records").await;
    assert_eq!(world.submits("ada@records-die"), granted());
    let listed = linked.dial().await;
    assert!(
        listed.text.contains("linked") || listed.text.contains("My accounts"),
        "{listed:?}"
    );
    let secrets = ["good-pass-records", "good-pass-before", "ada@records-die"];
    world.assert_absent(&secrets).await;
}

/// How a server comes to take no writes while it goes on answering.
#[derive(Clone, Copy, Debug)]
enum ReadOnly {
    /// A failover has made another one the primary, and this one its standby.
    Standby,
    /// Its operator has set it so.
    Setting,
}

impl ReadOnly {
    async fn begin(self, server: &mut PostgresServer) {
        match self {
            Self::Standby => server.demote().await,
            Self::Setting => server.set_read_only(true).await,
        }
    }

    async fn end(self, server: &PostgresServer) {
        match self {
            Self::Standby => server.promote().await,
            Self::Setting => server.set_read_only(false).await,
        }
    }
}

/// While the records take no writes, no login is sent, gateways get a screen that is true, and the server says that it is not
/// ready and why; when they do again, it goes on without a restart.
#[rstest]
#[case::standby(ReadOnly::Standby)]
#[case::setting(ReadOnly::Setting)]
#[tokio::test]
async fn records_that_take_no_writes_are_told_of_and_survived(#[case] how: ReadOnly) {
    let mut world = World::start(Setup::BareHosts).await;
    let node = world.node(None).await;
    let mut linked = Phone::new("+2348030007411", node.line());
    super::link(&mut linked, "ada@before", "good-pass-before").await;
    let mut phone = Phone::new("+2348030007412", node.line());
    to_login(&mut phone).await;
    phone.say("ada@read-only").await.asks("Password");
    how.begin(world.postgres.as_mut().unwrap()).await;
    let reply = phone.say("good-pass-read-only").await;
    says_that_nothing_was_sent(&reply);
    assert!(reply.took.0 < SOON, "{reply:?}");
    eventually(BACK, async || node.ready().await == 503).await;
    let why = node.readiness().await;
    assert!(
        why.contains("the database takes no writes: it is a standby, or set to read-only"),
        "{why}"
    );
    // What is only read is shown.
    eventually(BACK, async || linked.dial().await.text.contains("My accounts")).await;
    assert!(world.submits("ada@read-only").is_empty());
    how.end(world.postgres.as_ref().unwrap()).await;
    eventually(BACK, async || node.ready().await == 200).await;
    goes_on(&mut phone, "ada@read-only", "good-pass-read-only").await;
    assert_eq!(world.submits("ada@read-only"), granted());
}
