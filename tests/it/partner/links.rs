//! Links.

use std::time::Duration;

use serde_json::{Value, json};

use super::helpers::{members, text, tokens};
use crate::journeys::link;
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

const NUMBER: &str = "+2348030008821";
const ALL: &str = "/v1/links";

/// Makes the link's intent one that Ada created in Lagos, for all data.
const ASKED_BY_ADA: &str = "INSERT INTO link_intents (id, partner, entity, created_by, state, purpose, days, scope, reference, \
    many, links, created_at, moved_at, expires_at) SELECT c.intent, c.partner, u.entity, u.id, 'completed', 'rent', 30, \
    'account,identity', 'customer 17', 0, 1, 0, 0, 0 FROM consents c, users u WHERE u.login = 'own'";

/// And what was agreed to for it.
const AGREED_WITH_ADA: &str = "UPDATE consents SET purpose = 'rent', days = 30, scope = 'account,identity'";

/// A sandbox in which one subscriber has linked one account, and the link.
async fn linked_account() -> (Sandbox, Api, String, Value) {
    let sandbox = Sandbox::with(&[
        ("KIUNGO_POLICY__SECRETS_OVER_USSD", "allow"),
        ("KIUNGO_API__REQUESTS_PER_SECOND", "10000"),
    ])
    .await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let line = AggregatorClient::new(vec![format!("{}/ussd/sandbox/sandbox", api.base)], api.client.clone());
    link(&mut Phone::new(NUMBER, line.patient()), "ada@links", "good-pass-links").await;
    let listed = async || api.get(ALL).by(&token).send().await.expect(200)["data"][0].clone();
    // The details of the account may come a little later.
    eventually(Duration::from_secs(20), async || {
        listed().await["accounts"][0]["number"].is_string()
    })
    .await;
    let link = listed().await;
    (sandbox, api, token, link)
}

/// A link has its consent word for word and its accounts, the holder only if requested; it is visible to the owners of its
/// intent, and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_to_whose_it_is() {
    let (sandbox, api, partner, walk_in) = linked_account().await;
    let names = ["currency", "holder", "id", "number", "type"];
    assert_eq!(members(&walk_in["accounts"][0]), names);
    let account = walk_in["accounts"][0].clone();
    assert!(
        text(&account, "number").starts_with("****") && !text(&account, "id").is_empty(),
        "{account}"
    );
    assert_eq!(account["holder"], Value::Null);
    assert_eq!(
        (&walk_in["state"], &walk_in["intent_id"]),
        (&json!("active"), &Value::Null)
    );
    let words = text(&walk_in["consent"], "text");
    assert!(words.contains("Sandbox Lender"), "{words}");

    let staff = tokens(&sandbox, &api, &partner, "link").await;
    sandbox.execute(ASKED_BY_ADA).await;
    sandbox.execute(AGREED_WITH_ADA).await;
    let path = format!("{ALL}/{}", text(&walk_in, "id"));
    for (who, token, there) in staff.readers() {
        let read = api.get(&path).by(token).send().await;
        let list = api.get(ALL).by(token).send().await.expect(200);
        let count = list["data"].as_array().unwrap().len();
        assert_eq!((read.status, count), if there { (200, 1) } else { (404, 0) }, "{who}");
    }
    for ask in [api.get(ALL), api.get(&path)] {
        ask.by(&staff.nobody).send().await.refused(403, "role_does_not_allow");
    }
    let seen = api.get(&path).by(&staff.own).send().await.expect(200);
    assert_eq!(seen["accounts"][0]["id"], account["id"]);
    assert!(!text(&seen["accounts"][0], "holder").is_empty(), "{seen}");
    for (member, value) in [
        ("reference", json!("customer 17")),
        ("entity_id", json!(staff.entity)),
        ("created_by", json!(staff.own_id)),
    ] {
        assert_eq!(seen[member], value, "{member}");
    }
    assert_eq!(
        (&seen["consent"]["purpose"], &seen["consent"]["days"]),
        (&json!("rent"), &json!(30))
    );
    let intent = text(&seen, "intent_id").to_owned();
    for (query, count) in [
        (format!("intent_id={intent}&state=active&reference=customer+17"), 1),
        ("state=removed".to_owned(), 0),
        ("reference=customer".to_owned(), 0),
    ] {
        let list = api.get(&format!("{ALL}?{query}")).by(&partner).send().await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
    for query in ["state=x", "intent_id=x", "x=1"] {
        api.get(&format!("{ALL}?{query}"))
            .by(&partner)
            .send()
            .await
            .refused(422, "invalid");
    }
    sandbox.stop().await;
}

/// Anyone who may reauthorise a link asks its subscriber to log in again, on the same terms; anyone who may delete it does so once,
/// and the provider is told. Neither shows what only readers of links may see.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_renewed_and_ended() {
    let (sandbox, api, partner, link) = linked_account().await;
    let staff = tokens(&sandbox, &api, &partner, "link").await;
    let path = format!("{ALL}/{}", text(&link, "id"));
    let renew = format!("{path}/reauthorise");
    for (method, path) in [("POST", &renew), ("DELETE", &path)] {
        // It has no intent, so it belongs to the partner as a whole.
        for (token, status) in [(&staff.all, 404), (&staff.stranger, 404), (&staff.nobody, 403)] {
            assert_eq!(api.ask(method, path).by(token).send().await.status, status, "{method}");
        }
    }
    let asked = api.ask("POST", &renew).by(&partner).send().await.expect(201);
    for (member, value) in [
        ("renews", link["id"].clone()),
        ("msisdn", json!("+234********21")),
        ("dial", json!("*384*96#")),
        ("state", json!("open")),
        ("many", json!(false)),
    ] {
        assert_eq!(asked[member], value, "{member}");
    }
    sandbox.execute(ASKED_BY_ADA).await;
    sandbox
        .execute("UPDATE consents SET purpose = 'rent', days = 30, scope = 'account,identity'")
        .await;
    let again = api.ask("POST", &renew).by(&staff.own).send().await.expect(201);
    assert_eq!(
        (&again["reference"], &again["entity_id"]),
        (&json!("customer 17"), &json!(staff.entity))
    );
    for _ in 0..2 {
        let ended = api.delete(&path).by(&staff.own).send().await.expect(202);
        assert_eq!(members(&ended), ["id", "state"]);
        assert_ne!(ended["state"], "active");
    }
    eventually(Duration::from_secs(20), async || {
        api.get(&path).by(&partner).send().await.expect(200)["state"] == "removed"
    })
    .await;
    api.ask("POST", &renew)
        .by(&partner)
        .send()
        .await
        .refused(409, "conflict");
    for intent in [&asked, &again] {
        let intent = format!("/v1/link-intents/{}", text(intent, "id"));
        let intent = api.get(&intent).by(&partner).send().await.expect(200);
        assert_eq!(intent["state"], "cancelled");
    }
    sandbox.stop().await;
}
