//! A link whose bank wants a new login: the person is told, and one press leads there.

use kiungo::config::sandbox::WEBHOOK_SECRET;
use rstest::rstest;
use serde_json::{Value, json};

use super::consent_end::{Linked, PATIENCE};
use crate::support::eventually;
use crate::support::http::client;

impl Linked {
    /// The provider says that the account wants a new login.
    async fn wants_login(&self) {
        let account = self.ledger().await["accounts"][0]["id"].clone();
        let event = json!({
            "event": "mono.events.reauthorisation_required",
            "timestamp": null,
            "data": { "account": { "_id": account } },
        });
        let url = format!("{}/hooks/mono", self.sandbox.origin);
        let hook = client().post(url).header("mono-webhook-secret", WEBHOOK_SECRET);
        assert!(hook.json(&event).send().await.unwrap().status().is_success());
        eventually(PATIENCE, async || self.link().await["state"] == "reauth_required").await;
    }

    /// In which state the link was at each of its events, the oldest first.
    async fn states_told(&self) -> Vec<(String, String)> {
        let link = self.link().await;
        let path = format!("/v1/events?subject={}", link["id"].as_str().unwrap());
        let events = self.read(&path).await;
        let mut events = events["data"].as_array().unwrap().clone();
        events.sort_by_key(|event| event["data"]["sequence"].as_i64());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = events
            .iter()
            .map(|event| (text(&event["type"]), text(&event["data"]["state"])));
        told.collect()
    }
}

/// The next dial and My accounts say it, and no text names the bank; one press renews the link, and the next dial says
/// nothing any more. On both kinds of records.
#[rstest]
#[case::memory(false)]
#[case::servers(true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_is_told_and_done(#[case] servers: bool) {
    let world = Linked::start(servers).await;
    world.play("dial\nexpect Sandbox Lender asks\n").await;
    world.wants_login().await;
    world
        .play(
            "dial\nexpect Providus Bank ..\nexpect log in there again, or Sandbox Lender sees nothing new.\n\
             expect 1 Log in again\nexpect 2 Not now\npress 2\nexpect Sandbox Lender asks\npress 2\n\
             expect (log in again)\npress 1\nexpect Needs a new login.\n",
        )
        .await;
    world
        .play("dial\nexpect log in there again\npress 1\npoll 1 until END is up to date again within 20s\n")
        .await;
    assert_eq!(world.link().await["state"], "active");
    world
        .play("dial\nexpect Sandbox Lender asks\npress 2\npress 1\nexpect until\n")
        .await;
    for text in world.texts().await {
        assert!(!text.contains("Providus") && !text.contains(".."), "{text}");
    }
    world.sandbox.stop().await;
}

/// A link that needs a login and ends soon is told of twice, the login first; and the partner hears that it ends in the state
/// that it is in, in time and after it.
#[rstest]
#[case::in_time(&[24, 6])]
#[case::too_late(&[31])]
#[tokio::test(flavor = "multi_thread")]
async fn the_login_is_told_before_the_end(#[case] days: &[u64]) {
    let world = Linked::start(false).await;
    world.wants_login().await;
    for (n, days) in days.iter().enumerate() {
        world.wind(*days).await;
        if n == 0 && *days < 30 {
            world
                .play("dial\nexpect log in there again\npress 2\nexpect 30 days from today?\npress 0\nexpect asks\n")
                .await;
        }
    }
    let expiring = ("link.expiring".to_owned(), "reauth_required".to_owned());
    eventually(PATIENCE, async || world.states_told().await.contains(&expiring)).await;
    world.sandbox.stop().await;
}
