//! Provider credentials of any shape, at an invented provider with three keys.

use std::sync::Arc;

use kiungo::ambient::SystemClock;
use kiungo::app::{ReadyProvider, StartOptions};
use kiungo::core::ids::PartnerId;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::invented::Umoja;
use crate::support::invented::bank::{Client, UmojaBank};
use crate::support::invented::branches::Branch;
use crate::support::sandbox::Sandbox;

const PATH: &str = "/v1/provider-credentials/umoja";

/// A sandbox in which the operator and one other are clients of Umoja, each with places of its own.
async fn sandbox_with_umoja() -> Sandbox {
    let clients = vec![
        Client::new("operator", &[Branch::Savings]),
        Client::new("duka", &[Branch::App, Branch::Trust]),
    ];
    let keys = clients[0].keys();
    let bank = UmojaBank::new(clients, Arc::new(SystemClock));
    let umoja = ReadyProvider {
        provider: Arc::new(Umoja::new(&bank)),
        keys,
    };
    let options = StartOptions {
        providers: vec![umoja],
        ..StartOptions::default()
    };
    Sandbox::with_options(&[], options).await
}

/// The right keys of the other client.
fn keys_of_duka() -> Value {
    let client = Client::new("duka", &[]);
    json!({"client_id": client.id, "client_secret": client.secret, "hook_key": client.hook_key})
}

async fn credentials(api: &Api, token: &str, provider: &str) -> Value {
    let list = api.get("/v1/provider-credentials").by(token).send().await.expect(200);
    let mut all = list["data"].as_array().unwrap().iter();
    all.find(|known| known["provider"] == provider).unwrap().clone()
}

/// Anyone who sets keys is told which there are, and what is wrong with each: unknown, missing, malformed, a production key in
/// the sandbox, or refused by the provider. Nothing wrong is stored, and no value is ever told.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table of faults in the middle")]
async fn keys_of_any_shape_are_declared_and_checked() {
    let sandbox = sandbox_with_umoja().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let declared = credentials(&api, &token, "umoja").await;
    let names: Vec<_> = declared["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["name"])
        .collect();
    assert_eq!(names, ["client_id", "client_secret", "hook_key"]);
    for key in declared["keys"].as_array().unwrap() {
        assert_eq!((&key["required"], &key["present"]), (&json!(true), &json!(false)));
        assert!(!key["help"].as_str().unwrap().is_empty());
    }
    let with = |name: &str, value: Value| {
        let mut keys = keys_of_duka();
        keys[name] = value;
        keys
    };
    let mut two = keys_of_duka();
    two.as_object_mut().unwrap().remove("hook_key");
    for (keys, faults) in [
        (with("secret_key", json!("Zq7")), vec![("/secret_key", "unknown")]),
        (with("a/b", json!("Zq7")), vec![("/a~1b", "unknown")]),
        (two, vec![("/hook_key", "missing")]),
        (
            with("client_secret", json!("Zq7short")),
            vec![("/client_secret", "invalid")],
        ),
        (
            with("client_secret", json!("live-Zq7-0123456789")),
            vec![("/client_secret", "live_key")],
        ),
        (
            with("client_secret", json!("umoja-Zq7-0123456789")),
            vec![("", "refused")],
        ),
        (
            json!({"client_id": "Zq7"}),
            vec![
                ("/client_id", "invalid"),
                ("/client_secret", "missing"),
                ("/hook_key", "missing"),
            ],
        ),
    ] {
        let refused = api.ask("PUT", PATH).json(&keys).by(&token).send().await;
        refused.refused(422, "invalid");
        let wanted: Vec<_> = faults
            .iter()
            .map(|(at, code)| ((*at).to_owned(), (*code).to_owned()))
            .collect();
        assert_eq!(refused.faults(), wanted, "{keys}");
        assert!(!refused.body.to_string().contains("Zq7"), "{}", refused.body);
    }
    let number = api
        .ask("PUT", PATH)
        .json(&with("hook_key", json!(7)))
        .by(&token)
        .send()
        .await;
    assert!([400, 422].contains(&number.status), "{}", number.body);
    assert_eq!(credentials(&api, &token, "umoja").await["present"], json!(false));
    sandbox.stop().await;
}

/// Right keys are sealed as one, and told by name only; each partner sees what it has set at each provider.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_any_shape_are_sealed_as_one() {
    let sandbox = sandbox_with_umoja().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let set = api
        .ask("PUT", PATH)
        .json(&keys_of_duka())
        .by(&token)
        .send()
        .await
        .expect(200);
    let listed = credentials(&api, &token, "umoja").await;
    assert_eq!(set, listed);
    assert!(
        listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["present"] == true)
    );
    assert!(!listed.to_string().contains("Zq7"));
    let mono = credentials(&api, &token, "mono").await;
    let of_mono = |member: &str| -> Vec<_> {
        let keys = mono["keys"].as_array().unwrap().iter();
        keys.map(|key| key[member].clone()).collect()
    };
    assert_eq!(of_mono("name"), ["secret_key", "app_id", "webhook_secret"]);
    assert_eq!(of_mono("required"), [true, false, false]);
    assert_eq!(of_mono("present"), [false, false, false]);
    let id = PartnerId::parse(&api.id).unwrap();
    let sealed = sandbox.records().await.credentials(id, "umoja").await.unwrap().unwrap();
    let sealed = String::from_utf8_lossy(&sealed).into_owned();
    for key in keys_of_duka().as_object().unwrap().values() {
        assert!(!sealed.contains(key.as_str().unwrap()));
    }
    sandbox.stop().await;
}

/// Where the provider's console decides what can be linked, an intent may name what is there for its own partner, and
/// nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn intents_name_what_their_partner_can_link() {
    let sandbox = sandbox_with_umoja().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let intent = |institution: &str| {
        let body = json!({"institution": institution});
        api.post("/v1/link-intents", &body).by(&token).send()
    };
    intent("umoja/app").await.refused(422, "invalid");
    api.ask("PUT", PATH)
        .json(&keys_of_duka())
        .by(&token)
        .send()
        .await
        .expect(200);
    crate::support::eventually(std::time::Duration::from_secs(10), async || {
        intent("umoja/app").await.status == 201
    })
    .await;
    intent("umoja/savings").await.refused(422, "invalid");
    sandbox.stop().await;
}
