//! A partner expects a certain account, from the link intent to the screen of the subscriber.

use std::time::Duration;

use kiungo::app::partner_id;
use kiungo::core::ids::LinkId;
use kiungo::records::LinkState;
use serde_json::{Value, json};

use super::helpers::text;
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

const NUMBER: &str = "+2348030008831";

/// The subscriber logs in for the intent that waits for them; the last screen.
async fn link_as(phone: &mut Phone, user: &str) -> String {
    phone.dial().await.asks("It cannot move money");
    phone.say_all(&["1", "providus"]).await.asks("Providus Bank: Username");
    phone.say(user).await.asks("Providus Bank: Password");
    let mut told = phone.say("good-pass-expected").await;
    // A busy machine may be slower than a turn.
    while told.text.contains("is checking your details") {
        told = phone.say("1").await;
    }
    told.text
}

/// The expected account is linked. Another is not: it is unlinked at its provider, the subscriber is told instead of the
/// success, and the partner only by the state of the intent.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_expected_account_is_linked() {
    let sandbox = Sandbox::with(&[
        ("KIUNGO_POLICY__SECRETS_OVER_USSD", "allow"),
        ("KIUNGO_API__REQUESTS_PER_SECOND", "10000"),
    ])
    .await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let line = AggregatorClient::new(vec![format!("{}/ussd/sandbox/sandbox", api.base)], api.client.clone());
    let asked = async |expected: Value| {
        let body = json!({"msisdn": NUMBER, "data_scope": ["account", "identity"], "expected": expected});
        let made = api.post("/v1/link-intents", &body).by(&token).send().await.expect(201);
        format!("/v1/link-intents/{}", text(&made, "id"))
    };
    let read = async |path: &str| api.get(path).by(&token).send().await.expect(200);

    let mut phone = Phone::new(NUMBER, line.patient());

    // The account as the bank describes it: nothing is expected yet.
    let first = asked(Value::Null).await;
    assert!(
        link_as(&mut phone, "ada@expected")
            .await
            .contains("Done! Providus Bank ..")
    );
    let link = read(&format!("/v1/links?intent_id={}", id_in(&first))).await["data"][0].clone();
    let (holder, link) = (text(&link["accounts"][0], "holder"), text(&link, "id"));
    api.delete(&format!("/v1/links/{link}"))
        .by(&token)
        .send()
        .await
        .expect(202);
    wait_until_removed(&sandbox, link).await;

    let other = asked(json!({"holder_name": "Somebody Else"})).await;
    let told = link_as(&mut phone, "ada@expected").await;
    let not_the_one = "This is not the Providus Bank account that Sandbox Lender asked for. It was not linked.";
    assert!(told.contains(not_the_one), "{told}");
    assert_eq!(read(&other).await["state"], "mismatched");
    let sessions = read(&format!("/v1/connect-sessions?intent_id={}", id_in(&other))).await;
    let session = &sessions["data"][0];
    assert_eq!(
        (&session["state"], &session["link_id"]),
        (&json!("failed"), &Value::Null)
    );
    assert_eq!(
        read(&format!("/v1/links?intent_id={}", id_in(&other))).await["data"],
        json!([])
    );
    let db = sandbox.records().await;
    let newest = db.links(partner_id("Sandbox Lender"), None, 1).await.unwrap()[0].id;
    wait_until_removed(&sandbox, &newest.to_string()).await;

    let backwards: Vec<_> = holder.split(' ').rev().collect();
    let the_one = asked(json!({"holder_name": backwards.join(", ").to_lowercase()})).await;
    let told = link_as(&mut phone, "ada@expected").await;
    assert!(told.contains("Done! Providus Bank .."), "{told}");
    let intent = read(&the_one).await;
    assert_eq!((&intent["state"], &intent["links"]), (&json!("completed"), &json!(1)));
    let linked = read(&format!("/v1/links?intent_id={}&state=active", id_in(&the_one))).await;
    assert_eq!(text(&linked["data"][0]["accounts"][0], "holder"), holder);
    sandbox.stop().await;
}

/// Waits until a link has been ended at its provider.
async fn wait_until_removed(sandbox: &Sandbox, link: &str) {
    let (db, id) = (sandbox.records().await, LinkId::parse(link).unwrap());
    eventually(Duration::from_secs(20), async || {
        let link = db.link(id).await.unwrap();
        link.is_some_and(|link| link.state == LinkState::Removed)
    })
    .await;
}

/// The id that a path ends in.
fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}
