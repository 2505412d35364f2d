//! Nobody has used a link for half a year: the number may be somebody else's by now.

use kiungo::core::ids::LinkId;
use rstest::rstest;
use serde_json::Value;

use super::consent_end::{Linked, PATIENCE};
use crate::support::eventually;

const ASKED: &str =
    "dial\nexpect Sandbox Lender: link an old account again and share bank account\nexpect-not Providus\n";

impl Linked {
    async fn wind_far(&self, days: u64) {
        for from in (0..days).step_by(30) {
            self.wind(30.min(days - from)).await;
        }
    }

    /// Whether it is noted that the link was used so many days after it was made.
    async fn used_after(&self, link: &Value, days: u64) -> bool {
        let records = self.sandbox.records().await;
        let id = LinkId::parse(link["id"].as_str().unwrap()).unwrap();
        let link = records.link(id).await.unwrap().unwrap();
        link.used_at.since(link.created_at).as_secs() / 86_400 >= days
    }

    /// Dials, agrees and logs in at Providus as this user; the last screen says this.
    async fn logs_in(&self, user: &str, told: &str) {
        let lines = format!(
            "dial\npress 1\ntype providus\ntype {user}\ntype good-pass-{user}\n\
             poll 1 until {told} within 60s\n"
        );
        self.play(&lines).await;
    }

    /// The partner asks for a new login to this link; where its request is.
    async fn asks_again(&self, link: &Value) -> String {
        let token = self.api.token().await;
        let path = format!("/v1/links/{}/reauthorise", link["id"].as_str().unwrap());
        let made = self.api.ask("POST", &path).by(&token).send().await.expect(201);
        format!("/v1/link-intents/{}", made["id"].as_str().unwrap())
    }
}

/// Who looks at their links now and then sees them. After half a year without a look nobody who has the number sees, ends or
/// renews them; a partner that asks for a new login is told of another account, which opens nothing, and of the right one,
/// which does. On both kinds of records.
#[rstest]
#[case::memory(false)]
#[case::servers(true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_recycled_number_sees_a_count_only(#[case] servers: bool) {
    let world = Linked::start_for(730, servers).await;
    let first = world.link().await;
    for seen in [100, 200] {
        world.wind_far(100).await;
        world.play("dial\npress 2\nexpect 1 Providus Bank ..\n").await;
        eventually(PATIENCE, async || world.used_after(&first, seen).await).await;
    }
    world.wind_far(181).await;
    let unused = "dial\nexpect Sandbox Lender asks to see\npress 2\nexpect Accounts not used for long: 1.\n\
                  expect-not Providus\npress 2\nexpect-not Providus\npress 1\nexpect Sandbox Lender asks\n";
    world.play(unused).await;

    let request = world.asks_again(&first).await;
    world.play(ASKED).await;
    assert_eq!(world.read(&request).await["state"], "open");
    let other = "This is not the Providus Bank account";
    world.logs_in("eve@new", other).await;
    assert_eq!(world.read(&request).await["state"], "mismatched");
    world.play(&format!("dial\nexpect {other}\npress 1\n")).await;
    world.play(unused).await;
    // On an account of their own they see that, and how many others there are.
    world.logs_in("eve@new", "END Done!").await;
    world
        .play("dial\npress 2\nexpect Your accounts (1 more\nexpect 1 Providus\nexpect-not 2 Providus\n")
        .await;

    let request = world.asks_again(&first).await;
    world.play(ASKED).await;
    world.logs_in("ada@ends", "END Done!").await;
    assert_eq!(world.read(&request).await["state"], "completed");
    let all = "dial\nexpect Sandbox Lender asks to see\npress 2\nexpect Your linked accounts:\nexpect 3 Providus\n";
    eventually(PATIENCE, async || world.try_play(all).await.is_ok()).await;
    world.sandbox.stop().await;
}

/// The consent of such a link ends when it says, and its partner is told; who has the number is told nothing of it, neither by
/// text nor on a dial.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_consent_in_silence() {
    let world = Linked::start_for(200, false).await;
    world.wind_far(195).await;
    eventually(PATIENCE, async || {
        world.told().await.last().map(String::as_str) == Some("link.expiring")
    })
    .await;
    world.play("dial\nexpect Sandbox Lender asks to see\n").await;
    world.wind(6).await;
    eventually(PATIENCE, async || {
        world.told().await.last().map(String::as_str) == Some("link.expired")
    })
    .await;
    world
        .play("dial\nexpect Sandbox Lender asks to see\nexpect-not My accounts\n")
        .await;
    assert_eq!(world.texts().await, Vec::<String>::new());
    world.sandbox.stop().await;
}
