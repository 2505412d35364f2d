//! Failures of the calls to Mono that may be repeated.

use std::time::Duration;

use kiungo::core::secret::Secret;
use kiungo::providers::mono::Dialect;
use kiungo::providers::{Provider, ProviderError};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::mono::{KEY, answering, credentials, make, mono_with, ok, only_request};
use crate::support::logs::Logs;

/// Every kind of failure of a call that may be repeated says whether repeating makes sense; none is repeated by itself, and
/// none names its URL or a secret. (P1, P2, P6)
#[tokio::test]
async fn failures_of_calls_are_told_apart() {
    let account = Secret::new("acc_Zq7account");
    for (name, template, want) in failures() {
        for call in [
            "institutions",
            "open",
            "reauth",
            "redeem",
            "account",
            "accounts",
            "unlink",
        ] {
            let logs = Logs::capture();
            let server = answering(template.clone()).await;
            let mono = mono_with(&server.uri(), Dialect::V2, |_| {});
            let error = make(&mono, call, &account).await;
            // Nothing is asked of the body of an unlink but that it does not say that it failed.
            if call == "unlink" && matches!(want, ProviderError::Garbled("not the JSON that was asked for")) {
                assert_eq!(error, None, "{name}, {call}");
                continue;
            }
            let error = error.unwrap_or_else(|| panic!("{name}, {call}: no error"));
            match (&want, &error) {
                (ProviderError::Garbled(_), ProviderError::Garbled(_)) => {}
                _ => assert_eq!(error, want, "{name}, {call}"),
            }
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("127.0.0.1") && !shown.contains("Zq7"), "{shown}");
            only_request(&server).await;
            logs.hold_none_of(&[KEY, "acc_Zq7account", "code_1", "ada@example.invalid"]);
        }
    }
}

fn failures() -> Vec<(&'static str, ResponseTemplate, ProviderError)> {
    let http = ResponseTemplate::new;
    let failed = json!({ "status": "failed", "message": "Zq7 said", "data": null });
    let unreadable = ProviderError::Garbled("not the JSON that was asked for");
    vec![
        ("500", http(500), ProviderError::Unavailable("a server error", None)),
        (
            "503, later",
            http(503).insert_header("retry-after", "30"),
            ProviderError::Unavailable("a server error", Some(Duration::from_secs(30))),
        ),
        (
            "502, page",
            http(502).set_body_string("<html>"),
            ProviderError::Unavailable("a server error", None),
        ),
        (
            "429",
            http(429).insert_header("retry-after", "7").set_body_json(&failed),
            ProviderError::Unavailable("too many calls", Some(Duration::from_secs(7))),
        ),
        ("409", http(409), ProviderError::Unavailable("try later", None)),
        (
            "401, empty",
            http(401),
            ProviderError::Refused("the key, the plan or its funds"),
        ),
        (
            "402",
            http(402).set_body_json(&failed),
            ProviderError::Refused("the key, the plan or its funds"),
        ),
        (
            "403",
            http(403),
            ProviderError::Refused("the key, the plan or its funds"),
        ),
        ("404, empty", http(404), ProviderError::NotFound),
        (
            "400",
            http(400).set_body_json(&failed),
            ProviderError::Refused("the request"),
        ),
        (
            "failed, as 200",
            http(200).set_body_json(&failed),
            ProviderError::Refused("the request"),
        ),
        (
            "number 400",
            ok(json!({ "status": 400, "message": "x" })),
            ProviderError::Refused("the request"),
        ),
        (
            "number 500",
            ok(json!({ "status": 500, "message": "x" })),
            ProviderError::Unavailable("a server error", None),
        ),
        ("307", http(307), ProviderError::Garbled("a redirect")),
        (
            "page",
            http(200).set_body_string("<html><body>Zq7</body></html>"),
            unreadable.clone(),
        ),
        (
            "truncated",
            http(200).set_body_string("{\"data\":{\"id\":\"Zq7"),
            unreadable.clone(),
        ),
        ("empty", http(200), unreadable.clone()),
        ("a word", http(200).set_body_string("\"Zq7\""), unreadable.clone()),
        (
            "deep",
            http(200).set_body_string("[".repeat(10_000)),
            unreadable.clone(),
        ),
        (
            "deep and closed",
            http(200).set_body_string("[".repeat(10_000) + &"]".repeat(10_000)),
            unreadable,
        ),
    ]
}

/// Too large an answer is refused while it is read. (P6)
#[tokio::test]
async fn a_list_of_ten_megabytes_is_refused() {
    let server = answering(ok(json!({ "data": ["x".repeat(10 * 1024 * 1024)] }))).await;
    let mono = mono_with(&server.uri(), Dialect::V2, |_| {});
    let error = mono.institutions(&credentials()).await.unwrap_err();
    assert_eq!(error, ProviderError::Unavailable("the answer is too long", None));
}
