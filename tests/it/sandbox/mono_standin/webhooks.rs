use crate::support::eventually;
use kiungo::sandbox::bank::WebhookMode;
use kiungo::sandbox::callbacks::http_callback_sender;
use kiungo::sandbox::mono::{MonoStandInSettings, MonoSwitches, WEBHOOK_SECRET, WebhookOverrides};
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::standin::{MonoFixture, ReceivedWebhook};

fn names(events: &[ReceivedWebhook]) -> Vec<&str> {
    let whole = events
        .iter()
        .map(|event| event.body["event"].as_str().unwrap_or_default());
    whole.map(|name| name.rsplit('_').next().unwrap_or_default()).collect()
}

/// The webhooks of a new link in each mode, chosen by a typed word or by the switches.
#[tokio::test]
async fn webhooks_come_as_switched() {
    for (mode, typed, expected) in [
        (
            WebhookMode::Normal,
            "72",
            vec!["connected", "connected", "updated", "updated"],
        ),
        (WebhookMode::Normal, "ada", vec!["connected", "updated"]),
        (WebhookMode::Late(1), "ada", vec!["connected", "updated"]),
        (
            WebhookMode::Twice,
            "ada",
            vec!["connected", "connected", "updated", "updated"],
        ),
        (WebhookMode::OutOfOrder, "ada", vec!["updated", "connected"]),
        (WebhookMode::Normal, "75", vec!["updated", "connected"]),
        (WebhookMode::BeforeExchange, "ada", vec!["connected", "updated"]),
    ] {
        let mono = MonoFixture::start(|switches| switches.webhooks = mode);
        let (_, id) = mono.linked(typed).await;
        let events = mono.receiver.wait(expected.len()).await;
        assert_eq!(names(&events), expected, "{mode:?} {typed}");
        assert!(events.iter().all(|event| event.secret == WEBHOOK_SECRET));
        for event in &events {
            let place = if names(std::slice::from_ref(event)) == ["connected"] {
                "/data/id"
            } else {
                "/data/account/_id"
            };
            assert_eq!(event.body.pointer(place), Some(&json!(id)), "{mode:?} {typed}");
        }
        if expected.len() == 4 {
            assert_eq!(events[0].body["event_id"], events[1].body["event_id"]);
            assert_ne!(events[1].body["event_id"], events[2].body["event_id"]);
        }
    }
}

/// In "before exchange" mode webhooks come before it; in normal mode after it; in "missing" mode never.
#[tokio::test]
async fn webhooks_come_before_or_after_the_exchange() {
    let mono = MonoFixture::start(|_| {});
    mono.login("ada").await;
    mono.linked("74").await;
    mono.login("73").await;
    let events = mono.receiver.wait(2).await;
    assert_eq!(names(&events), ["connected", "updated"]);
    let early = mono.call_log().accounts[2].id.clone();
    assert_eq!(events[0].body["data"]["id"], json!(early), "only the third has any");
    assert_eq!(mono.call_log().webhooks.len(), 2);
}

/// An event that is not answered with 200 is sent again, until it is or there are no retries left.
#[tokio::test]
async fn webhooks_are_retried_until_accepted() {
    let mono = MonoFixture::start(|switches| switches.webhooks = WebhookMode::Missing);
    let (_, id) = mono.linked("ada").await;
    mono.receiver.answer(&[500, 204, 200, 500, 500, 500, 500]);
    mono.running
        .state
        .send_webhook("mono.events.account_updated", &id, WebhookOverrides::default());
    let call_log = mono
        .until(|call_log| call_log.webhooks.iter().any(|hook| hook.taken))
        .await;
    assert_eq!(call_log.webhooks[0].answers, [500, 204, 200]);
    mono.running
        .state
        .send_webhook("mono.events.account_updated", &id, WebhookOverrides::default());
    let call_log = mono
        .until(|call_log| call_log.webhooks.get(1).is_some_and(|hook| hook.answers.len() == 4))
        .await;
    assert!(!call_log.webhooks[1].taken);
}

/// Any event can be sent by hand, even a forged one.
#[tokio::test]
async fn webhooks_can_be_sent_by_hand() {
    let mono = MonoFixture::start(|_| {});
    for (choice, place, value) in [
        (json!({ "account": "6a00" }), "/data/account/_id", json!("6a00")),
        (
            json!({ "account": "6a00", "event_id": "evt-1" }),
            "/event_id",
            json!("evt-1"),
        ),
        (
            json!({ "sync_status": "REAUTHORISATION_REQUIRED" }),
            "/data/meta/sync_status",
            json!("REAUTHORISATION_REQUIRED"),
        ),
        (json!({ "body": { "event": 7 } }), "/event", json!(7)),
        (
            json!({ "secret": "forged" }),
            "/event",
            json!("mono.events.account_updated"),
        ),
    ] {
        let before = mono.receiver.wait(0).await.len();
        let mut body = choice.clone();
        body["event"] = "mono.events.account_updated".into();
        assert_eq!(mono.post("/__stand-in/webhook", &body).await.0, 202, "{choice}");
        let events = mono.receiver.wait(before + 1).await;
        let event = events.last().expect("an event");
        assert_eq!(event.body.pointer(place), Some(&value), "{choice}");
        let secret = choice.get("secret").and_then(Value::as_str).unwrap_or(WEBHOOK_SECRET);
        assert_eq!(event.secret, secret, "{choice}");
    }
    assert_eq!(
        mono.post("/__stand-in/webhook", &json!({ "event": "x", "tims": 2 }))
            .await
            .0,
        400
    );
}

/// The callback sender that is used by default really sends, header and body.
#[tokio::test]
async fn the_default_callback_sender_posts() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/hooks/mono"))
        .and(header("mono-webhook-secret", WEBHOOK_SECRET))
        .and(header("content-type", "application/json"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let fixture = MonoFixture::start(|_| {});
    let settings = MonoStandInSettings {
        callback_sender: http_callback_sender(),
        switches: MonoSwitches {
            webhook_url: Some(format!("{}/hooks/mono", server.uri())),
            ..MonoSwitches::immediate()
        },
        ..MonoStandInSettings::default()
    };
    let rng = crate::support::standin::rng();
    let running = kiungo::sandbox::bank::start(settings, fixture.clock.clone(), rng).expect("a free port");
    running
        .state
        .send_webhook("mono.events.account_updated", "6a00", WebhookOverrides::default());
    let answered = || {
        let call_log = running.state.call_log();
        call_log.webhooks.first().is_some_and(|hook| !hook.answers.is_empty())
    };
    eventually(std::time::Duration::from_secs(10), async || answered()).await;
    assert_eq!(running.state.call_log().webhooks[0].answers, [200]);
}
