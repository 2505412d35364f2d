//! A consent for 30 days, by a wound clock: it is told of, kept or stopped by the person, and over when it says.

use std::time::Duration;

use kiungo::sandbox::phone::callback_client::HttpCallbackClient;
use kiungo::sandbox::phone::script::parse;
use rstest::rstest;
use serde_json::{Value, json};

use super::scripts::play_on;
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::postgres::PostgresServer;
use crate::support::receiver::WebhookReceiver;
use crate::support::redis::RedisServer;
use crate::support::sandbox::Sandbox;

const NUMBER: &str = "+2348030000841";
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// A sandbox in which people agree for 30 days, with what it runs on, and somebody who has linked an account at Providus.
pub(super) struct Linked {
    pub sandbox: Sandbox,
    pub api: Api,
    _redis: Option<RedisServer>,
    _postgres: Option<PostgresServer>,
}

impl Linked {
    pub(super) async fn start(servers: bool) -> Self {
        Self::start_for(30, servers).await
    }

    /// The same, for so many days.
    pub(super) async fn start_for(days: u16, servers: bool) -> Self {
        let (mut redis, mut postgres) = (None, None);
        let mut options = Vec::new();
        if servers {
            redis = Some(RedisServer::start().await);
            postgres = Some(PostgresServer::start().await);
            options.extend(redis.as_ref().map(|redis| ("KIUNGO_STORE__URL", redis.url())));
            options.extend(
                postgres
                    .as_ref()
                    .map(|postgres| ("KIUNGO_RECORDS__URL", postgres.url())),
            );
        }
        options.push(("KIUNGO_PARTNER__DATA_DAYS", days.to_string()));
        let options: Vec<_> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sandbox = Sandbox::with(&options).await;
        let linked = Self {
            api: Api::of_sandbox(&sandbox.origin),
            sandbox,
            _redis: redis,
            _postgres: postgres,
        };
        linked
            .play(&format!(
                "dial\nexpect {days} days.\npress 1\ntype providus\ntype ada@ends\n\
                 type good-pass-ends\npoll 1 until END Done! Providus Bank .. within 60s\n"
            ))
            .await;
        linked
    }

    pub(super) async fn play(&self, lines: &str) {
        if let Err(error) = self.try_play(lines).await {
            panic!("{error}");
        }
    }

    pub(super) async fn try_play(&self, lines: &str) -> Result<(), String> {
        let line = HttpCallbackClient::new(&format!("{}/ussd/sandbox/sandbox", self.sandbox.origin)).unwrap();
        let script = parse("ends.phone", &format!("number {NUMBER}\n{lines}")).unwrap();
        play_on(&line, &script).await
    }

    pub(super) async fn wind(&self, days: u64) {
        let body = json!({ "forward_s": days * 24 * 3_600 });
        let wound = self
            .api
            .client
            .post(format!("{}/phone/clock", self.api.base))
            .json(&body);
        assert!(wound.send().await.unwrap().status().is_success());
    }

    pub(super) async fn read(&self, path: &str) -> Value {
        let token = self.api.token().await;
        self.api.get(path).by(&token).send().await.expect(200)
    }

    pub(super) async fn link(&self) -> Value {
        self.read("/v1/links").await["data"][0].clone()
    }

    /// What was told of the link, in order.
    pub(super) async fn told(&self) -> Vec<String> {
        let link = self.link().await;
        let path = format!("/v1/events?subject={}", link["id"].as_str().unwrap());
        let events = self.read(&path).await;
        let mut events = events["data"].as_array().unwrap().clone();
        // Two that came at the same moment are in order by their number.
        events.sort_by_key(|event| event["data"]["sequence"].as_i64());
        let kinds = events.iter().map(|event| event["type"].as_str().unwrap().to_owned());
        kinds.collect()
    }

    pub(super) async fn texts(&self) -> Vec<String> {
        let path = format!("{}/phone/texts.json?msisdn=%2B{}", self.sandbox.origin, &NUMBER[1..]);
        let texts: Vec<Value> = self.api.client.get(path).send().await.unwrap().json().await.unwrap();
        texts.iter().map(Value::to_string).collect()
    }

    /// What the stand-in bank has noted.
    pub(super) async fn ledger(&self) -> Value {
        let path = format!("{}/__stand-in/ledger", self.sandbox.mono());
        self.api.client.get(path).send().await.unwrap().json().await.unwrap()
    }

    async fn ended_at_bank(&self) -> bool {
        !self.ledger().await["accounts"][0]["unlinked_at"].is_null()
    }
}

fn days_between(from: &Value, to: &Value) -> i64 {
    let read = |value: &Value| chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap();
    (read(to) - read(from)).num_days()
}

/// Seven days before, person and partner are told, by one text without bank or digits of an account, and by the next dial.
/// At its end the access at the bank ends, the partner is told, My accounts is empty, and nothing is read any more.
#[rstest]
#[case::memory(false)]
#[case::servers(true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_ends_when_it_says(#[case] servers: bool) {
    let world = Linked::start(servers).await;
    let receiver = WebhookReceiver::start(204).await;
    let token = world.api.token().await;
    let endpoint = world.api.post("/v1/webhook-endpoints", &json!({"url": receiver.url}));
    endpoint.by(&token).send().await.expect(201);
    let link = world.link().await;
    let consent = &link["consent"];
    assert_eq!(days_between(&consent["agreed_at"], &link["until"]), 30);
    assert_eq!(link["until"], consent["until"]);
    // A walk-in's consent says what the text says.
    assert_eq!(
        (&consent["days"], &consent["data_scope"]),
        (&json!(30), &json!(["account"]))
    );
    let (text, purpose) = (consent["text"].as_str().unwrap(), consent["purpose"].as_str().unwrap());
    assert!(text.contains(&format!("for \"{purpose}\", 30 days")), "{text}");

    world.wind(24).await;
    eventually(PATIENCE, async || world.told().await.len() == 2).await;
    assert_eq!(world.told().await, ["link.created", "link.expiring"]);
    eventually(PATIENCE, async || world.texts().await.len() == 1).await;
    let text = &world.texts().await[0];
    assert!(
        text.contains("your consent to share your account data ends soon"),
        "{text}"
    );
    assert!(!text.contains("Providus") && !text.contains(".."), "{text}");
    world
        .play(
            "dial\nexpect Sandbox Lender reads your bank account at Providus Bank ..\nexpect 1 Keep sharing\n\
             expect 2 Stop now\npress 0\nexpect Sandbox Lender asks\npress 2\npress 1\nexpect until\n",
        )
        .await;

    world.wind(31).await;
    eventually(PATIENCE, async || world.ended_at_bank().await).await;
    assert_eq!(world.link().await["state"], "expired");
    // Older events are forgotten by then.
    assert_eq!(world.told().await.last().map(String::as_str), Some("link.expired"));
    let calls = world.ledger().await["calls"].clone();
    for _ in 0..3 {
        world.wind(23).await;
    }
    world
        .play("dial\nexpect Sandbox Lender asks\nexpect-not My accounts\n")
        .await;
    let by_state = async |state: &str| {
        let found = world.read(&format!("/v1/links?state={state}")).await;
        found["data"].as_array().unwrap().len()
    };
    assert_eq!((by_state("expired").await, by_state("active").await), (1, 0));
    let token = world.api.token().await;
    let again = format!("/v1/links/{}/reauthorise", link["id"].as_str().unwrap());
    world
        .api
        .ask("POST", &again)
        .by(&token)
        .send()
        .await
        .refused(409, "conflict");
    assert_eq!(world.ledger().await["calls"], calls, "nothing is read after it");
    assert_eq!(world.texts().await.len(), 1);
    let heard = || -> Vec<Value> {
        let kinds = receiver.received().into_iter().map(|told| told.json()["type"].clone());
        // The endpoint may have been there in time for the first event, too.
        kinds.filter(|kind| kind != "link.created").collect()
    };
    eventually(PATIENCE, async || heard().len() >= 2).await;
    assert_eq!(heard(), ["link.expiring", "link.expired"]);
    world.sandbox.stop().await;
}

/// One press keeps it, on a consent of its own; another ends it at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_keeps_it_and_stops_it() {
    let world = Linked::start(false).await;
    let first = world.link().await;
    world.wind(25).await;
    world
        .play("dial\nexpect 30 days from today?\npress 1\npoll 1 until END until within 20s\n")
        .await;
    let kept = world.link().await;
    assert_eq!(days_between(&first["until"], &kept["until"]), 25);
    assert_eq!(days_between(&kept["consent"]["agreed_at"], &kept["until"]), 30);
    let text = kept["consent"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("Sandbox Lender reads your bank account at Providus Bank .."),
        "{text}"
    );
    world.wind(6).await;
    eventually(PATIENCE, async || {
        world.told().await.contains(&"link.updated".to_owned())
    })
    .await;
    assert_eq!(world.link().await["state"], "active");
    world.play("dial\nexpect Sandbox Lender asks\n").await;
    world.wind(20).await;
    world
        .play("dial\nexpect 2 Stop now\npress 2\npoll 1 until END is unlinked. within 20s\n")
        .await;
    eventually(PATIENCE, async || world.ended_at_bank().await).await;
    eventually(PATIENCE, async || world.link().await["state"] == "removed").await;
    world.sandbox.stop().await;
}

/// A server that was down over the end catches up: told in order, ended, and the one text says that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_over_the_end_is_caught_up_with() {
    let world = Linked::start(false).await;
    world.wind(31).await;
    eventually(PATIENCE, async || world.ended_at_bank().await).await;
    let told = world.told().await;
    assert!(
        told.ends_with(&["link.expiring", "link.expired"].map(str::to_owned)),
        "{told:?}"
    );
    eventually(PATIENCE, async || world.texts().await.len() == 1).await;
    let text = &world.texts().await[0];
    assert!(text.contains("can no longer read your account data"), "{text}");
    world.sandbox.stop().await;
}
