//! A partner exports a subscriber's data, and erases a subscriber.

use std::time::Duration;

use serde_json::{Value, json};

use crate::journeys::link;
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

const CHANNEL: &str = "/ussd/sandbox/sandbox";
const NUMBER: &str = "+2348030008801";

/// A partner exports what it holds about a number, erases it, follows the status, and then holds nothing; its users may do
/// none of it, and no other partner sees anything of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_exports_and_erases() {
    let sandbox = Sandbox::with(&[
        ("KIUNGO_POLICY__SECRETS_OVER_USSD", "allow"),
        ("KIUNGO_API__REQUESTS_PER_SECOND", "10000"),
    ])
    .await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let line = AggregatorClient::new(vec![format!("{}{CHANNEL}", api.base)], api.client.clone());
    let mut phone = Phone::new(NUMBER, line.patient());
    link(&mut phone, "ada@exported", "good-pass-exported").await;
    let whose = json!({"msisdn": NUMBER});
    let exported = async || {
        let told = api.post("/v1/subscribers/export", &whose).by(&token).send().await;
        told.expect(200)
    };
    let told = exported().await;
    let held = &told["partners"][0];
    assert_eq!((&told["msisdn"], &held["partner_id"]), (&json!(NUMBER), &json!(api.id)));
    assert_eq!(
        (&held["links"][0]["state"], &held["consents"][0]["msisdn"]),
        (&json!("active"), &json!(NUMBER))
    );
    assert!(held["consents"][0]["agreed_at"].as_str().unwrap().ends_with('Z'));

    let trail = api.get("/v1/audit").by(&token).send().await.expect(200).to_string();
    assert!(
        trail.contains("subscriber.exported") && !trail.contains("0008801"),
        "{trail}"
    );

    let begun = api
        .post("/v1/subscribers/erase", &whose)
        .by(&token)
        .send()
        .await
        .expect(202);
    let again = api
        .post("/v1/subscribers/erase", &whose)
        .by(&token)
        .send()
        .await
        .expect(202);
    assert_eq!(begun["id"], again["id"]);
    let path = format!("/v1/erasures/{}", begun["id"].as_str().unwrap());
    eventually(Duration::from_secs(30), async || {
        let erasure = api.get(&path).by(&token).send().await.expect(200);
        assert!(!erasure.to_string().contains("0008801"), "{erasure}");
        erasure["state"] == "done"
    })
    .await;
    let told = exported().await;
    let lists = ["consents", "links", "attempts", "texts", "requests"];
    assert!(
        lists
            .iter()
            .all(|list| told["partners"][0][list] == Value::Array(Vec::new())),
        "{told}"
    );
    phone.dial().await.asks("It cannot move money");
    sandbox.stop().await;
}

/// Only the partner itself may do so, for all its entities, with an unambiguous number.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_partner_itself_asks() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let entity = api.entity(&partner, "Lagos").await;
    let role = api
        .role(&partner, &json!({"link": {"read": "allowed", "delete": "allowed"}}))
        .await;
    let user = api.user(&partner, &entity, "ada", Some(&role)).await;
    let user = api.token_of(&user).await;
    let whose = json!({"msisdn": NUMBER});
    for path in ["/v1/subscribers/export", "/v1/subscribers/erase"] {
        let refused = api.post(path, &whose).by(&user).send().await;
        refused.refused(403, "role_does_not_allow");
        api.post(path, &whose).send().await.refused(401, "unauthenticated");
        let chosen = api.post(path, &whose).by(&partner).within(&entity).send().await;
        chosen.refused(422, "invalid");
        for wrong in ["08030008801", "Zq7", "", "+234"] {
            let refused = api.post(path, &json!({"msisdn": wrong})).by(&partner).send().await;
            refused.refused(422, "invalid");
            assert_eq!(refused.faults(), [("/msisdn".to_owned(), "invalid".to_owned())]);
            assert!(wrong.is_empty() || !refused.body.to_string().contains(wrong));
        }
    }
    let nowhere = "/v1/erasures/11111111-1111-4111-8111-111111111111";
    api.get(nowhere).by(&partner).send().await.refused(404, "not_found");
    api.get(nowhere)
        .by(&user)
        .send()
        .await
        .refused(403, "role_does_not_allow");
    sandbox.stop().await;
}
