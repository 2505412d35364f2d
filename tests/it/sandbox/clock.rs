//! The sandbox's clock, advanced over HTTP, for the server and the stand-ins.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::http::client;
use crate::support::sandbox::Sandbox;

const PATIENCE: Duration = Duration::from_secs(20);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

async fn clock_of(answer: Response) -> (i64, i64) {
    let reply: Value = answer.json().await.expect("JSON");
    (
        reply["now"].as_i64().expect("a moment"),
        reply["ahead_ms"].as_i64().expect("a length"),
    )
}

/// There is one clock for all: what the server keeps for a day expires, and an SMS that the stand-in delivers has the new
/// date. An invalid time, or a request that a foreign web page could send, does not advance the clock.
#[tokio::test(flavor = "multi_thread")]
async fn everything_follows_the_clock() {
    let sandbox = Sandbox::start().await;
    let (client, origin) = (client(), &sandbox.origin);
    let get = async |path: &str| client.get(format!("{origin}{path}")).send().await.expect("an answer");
    let wind = async |body: &Value| {
        let call = client.post(format!("{origin}/phone/clock")).json(body);
        call.send().await.expect("an answer")
    };
    let session = async || {
        get("/phone/session.json?msisdn=%2B2348030000001")
            .await
            .json::<Value>()
            .await
            .expect("JSON")
    };

    let (began, ahead_ms) = clock_of(get("/phone/clock.json").await).await;
    assert_eq!(ahead_ms, 0);
    for refused in [
        json!({ "forward_s": 0 }),
        json!({ "forward_s": -60 }),
        json!({ "forward_s": 2_678_401 }),
        json!({}),
    ] {
        assert_eq!(wind(&refused).await.status().as_u16(), 400, "{refused}");
    }
    let foreign = client.post(format!("{origin}/phone/clock")).body("{\"forward_s\":60}");
    assert!(foreign.send().await.expect("an answer").status().is_client_error());
    assert_eq!(clock_of(get("/phone/clock.json").await).await.1, 0);

    let dialled = client
        .post(format!("{origin}/ussd/sandbox/sandbox"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("sessionId=ATUid_1&phoneNumber=%2B2348030000001&networkCode=62130&serviceCode=%2A384%2A96%23&text=");
    let screen = dialled.send().await.expect("an answer").text().await.expect("text");
    assert!(screen.starts_with("CON "), "{screen}");
    assert!(session().await.is_array());
    assert_eq!(clock_of(wind(&json!({ "forward_s": 900 })).await).await.1, HOUR_MS / 4);
    assert!(session().await.is_array(), "a quarter of an hour is not a day");
    let (now, ahead_ms) = clock_of(wind(&json!({ "forward_s": 86_400 })).await).await;
    assert_eq!(ahead_ms, DAY_MS + HOUR_MS / 4);
    assert!(now >= began + ahead_ms);
    assert!(session().await.is_null(), "what is kept for a day is gone");

    let help = json!({ "msisdn": "+2348030000001", "text": "HELP" });
    let sent = client.post(format!("{origin}/phone/texts")).json(&help);
    assert_eq!(sent.send().await.expect("an answer").status().as_u16(), 202);
    let mut texts = Vec::new();
    eventually(PATIENCE, async || {
        let inbox = get("/phone/texts.json?msisdn=%2B2348030000001").await;
        texts = inbox.json::<Vec<Value>>().await.expect("JSON");
        !texts.is_empty()
    })
    .await;
    assert!(
        texts[0]["at"].as_i64().expect("a moment") >= began + ahead_ms,
        "{texts:?}"
    );
    sandbox.stop().await;
}
