use std::time::Duration;

use kiungo::sandbox::bank::{BankFailure, DataStatus, DelayRange, FailureRule};
use kiungo::sandbox::mono::{AccountVisibility, ExchangeShape, ListShape, MonoCall, MonoSwitches, ReauthMode};
use serde_json::{Value, json};

use crate::support::standin::{MonoFixture, PLAIN_BANK};

/// Each of the shapes on which sources disagree can be chosen.
#[tokio::test]
async fn shapes_can_be_switched() {
    let mono = MonoFixture::start(|_| {});
    for (shape, list, exchanged_at, listed_at) in [
        (ExchangeShape::Bare, ListShape::Flat, "/id", "/data/0/id"),
        (
            ExchangeShape::Enveloped,
            ListShape::Nested,
            "/data/id",
            "/data/1/account/id",
        ),
    ] {
        let mut switches = mono.running.state.switches();
        switches.own.exchange_shape = shape;
        switches.own.list_shape = list;
        mono.running.state.set_switches(switches);
        let (_, reply) = mono.login("ada").await;
        let (_, exchanged) = mono
            .post("/v2/accounts/auth", &json!({ "code": reply["data"]["code"] }))
            .await;
        let (_, listed) = mono.get("/v2/accounts").await;
        let id = exchanged.pointer(exchanged_at).expect("an id");
        assert_eq!(listed.pointer(listed_at), Some(id), "{listed}");
    }
}

/// Failures come with 200 or 400, and 401 and 404 with or without a body: clients must not rely on either.
#[tokio::test]
async fn failures_can_be_switched() {
    for (http, empty) in [(200, true), (400, false)] {
        let mono = MonoFixture::start(|switches| {
            switches.own.failure_status = http;
            switches.own.empty_error_bodies = empty;
        });
        let session = mono.session(PLAIN_BANK, "internet_banking").await;
        let body = json!({ "username": "ada", "password": "wrong" });
        let (status, reply) = mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
        assert_eq!((status, &reply["responseCode"]), (http, &json!(400)));
        let (status, reply) = mono.get("/v2/accounts/6a00").await;
        assert_eq!((status, reply.is_null()), (404, empty));
    }
}

/// Without the add-on every call is 401, whatever the key.
#[tokio::test]
async fn the_addon_can_be_missing() {
    let mono = MonoFixture::start(|switches| switches.own.addon_missing = true);
    for path in ["/v3/institutions", "/v2/accounts"] {
        let (status, reply) = mono.get(path).await;
        assert_eq!((status, &reply["status"]), (401, &json!("failed")), "{path}");
    }
}

/// A code lives ten minutes and works once, by default.
#[tokio::test]
async fn a_code_has_its_time_and_its_turn() {
    let mono = MonoFixture::start(|_| {});
    let exchange = async |code: &Value| mono.post("/v2/accounts/auth", &json!({ "code": code })).await.0;
    let code = mono.login("ada").await.1["data"]["code"].clone();
    mono.clock.advance(Duration::from_millis(599_999));
    assert_eq!((exchange(&code).await, exchange(&code).await), (200, 400));
    let code = mono.login("ada").await.1["data"]["code"].clone();
    mono.clock.advance(Duration::from_mins(10));
    assert_eq!(exchange(&code).await, 400);
    let stale = mono.login("108").await.1["data"]["code"].clone();
    assert_eq!((exchange(&stale).await, exchange(&json!("code_x")).await), (400, 400));
    mono.running.state.set_switches(MonoSwitches {
        code_reusable: true,
        ..mono.running.state.switches()
    });
    let code = mono.login("ada").await.1["data"]["code"].clone();
    assert_eq!((exchange(&code).await, exchange(&code).await), (200, 200));
    let grants = mono.call_log().grants;
    let counts: Vec<_> = grants
        .iter()
        .map(|grant| (grant.redeemed.len(), grant.refused))
        .collect();
    assert_eq!(counts, [(1, 1), (0, 1), (0, 1), (2, 0)]);
}

/// An account is listed from the grant on, or only from the exchange on.
#[tokio::test]
async fn an_account_appears_when_switched() {
    for (appears, early) in [(AccountVisibility::AtGrant, 1), (AccountVisibility::AtExchange, 0)] {
        let mono = MonoFixture::start(|switches| switches.own.appears = appears);
        let (_, reply) = mono.login("ada").await;
        let count = async || mono.get("/v2/accounts").await.1["data"].as_array().map(Vec::len);
        assert_eq!(count().await, Some(early), "{appears:?}");
        mono.post("/v2/accounts/auth", &json!({ "code": reply["data"]["code"] }))
            .await;
        assert_eq!(count().await, Some(1), "{appears:?}");
    }
}

/// One institution fails, from the session on, until that is switched off; the others work. A 429 says for how long, or
/// does not.
#[tokio::test]
async fn one_institution_can_be_in_trouble() {
    let mono = MonoFixture::start(|_| {});
    let change = |changes: Value| {
        let Value::Object(changes) = changes else {
            unreachable!("an object")
        };
        mono.running.state.change(changes).expect("known switches");
    };
    let open = async |institution: &str| {
        let body = json!({ "institution": institution, "auth_method": "internet_banking", "scope": "financial_data",
            "customer": { "name": "Ada Example", "email": "ada@example.invalid" } });
        let answer = mono
            .call(reqwest::Method::POST, "/v2/connect/session")
            .json(&body)
            .send()
            .await;
        let answer = answer.expect("an answer");
        let wait = answer
            .headers()
            .get("retry-after")
            .map(|wait| wait.to_str().expect("text").to_owned());
        (answer.status().as_u16(), wait)
    };
    for (trouble, switched, want) in [
        ("error", json!(30), (500, None)),
        ("unavailable", json!(30), (503, None)),
        ("busy", json!(7), (429, Some("7".to_owned()))),
        ("busy", Value::Null, (429, None)),
    ] {
        change(json!({ "troubles": { PLAIN_BANK: trouble }, "retry_after_s": switched }));
        assert_eq!(open(PLAIN_BANK).await, want, "{trouble}");
        assert_eq!(open("6a5eed000000000000000009").await.0, 200, "{trouble}: another bank");
    }
    change(json!({ "troubles": { PLAIN_BANK: null } }));
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    change(json!({ "troubles": { "Providus Bank": "error" } }));
    let body = json!({ "username": "ada", "password": "p" });
    let (status, _) = mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
    assert_eq!(status, 500, "by its name, at a login");
}

/// The status of the data is first processing, then the one of the switches or of the typed word.
#[tokio::test]
async fn data_come_after_a_while() {
    let mono = MonoFixture::start(|switches| {
        switches.data_after_ms = 5_000;
        switches.data_status = DataStatus::Unavailable;
    });
    let (_, plain) = mono.linked("ada").await;
    let (_, partial) = mono.linked("81").await;
    let status =
        async |id: &str| mono.get(&format!("/v2/accounts/{id}")).await.1["data"]["meta"]["data_status"].clone();
    assert_eq!(
        (status(&plain).await, status(&partial).await),
        (json!("PROCESSING"), json!("PROCESSING"))
    );
    mono.clock.advance(Duration::from_secs(5));
    assert_eq!(
        (status(&plain).await, status(&partial).await),
        (json!("UNAVAILABLE"), json!("PARTIAL"))
    );
}

/// A failure rule affects its kind of call, as often as it says, and decides whether the call is carried out.
#[tokio::test]
async fn failure_rules_apply_as_often_as_they_say() {
    let mono = MonoFixture::start(|switches| {
        switches.faults = vec![
            FailureRule {
                on: MonoCall::Exchange,
                trouble: BankFailure::Error,
                times: Some(1),
                processed: Some(true),
            },
            FailureRule {
                on: MonoCall::Exchange,
                trouble: BankFailure::Unavailable,
                times: Some(1),
                processed: None,
            },
            FailureRule {
                on: MonoCall::Unlink,
                trouble: BankFailure::Reset,
                times: None,
                processed: None,
            },
        ];
    });
    let code = mono.login("ada").await.1["data"]["code"].clone();
    let exchange = async || mono.post("/v2/accounts/auth", &json!({ "code": code })).await.0;
    assert_eq!(exchange().await, 500);
    assert_eq!(mono.call_log().grants[0].redeemed.len(), 1);
    assert_eq!(exchange().await, 503);
    assert_eq!(exchange().await, 400, "the first one had used the code up");
    let id = mono.call_log().accounts[0].id.clone();
    for _ in 0..2 {
        let call = mono.call(reqwest::Method::POST, &format!("/v2/accounts/{id}/unlink"));
        call.send().await.expect_err("a reset");
    }
    assert_eq!(
        mono.call_log()
            .unlinks
            .iter()
            .map(|unlink| unlink.done)
            .collect::<Vec<_>>(),
        [true, false]
    );
}

/// All logins, or those at one bank, can follow a scenario.
#[tokio::test]
async fn paths_can_be_switched() {
    let mono = MonoFixture::start(|switches| {
        switches.by_institution.insert(PLAIN_BANK.to_owned(), "otp".to_owned());
    });
    assert_eq!(mono.login("ada").await.1["responseCode"], 102);
    assert_eq!(
        mono.login("101").await.1["responseCode"],
        101,
        "what is typed goes before the bank's own"
    );
    mono.running.state.set_switches(MonoSwitches {
        every_login: Some("down".to_owned()),
        ..mono.running.state.switches()
    });
    assert_eq!(
        mono.login("101").await.1["message"],
        "Couldn't connect to your institution"
    );
}

/// The latency is within the range for the kind of call.
#[tokio::test]
async fn calls_take_their_time() {
    let mono = MonoFixture::start(|switches| {
        switches.latency.slow_login = DelayRange(150, 160);
        switches.latency.login = DelayRange::NONE;
    });
    let gtbank = "6a5eed000000000000000002";
    for (bank, least) in [(gtbank, 150), (PLAIN_BANK, 0)] {
        let session = mono.session(bank, "internet_banking").await;
        let start = std::time::Instant::now();
        let body = json!({ "username": "ada", "password": "p" });
        mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
        assert!(start.elapsed() >= Duration::from_millis(least), "{bank}");
    }
}

/// An account is renewed at once, after a login in a new session, or after one in the session it was linked in.
#[tokio::test]
async fn renewing_can_be_switched() {
    for (mode, first, session_at) in [
        (ReauthMode::Done, 99, None),
        (ReauthMode::LoginWithSession, 102, Some("/data/session/id")),
        (ReauthMode::LoginWithoutSession, 102, None),
    ] {
        let mono = MonoFixture::start(|switches| switches.own.reauth = mode);
        let (linked_in, id) = mono.linked("ada").await;
        mono.receiver.wait(2).await;
        let (_, mut reply) = mono.post("/v2/connect/reauth/session", &json!({ "account": id })).await;
        assert_eq!(reply["data"]["responseCode"], first, "{mode:?}");
        assert_eq!(
            reply.pointer("/data/session/id").is_some(),
            session_at.is_some(),
            "{mode:?}"
        );
        if first == 102 {
            let session = session_at
                .and_then(|at| reply.pointer(at))
                .and_then(Value::as_str)
                .unwrap_or(&linked_in)
                .to_owned();
            let wrong = json!({ "username": "ada", "password": "wrong" });
            let (_, refused) = mono
                .json(mono.submission("/v2/connect/reauth/login", &session, &wrong))
                .await;
            assert_eq!(refused["data"]["responseCode"], 400, "{mode:?}");
            let body = json!({ "username": "ada", "password": "p" });
            reply = mono
                .json(mono.submission("/v2/connect/reauth/login", &session, &body))
                .await
                .1;
        }
        assert_eq!(reply["data"]["responseCode"], 99, "{mode:?}");
        let (_, exchanged) = mono
            .post("/v2/accounts/auth", &json!({ "code": reply["data"]["code"] }))
            .await;
        assert_eq!(exchanged["id"], json!(id), "{mode:?}");
        let events = mono.receiver.wait(4).await;
        assert_eq!(events[2].body["event"], "mono.events.account_reauthorized", "{mode:?}");
        assert_eq!(mono.call_log().accounts.len(), 1, "{mode:?}");
    }
    let mono = MonoFixture::start(|_| {});
    assert_eq!(
        mono.post("/v2/connect/reauth/session", &json!({ "account": "6a00" }))
            .await
            .0,
        404
    );
}
