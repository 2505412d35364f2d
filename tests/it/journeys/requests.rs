//! Several businesses ask, by the plain code, by a number and by codes, and each gets its own links only.

use kiungo::config::sandbox::MONO_KEY;
use kiungo::records::Partner;
use kiungo::sandbox::phone::callback_client::HttpCallbackClient;
use kiungo::sandbox::phone::script::parse;
use serde_json::{Value, json};

use super::scripts::play_on;
use crate::support::api::Api;
use crate::support::records::partner;
use crate::support::sandbox::Sandbox;

const ADA: &str = "+2348030000811";
const BINTA: &str = "+2348030000812";

/// Plays these lines in the sandbox.
async fn played(sandbox: &Sandbox, lines: &str) {
    let line = HttpCallbackClient::new(&format!("{}/ussd/sandbox/sandbox", sandbox.origin)).unwrap();
    let script = parse("asked.phone", lines).unwrap();
    if let Err(error) = play_on(&line, &script).await {
        panic!("{error}");
    }
}

/// From the consent to the end, at Providus, with a password that is this one's.
fn link(who: &str) -> String {
    format!(
        "press 1\ntype providus\ntype ada@{who}\ntype good-pass-{who}\n\
         poll 1 until END Done! Providus Bank .. within 60s\n"
    )
}

/// Another business that takes anyone who dials, with keys of its own at Mono.
async fn umoja(sandbox: &Sandbox) -> (Api, String) {
    let api = sandbox.another(2).await;
    let token = api.token().await;
    let put = api.ask("PUT", "/v1/provider-credentials/mono");
    let put = put.json(&json!({"secret_key": MONO_KEY}));
    put.by(&token).send().await.expect(200);
    let named = Partner {
        walk_in: true,
        ..partner(2)
    };
    sandbox.records().await.put_partner(&named).await.unwrap();
    (api, token)
}

async fn requested(api: &Api, token: &str, body: &Value) -> (String, String) {
    let intent = api.post("/v1/link-intents", body).by(token).send().await.expect(201);
    let text = |member: &str| intent[member].as_str().unwrap().to_owned();
    (text("id"), text("dial"))
}

async fn state(api: &Api, token: &str, intent: &str) -> String {
    let read = api.get(&format!("/v1/link-intents/{intent}")).by(token).send().await;
    read.expect(200)["state"].as_str().unwrap().to_owned()
}

/// What a business asks of anyone who dials, of one number and by code is shown to those only, under its own name, for its own
/// purpose; a code is answered once; and what comes of it is nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn each_business_asks_for_itself() {
    let sandbox = Sandbox::start().await;
    let ours = Api::of_sandbox(&sandbox.origin);
    let our_token = ours.token().await;
    let (theirs, token) = umoja(&sandbox).await;
    let (coded, dial) = requested(&theirs, &token, &json!({"purpose": "school fees", "days": 7})).await;
    let (bound, plain) = requested(&ours, &our_token, &json!({"purpose": "rent", "msisdn": BINTA})).await;
    assert_eq!(plain, "*384*96#");
    let choice = "Which business sent you here?";
    played(
        &sandbox,
        &format!(
            "number {ADA}\ndial\nexpect {choice}\nexpect 1 Partner 2\nexpect 2 Sandbox Lender\ncancel\n\
             dial {dial}\nexpect Partner 2 asks to see your bank account for \"school fees\", 7 days.\n{}\
             dial {dial}\nexpect That code is not valid any more.\nexpect-not school fees\n",
            link("coded")
        ),
    )
    .await;
    assert_eq!(state(&theirs, &token, &coded).await, "completed");
    assert_eq!(state(&ours, &our_token, &bound).await, "open");
    played(
        &sandbox,
        &format!(
            "number {BINTA}\ndial\nexpect Sandbox Lender asks to see your bank account for \"rent\"\n{}\
             dial\nexpect {choice}\n",
            link("bound")
        ),
    )
    .await;
    assert_eq!(state(&ours, &our_token, &bound).await, "completed");
    for (api, token, intent) in [(&theirs, &token, &coded), (&ours, &our_token, &bound)] {
        let links = api.get("/v1/links").by(token).send().await.expect(200);
        let links = links["data"].as_array().unwrap();
        assert_eq!(links.len(), 1);
        assert_eq!(
            (&links[0]["intent_id"], &links[0]["state"]),
            (&json!(intent), &json!("active"))
        );
        assert!(links[0]["accounts"][0]["id"].is_string(), "{}", links[0]);
    }
    sandbox.stop().await;
}

/// A code for many is answered by each who dials it; one that was called off is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_many_is_answered_until_it_is_called_off() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let (intent, dial) = requested(&api, &token, &json!({"purpose": "a survey", "many": true})).await;
    for (number, who) in [(ADA, "first"), (BINTA, "second")] {
        let script = format!("number {number}\ndial {dial}\nexpect for \"a survey\"\n{}", link(who));
        played(&sandbox, &script).await;
        assert_eq!(state(&api, &token, &intent).await, "open");
    }
    let cancelled = api.ask("POST", &format!("/v1/link-intents/{intent}/cancel")).by(&token);
    assert_eq!(cancelled.send().await.expect(200)["state"], "cancelled");
    let script = format!("number {ADA}\ndial {dial}\nexpect That code is not valid any more.\n");
    played(&sandbox, &script).await;
    let links = api
        .get(&format!("/v1/links?intent_id={intent}"))
        .by(&token)
        .send()
        .await;
    assert_eq!(links.expect(200)["data"].as_array().unwrap().len(), 2);
    sandbox.stop().await;
}
