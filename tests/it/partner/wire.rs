//! Requests as monitors, browsers and unusual clients send them.

use kiungo::config::sandbox::API_PUBLISHABLE_KEY;
use kiungo::http::partner::{AuthRequirement, routes};
use reqwest::Method;
use serde_json::json;

use crate::support::api::Api;
use crate::support::http::client;
use crate::support::sandbox::Sandbox;

/// HEAD is answered wherever GET is, with the same status and headers and without a body.
#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let (token, client) = (api.token().await, client());
    let paths = routes().filter(|route| route.method == "GET" && !route.path.contains('{'));
    let mut paths: Vec<_> = paths.map(|route| route.path.clone()).collect();
    paths.extend(
        [
            "/health/live",
            "/health/ready",
            "/metrics",
            "/phone",
            "/",
            "/go/nobodys-link",
            "/back/mono",
            "/v1/roles/11111111-1111-4111-8111-111111111111",
            "/nowhere",
        ]
        .map(str::to_owned),
    );
    // What every answer has of its own.
    let own = [
        "date",
        "x-request-id",
        "ratelimit-remaining",
        "ratelimit-reset",
        "content-length",
    ];
    for path in paths {
        let ask = async |method: Method| {
            let url = format!("{}{path}", api.base);
            client.request(method, url).bearer_auth(&token).send().await.unwrap()
        };
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!(get.status(), head.status(), "{path}");
        for (name, value) in get.headers() {
            if !own.contains(&name.as_str()) {
                assert_eq!(head.headers().get(name), Some(value), "{path} {name}");
            }
        }
        assert!(head.headers().contains_key("content-length") || head.headers().contains_key("transfer-encoding"));
        assert_eq!(head.bytes().await.unwrap(), "", "{path}");
    }
    sandbox.stop().await;
}

/// HEAD does nothing where GET does something: the callback of a gateway by GET is not taken, and the address is known.
#[tokio::test(flavor = "multi_thread")]
async fn head_takes_no_callback() {
    let sandbox = Sandbox::start().await;
    let (api, client) = (Api::of_sandbox(&sandbox.origin), client());
    for (path, status) in [
        ("/sms/sandbox/sandbox-sms?from=%2B2348031234567&text=STOP&id=h1", 200),
        ("/sms/sandbox/sandbox-sms/reports", 200),
        ("/sms/sandbox/wrong", 404),
    ] {
        let head = client.head(format!("{}{path}", api.base)).send().await.unwrap();
        assert_eq!(head.status(), status, "{path}");
    }
    sandbox.stop().await;
}

/// A page may ask the public route from a browser, with its key: the browser asks first, and shows all answers, problems
/// too. No other route lets it.
#[tokio::test(flavor = "multi_thread")]
async fn pages_may_ask_the_public_route_only() {
    let sandbox = Sandbox::start().await;
    let (api, client) = (Api::of_sandbox(&sandbox.origin), client());
    let public = "/v1/public/link-intents/11111111-1111-4111-8111-111111111111";
    let url = |path: &str| format!("{}{path}", api.base);
    let preflight = client
        .request(Method::OPTIONS, url(public))
        .header("origin", "https://shop.example.com");
    let preflight = preflight
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("GET"));
    assert!(header("access-control-allow-headers").contains("authorization"));
    assert_eq!(header("access-control-allow-credentials"), "");
    let token = api.token().await;
    let intent = json!({"purpose": "a loan"});
    let intent = api.created(&token, None, "/v1/link-intents", &intent).await;
    let there = format!("/v1/public/link-intents/{intent}");
    for (path, key, status) in [
        (there.as_str(), API_PUBLISHABLE_KEY, 200),
        (public, API_PUBLISHABLE_KEY, 404),
        (public, "wrong", 401),
    ] {
        let answer = api
            .get(path)
            .by(key)
            .header("origin", "https://shop.example.com")
            .send()
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer:?}");
        assert!(
            answer.header("access-control-expose-headers").contains("retry-after"),
            "{answer:?}"
        );
    }
    for route in routes().filter(|route| route.auth != AuthRequirement::PublishableKey) {
        let path = route.path.replace("{id}", "11111111-1111-4111-8111-111111111111");
        let answer = api.ask("OPTIONS", &path).send().await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        let ask = client.request(Method::from_bytes(route.method.as_bytes()).unwrap(), url(&path));
        let answer = ask.header("origin", "https://shop.example.com").send().await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
    }
    sandbox.stop().await;
}

/// A body that is compressed, or written in another character set, is refused with what would be read: by the API, for
/// webhooks and by SMS gateways. A USSD gateway gets a screen all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_is_refused() {
    let sandbox = Sandbox::start().await;
    let (api, client) = (Api::of_sandbox(&sandbox.origin), client());
    let token = api.token().await;
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-encoding", "br"),
        ("content-type", "application/json; charset=utf-16"),
    ] {
        let coded = name == "content-encoding";
        let body = b"\x1f\x8b\x08\x00".as_slice();
        let answer = api
            .ask("POST", "/v1/roles")
            .by(&token)
            .header(name, value)
            .text("\u{1f}x")
            .send()
            .await;
        answer.refused(415, "unsupported_media_type");
        assert_eq!(answer.header("accept-encoding"), if coded { "identity" } else { "" });
        for (path, status) in [
            ("/hooks/mono", 415),
            ("/sms/sandbox/sandbox-sms", 415),
            ("/ussd/sandbox/sandbox", 200),
            ("/back/mono", 415),
            ("/hooks/nobody", 404),
        ] {
            let ask = client
                .post(format!("{}{path}", api.base))
                .header(name, value)
                .body(body);
            let answer = ask
                .header("mono-webhook-secret", "sandbox-webhook-secret")
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), status, "{path} {value}");
            let told = answer.headers().get("accept-encoding").is_some();
            assert_eq!(told, coded && status == 415, "{path} {value}");
            let text = answer.text().await.unwrap();
            assert!(status != 200 || text.starts_with("END "), "{text}");
        }
    }
    sandbox.stop().await;
}

/// JSON in which an object has a member twice is refused, with the place, at any depth: by the API, and in a provider's
/// webhook, where it is bad input.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_comes_once() {
    let sandbox = Sandbox::start().await;
    let (api, client) = (Api::of_sandbox(&sandbox.origin), client());
    let token = api.token().await;
    for (body, place) in [
        (r#"{"name": "A", "name": "B", "permissions": {}}"#, "/name"),
        (
            r#"{"name": "A", "permissions": {"user": {"read": "allowed", "read": "not_allowed"}}}"#,
            "/permissions/user/read",
        ),
        (
            r#"{"name": "A", "permissions": {}, "\u0070ermissions": {"user": {}}}"#,
            "/permissions",
        ),
    ] {
        let ask = api
            .ask("POST", "/v1/roles")
            .by(&token)
            .header("content-type", "application/json");
        let answer = ask.text(body).send().await;
        answer.refused(422, "invalid");
        assert_eq!(answer.faults(), [(place.to_owned(), "duplicate".to_owned())]);
    }
    for (body, status) in [
        (
            r#"{"event": "mono.events.account_updated", "data": {"account": {"_id": "a"}}}"#,
            200,
        ),
        (
            r#"{"event": "mono.events.account_updated", "data": {"account": {"_id": "a"}, "x": [{"y": 1, "y": 2}]}}"#,
            400,
        ),
    ] {
        let ask = client.post(format!("{}/hooks/mono", api.base)).body(body);
        let answer = ask
            .header("mono-webhook-secret", "sandbox-webhook-secret")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{body}");
    }
    sandbox.stop().await;
}
