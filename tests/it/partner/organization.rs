//! Roles, entities and users.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// Objects can be created, read, updated and deleted, and do not exist afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_kept_until_it_is_ended() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let entity = api.entity(&token, "Lagos").await;
    let permissions = json!({"link": {"read": "allowed_for_own"}});
    let role = api.role(&token, &permissions).await;
    let user = api.user(&token, &entity, "ada", Some(&role)).await;
    for (path, change) in [
        (format!("/v1/roles/{role}"), json!({"name": "Till"})),
        (format!("/v1/entities/{entity}"), json!({"default_role_id": role})),
        (format!("/v1/users/{user}"), json!({"role_id": null, "name": "Ada N."})),
        (format!("/v1/users/{user}"), json!({"login": "ada.n"})),
        (format!("/v1/users/{user}"), json!({})),
    ] {
        let before = api.get(&path).by(&token).send().await.expect(200);
        let changed = api.patch(&path, &change).by(&token).send().await.expect(200);
        let read = api.get(&path).by(&token).send().await.expect(200);
        assert_eq!(read, changed);
        for (member, value) in read.as_object().unwrap() {
            let wanted = change.get(member).unwrap_or(&before[member]);
            assert!(value == wanted || member == "updated_at", "{path} {member}: {value}");
        }
    }
    let in_use = api.delete(&format!("/v1/roles/{role}")).by(&token).send().await;
    in_use.refused(409, "conflict");
    for path in [format!("/v1/entities/{entity}"), format!("/v1/roles/{role}")] {
        api.delete(&path).by(&token).send().await.expect(204);
        api.delete(&path).by(&token).send().await.refused(404, "not_found");
        api.get(&path).by(&token).send().await.refused(404, "not_found");
    }
    // An entity's users are deleted with it.
    let user = api.get(&format!("/v1/users/{user}")).by(&token).send().await;
    user.refused(404, "not_found");
    sandbox.stop().await;
}

/// Lists are newest first, page by page, with each row once.
#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.insert(0, api.entity(&token, &format!("Branch {n}")).await);
    }
    let (mut found, mut path) = (Vec::new(), "/v1/entities?limit=2".to_owned());
    loop {
        let page = api.get(&path).by(&token).send().await.expect(200);
        let rows = page["data"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Value::String(cursor) = &page["next_cursor"] else {
            break;
        };
        assert_eq!(rows.len(), 2);
        path = format!("/v1/entities?limit=2&cursor={cursor}");
    }
    // Rows created in the same millisecond are ordered by id.
    found.sort();
    made.sort();
    assert_eq!(found, made);
    sandbox.stop().await;
}

/// A user cannot grant more than they have: neither in a role, nor by assigning one, nor by an entity's default role.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_hands_out_more_than_they_have() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let entity = api.entity(&partner, "Lagos").await;
    let manager = json!({
        "user": {"create": "allowed", "update": "allowed", "read": "allowed"},
        "role": {"create": "allowed", "update": "allowed", "read": "allowed"},
    });
    let mine = api.role(&partner, &manager).await;
    let more = api.role(&partner, &json!({"link": {"delete": "allowed"}})).await;
    let user = api.user(&partner, &entity, "boss", Some(&mine)).await;
    let token = api.token_of(&user).await;
    let refused = |ask: crate::support::api::ApiRequest| async {
        ask.by(&token).send().await.refused(403, "role_does_not_allow");
    };
    refused(api.post(
        "/v1/roles",
        &json!({"name": "x", "permissions": {"link": {"read": "allowed_for_own"}}}),
    ))
    .await;
    let new = json!({"login": "x", "name": "x", "role_id": more});
    refused(api.post("/v1/users", &new)).await;
    refused(api.patch(&format!("/v1/users/{user}"), &json!({"role_id": more}))).await;
    let role = json!({"name": "x", "permissions": {"user": {"read": "allowed_for_own"}}});
    let made = api.post("/v1/roles", &role).by(&token).send().await.expect(201);
    assert_eq!(
        (&made["entity_id"], &made["created_by"]),
        (&json!(entity), &json!(user))
    );
    let wider = json!({"permissions": {"event": {"read": "allowed"}}});
    refused(api.patch(&format!("/v1/roles/{}", made["id"].as_str().unwrap()), &wider)).await;
    // A user may assign a role that is for all entities, but not change it.
    let all = api
        .patch(&format!("/v1/roles/{mine}"), &json!({"name": "x"}))
        .by(&token)
        .send()
        .await;
    all.refused(404, "not_found");
    let default = json!({"default_role_id": more});
    api.patch(&format!("/v1/entities/{entity}"), &default)
        .by(&partner)
        .send()
        .await
        .expect(200);
    refused(api.patch(&format!("/v1/users/{user}"), &json!({"role_id": null}))).await;
    let new = json!({"login": "y", "name": "y", "role_id": mine});
    api.post("/v1/users", &new).by(&token).send().await.expect(201);
    let twice = api.post("/v1/users", &new).by(&token).send().await;
    twice.refused(409, "conflict");
    sandbox.stop().await;
}
