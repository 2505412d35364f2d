//! Mono conforms to what any provider must do, with the journeys that it has: those on a keypad.

use kiungo::core::secret::Secret;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{Provider, ProviderKeys};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

use super::conformance::{LinkedAccount, Scenario, check_conformance};
use super::conformance_keypad::{Answers, Keypad};
use super::mono::{KEY, mono_with};
use crate::support::invented::hooks::OwnedRequest;

/// What its webhooks carry.
const WEBHOOK_SECRET: &str = "webhook-secret-of-the-tests";

/// The paths of one API version, with the reply shapes that differ.
struct Shapes {
    list: &'static str,
    session: &'static str,
    login: &'static str,
    commit: &'static str,
    auth: &'static str,
    accounts: &'static str,
    choose: Value,
}

fn shapes(dialect: MonoApiVersion) -> Shapes {
    match dialect {
        MonoApiVersion::V2 => Shapes {
            list: "/v3/institutions",
            session: "/v2/connect/session",
            login: "/v2/connect/login",
            commit: "/v2/connect/commit",
            auth: "/v2/accounts/auth",
            accounts: "/v2/accounts",
            choose: json!({ "accountNumber": "0009990002" }),
        },
        MonoApiVersion::V1 => Shapes {
            list: "/v1/institutions",
            session: "/v1/connect/session",
            login: "/v1/connect/login",
            commit: "/v1/connect/commit",
            auth: "/account/auth",
            accounts: "/accounts",
            choose: json!({ "account": 0 }),
        },
    }
}

/// What the small Mono says.
struct Replies {
    list: Value,
    session: Value,
    ask: Value,
    choose: Value,
    done: Value,
    account: Value,
}

fn replies(dialect: MonoApiVersion) -> Replies {
    let ui = json!({ "title": "Log in", "form": [
        { "type": "elements.input", "name": "username", "contentType": "string" },
        { "type": "elements.input", "name": "password", "contentType": "password" } ] });
    let otp =
        json!({ "title": "Code", "form": [{ "type": "elements.input", "name": "otp", "contentType": "string" }] });
    let list = json!([{ "_id": "b1", "name": "Savanna", "type": "PERSONAL_BANKING", "country": "ng",
        "auth_methods": [{ "type": "mobile_banking", "ui": ui }] }]);
    let rows = json!([{ "index": 0, "accountNumber": "0009990002", "type": "SAVINGS_ACCOUNT", "balance": 5 },
        { "index": 1, "accountNumber": "0009990001", "type": "CURRENT_ACCOUNT", "balance": 5 }]);
    let account = json!({ "account": { "id": "acc-1", "accountNumber": "0009990002", "name": "ADA" }, "meta": {} });
    let wrap = |status: Value, code: i64, data: Value| json!({ "status": status, "responseCode": code, "data": data });
    match dialect {
        MonoApiVersion::V2 => Replies {
            list: json!({ "status": "successful", "data": list }),
            session: json!({ "status": "successful", "data": { "session": { "id": "s1" }, "ui": ui } }),
            ask: wrap(json!("successful"), 102, json!({ "userInput": otp })),
            choose: wrap(json!("successful"), 101, json!({ "accounts": rows })),
            done: wrap(json!("successful"), 99, json!({ "code": "code-1" })),
            account: json!({ "status": "successful", "data": account }),
        },
        MonoApiVersion::V1 => Replies {
            list,
            session: json!({ "status": "successful", "id": "s1", "ui": ui }),
            ask: wrap(json!(200), 102, otp),
            choose: wrap(json!(200), 101, rows),
            done: wrap(json!(200), 99, json!({ "code": "code-1" })),
            account,
        },
    }
}

fn known_call(verb: &str, target: &str) -> MockBuilder {
    Mock::given(method(verb))
        .and(path(target))
        .and(header("mono-sec-key", KEY))
}

/// A minimal Mono: one bank, a code, then two accounts. An unknown request gets an empty 404, another key an empty 401.
async fn small_mono(dialect: MonoApiVersion) -> MockServer {
    let server = MockServer::start().await;
    let at = shapes(dialect);
    let Replies {
        list,
        session,
        ask,
        choose,
        done,
        account,
    } = replies(dialect);
    let no = json!({ "status": "failed", "message": "no", "responseCode": 400, "data": null });
    let done_unlinking = json!({ "status": "successful" });
    let one = format!("{}/acc-1", at.accounts);
    for (verb, target, body, status, reply) in [
        ("GET", at.list, None, 200, list),
        ("POST", at.session, None, 200, session),
        ("POST", at.login, Some(json!({ "password": "right" })), 200, ask),
        ("POST", at.login, Some(json!({ "password": "wrong" })), 400, no.clone()),
        ("POST", at.commit, Some(json!({ "otp": "123456" })), 200, choose),
        ("POST", at.commit, Some(json!({ "otp": "000000" })), 200, no.clone()),
        ("POST", at.commit, Some(at.choose), 200, done),
        (
            "POST",
            at.auth,
            Some(json!({ "code": "code-1" })),
            200,
            json!({ "id": "acc-1" }),
        ),
        ("POST", at.auth, Some(json!({ "code": "nobodys-grant" })), 400, no),
        ("GET", &one, None, 200, account),
        // Where an account is looked for that is said to be gone.
        (
            "GET",
            at.accounts,
            None,
            200,
            json!({ "status": "successful", "data": [] }),
        ),
    ] {
        let known = known_call(verb, target);
        let known = match body {
            Some(body) => known.and(body_partial_json(body)),
            None => known,
        };
        let answer = ResponseTemplate::new(status).set_body_json(reply);
        known.respond_with(answer).mount(&server).await;
    }
    // An unlinked account is gone.
    let unlinked = ResponseTemplate::new(200).set_body_json(done_unlinking);
    let unlink = known_call("POST", &format!("{one}/unlink")).respond_with(unlinked);
    unlink.up_to_n_times(1).mount(&server).await;
    let stranger = Mock::given(header("mono-sec-key", "another key"));
    stranger.respond_with(ResponseTemplate::new(401)).mount(&server).await;
    server
}

/// A webhook of Mono's, as it arrives.
fn webhook(about: &LinkedAccount) -> OwnedRequest {
    let body = json!({ "event": "mono.events.account_connected", "data": { "id": about.account } });
    OwnedRequest {
        method: "POST",
        path: "/hooks/mono".to_owned(),
        query: String::new(),
        headers: vec![("mono-webhook-secret".to_owned(), WEBHOOK_SECRET.into())],
        body: body.to_string().into_bytes(),
    }
}

/// Keys with these as the ones that calls are made with; the wrong ones know another webhook secret, too.
fn keys(key: &str, app: &str, webhook_secret: &str) -> ProviderKeys {
    let keys = [("secret_key", key), ("app_id", app), ("webhook_secret", webhook_secret)];
    keys.into_iter().map(|(name, key)| (name, Secret::new(key))).collect()
}

/// Plays the journeys that Mono has: `answers` lead to a code, and then to accounts of which one is chosen.
pub async fn check_mono(mono: &dyn Provider, accepted: [&str; 2], login: (&str, &str), answers: [Answers<'_>; 2]) {
    let [key, app] = accepted;
    check_conformance(&Scenario {
        provider: mono,
        keys: &|| keys(key, app, WEBHOOK_SECRET),
        wrong_keys: &|| keys("another key", app, "another-webhook-secret"),
        webhook: &webhook,
        events: 1,
        keypad: Some(Keypad {
            login,
            answers,
            code: [&[("otp", "123456")], &[("otp", "000000")]],
            several: None,
        }),
        browser: None,
        elsewhere: None,
    })
    .await;
}

/// Mono conforms, in both API versions.
#[tokio::test]
async fn mono_conforms() {
    for dialect in [MonoApiVersion::V2, MonoApiVersion::V1] {
        let server = small_mono(dialect).await;
        let mono = mono_with(&server.uri(), dialect, |_| {});
        let answers: [Answers<'_>; 2] = [
            &[("username", "ada"), ("password", "right")],
            &[("username", "ada"), ("password", "wrong")],
        ];
        check_mono(&mono, [KEY, "app-1"], ("b1:p", "mobile_banking"), answers).await;
    }
}
