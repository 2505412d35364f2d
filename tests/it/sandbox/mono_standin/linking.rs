use kiungo::sandbox::bank::{InputPlace, OTP, SubmitOutcome, sha256_hex};
use kiungo::sandbox::mono::{KEY, guide};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::standin::{MonoFixture, PLAIN_BANK};

/// Answers every question correctly, and returns the response codes and the last reply.
async fn follow(mono: &MonoFixture, typed: &str) -> (Vec<u64>, Value) {
    let (session, mut reply) = mono.login(typed).await;
    let mut codes = Vec::new();
    loop {
        codes.push(reply["responseCode"].as_u64().unwrap_or(0));
        let form = &reply["data"]["userInput"]["form"][0];
        let answer = match (codes.last(), form["name"].as_str()) {
            (Some(101), _) => json!({ "accountNumber": reply["data"]["accounts"][1]["accountNumber"] }),
            (Some(102), Some("otp")) => json!({ "otp": OTP }),
            (Some(102), Some("answer")) => json!({ "answer": "364" }),
            (Some(102), Some("captcha")) => json!({ "captcha": "1234" }),
            _ => return (codes, reply),
        };
        reply = mono.commit(&session, &answer).await;
    }
}

/// Every magic word that gets an answer leads along the path in the guide, in letters or in digits.
#[tokio::test]
async fn every_word_leads_where_the_guide_says() {
    let mono = MonoFixture::start(|_| {});
    let mut seen = 0;
    for row in guide().iter().filter(|row| row.place == InputPlace::Name) {
        let expected: Result<Vec<u64>, _> = row.path.split(" → ").map(str::parse).collect();
        let Ok(expected) = expected else { continue };
        for typed in [row.typed, row.digits] {
            assert_eq!(follow(&mono, typed).await.0, expected, "{typed}");
        }
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
    assert_eq!(follow(&mono, "Bola.1990").await.0, [99]);
    let endless = follow(&mono, "endless").await.0;
    assert_eq!(
        (endless.len(), endless.iter().filter(|code| **code == 102).count()),
        (13, 12)
    );
}

/// A failure at the end of a path is visible to the client, and the call log shows whether the call was carried out.
#[tokio::test]
async fn every_trouble_is_seen() {
    let mono = MonoFixture::start(|_| {});
    for (typed, status, json, done) in [
        ("429", 429, true, false),
        ("500", 500, true, false),
        ("502", 502, false, true),
        ("503", 503, false, false),
        ("200", 200, false, true),
    ] {
        let before = mono.call_log().accounts.len();
        let session = mono.session(PLAIN_BANK, "internet_banking").await;
        let body = json!({ "username": typed, "password": "p" });
        let answer = mono
            .submission("/v2/connect/login", &session, &body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{typed}");
        let wait = answer
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().expect("a text").to_owned());
        assert_eq!(wait.as_deref(), (status == 429).then_some("30"), "{typed}");
        let text = answer.text().await.expect("a body");
        assert_eq!(serde_json::from_str::<Value>(&text).is_ok(), json, "{typed}: {text}");
        let call_log = mono.call_log();
        assert_eq!(call_log.accounts.len() - before, usize::from(done), "{typed}");
        let outcome = if done {
            SubmitOutcome::Granted
        } else {
            SubmitOutcome::TurnedAway
        };
        assert_eq!(
            call_log.submits.last().and_then(|submit| submit.outcome),
            Some(outcome),
            "{typed}"
        );
    }
}

/// A session that expires ends a login in any step, and nothing is linked.
#[tokio::test]
async fn a_session_may_run_out_under_way() {
    let mono = MonoFixture::start(|_| {});
    for (typed, codes) in [("410", vec![0]), ("1025", vec![102, 0])] {
        let (got, reply) = follow(&mono, typed).await;
        assert_eq!((got, &reply["status"]), (codes, &json!("failed")), "{typed}");
    }
    assert!(mono.call_log().accounts.is_empty());
}

/// The most dangerous answer: the login was carried out, and the client gets not a single byte.
#[tokio::test]
async fn a_reset_comes_after_it_was_done() {
    let mono = MonoFixture::start(|_| {});
    let (session, reply) = mono.login("1024").await;
    assert_eq!(reply["responseCode"], 102);
    let lost = mono
        .submission("/v2/connect/commit", &session, &json!({ "otp": OTP }))
        .send()
        .await;
    let lost = lost.expect_err("no answer");
    assert!(!lost.is_connect() && !lost.is_timeout(), "{lost:?}");
    let call_log = mono.call_log();
    assert_eq!(call_log.submits[1].outcome, Some(SubmitOutcome::Granted));
    let (_, listed) = mono.get("/v2/accounts").await;
    let row = &listed["data"][0];
    assert_eq!(
        (&row["id"], &row["meta"]["session_id"]),
        (&json!(call_log.accounts[0].id), &json!(session))
    );
    // The next connection works.
    assert_eq!(mono.login("ada").await.1["responseCode"], 99);
}

/// The client sees a real reset, not an orderly close, before the first byte.
#[tokio::test]
async fn a_reset_is_a_reset_on_the_wire() {
    let mono = MonoFixture::start(|_| {});
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    let body = json!({ "username": "104", "password": "p" }).to_string();
    let mut stream = raw_login(&mono, &session, body.len()).await;
    stream.write_all(body.as_bytes()).await.expect("to write");
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).await.expect_err("no orderly end");
    assert_eq!((end.kind(), answer.len()), (std::io::ErrorKind::ConnectionReset, 0));
}

/// A caller that disconnects in the middle of its body has submitted nothing, and the call log shows that.
#[tokio::test]
async fn half_a_body_is_no_submission() {
    let mono = MonoFixture::start(|_| {});
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    let mut stream = raw_login(&mono, &session, 100).await;
    stream.write_all(b"{\"username\": \"ada\"").await.expect("to write");
    mono.until(|call_log| call_log.submits.len() == 1).await;
    drop(stream);
    assert_eq!(mono.login("bola").await.1["responseCode"], 99);
    let call_log = mono.call_log();
    assert_eq!(
        (call_log.submits[0].whole_body, call_log.submits[0].outcome),
        (false, None)
    );
    assert_eq!(call_log.accounts.len(), 1);
}

/// A connection on which the head of a login was sent.
async fn raw_login(mono: &MonoFixture, session: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(mono.running.addr).await.expect("a connection");
    let head = format!(
        "POST /v2/connect/login HTTP/1.1\r\nhost: stand-in\r\nmono-sec-key: {KEY}\r\nx-session-id: {session}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("to write");
    stream
}

/// A caller that disconnects does not stop a login that has arrived, as with a real bank.
#[tokio::test]
async fn a_login_goes_on_without_its_caller() {
    let mono = MonoFixture::start(|switches| switches.latency.login = kiungo::sandbox::bank::DelayRange(300, 300));
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    let call = mono.submission(
        "/v2/connect/login",
        &session,
        &json!({ "username": "ada", "password": "p" }),
    );
    tokio::select! {
        answer = call.send() => panic!("answered: {answer:?}"),
        _ = mono.until(|call_log| call_log.submits.iter().any(|submit| submit.whole_body)) => {}
    }
    let call_log = mono.until(|call_log| !call_log.accounts.is_empty()).await;
    assert_eq!(call_log.submits[0].outcome, Some(SubmitOutcome::Granted));
}

/// Fault tests rely on the call log: who submitted what in which order, without passwords in clear.
#[tokio::test]
async fn the_call_log_keeps_every_submission() {
    let mono = MonoFixture::start(|_| {});
    let (first, _) = mono.login("otp").await;
    let refused = mono.commit(&first, &json!({ "otp": "000000" })).await;
    assert_eq!(
        refused,
        json!({ "status": "failed", "message": "Invalid OTP Sent", "responseCode": 400, "data": null })
    );
    mono.commit(&first, &json!({ "otp": OTP })).await;
    mono.login("0000000001").await;
    let call_log = mono.call_log();
    let kept: Vec<_> = call_log
        .submits
        .iter()
        .map(|submit| {
            (
                submit.no,
                submit.username.as_deref(),
                submit.secret_sha256.clone(),
                submit.outcome,
            )
        })
        .collect();
    assert_eq!(
        kept,
        [
            (1, Some("otp"), Some(sha256_hex("p")), Some(SubmitOutcome::InputAsked)),
            (2, None, Some(sha256_hex("000000")), Some(SubmitOutcome::WrongCode)),
            (3, None, Some(sha256_hex(OTP)), Some(SubmitOutcome::Granted)),
            (
                4,
                Some("0000000001"),
                Some(sha256_hex("p")),
                Some(SubmitOutcome::Granted)
            ),
        ]
    );
    assert_eq!(call_log.submits[2].session.as_deref(), Some(first.as_str()));
    assert_eq!(call_log.submits[2].institution.as_deref(), Some(PLAIN_BANK));
    assert!(call_log.submits.iter().all(|submit| submit.whole_body));
}

/// Three wrong codes end a session, so that a client cannot guess forever.
#[tokio::test]
async fn wrong_codes_end_a_session() {
    let mono = MonoFixture::start(|_| {});
    let (session, _) = mono.login("102").await;
    for _ in 0..3 {
        assert_eq!(
            mono.commit(&session, &json!({ "otp": "1" })).await["message"],
            "Invalid OTP Sent"
        );
    }
    assert_eq!(
        mono.commit(&session, &json!({ "otp": OTP })).await["responseCode"],
        Value::Null
    );
    assert_eq!(
        mono.call_log().submits.last().and_then(|submit| submit.outcome),
        Some(SubmitOutcome::NoSession)
    );
}

/// A session accepts a right password after a wrong one, and nothing after it is granted.
#[tokio::test]
async fn a_session_takes_logins_until_one_is_granted() {
    let mono = MonoFixture::start(|_| {});
    let session = mono.session(PLAIN_BANK, "internet_banking").await;
    for (password, code) in [
        ("wrong", json!(400)),
        ("0000", json!(400)),
        ("p", json!(99)),
        ("p", Value::Null),
    ] {
        let body = json!({ "username": "ada", "password": password });
        let (_, reply) = mono.json(mono.submission("/v2/connect/login", &session, &body)).await;
        assert_eq!(reply["responseCode"], code, "{password}");
    }
}

/// The same person has the same accounts on every try; the same account linked twice has two ids, as documented.
#[tokio::test]
async fn people_stay_the_same_and_ids_do_not() {
    let mono = MonoFixture::start(|_| {});
    let (_, first) = mono.linked("ada").await;
    let (_, second) = mono.linked("ada").await;
    let (_, other) = mono.linked("bola").await;
    let details =
        async |id: &str| mono.get(&format!("/v2/accounts/{id}")).await.1["data"]["account"]["account_number"].clone();
    assert_ne!(first, second);
    assert_eq!(details(&first).await, details(&second).await);
    assert_ne!(details(&first).await, details(&other).await);
}

/// The first version: numeric status, a bare array with indices, the form under `data`, the old paths.
#[tokio::test]
async fn the_first_version_is_spoken_too() {
    let mono = MonoFixture::start(|switches| switches.own.first_index = 1);
    let open =
        json!({ "app": kiungo::sandbox::mono::APP, "institution": PLAIN_BANK, "auth_method": "internet_banking" });
    let session = mono.post("/v1/connect/session", &open).await.1["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let send = async |path: &str, body: Value| mono.json(mono.submission(path, &session, &body)).await.1;
    let refused = send("/v1/connect/login", json!({ "username": "ada", "password": "wrong" })).await;
    assert_eq!(
        refused,
        json!({ "status": 400, "message": "Username or password incorrect" })
    );
    let many = send("/v1/connect/login", json!({ "username": "1012", "password": "p" })).await;
    assert_eq!((&many["status"], &many["responseCode"]), (&json!(200), &json!(101)));
    assert_eq!(
        (&many["data"][0]["index"], &many["data"][2]["index"]),
        (&json!(1), &json!(3))
    );
    let otp = send("/v1/connect/commit", json!({ "account": 2 })).await;
    assert_eq!(
        (&otp["responseCode"], &otp["data"]["form"][0]["name"]),
        (&json!(102), &json!("otp"))
    );
    let done = send("/v1/connect/commit", json!({ "otp": OTP })).await;
    let (_, exchanged) = mono
        .post("/account/auth", &json!({ "code": done["data"]["code"] }))
        .await;
    let id = exchanged["id"].as_str().expect("an id");
    let (_, details) = mono.get(&format!("/accounts/{id}")).await;
    assert_eq!(details["account"]["accountNumber"], many["data"][1]["accountNumber"]);
    assert_eq!(
        mono.post(&format!("/accounts/{id}/reauthorise"), &json!({})).await.0,
        200
    );
    assert_eq!(mono.post(&format!("/accounts/{id}/unlink"), &json!({})).await.0, 200);
    assert_eq!(mono.get(&format!("/accounts/{id}")).await, (404, Value::Null));
}

/// Unlinking ends all access to an account, and only the key that linked it can do so.
#[tokio::test]
async fn unlinking_ends_an_account() {
    let mono = MonoFixture::start(|_| {});
    let (_, id) = mono.linked("ada").await;
    let path = format!("/v2/accounts/{id}/unlink");
    let other = mono
        .bare_call(Method::POST, &path)
        .header("mono-sec-key", "test_sk_other");
    assert_eq!(mono.json(other).await.0, 404);
    assert_eq!(mono.post(&path, &json!({})).await.1["status"], "successful");
    assert_eq!(mono.post(&path, &json!({})).await, (404, Value::Null));
    assert_eq!(mono.get("/v2/accounts").await.1["data"], json!([]));
    let call_log = mono.call_log();
    assert_eq!(
        call_log.unlinks.iter().map(|unlink| unlink.done).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert!(call_log.accounts[0].unlinked_at.is_some());
}
