//! Errors before a handler runs. The test client itself checks that every error is a problem document with an id.

use serde_json::json;

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// Whatever is wrong with a request, the response is a problem document that says what.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_a_problem_document() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let role = json!({"name": "A", "permissions": {}});
    let id = "11111111-1111-4111-8111-111111111111";
    let json = |text: &str| {
        let ask = api.ask("POST", "/v1/roles").by(&token);
        ask.header("content-type", "application/json; charset=utf-8").text(text)
    };
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
    for (ask, status, code) in [
        (api.get("/v1"), 404, "not_found"),
        (api.get("/v1/"), 404, "not_found"),
        (api.get("/v1/nowhere").by(&token), 404, "not_found"),
        (api.get("/v1/roles/").by(&token), 404, "not_found"),
        (api.get("/v1/roles/x").by(&token), 404, "not_found"),
        (api.get(&format!("/v1/roles/{id}")).by(&token), 404, "not_found"),
        (
            api.get(&format!("/v1/roles/{}", id.replace('-', ""))).by(&token),
            404,
            "not_found",
        ),
        (api.ask("PUT", "/v1/roles").by(&token), 405, "method_not_allowed"),
        (api.ask("GET", "/v1/auth/token"), 405, "method_not_allowed"),
        (api.ask("PURGE", "/v1/auth/token"), 405, "method_not_allowed"),
        (json("{"), 400, "malformed"),
        (json(""), 400, "malformed"),
        (json(&long), 413, "too_long"),
        (
            api.ask("POST", "/v1/roles").by(&token).text("{}"),
            415,
            "unsupported_media_type",
        ),
        (
            api.post("/v1/roles", &role)
                .by(&token)
                .header("kiungo-version", "2020-01-01"),
            400,
            "unknown_version",
        ),
        (api.get("/v1/roles").by(&token).within("x"), 422, "invalid"),
        (api.get("/v1/roles").by(&token).within(id), 403, "entity_not_yours"),
        (api.get("/v1/roles?limit=0").by(&token), 422, "invalid"),
        (api.get("/v1/roles?page=2").by(&token), 422, "invalid"),
        (api.get("/v1/users/me").by(&token), 403, "role_does_not_allow"),
    ] {
        ask.send().await.refused(status, code);
    }
    let wrong = api.ask("PUT", "/v1/roles").by(&token).send().await;
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    let known = api.get("/v1/roles").by(&token).header("kiungo-version", "2026-11-01");
    known.send().await.expect(200);
    sandbox.stop().await;
}

/// All errors in a body are reported with their place.
#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_body_are_pointed_at() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    for (path, body, wanted) in [
        ("/v1/roles", json!({}), vec![("/name", "required")]),
        (
            "/v1/roles",
            json!({"name": 7, "permissions": {}}),
            vec![("/name", "wrong_type")],
        ),
        (
            "/v1/roles",
            json!({"name": " ", "permissions": {}}),
            vec![("/name", "blank")],
        ),
        (
            "/v1/roles",
            json!({"name": "A", "permissions": {}, "x": 1}),
            vec![("/x", "unknown")],
        ),
        (
            "/v1/roles",
            json!({"name": "A", "permissions": {"link": {"read": "maybe"}}}),
            vec![("/permissions", "invalid")],
        ),
        (
            "/v1/users",
            json!({"login": "", "name": "x".repeat(256)}),
            vec![
                ("/login", "blank"),
                ("/name", "too_long"),
                ("Kiungo-Entity-Id", "required"),
            ],
        ),
        (
            "/v1/entities",
            json!({"name": "A", "default_role_id": "11111111-1111-4111-8111-111111111111"}),
            vec![("/default_role_id", "unknown")],
        ),
        ("/v1/entities", json!([]), vec![("", "invalid")]),
    ] {
        let answer = api.post(path, &body).by(&token).send().await;
        answer.refused(422, "invalid");
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(at, code)| (at.to_owned(), code.to_owned()))
            .collect();
        assert_eq!(answer.faults(), wanted, "{path} {body}");
    }
    sandbox.stop().await;
}
