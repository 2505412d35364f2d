//! Mono's webhooks: authentication, meaning, and deduplication.

use kiungo::core::secret::Secret;
use kiungo::providers::mono::{Mono, MonoApiVersion};
use kiungo::providers::{
    EventSubject, Provider, ProviderEvent, ProviderEventKind, ProviderKeys, ProviderReply, ProviderRequest,
    WebhookError,
};
use serde_json::{Value, json};

use super::mono::mono_with;

/// What a webhook with these headers and this body tells, to somebody with this secret.
async fn received(
    mono: &Mono,
    secret: Option<&str>,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> Result<Option<ProviderEvent>, WebhookError> {
    let keys: ProviderKeys = secret
        .map(|secret| ("webhook_secret", Secret::new(secret)))
        .into_iter()
        .collect();
    let request = ProviderRequest {
        method: "POST",
        path: "/hooks/mono",
        tail: "",
        query: "",
        headers,
        body,
    };
    let mut answer = mono.webhook(&keys, &request).await?;
    assert_eq!(answer.reply, ProviderReply::ok());
    assert!(answer.events.len() <= 1, "Mono sends one event at a time");
    Ok(answer.events.pop())
}

type Understood = Result<Option<ProviderEventKind>, WebhookError>;

fn event(name: &str, data: impl Into<Value>) -> Value {
    let data = data.into();
    json!({ "event": format!("mono.events.{name}"), "data": data })
}

/// Deliveries about the account `acc`.
fn reports() -> Vec<(Value, Understood)> {
    use ProviderEventKind::{Connected, ReauthRequired, Reauthorised, Unlinked, Updated};
    let account = json!({ "account": { "_id": "acc", "id": "no", "balance": 1, "bvn": null }, "id": "no" });
    let sync = |status: &str| json!({ "account": { "_id": "acc" }, "meta": { "sync_status": status } });
    vec![
        (
            event("account_connected", json!({ "id": "acc", "meta": {} })),
            Ok(Some(Connected)),
        ),
        (event("account_updated", account.clone()), Ok(Some(Updated))),
        (event("account_updated", sync("SUCCESSFUL")), Ok(Some(Updated))),
        (
            event("account_updated", sync("REAUTHORISATION_REQUIRED")),
            Ok(Some(ReauthRequired)),
        ),
        (
            event("account_updated", sync("reauthorization_required")),
            Ok(Some(ReauthRequired)),
        ),
        (event("account_reauthorized", account.clone()), Ok(Some(Reauthorised))),
        (event("account_reauthorised", account.clone()), Ok(Some(Reauthorised))),
        (
            event("reauthorisation_required", account.clone()),
            Ok(Some(ReauthRequired)),
        ),
        (event("reauthorization_required", account), Ok(Some(ReauthRequired))),
        (
            event("account_unlinked", json!({ "account": { "id": "acc" } })),
            Ok(Some(Unlinked)),
        ),
        (
            event("account_unlinked", json!({ "account": { "_id": "acc" } })),
            Ok(Some(Unlinked)),
        ),
        (
            event("account_unlinked", json!({ "account": "acc" })),
            Ok(Some(Unlinked)),
        ),
    ]
}

/// Deliveries that do not concern us, and those that cannot be parsed.
fn not_events_of_an_account() -> Vec<(Value, Understood)> {
    vec![
        (event("account_connected.failed", json!({ "id": "acc" })), Ok(None)),
        (event("sync_failed", json!({ "account": { "_id": "acc" } })), Ok(None)),
        (
            json!({ "event": "mono.accounts.jobs.update", "data": { "account": "acc" } }),
            Ok(None),
        ),
        (event("account_income", json!([])), Ok(None)),
        (event("account_connected", json!({ "id": "" })), Ok(None)),
        (event("account_connected", json!(null)), Ok(None)),
        (json!({ "data": {} }), Err(WebhookError::Malformed)),
        (json!([]), Err(WebhookError::Malformed)),
    ]
}

/// Every event is recognised in every spelling, its account is found at every place, and forged ones are rejected.
/// (Wire 7, P11)
#[tokio::test]
async fn webhooks_are_understood() {
    let mono = mono_with("http://127.0.0.1:9", MonoApiVersion::V2, |_| {});
    for (body, want) in reports().into_iter().chain(not_events_of_an_account()) {
        let bytes = serde_json::to_vec(&body).unwrap();
        for (header, secret, authentic) in [
            ("mono-webhook-secret", "hook-secret", true),
            ("Mono-Webhook-Secret", "hook-secret", true),
            ("mono-webhook-secret", "hook-secreT", false),
            ("mono-webhook-secret", "hook-secret ", false),
            ("mono-webhook-secret", "", false),
            ("x-webhook-secret", "hook-secret", false),
        ] {
            let headers = [(header.to_owned(), secret.as_bytes().to_vec())];
            let understood = received(&mono, Some("hook-secret"), &headers, &bytes).await;
            let seen = understood.map(|event| {
                event.map(|event| {
                    assert!(matches!(event.about, EventSubject::Account(_)), "{body}");
                    assert_eq!(event.about.id().expose(), "acc", "{body}");
                    event.kind
                })
            });
            let want = if authentic {
                want
            } else {
                Err(WebhookError::Unauthentic)
            };
            assert_eq!(seen, want, "{body} {header} {secret}");
        }
    }
}

/// Odd deliveries, and what they are: an event of `acc`, none that concerns us, or never to be understood.
fn odd_deliveries() -> Vec<(&'static str, Understood)> {
    use ProviderEventKind::{Connected, ReauthRequired, Unlinked, Updated};
    let malformed = Err(WebhookError::Malformed);
    vec![
        // Types that do not concern us are looked at no further.
        (
            r#"{"event":"mono.events.statement","data":[[7]],"timestamp":{},"event_id":[]}"#,
            Ok(None),
        ),
        (r#"{"event":"mono.accounts.jobs.update","data":"acc"}"#, Ok(None)),
        (r#"{"event":"","data":null}"#, Ok(None)),
        (r#"{"event":7}"#, Ok(None)),
        (r#"{"event":"MONO.EVENTS.","data":{"id":"acc"}}"#, Ok(None)),
        // Odd parts that are not needed are not there.
        (
            r#"{"event":"mono.events.account_connected","event_id":{"x":1},"timestamp":[],"data":{"id":"acc","meta":7,"account":[]}}"#,
            Ok(Some(Connected)),
        ),
        (
            r#"{"event":" Mono.Events.Account_Updated ","timestamp":true,"data":{"account":{"_id":"acc","id":[],"balance":"x"},"meta":{"sync_status":{},"data_status":[1],"job_id":1.5}}}"#,
            Ok(Some(Updated)),
        ),
        (
            r#"{"event":"mono.events.account_updated","data":{"account":{"_id":null,"id":"acc"},"id":{},"meta":{"sync_status":"REAUTHORISATION_REQUIRED","job_id":[]}}}"#,
            Ok(Some(ReauthRequired)),
        ),
        (
            r#"{"event":"mono.events.account_unlinked","data":{"account":{"_id":{"$oid":"x"}},"_id":"acc"}}"#,
            Ok(Some(Unlinked)),
        ),
        (
            r#"{"event":"mono.events.account_unlinked","data":{"account":false,"id":"acc"},"status":null}"#,
            Ok(Some(Unlinked)),
        ),
        (
            "\u{feff}{\"event\":\"mono.events.account_connected\",\"data\":{\"id\":\"acc\"}}",
            Ok(Some(Connected)),
        ),
        // Without what it needs, nobody can say what it is about, now or later.
        (
            r#"{"event":"mono.events.account_unlinked","data":{"account":{"name":"ADA"}}}"#,
            Ok(None),
        ),
        (
            r#"{"event":"mono.events.account_updated","data":{"account":{"_id":"  "}}}"#,
            Ok(None),
        ),
        (
            r#"{"event":"mono.events.account_updated","data":[{"id":"acc"}]}"#,
            Ok(None),
        ),
        (r#"{"event":"mono.events.account_updated"}"#, Ok(None)),
        // What names no event, or may name two.
        (r#"{"event":["mono.events.account_updated"]}"#, malformed),
        (
            r#"{"event":"mono.events.account_updated","event":"mono.events.account_unlinked"}"#,
            malformed,
        ),
        (r#"{"event":"mono.events.account_updated","data":{"#, malformed),
        ("event=account_updated", malformed),
        ("", malformed),
    ]
}

/// What an event does not need never spoils it, what does not concern us or lacks what it needs is no event, and what
/// names none is not understood; with a wrong secret none is looked at. The event's name for deduplication is short and printable.
#[tokio::test]
async fn odd_deliveries_are_told_apart() {
    let mono = mono_with("http://127.0.0.1:9", MonoApiVersion::V2, |_| {});
    for (body, want) in odd_deliveries() {
        for (secret, authentic) in [("hook-secret", true), ("hook-secret\n", false)] {
            let headers = [("mono-webhook-secret".to_owned(), secret.as_bytes().to_vec())];
            let understood = received(&mono, Some("hook-secret"), &headers, body.as_bytes()).await;
            let seen = understood.map(|event| {
                event.map(|event| {
                    assert_eq!(event.about.id().expose(), "acc", "{body}");
                    event.kind
                })
            });
            let want = if authentic {
                want
            } else {
                Err(WebhookError::Unauthentic)
            };
            assert_eq!(seen, want, "{body}");
        }
    }
    for id in [json!("evt\u{0}1"), json!("e".repeat(100_000)), json!("évt 1"), json!(7)] {
        let body = json!({ "event": "mono.events.account_connected", "event_id": id, "data": { "id": "acc" } });
        let headers = [("mono-webhook-secret".to_owned(), b"s".to_vec())];
        let body = serde_json::to_vec(&body).unwrap();
        let key = received(&mono, Some("s"), &headers, &body)
            .await
            .unwrap()
            .unwrap()
            .dedupe_key;
        assert!(
            key.len() <= 128 && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "{key}"
        );
    }
}

/// Without a configured secret no webhook is accepted, not even one with an empty secret.
#[tokio::test]
async fn without_a_secret_no_webhook_is_believed() {
    for secret in [None, Some("")] {
        let mono = mono_with("http://127.0.0.1:9", MonoApiVersion::V2, |_| {});
        let headers = [("mono-webhook-secret".to_owned(), Vec::new())];
        assert_eq!(
            received(&mono, secret, &headers, b"{}").await.unwrap_err(),
            WebhookError::Unauthentic
        );
    }
}

/// A repeated delivery is the same event, and two events are two, with an id of Mono's or without. (P11)
#[tokio::test]
async fn deliveries_of_one_event_are_recognised() {
    let mono = mono_with("http://127.0.0.1:9", MonoApiVersion::V2, |_| {});
    let mono = &mono;
    let key = async |event: &str, id: Value, at: Value, account: &str, sync: &str, note: &str| {
        let body = json!({ "event": event, "event_id": id, "timestamp": at, "note": note,
            "data": { "account": { "_id": account }, "meta": { "sync_status": sync } } });
        let headers = [("mono-webhook-secret".to_owned(), b"s".to_vec())];
        let body = serde_json::to_vec(&body).unwrap();
        let event = received(mono, Some("s"), &headers, &body).await.unwrap();
        event.unwrap().dedupe_key
    };
    let (updated, linked) = ("mono.events.account_updated", "mono.events.account_connected");
    let with_id = key(updated, json!("evt-1"), json!("t1"), "a", "x", "").await;
    assert_eq!(
        with_id,
        key(updated, json!("evt-1"), json!("t2"), "a", "x", "again").await
    );
    assert_ne!(with_id, key(updated, json!("evt-2"), json!("t1"), "a", "x", "").await);
    let without = key(updated, json!(null), json!("t1"), "a", "x", "").await;
    assert_eq!(without, key(updated, json!(null), json!("t1"), "a", "x", "again").await);
    for other in [
        key(updated, json!(null), json!("t2"), "a", "x", "").await,
        key(updated, json!(null), json!("t1"), "b", "x", "").await,
        key(updated, json!(null), json!("t1"), "a", "y", "").await,
        key(linked, json!(null), json!("t1"), "a", "x", "").await,
        key(updated, json!(null), json!(null), "a", "x", "").await,
    ] {
        assert_ne!(without, other);
    }
    // Without a time the whole body identifies it.
    let timeless = key(updated, json!(null), json!(null), "a", "x", "one").await;
    assert_eq!(timeless, key(updated, json!(null), json!(null), "a", "x", "one").await);
    assert_ne!(timeless, key(updated, json!(null), json!(null), "a", "x", "two").await);
}
