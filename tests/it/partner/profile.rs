//! The partner itself: settings, provider credentials, the audit trail.

use kiungo::config::sandbox::MONO_KEY as KEY;
use kiungo::core::ids::PartnerId;
use serde_json::json;

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// A partner changes its settings within their bounds; the partner of the configuration is changed there.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_where_they_are_set() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let before = api.get("/v1/partner").by(&token).send().await.expect(200);
    assert_eq!(before["id"], json!(api.id));
    assert_eq!(
        (&before["name"], &before["environment"]),
        (&json!("Partner 1"), &json!("sandbox"))
    );
    assert_eq!(before["contact"], json!(null));
    let change = json!({"purpose": "a policy", "data_days": 30, "walk_in": false, "contact": "0700 123 4567"});
    let after = api.patch("/v1/partner", &change).by(&token).send().await.expect(200);
    for (member, value) in change.as_object().unwrap() {
        assert_eq!(&after[member], value);
    }
    let none = api
        .patch("/v1/partner", &json!({"contact": null}))
        .by(&token)
        .send()
        .await
        .expect(200);
    assert_eq!((&none["contact"], &none["data_days"]), (&json!(null), &json!(30)));
    let wrong = json!({"purpose": "x".repeat(41), "data_days": 731, "contact": "text 0700 your PIN"});
    let refused = api.patch("/v1/partner", &wrong).by(&token).send().await;
    let wanted = [
        ("/purpose", "too_long"),
        ("/contact", "not_telephone"),
        ("/data_days", "out_of_range"),
    ];
    assert_eq!(
        refused.faults(),
        wanted.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    // Who is offered to everybody is not the partner's to decide.
    let asks = api
        .patch("/v1/partner", &json!({"walk_in": true}))
        .by(&token)
        .send()
        .await;
    assert_eq!(asks.faults(), [("/walk_in".to_owned(), "not_allowed".to_owned())]);
    let configured = Api::of_sandbox(&sandbox.origin);
    let token = configured.token().await;
    for ask in [
        configured.patch("/v1/partner", &change),
        configured
            .ask("PUT", "/v1/provider-credentials/mono")
            .json(&json!({"secret_key": KEY})),
        configured.delete("/v1/provider-credentials/mono"),
    ] {
        ask.by(&token).send().await.refused(409, "conflict");
    }
    sandbox.stop().await;
}

/// Provider credentials are checked before they are stored, never shown, and sealed in the records.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_tried_before_they_are_kept() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let put = |provider: &str, key: &str| {
        let path = format!("/v1/provider-credentials/{provider}");
        api.ask("PUT", &path)
            .json(&json!({"secret_key": key}))
            .by(&token)
            .send()
    };
    let listed = async || {
        let list = api.get("/v1/provider-credentials").by(&token).send().await.expect(200);
        list["data"][0]["present"].clone()
    };
    put("powens", KEY).await.refused(404, "not_found");
    for (key, code) in [
        ("test_sk_zq7wrongwrongwrong", "refused"),
        ("live_sk_zq7zq7zq7zq7zq7zq7", "live_key"),
    ] {
        let refused = put("mono", key).await;
        refused.refused(422, "invalid");
        assert_eq!(refused.faults(), [("/secret_key".to_owned(), code.to_owned())]);
    }
    assert_eq!(listed().await, json!(false));
    let kept = put("mono", KEY).await.expect(200);
    assert_eq!(
        (&kept["present"], kept.to_string().contains(KEY)),
        (&json!(true), false)
    );
    assert_eq!(listed().await, json!(true));
    let (records, id) = (sandbox.records().await, PartnerId::parse(&api.id).unwrap());
    let sealed = records.credentials(id, "mono");
    let sealed = sealed.await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains(KEY));
    let gone = api.delete("/v1/provider-credentials/mono").by(&token).send().await;
    gone.expect(204);
    api.delete("/v1/provider-credentials/mono")
        .by(&token)
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(listed().await, json!(false));
    let trail = api.get("/v1/audit").by(&token).send().await.expect(200);
    let kinds: Vec<_> = trail["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].clone())
        .collect();
    assert_eq!(kinds, ["credentials.deleted", "credentials.set", "token.issued"]);
    sandbox.stop().await;
}
