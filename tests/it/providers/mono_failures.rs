//! Failures of repeatable calls to Mono.

use std::time::Duration;

use kiungo::core::secret::Secret;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{Provider, ProviderError};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::mono::{KEY, answering, keys, make, mono_with, ok, only_request};
use crate::support::logs::Logs;

/// Every failure of a repeatable call says whether a retry makes sense; none is retried by itself, and no error contains its
/// URL or a secret. (P1, P2, P6)
#[tokio::test]
async fn failures_of_calls_are_told_apart() {
    let account = Secret::new("acc_Zq7account");
    for (name, template, want) in refusals().into_iter().chain(pauses()).chain(unreadable()) {
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
            let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
            let error = make(&mono, call, &account).await;
            // The body of an unlink is only checked for a reported failure.
            if call == "unlink" && matches!(want, ProviderError::Malformed("not the JSON that was asked for")) {
                assert_eq!(error, None, "{name}, {call}");
                continue;
            }
            let error = error.unwrap_or_else(|| panic!("{name}, {call}: no error"));
            // That an account is not found is looked up in the list, which is not found here either.
            if want == ProviderError::NotFound && ["account", "unlink"].contains(&call) {
                assert!(
                    matches!(error, ProviderError::Unavailable(..)),
                    "{name}, {call}: {error}"
                );
                continue;
            }
            match (&want, &error) {
                (ProviderError::Malformed(_), ProviderError::Malformed(_)) => {}
                _ => assert_eq!(error, want, "{name}, {call}"),
            }
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("127.0.0.1") && !shown.contains("Zq7"), "{shown}");
            only_request(&server).await;
            logs.hold_none_of(&[KEY, "acc_Zq7account", "code_1", "ada@example.invalid"]);
        }
    }
}

type Failure = (&'static str, ResponseTemplate, ProviderError);

fn http(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

fn failed() -> Value {
    json!({ "status": "failed", "message": "Zq7 said", "data": null })
}

/// Mono refuses: a retry would get the same answer.
fn refusals() -> Vec<Failure> {
    let key = ProviderError::Refused("the key, the plan or its funds");
    let request = ProviderError::Refused("the request");
    vec![
        ("401, empty", http(401), key.clone()),
        ("402", http(402).set_body_json(failed()), key.clone()),
        ("403", http(403), key),
        ("404, empty", http(404), ProviderError::NotFound),
        ("400", http(400).set_body_json(failed()), request.clone()),
        ("failed, as 200", http(200).set_body_json(failed()), request.clone()),
        ("number 400", ok(json!({ "status": 400, "message": "x" })), request),
    ]
}

/// Mono is unavailable: the call may be retried, after the requested pause.
fn pauses() -> Vec<Failure> {
    let error = |after: Option<u64>| ProviderError::Unavailable("a server error", after.map(Duration::from_secs));
    vec![
        ("500", http(500), error(None)),
        (
            "503, later",
            http(503).insert_header("retry-after", "30"),
            error(Some(30)),
        ),
        ("502, page", http(502).set_body_string("<html>"), error(None)),
        (
            "429",
            http(429).insert_header("retry-after", "7").set_body_json(failed()),
            ProviderError::RateLimited(Some(Duration::from_secs(7))),
        ),
        ("409", http(409), ProviderError::Unavailable("try later", None)),
        ("number 500", ok(json!({ "status": 500, "message": "x" })), error(None)),
    ]
}

/// Answers that are not Mono's.
fn unreadable() -> Vec<Failure> {
    let text = |body: String| http(200).set_body_string(body);
    let bodies = [
        ("page", "<html><body>Zq7</body></html>".to_owned()),
        ("truncated", "{\"data\":{\"id\":\"Zq7".to_owned()),
        ("empty", String::new()),
        ("a word", "\"Zq7\"".to_owned()),
        ("deep", "[".repeat(10_000)),
        ("deep and closed", "[".repeat(10_000) + &"]".repeat(10_000)),
    ];
    let garbled = |(name, body)| {
        (
            name,
            text(body),
            ProviderError::Malformed("not the JSON that was asked for"),
        )
    };
    let redirect = ("307", http(307), ProviderError::Malformed("a redirect"));
    bodies.into_iter().map(garbled).chain([redirect]).collect()
}

/// A response that is too large is refused while it is read. (P6)
#[tokio::test]
async fn a_list_of_ten_megabytes_is_refused() {
    let server = answering(ok(json!({ "data": ["x".repeat(10 * 1024 * 1024)] }))).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
    let error = mono.institutions(&keys()).await.unwrap_err();
    assert_eq!(error, ProviderError::Unavailable("the answer is too long", None));
}
