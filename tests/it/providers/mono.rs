//! Mono: the exact requests of both API versions, and the results of calls other than submissions.

use std::time::Duration;

use kiungo::core::next_step::{Form, Grant};
use kiungo::core::secret::Secret;
use kiungo::http_client::base_url::parse_base_url;
use kiungo::http_client::{HttpClient, HttpClientOptions};
use kiungo::providers::mono::{CustomerTemplate, Mono, MonoApiVersion, MonoSettings, UnlinkCall};
use kiungo::providers::{
    Access, AccountsQuery, EndTarget, Institution, Provider, ProviderError, ProviderKeys, ProviderSession, SessionKind,
    SessionRequest, Submission, SubmissionStep,
};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The key of every call here.
pub const KEY: &str = "test_sk_Zq7keykeykey";

/// The client as in production, except for the loopback address.
pub fn mono_with(uri: &str, dialect: MonoApiVersion, change: impl FnOnce(&mut MonoSettings)) -> Mono {
    let base = parse_base_url(uri, true).unwrap();
    let mut settings = MonoSettings::new(base, dialect);
    settings.call_timeout = Duration::from_secs(5);
    settings.customer = CustomerTemplate {
        name: "{ref} \"A\" Example".to_owned(),
        email: "{ref}@example.invalid".to_owned(),
    };
    change(&mut settings);
    Mono::new(settings, HttpClient::new(&HttpClientOptions::default()).unwrap())
}

pub fn keys() -> ProviderKeys {
    keys_with(KEY)
}

/// With another secret key.
pub fn keys_with(key: &str) -> ProviderKeys {
    let keys = [("secret_key", key), ("app_id", "app-1")];
    keys.into_iter().map(|(name, key)| (name, Secret::new(key))).collect()
}

pub fn session(kind: SessionKind, form: Option<Form>) -> ProviderSession {
    ProviderSession {
        chosen: Vec::new(),
        id: "sess_Zq7session".to_owned(),
        expires_at: None,
        told_at: None,
        form,
        kind,
    }
}

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

/// A session is opened for an account at the bank, by this auth method.
pub fn linking<'a>(institution: &'a Institution, method: &'a str) -> SessionRequest<'a> {
    SessionRequest::Link {
        institution,
        method,
        reference: "ada",
        person: "ada",
        phone: None,
    }
}

/// A server that answers every request with `template`.
pub async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

/// The only request that was made.
pub async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "sent {} times", requests.len());
    requests.remove(0)
}

pub fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// Checks the only request that was made: method and target, whether it carries the session, body.
async fn assert_request(server: &MockServer, want: &str, with_session: bool, body: Option<&Value>) {
    let request = only_request(server).await;
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(format!("{} {}{query}", request.method, request.url.path()), want);
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header("mono-sec-key").as_deref(), Some(KEY), "{want}");
    let session = with_session.then_some("sess_Zq7session");
    assert_eq!(header("x-session-id").as_deref(), session, "{want}");
    match body {
        Some(body) => {
            assert_eq!(&request.body_json::<Value>().unwrap(), body, "{want}");
            assert_eq!(header("content-type").as_deref(), Some("application/json"), "{want}");
        }
        None => assert!(request.body.is_empty(), "{want}"),
    }
}

async fn submit(mono: &Mono, session: &ProviderSession, step: SubmissionStep, answers: &[(&str, &str)]) {
    let answers = super::typed(answers);
    let submission = Submission {
        session,
        step,
        form: session.form.as_ref(),
        answers: &answers,
        timeout: Duration::from_secs(5),
    };
    let _ = mono.submit(Access::keys(&keys()), submission).await;
}

/// A submission: API version, kind of session, step and answers, then its path and JSON.
type Written = (
    MonoApiVersion,
    SessionKind,
    SubmissionStep,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const V1: MonoApiVersion = MonoApiVersion::V1;
const V2: MonoApiVersion = MonoApiVersion::V2;
const LINK: SessionKind = SessionKind::Link;
const REAUTH: SessionKind = SessionKind::Reauth;

const SUBMISSIONS: &[Written] = &[
    (
        V2,
        LINK,
        SubmissionStep::Login,
        &[("username", "a*b#\"é"), ("accountNo", "12"), ("mPin", "0042")],
        "/v2/connect/login",
        r#"{ "username": "a*b#\"é", "accountNo": 12, "mPin": "0042" }"#,
    ),
    (
        V2,
        LINK,
        SubmissionStep::Code,
        &[("otp", "123456")],
        "/v2/connect/commit",
        r#"{ "otp": "123456" }"#,
    ),
    (
        V2,
        LINK,
        SubmissionStep::Choose,
        &[("", "0009990001")],
        "/v2/connect/commit",
        r#"{ "accountNumber": "0009990001" }"#,
    ),
    (
        V2,
        REAUTH,
        SubmissionStep::Login,
        &[("pin", "1")],
        "/v2/connect/reauth/login",
        r#"{ "pin": "1" }"#,
    ),
    (
        V2,
        REAUTH,
        SubmissionStep::Code,
        &[("otp", "1")],
        "/v2/connect/commit",
        r#"{ "otp": "1" }"#,
    ),
    (
        V1,
        LINK,
        SubmissionStep::Login,
        &[("username", "u")],
        "/v1/connect/login",
        r#"{ "username": "u" }"#,
    ),
    (
        V1,
        LINK,
        SubmissionStep::Code,
        &[("answer", "dog")],
        "/v1/connect/commit",
        r#"{ "answer": "dog" }"#,
    ),
    (
        V1,
        LINK,
        SubmissionStep::Choose,
        &[("", "0")],
        "/v1/connect/commit",
        r#"{ "account": 0 }"#,
    ),
];

/// Each submission goes to its own path with the session, and its answers under the names and types Mono gave. (Wire 3, 4, 8)
#[tokio::test]
async fn submissions_are_written_as_mono_reads_them() {
    let form: Form = serde_json::from_value(json!({ "title": null, "fields": [
        { "name": "accountNo", "label": "", "kind": "Digits", "max_len": null, "exact_len": null } ] }))
    .unwrap();
    for (dialect, kind, step, answers, path, body) in SUBMISSIONS {
        let server = answering(ok(json!({}))).await;
        let mono = mono_with(&server.uri(), *dialect, |_| {});
        submit(&mono, &session(*kind, Some(form.clone())), *step, answers).await;
        let body = serde_json::from_str(body).unwrap();
        assert_request(&server, &format!("POST {path}"), true, Some(&body)).await;
    }
}

/// The other calls are as each API version expects them, and the path of the base URL is kept. (Wire 1, 2, 5, 8)
#[tokio::test]
async fn calls_are_written_as_mono_reads_them() {
    let account = Secret::new("acc/1");
    for prefix in ["", "/mono"] {
        for (call, dialect, target, body) in calls() {
            let server = answering(ok(json!({}))).await;
            let mono = mono_with(&format!("{}{prefix}", server.uri()), dialect, |settings| {
                if call == "unlink in body" {
                    settings.unlink = UnlinkCall::InBody("account".to_owned());
                }
            });
            let error = make(&mono, call, &account).await;
            if target.is_empty() {
                assert!(matches!(error, Some(ProviderError::Refused(_))), "{call}: {error:?}");
                assert!(server.received_requests().await.unwrap().is_empty(), "{call}");
            } else {
                let target = target.replacen(" /", &format!(" {prefix}/"), 1);
                assert_request(&server, &target, false, body.as_ref()).await;
            }
        }
    }
}

/// Each call in each API version: its target (none, if the version has no such call) and its body.
fn calls() -> Vec<(&'static str, MonoApiVersion, &'static str, Option<Value>)> {
    let (v1, v2) = (MonoApiVersion::V1, MonoApiVersion::V2);
    let id = || Some(json!({ "account": "acc/1" }));
    let code = || Some(json!({ "code": "code_1" }));
    let open_v2 = json!({ "institution": "a1", "auth_method": "mobile_banking", "scope": "financial_data",
        "customer": { "name": "ada \"A\" Example", "email": "ada@example.invalid" } });
    let open_v1 = json!({ "app": "app-1", "institution": "a1", "auth_method": "mobile_banking" });
    vec![
        ("institutions", v2, "GET /v3/institutions?scope=financial_data", None),
        ("institutions", v1, "GET /v1/institutions", None),
        ("open", v2, "POST /v2/connect/session", Some(open_v2)),
        ("open", v1, "POST /v1/connect/session", Some(open_v1)),
        ("reauth", v2, "POST /v2/connect/reauth/session", id()),
        ("reauth", v1, "POST /accounts/acc%2F1/reauthorise", None),
        ("redeem", v2, "POST /v2/accounts/auth", code()),
        ("redeem", v1, "POST /account/auth", code()),
        ("account", v2, "GET /v2/accounts/acc%2F1", None),
        ("account", v1, "GET /accounts/acc%2F1", None),
        ("accounts", v2, "GET /v2/accounts", None),
        ("accounts", v1, "", None),
        ("unlink", v2, "POST /v2/accounts/acc%2F1/unlink", None),
        ("unlink", v1, "POST /accounts/acc%2F1/unlink", None),
        ("unlink in body", v2, "POST /v2/accounts/unlink", id()),
        ("unlink in body", v1, "POST /accounts/unlink", id()),
    ]
}

/// Makes the call with this name; returns its error, if any.
pub async fn make(mono: &Mono, call: &str, account: &Secret) -> Option<ProviderError> {
    let keys = keys();
    let access = Access::keys(&keys);
    match call {
        "institutions" => mono.institutions(&keys).await.err(),
        "open" => {
            let bank = bank();
            mono.open_session(access, linking(&bank, "mobile_banking")).await.err()
        }
        "reauth" => {
            let opening = SessionRequest::Reauth { account, link: None };
            mono.open_session(access, opening).await.err()
        }
        "redeem" => mono.redeem(access, &Grant(Secret::new("code_1"))).await.err(),
        "account" => mono.accounts(access, AccountsQuery::One(account)).await.err(),
        "accounts" => mono.accounts(access, AccountsQuery::All).await.err(),
        _ => mono.end(access, EndTarget::Account(account)).await.err(),
    }
}
