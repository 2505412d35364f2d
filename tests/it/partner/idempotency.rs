//! Requests with the same `Idempotency-Key` take effect once.

use std::sync::Arc;

use futures_util::future::join_all;
use kiungo::core::access::TenantScope;
use kiungo::core::ids::PartnerId;
use kiungo::core::page::PageRequest;
use serde_json::{Value, json};

use crate::support::api::{Api, ApiAnswer};
use crate::support::sandbox::Sandbox;

async fn create(api: &Api, token: &str, key: &str, name: &str) -> ApiAnswer {
    let role = json!({"name": name, "permissions": {}});
    api.post("/v1/roles", &role)
        .by(token)
        .header("idempotency-key", key)
        .send()
        .await
}

async fn roles(sandbox: &Sandbox, api: &Api) -> usize {
    let reach = TenantScope {
        partner: PartnerId::parse(&api.id).unwrap(),
        entity: None,
        own: None,
    };
    let records = sandbox.records().await;
    records.roles(&reach, &PageRequest::default()).await.unwrap().rows.len()
}

/// A repeat by the same caller gets the same response and has no effect; another request under its key is refused, and a
/// refused request leaves the key free.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_done_once() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    create(&api, &token, "k-1", " ").await.refused(422, "invalid");
    let first = create(&api, &token, "k-1", "Till").await;
    assert_eq!(first.header("idempotent-replayed"), "");
    let first = first.expect(201);
    let again = create(&api, &token, "k-1", "Till").await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(201), first);
    // The key belongs to the caller, not to the token.
    let other_token = api.token().await;
    assert_eq!(create(&api, &other_token, "k-1", "Till").await.expect(201), first);
    create(&api, &token, "k-1", "Another")
        .await
        .refused(422, "idempotency_mismatch");
    let within = api.entity(&token, "Lagos").await;
    let role = json!({"name": "Till", "permissions": {}});
    let elsewhere = api
        .post("/v1/roles", &role)
        .by(&token)
        .header("idempotency-key", "k-1")
        .within(&within);
    elsewhere.send().await.refused(422, "idempotency_mismatch");
    assert_ne!(create(&api, &token, "k-2", "Till").await.expect(201), first);
    for key in ["", "a b", &"x".repeat(256)] {
        create(&api, &token, key, "Till").await.refused(422, "invalid");
    }
    assert_eq!(roles(&sandbox, &api).await, 2);
    let other = sandbox.another(1).await;
    let made = create(&other, &other.token().await, "k-1", "Till").await;
    assert_eq!(made.header("idempotent-replayed"), "");
    assert_ne!(made.expect(201)["id"], first["id"]);
    sandbox.stop().await;
}

/// Many at once create one object: each gets it, or learns that it is in progress.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_make_one() {
    let sandbox = Sandbox::start().await;
    let api = Arc::new(Api::of_sandbox(&sandbox.origin));
    let token = api.token().await;
    for round in 0..5 {
        let key = format!("round-{round}");
        let all = (0..8).map(|_| create(&api, &token, &key, "Till"));
        let mut ids = Vec::new();
        for answer in join_all(all).await {
            if answer.status == 409 {
                answer.refused(409, "idempotency_in_progress");
                assert_eq!(answer.header("retry-after"), "1");
            } else {
                ids.push(answer.expect(201)["id"].clone());
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    assert_eq!(roles(&sandbox, &api).await, 5);
    sandbox.stop().await;
}

/// A creation that was interrupted before its response was stored, with or without effect, creates the same single object
/// when it is repeated.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_makes_one() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let first = create(&api, &token, "k-1", "Till").await.expect(201);
    // The state after a crash between the creation and the storing of its response.
    sandbox
        .execute("UPDATE idempotency SET status = NULL, sealed = NULL")
        .await;
    create(&api, &token, "k-1", "Till")
        .await
        .refused(409, "idempotency_in_progress");
    sandbox.execute("UPDATE idempotency SET lease_until = 0").await;
    let again = create(&api, &token, "k-1", "Till").await;
    assert_eq!(again.header("idempotent-replayed"), "");
    assert_eq!(again.expect(201), first);
    // The state after a crash before the creation.
    sandbox
        .execute("UPDATE idempotency SET status = NULL, sealed = NULL, lease_until = 0")
        .await;
    sandbox.execute("DELETE FROM roles").await;
    let made = create(&api, &token, "k-1", "Till").await.expect(201);
    assert_eq!(made["id"], first["id"]);
    assert_eq!(roles(&sandbox, &api).await, 1);
    let kept: Value = create(&api, &token, "k-1", "Till").await.expect(201);
    assert_eq!(kept, made);
    sandbox.stop().await;
}
