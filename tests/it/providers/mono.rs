//! Mono: the exact requests of both dialects, and what the replies to calls other than submissions become.

use std::time::Duration;

use kiungo::core::next_step::{Form, Grant};
use kiungo::core::secret::Secret;
use kiungo::providers::base_url::validate_base_url;
use kiungo::providers::http::{Client, ClientOptions};
use kiungo::providers::mono::{Dialect, Mono, MonoSettings, UnlinkCall};
use kiungo::providers::{
    Credentials, Customer, Institution, Opening, Provider, ProviderError, ProviderSession, SessionKind, Step,
    Submission, Which,
};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::logs::Logs;

/// The key of every call here.
pub const KEY: &str = "test_sk_Zq7keykeykey";

/// The client as it is built for production, but for the loopback address.
pub fn mono_with(uri: &str, dialect: Dialect, change: impl FnOnce(&mut MonoSettings)) -> Mono {
    let base = validate_base_url(uri, true).unwrap();
    let mut settings = MonoSettings::new(base, dialect);
    settings.call_timeout = Duration::from_secs(5);
    change(&mut settings);
    Mono::new(settings, Client::new(&ClientOptions::default()).unwrap())
}

/// The partner's keys.
pub fn credentials() -> Credentials {
    Credentials {
        secret_key: Secret::new(KEY),
        app_id: Some("app-1".to_owned()),
    }
}

/// A session at the provider.
pub fn session(kind: SessionKind, form: Option<Form>) -> ProviderSession {
    ProviderSession {
        id: "sess_Zq7session".to_owned(),
        expires_at: None,
        form,
        kind,
    }
}

/// A bank of the list.
pub fn bank() -> Institution {
    Institution {
        id: "a1:p".to_owned(),
        provider_id: "a1".to_owned(),
        name: "Savanna Bank".to_owned(),
        country: Some("NG".to_owned()),
        business: false,
        methods: Vec::new(),
        timeout: None,
    }
}

/// Whom Mono is told the account belongs to.
pub fn ada() -> Customer {
    Customer {
        name: "Ada \"A\" Example".to_owned(),
        email: "ada@example.invalid".to_owned(),
    }
}

/// Answers everything with this.
pub async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

/// The one request there was.
pub async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "sent {} times", requests.len());
    requests.remove(0)
}

/// A good reply.
pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// What a request must be: method, path with query, whether it carries the session, body.
type Want = (&'static str, &'static str, bool, Option<Value>);

async fn assert_request(server: &MockServer, (method, path, with_session, body): Want) {
    let request = only_request(server).await;
    let target = request.url.query().map_or_else(
        || request.url.path().to_owned(),
        |query| format!("{}?{query}", request.url.path()),
    );
    assert_eq!((request.method.as_str(), target.as_str()), (method, path));
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("mono-sec-key").as_deref(), Some(KEY), "{path}");
    assert_eq!(
        header("x-session-id").as_deref(),
        with_session.then_some("sess_Zq7session"),
        "{path}"
    );
    match body {
        Some(body) => {
            assert_eq!(request.body_json::<Value>().unwrap(), body, "{path}");
            assert_eq!(header("content-type").as_deref(), Some("application/json"), "{path}");
        }
        None => assert!(request.body.is_empty(), "{path}"),
    }
}

async fn submit(mono: &Mono, session: &ProviderSession, step: Step, answers: &[(&str, &str)]) {
    let answers: Vec<_> = answers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect();
    let submission = Submission {
        session,
        step,
        answers: &answers,
        timeout: Duration::from_secs(5),
    };
    let _ = mono.submit(&credentials(), submission).await;
}

/// Each submission goes to its own path with the session, and its answers under the names and types Mono gave. (Wire 3, 4, 8)
#[tokio::test]
async fn submissions_are_written_as_mono_reads_them() {
    let form: Form = serde_json::from_value(json!({ "title": null, "fields": [
        { "name": "accountNo", "label": "", "kind": "Digits", "max_len": null, "exact_len": null } ] }))
    .unwrap();
    let (v1, v2, link, reauth) = (Dialect::V1, Dialect::V2, SessionKind::Link, SessionKind::Reauth);
    let rows: Vec<(Dialect, SessionKind, Step, Vec<(&str, &str)>, &str, Value)> = vec![
        (
            v2,
            link,
            Step::Login,
            vec![("username", "a*b#\"é"), ("accountNo", "12"), ("mPin", "0042")],
            "/v2/connect/login",
            json!({ "username": "a*b#\"é", "accountNo": 12, "mPin": "0042" }),
        ),
        (
            v2,
            link,
            Step::Code,
            vec![("otp", "123456")],
            "/v2/connect/commit",
            json!({ "otp": "123456" }),
        ),
        (
            v2,
            link,
            Step::Choose,
            vec![("", "0009990001")],
            "/v2/connect/commit",
            json!({ "accountNumber": "0009990001" }),
        ),
        (
            v2,
            reauth,
            Step::Login,
            vec![("pin", "1")],
            "/v2/connect/reauth/login",
            json!({ "pin": "1" }),
        ),
        (
            v2,
            reauth,
            Step::Code,
            vec![("otp", "1")],
            "/v2/connect/commit",
            json!({ "otp": "1" }),
        ),
        (
            v1,
            link,
            Step::Login,
            vec![("username", "u")],
            "/v1/connect/login",
            json!({ "username": "u" }),
        ),
        (
            v1,
            link,
            Step::Code,
            vec![("answer", "dog")],
            "/v1/connect/commit",
            json!({ "answer": "dog" }),
        ),
        (
            v1,
            link,
            Step::Choose,
            vec![("", "0")],
            "/v1/connect/commit",
            json!({ "account": 0 }),
        ),
    ];
    for (dialect, kind, step, answers, path, body) in rows {
        let server = answering(ok(json!({}))).await;
        let mono = mono_with(&server.uri(), dialect, |_| {});
        submit(&mono, &session(kind, Some(form.clone())), step, &answers).await;
        assert_request(&server, ("POST", path, true, Some(body))).await;
    }
}

/// The other calls are written as each dialect reads them, and a base with a path keeps it. (Wire 1, 2, 5, 8)
#[tokio::test]
async fn calls_are_written_as_mono_reads_them() {
    let account = Secret::new("acc/1");
    for prefix in ["", "/mono"] {
        for dialect in [Dialect::V2, Dialect::V1] {
            for (call, v2, v1) in [
                (
                    "institutions",
                    ("GET", "/v3/institutions?scope=financial_data", false, None),
                    Some(("GET", "/v1/institutions", false, None)),
                ),
                (
                    "open",
                    (
                        "POST",
                        "/v2/connect/session",
                        false,
                        Some(
                            json!({ "institution": "a1", "auth_method": "mobile_banking", "scope": "financial_data",
                            "customer": { "name": "Ada \"A\" Example", "email": "ada@example.invalid" } }),
                        ),
                    ),
                    Some((
                        "POST",
                        "/v1/connect/session",
                        false,
                        Some(json!({ "app": "app-1", "institution": "a1", "auth_method": "mobile_banking" })),
                    )),
                ),
                (
                    "reauth",
                    (
                        "POST",
                        "/v2/connect/reauth/session",
                        false,
                        Some(json!({ "account": "acc/1" })),
                    ),
                    None,
                ),
                (
                    "redeem",
                    ("POST", "/v2/accounts/auth", false, Some(json!({ "code": "code_1" }))),
                    Some(("POST", "/account/auth", false, Some(json!({ "code": "code_1" })))),
                ),
                (
                    "account",
                    ("GET", "/v2/accounts/acc%2F1", false, None),
                    Some(("GET", "/accounts/acc%2F1", false, None)),
                ),
                ("accounts", ("GET", "/v2/accounts", false, None), None),
                (
                    "unlink",
                    ("POST", "/v2/accounts/acc%2F1/unlink", false, None),
                    Some(("POST", "/accounts/acc%2F1/unlink", false, None)),
                ),
                (
                    "unlink in body",
                    (
                        "POST",
                        "/v2/accounts/unlink",
                        false,
                        Some(json!({ "account": "acc/1" })),
                    ),
                    Some(("POST", "/accounts/unlink", false, Some(json!({ "account": "acc/1" })))),
                ),
            ] {
                let server = answering(ok(json!({}))).await;
                let mono = mono_with(&format!("{}{prefix}", server.uri()), dialect, |settings| {
                    if call == "unlink in body" {
                        settings.unlink = UnlinkCall::InBody("account".to_owned());
                    }
                });
                let refused = make(&mono, call, &account).await;
                match if dialect == Dialect::V2 { Some(v2) } else { v1 } {
                    Some((method, path, session, body)) => {
                        let path: &'static str = Box::leak(format!("{prefix}{path}").into_boxed_str());
                        assert_request(&server, (method, path, session, body)).await;
                    }
                    None => {
                        assert!(
                            matches!(refused, Some(ProviderError::Refused(_))),
                            "{call}: {refused:?}"
                        );
                        assert!(server.received_requests().await.unwrap().is_empty(), "{call}");
                    }
                }
            }
        }
    }
}

/// Makes the call of this name; the error it ended with, if any.
async fn make(mono: &Mono, call: &str, account: &Secret) -> Option<ProviderError> {
    let keys = credentials();
    match call {
        "institutions" => mono.institutions(&keys).await.err(),
        "open" => {
            let opening = Opening::Link {
                institution: &bank(),
                method: "mobile_banking",
                customer: &ada(),
            };
            mono.open(&keys, opening).await.err()
        }
        "reauth" => mono.open(&keys, Opening::Reauth { account }).await.err(),
        "redeem" => mono.redeem(&keys, &Grant(Secret::new("code_1"))).await.err(),
        "account" => mono.accounts(&keys, Which::One(account)).await.err(),
        "accounts" => mono.accounts(&keys, Which::All).await.err(),
        _ => mono.unlink(&keys, account).await.err(),
    }
}

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
