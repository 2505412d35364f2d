//! What Mono is told of a person over several calls: one customer for all their sessions, and a renewal without a browser.

use kiungo::core::secret::Secret;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{
    Access, AccessBlob, AccountsQuery, Provider, SessionKind, SessionRequest, SessionResponse, Submission,
    SubmissionStep,
};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::mono::{bank, keys, linking, mono_with, ok};

async fn on(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(path(at))
        .respond_with(answer)
        .mount(server)
        .await;
}

async fn sent(server: &MockServer) -> Vec<(String, Value)> {
    let requests = server.received_requests().await.unwrap();
    let each = requests.iter().map(|request| {
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        (request.url.path().to_owned(), body)
    });
    each.collect()
}

/// v1 renews without a browser: a token for the account opens a session, whose form is answered by commit. (Wire 8)
#[tokio::test]
async fn v1_renews_without_a_browser() {
    let server = MockServer::start().await;
    let form = json!({ "form": [{ "type": "elements.input", "name": "answer", "contentType": "string" }] });
    on(&server, "/accounts/acc-1/reauthorise", ok(json!({ "token": "tok-1" }))).await;
    on(
        &server,
        "/v1/connect/session",
        ok(json!({ "status": "successful", "id": "s1", "ui": form })),
    )
    .await;
    let done = json!({ "status": 200, "responseCode": 99, "data": { "code": "code-1" } });
    on(&server, "/v1/connect/commit", ok(done)).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V1, |_| {});
    let (keys, account) = (keys(), Secret::new("acc-1"));
    let opening = SessionRequest::Reauth {
        account: &account,
        link: None,
    };
    let opened = mono.open_session(Access::keys(&keys), opening).await.unwrap().value;
    let SessionResponse::Session(session) = opened else {
        panic!("{opened:?}");
    };
    assert_eq!((session.id.as_str(), session.kind), ("s1", SessionKind::Reauth));
    assert!(
        session
            .form
            .as_ref()
            .is_some_and(|form| form.fields[0].name == "answer")
    );
    let submission = Submission {
        session: &session,
        step: SubmissionStep::Login,
        form: session.form.as_ref(),
        answers: &[("answer".to_owned(), Secret::new("dog"))],
        timeout: std::time::Duration::from_secs(5),
    };
    mono.submit(Access::keys(&keys), submission).await.unwrap();
    assert_eq!(
        sent(&server).await,
        [
            ("/accounts/acc-1/reauthorise".to_owned(), Value::Null),
            ("/v1/connect/session".to_owned(), json!({ "reauth_token": "tok-1" })),
            ("/v1/connect/commit".to_owned(), json!({ "answer": "dog" })),
        ]
    );
}

/// A renewal says nothing of the customer: one that is refused is not sent again, though we know what Mono calls the person.
#[tokio::test]
async fn a_refused_renewal_is_sent_once() {
    let server = MockServer::start().await;
    let refused = ResponseTemplate::new(400).set_body_json(json!({ "status": "failed", "message": "account" }));
    on(&server, "/v2/connect/reauth/session", refused).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
    let (keys, account, person) = (keys(), Secret::new("acc-1"), AccessBlob::new(*b"cus-1"));
    let access = Access {
        person: Some(&person),
        ..Access::keys(&keys)
    };
    let opening = SessionRequest::Reauth {
        account: &account,
        link: None,
    };
    mono.open_session(access, opening).await.unwrap_err();
    let renewal = ("/v2/connect/reauth/session".to_owned(), json!({ "account": "acc-1" }));
    assert_eq!(sent(&server).await, [renewal]);
}

/// Mono makes a customer of the person a session is opened for: it is the same one for all sessions of a person, by the id that
/// an account of theirs came with. Where Mono does not take the id, which is not published, the session is opened all the
/// same, by the name and address that are always the same for that person.
#[tokio::test]
async fn a_person_is_one_customer() {
    let template = json!({ "name": "ada \"A\" Example", "email": "ada@example.invalid" });
    for taken in [true, false] {
        let server = MockServer::start().await;
        let account = json!({ "data": { "account": { "id": "acc-1" }, "customer": { "id": "cus-1" } } });
        Mock::given(method("GET"))
            .respond_with(ok(account))
            .mount(&server)
            .await;
        if !taken {
            let refused =
                ResponseTemplate::new(400).set_body_json(json!({ "status": "failed", "message": "customer" }));
            Mock::given(method("POST"))
                .and(body_partial_json(json!({ "customer": { "id": "cus-1" } })))
                .respond_with(refused)
                .mount(&server)
                .await;
        }
        let opened = json!({ "data": { "session": { "id": "s1" } } });
        on(&server, "/v2/connect/session", ok(opened)).await;
        let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
        let (keys, bank) = (keys(), bank());
        let read = mono
            .accounts(Access::keys(&keys), AccountsQuery::One(&Secret::new("acc-1")))
            .await
            .unwrap()
            .value;
        let person = read[0].person.as_ref().expect("a customer").expose().to_owned();
        assert_eq!(person, "cus-1");
        let known = AccessBlob::new(person.as_bytes());
        for person in [None, Some(&known)] {
            let access = Access {
                person,
                ..Access::keys(&keys)
            };
            mono.open_session(access, linking(&bank, "mobile_banking"))
                .await
                .unwrap();
        }
        let customers: Vec<_> = sent(&server)
            .await
            .into_iter()
            .filter(|(path, _)| path == "/v2/connect/session")
            .map(|(_, body)| body["customer"].clone())
            .collect();
        let by_id = json!({ "id": "cus-1" });
        let want = if taken {
            vec![template.clone(), by_id]
        } else {
            vec![template.clone(), by_id, template.clone()]
        };
        assert_eq!(customers, want);
    }
}
