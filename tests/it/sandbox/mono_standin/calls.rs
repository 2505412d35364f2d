use reqwest::Method;
use serde_json::{Value, json};

use crate::support::standin::{MonoFixture, PLAIN_BANK};

/// Without a known key there is no answer but an empty 401, which a client must cope with.
#[tokio::test]
async fn a_key_is_needed() {
    let mono = MonoFixture::start(|_| {});
    for (path, key, status) in [
        ("/v3/institutions", None, 401),
        ("/v3/institutions", Some("test_sk_unknown"), 401),
        ("/v1/institutions", Some("test_sk_unknown"), 401),
        // A public client was seen to read the first version's list with no key.
        ("/v1/institutions", None, 200),
        ("/v2/accounts", None, 401),
    ] {
        let mut call = mono.bare_call(Method::GET, path);
        if let Some(key) = key {
            call = call.header("mono-sec-key", key);
        }
        let (got, body) = mono.json(call).await;
        assert_eq!((got, body.is_null()), (status, status == 401), "{path} {key:?}");
    }
}

/// The list's filters, and the shapes of both versions: an envelope and a bare array.
#[tokio::test]
async fn institutions_can_be_filtered() {
    let mono = MonoFixture::start(|_| {});
    let (_, all) = mono.get("/v3/institutions").await;
    let all = all["data"].as_array().expect("an array").len();
    assert!(all >= 25, "{all}");
    for (query, named) in [
        ("?scope=payments", vec![]),
        ("?bank_code=057", vec!["Zenith Bank", "Zenith Bank Business"]),
        ("?bank_code=057&auth_method=mobile_banking", vec!["Zenith Bank"]),
        ("?auth_method=primus_plus", vec!["Access Bank Business"]),
    ] {
        let (_, reply) = mono.get(&format!("/v3/institutions{query}")).await;
        let names: Vec<&str> = reply["data"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["name"].as_str())
            .collect();
        assert_eq!(names, named, "{query}");
    }
    let (_, old) = mono.get("/v1/institutions?country=ng").await;
    assert_eq!(old.as_array().map(Vec::len), Some(all));
    let opay = old
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["name"] == "OPay")
        .expect("OPay");
    assert!(opay["bank_code"].is_null());
    // The generic form on top misleads; the method's own is right.
    assert_eq!(opay["ui"]["form"][0]["hint"], "Username");
    assert_eq!(opay["auth_methods"][0]["ui"]["form"][0]["hint"], "Email Address");
}

/// A session needs an institution, one of its methods, the scope and a customer; the first version needs the app.
#[tokio::test]
async fn a_session_needs_all_fields() {
    let mono = MonoFixture::start(|_| {});
    let whole = json!({ "institution": PLAIN_BANK, "auth_method": "internet_banking", "scope": "financial_data",
        "customer": { "name": "Ada", "email": "ada@example.invalid" } });
    for (path, value, status) in [
        ("/scope", json!("financial_data"), 200),
        ("/scope", json!("payments"), 400),
        ("/institution", json!("6a00"), 400),
        ("/auth_method", json!("mobile_banking"), 400),
        ("/customer/email", Value::Null, 400),
        ("/customer", json!({ "id": "6a5eed0000000000000000f1" }), 200),
    ] {
        let mut body = whole.clone();
        *body.pointer_mut(path).expect("a place") = value;
        assert_eq!(mono.post("/v2/connect/session", &body).await.0, status, "{body}");
    }
    let old =
        json!({ "app": kiungo::sandbox::mono::APP, "institution": PLAIN_BANK, "auth_method": "internet_banking" });
    let (status, reply) = mono.post("/v1/connect/session", &old).await;
    assert_eq!((status, &reply["status"]), (200, &json!("successful")));
    assert!(
        reply["id"].is_string() && reply["expiresAt"].is_i64() && reply["ui"]["form"].is_array(),
        "{reply}"
    );
    let (status, _) = mono
        .post("/v1/connect/session", &json!({ "institution": PLAIN_BANK }))
        .await;
    assert_eq!(status, 400);
}

const ACCESS: &str = "6a5eed000000000000000001";
const FIRST: &str = "6a5eed000000000000000004";
const STANBIC: &str = "6a5eed00000000000000000f";
const INTERNET: &str = "internet_banking";
const MOBILE: &str = "mobile_banking";

/// Bank, auth method, what is sent, and whether it is granted.
const LOGINS: &[(&str, &str, &str, bool)] = &[
    (ACCESS, INTERNET, r#"{ "username": "ada", "password": "p" }"#, true),
    (ACCESS, INTERNET, r#"{ "username": "ada", "pin": "p" }"#, false),
    (ACCESS, INTERNET, r#"{ "username": "ada" }"#, false),
    (ACCESS, INTERNET, r#"{ "username": "ada", "password": "" }"#, false),
    (
        ACCESS,
        INTERNET,
        r#"{ "username": "ada", "password": "p", "more": "1" }"#,
        false,
    ),
    (ACCESS, INTERNET, r#"["ada", "p"]"#, false),
    (
        ACCESS,
        MOBILE,
        r#"{ "username": "ada", "accountNo": "0123456789", "pin": "1234" }"#,
        true,
    ),
    (
        ACCESS,
        MOBILE,
        r#"{ "username": "ada", "accountNo": "0123456789", "pin": "12345" }"#,
        false,
    ),
    (
        ACCESS,
        MOBILE,
        r#"{ "username": "ada", "accountNumber": "0123456789", "pin": "1234" }"#,
        false,
    ),
    (
        FIRST,
        MOBILE,
        r#"{ "mPin": "12345", "card": "5060990580000217499", "pin": "1234" }"#,
        true,
    ),
    (
        FIRST,
        INTERNET,
        r#"{ "username": "ada", "password": "p", "captcha": "1234" }"#,
        true,
    ),
    (
        FIRST,
        INTERNET,
        r#"{ "username": "ada", "password": "p", "captcha": "123" }"#,
        false,
    ),
    (
        STANBIC,
        INTERNET,
        r#"{ "authType": 1, "username": "ada", "password": "p" }"#,
        true,
    ),
    (
        STANBIC,
        INTERNET,
        r#"{ "authType": "2", "username": "ada", "password": "p" }"#,
        true,
    ),
    (
        STANBIC,
        INTERNET,
        r#"{ "authType": 3, "username": "ada", "password": "p" }"#,
        false,
    ),
];

/// The names of a login must be exactly those of the form, and the lengths must fit, otherwise nothing reaches the bank.
#[tokio::test]
async fn a_login_follows_its_form() {
    let mono = MonoFixture::start(|_| {});
    for (bank, method, body, granted) in LOGINS {
        let body: Value = serde_json::from_str(body).expect("JSON");
        let session = mono.session(bank, method).await;
        let (_, reply) = mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
        let (status, code) = if *granted { ("successful", 99) } else { ("failed", 400) };
        assert_eq!(
            (&reply["status"], &reply["responseCode"]),
            (&json!(status), &json!(code)),
            "{body}"
        );
    }
}

/// A call needs a session that exists and has not expired.
#[tokio::test]
async fn a_session_must_be_there_and_alive() {
    let mono = MonoFixture::start(|switches| switches.own.session_over_status = 404);
    let body = json!({ "username": "ada", "password": "p" });
    let none = mono.call(Method::POST, "/v2/connect/login").json(&body);
    assert_eq!(mono.json(none).await.0, 404);
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    let other = mono
        .bare_call(Method::POST, "/v2/connect/login")
        .header("mono-sec-key", "test_sk_other");
    assert_eq!(
        mono.json(other.header("x-session-id", &session).json(&body)).await.0,
        404,
        "a session of another key"
    );
    mono.clock.advance(std::time::Duration::from_mins(10));
    let (status, reply) = mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
    assert_eq!((status, &reply["status"]), (404, &json!("failed")));
    let outcomes: Vec<Value> = mono
        .call_log()
        .submits
        .iter()
        .map(|submit| json!(submit.outcome))
        .collect();
    assert_eq!(outcomes, ["no-session", "no-session", "no-session"]);
}

/// The test credentials must work for every form.
#[tokio::test]
async fn the_test_credentials_work() {
    let mono = MonoFixture::start(|_| {});
    let (_, list) = mono.get("/v3/institutions").await;
    let mut tried = 0;
    for bank in list["data"].as_array().expect("rows") {
        for method in bank["auth_methods"].as_array().expect("methods") {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let session = mono.session(&text(&bank["_id"]), &text(&method["type"])).await;
            let call = mono
                .call(Method::GET, "/v2/connect/sandbox")
                .header("x-session-id", &session);
            let (_, reply) = mono.json(call).await;
            for row in reply["data"]["credentials"].as_array().expect("credentials") {
                let session = mono.session(&text(&bank["_id"]), &text(&method["type"])).await;
                let (_, reply) = mono
                    .json(mono.submission("/v2/connect/login", &session, &row["values"]))
                    .await;
                let expected = if row["hasMultipleAccounts"] == true { 101 } else { 99 };
                assert_eq!(reply["responseCode"], expected, "{} {}", bank["name"], row["values"]);
                tried += 1;
            }
        }
    }
    assert!(tried >= 60, "{tried}");
}

/// Tests in other processes set switches and read the call log over HTTP; a misspelled switch is an error.
#[tokio::test]
async fn the_controls_work_over_http() {
    let mono = MonoFixture::start(|_| {});
    let (status, switches) = mono
        .post(
            "/__stand-in/switches",
            &json!({ "failure_status": 400, "latency": { "other": [5, 5] }, "webhooks": { "late": 9 },
            "faults": [{ "on": "exchange", "trouble": { "slow": 3 }, "times": 1 }] }),
        )
        .await;
    assert_eq!(status, 200, "{switches}");
    assert_eq!(
        switches["latency"],
        json!({ "login": [0, 0], "slow_login": [0, 0], "commit": [0, 0], "other": [5, 5] })
    );
    assert_eq!(mono.running.state.switches().own.failure_status, 400);
    for wrong in [
        json!({ "failure_state": 400 }),
        json!({ "webhooks": "never" }),
        json!({ "every_login": "nobody" }),
    ] {
        assert_eq!(mono.post("/__stand-in/switches", &wrong).await.0, 400, "{wrong}");
    }
    let plain = mono
        .call(Method::POST, "/__stand-in/switches")
        .body("{\"failure_status\":200}");
    assert_eq!(mono.json(plain).await.0, 400, "a form of a foreign page");
    mono.login("ada").await;
    let (_, call_log) = mono.get("/__stand-in/ledger").await;
    assert_eq!(call_log["submits"][0]["outcome"], "granted");
    assert_eq!(call_log["calls"], json!({ "session": 1, "login": 1 }));
    let (_, guide) = mono.get("/__stand-in/guide").await;
    assert_eq!(
        guide[0],
        json!({ "place": "name", "typed": "one", "digits": "99", "path": "99",
        "what_happens": guide[0]["what_happens"] })
    );
}

/// A stand-in that is dropped stops, even with calls that hang, and its port is free again.
#[tokio::test]
async fn it_stops_when_dropped() {
    let mono = MonoFixture::start(|_| {});
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    let call = mono.submission(
        "/v2/connect/login",
        &session,
        &json!({ "username": "hang", "password": "p" }),
    );
    let addr = mono.running.addr;
    let mut hung = std::pin::pin!(call.send());
    tokio::select! {
        answer = &mut hung => panic!("answered: {answer:?}"),
        _ = mono.until(|call_log| call_log.submits.iter().any(|submit| submit.whole_body)) => {}
    }
    assert_eq!(mono.call_log().submits[0].outcome, None);
    drop(mono);
    hung.await.expect_err("no answer");
    std::net::TcpListener::bind(addr).expect("a free port");
}
