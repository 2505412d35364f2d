//! What one partner does to a number that another has to do with.

use std::time::Duration;

use serde_json::json;

use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

const NUMBER: &str = "+2348030008831";

/// A partner erases and exports a number that it holds nothing of, between all keys that the person presses: they come to their
/// link all the same, and see it. Who does so without end is told to slow down, and the others are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_throws_nobody_out_of_a_dialog() {
    let sandbox = Sandbox::with(&[
        ("KIUNGO_POLICY__SECRETS_OVER_USSD", "allow"),
        ("KIUNGO_API__REQUESTS_PER_SECOND", "10000"),
    ])
    .await;
    let (ours, theirs) = (Api::of_sandbox(&sandbox.origin), sandbox.another(1).await);
    let (our_token, token) = (ours.token().await, theirs.token().await);
    let whose = json!({"msisdn": NUMBER});
    let erased = async || {
        let begun = theirs.post("/v1/subscribers/erase", &whose).by(&token).send().await;
        let path = format!("/v1/erasures/{}", begun.expect(202)["id"].as_str().unwrap());
        eventually(Duration::from_secs(20), async || {
            theirs.get(&path).by(&token).send().await.expect(200)["state"] == "done"
        })
        .await;
        theirs
            .post("/v1/subscribers/export", &whose)
            .by(&token)
            .send()
            .await
            .expect(200);
    };
    let line = AggregatorClient::new(vec![format!("{}/ussd/sandbox/sandbox", ours.base)], ours.client.clone());
    let mut phone = Phone::new(NUMBER, line.patient());
    phone.dial().await.asks("Sandbox Lender asks to see");
    for (key, shows) in [("1", "Choose your bank"), ("providus", "Providus Bank: Username")] {
        erased().await;
        phone.say(key).await.asks(shows);
    }
    erased().await;
    phone.say("ada@neighbour").await.asks("Providus");
    erased().await;
    if !phone.say("good-pass-neighbour").await.text.contains("Done!") {
        phone.until("1", "Done! Providus Bank").await;
    }
    erased().await;
    phone.dial().await;
    phone.say("2").await.asks("Providus Bank ..");
    erased().await;
    phone.say("1").await.asks("for Sandbox Lender until");

    let mut refused = None;
    for _ in 0..100 {
        let asked = theirs.post("/v1/subscribers/erase", &whose).by(&token).send().await;
        if asked.status != 202 {
            refused = Some(asked);
            break;
        }
    }
    let refused = refused.expect("it may erase without end");
    refused.refused(429, "too_many_requests");
    assert!(!refused.header("retry-after").is_empty());
    ours.post("/v1/subscribers/export", &whose)
        .by(&our_token)
        .send()
        .await
        .expect(200);
    sandbox.stop().await;
}
