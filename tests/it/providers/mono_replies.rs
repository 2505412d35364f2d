//! What Mono's replies to a submission mean: the raw reply in, the next step or the error out, in both dialects.

use std::time::Duration;

use kiungo::core::next_step::{FieldKind, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::mono::{Dialect, Mono};
use kiungo::providers::{Provider, ProviderSession, SessionKind, Step, Submission, SubmitError};
use proptest::prelude::*;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::mono::{KEY, answering, credentials, mono_with, only_request, session};
use crate::support::logs::Logs;
use crate::support::tcp::{Act, Wild};

const V1: Dialect = Dialect::V1;
const V2: Dialect = Dialect::V2;
const LOGIN: Step = Step::Login;
const CODE: Step = Step::Code;
const CHOOSE: Step = Step::Choose;
const SECRETS: &[&str] = &[
    KEY,
    "Zq7password",
    "sess_Zq7session",
    "code_Zq7grant",
    "0009990001",
    "1250000",
];

async fn submit_in(mono: &Mono, session: &ProviderSession, step: Step) -> Result<NextStep, SubmitError> {
    let name = if step == CHOOSE { "" } else { "password" };
    let answers = [(name.to_owned(), Secret::new("Zq7password"))];
    let submission = Submission {
        session,
        step,
        answers: &answers,
        timeout: Duration::from_secs(5),
    };
    mono.submit(&credentials(), submission).await
}

async fn submit(mono: &Mono, step: Step) -> Result<NextStep, SubmitError> {
    submit_in(mono, &session(SessionKind::Link, None), step).await
}

/// The outcome in a line: what a table can hold.
fn described(outcome: &Result<NextStep, SubmitError>) -> String {
    match outcome {
        Ok(NextStep::Done(grant)) => format!("done {}", grant.0.expose()),
        Ok(NextStep::Prompt(form)) => {
            let fields = form.fields.iter().map(|field| match &field.kind {
                FieldKind::OneOf(_) => format!("{}:one of", field.name),
                kind => format!("{}:{kind:?}", field.name),
            });
            format!("ask {}", fields.collect::<Vec<_>>().join(","))
        }
        Ok(NextStep::ChooseAccounts { accounts, many }) => {
            assert!(!many, "Mono links one account at a time");
            let accounts = accounts.iter().map(|it| {
                let currency = it.currency.as_deref().unwrap_or("-");
                format!("{}={} {} {currency}", it.key, it.label, it.masked)
            });
            format!("choose {}", accounts.collect::<Vec<_>>().join(","))
        }
        Ok(NextStep::Failed(failure)) => match failure.retry_after {
            Some(pause) => format!("failed {:?} {}", failure.class, pause.as_secs()),
            None => format!("failed {:?}", failure.class),
        },
        Ok(other) => format!("{other:?}"),
        Err(SubmitError::NotSent(_)) => "not sent".to_owned(),
        Err(SubmitError::Unknown(_)) => "unknown".to_owned(),
    }
}

/// Answers a submission with `template`; checks that it was sent once and that nothing leaked.
async fn outcome_of(dialect: Dialect, step: Step, template: ResponseTemplate) -> String {
    let logs = Logs::capture();
    let server = answering(template).await;
    let outcome = submit(&mono_with(&server.uri(), dialect, |_| {}), step).await;
    only_request(&server).await;
    logs.hold_none_of(SECRETS);
    if let Err(error) = &outcome {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("127.0.0.1") && !shown.contains("Zq7"), "{shown}");
    }
    described(&outcome)
}

fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// The four documented response codes, in every shape the sources give them. (Wire 3, 4)
#[tokio::test]
async fn documented_codes_lead_on() {
    let rows = json!([
        { "accountNumber": "0009990001", "name": "Ada", "type": "SAVINGS_ACCOUNT", "currency": "NGN", "balance": 1_250_000, "index": 0 },
        { "accountNumber": "0009990002", "type": "CURRENT_ACCOUNT", "balance": 0, "index": "1" },
        "junk", {}, { "type": "X" },
    ]);
    let otp = json!({ "title": "OTP", "form": [{ "type": "elements.input", "name": "otp", "contentType": "string" }] });
    let picture = json!({ "form": [{ "type": "elements.captcha_input", "name": "captcha", "contentType": "string" }] });
    let (by_number, by_index) = (
        "choose 0009990001=Savings 0001 NGN,0009990002=Current 0002 -",
        "choose 0=Savings 0001 NGN,1=Current 0002 -",
    );
    let done = json!({ "status": "successful", "responseCode": 99, "data": { "code": "code_Zq7grant" } });
    for (dialect, step, body, want) in [
        (V2, LOGIN, done.clone(), "done code_Zq7grant"),
        (V2, CODE, done.clone(), "done code_Zq7grant"),
        (V2, CHOOSE, done, "done code_Zq7grant"),
        (
            V1,
            LOGIN,
            json!({ "status": 200, "responseCode": 99, "data": { "code": "c" } }),
            "done c",
        ),
        (
            V2,
            LOGIN,
            json!({ "status": "successful", "data": { "responseCode": 99, "code": "c" } }),
            "done c",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": "99", "data": { "code": "c" } }),
            "done c",
        ),
        (
            V1,
            CODE,
            json!({ "status": 200, "message": "m", "data": { "code": "c" } }),
            "done c",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 99, "data": { "code": "" } }),
            "unknown",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 99, "data": { "code": 7 } }),
            "unknown",
        ),
        (V2, LOGIN, json!({ "responseCode": 99, "data": null }), "unknown"),
        (
            V2,
            LOGIN,
            json!({ "status": "successful", "responseCode": 101, "data": { "accounts": rows } }),
            by_number,
        ),
        (V2, CODE, json!({ "responseCode": 101, "data": rows }), by_number),
        (
            V1,
            LOGIN,
            json!({ "status": 200, "responseCode": 101, "data": rows }),
            by_index,
        ),
        (
            V1,
            LOGIN,
            json!({ "responseCode": 101, "data": { "accounts": rows } }),
            by_index,
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 101, "data": { "accounts": [] } }),
            "unknown",
        ),
        (V2, LOGIN, json!({ "responseCode": 101, "data": null }), "unknown"),
        (
            V1,
            LOGIN,
            json!({ "responseCode": 101, "data": [{ "accountNumber": "1" }] }),
            "unknown",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 102, "data": { "userInput": otp } }),
            "ask otp:Text",
        ),
        (
            V2,
            CHOOSE,
            json!({ "data": { "responseCode": 102, "userInput": otp } }),
            "ask otp:Text",
        ),
        (
            V1,
            CODE,
            json!({ "status": 200, "responseCode": 102, "data": otp }),
            "ask otp:Text",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 102, "data": { "userInput": picture } }),
            "failed Unsupported",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 102, "data": { "userInput": { "form": [] } } }),
            "unknown",
        ),
        (V2, LOGIN, json!({ "responseCode": 102, "data": "otp" }), "unknown"),
        (
            V2,
            LOGIN,
            json!({ "status": "failed", "responseCode": 400, "data": null }),
            "failed Refused",
        ),
        (
            V2,
            CODE,
            json!({ "status": "failed", "message": "Invalid OTP Sent", "responseCode": 400 }),
            "failed WrongCode",
        ),
        (
            V2,
            CHOOSE,
            json!({ "status": "failed", "responseCode": 400 }),
            "failed SessionExpired",
        ),
    ] {
        for status in [200, 201, 400, 401, 500] {
            // Only the code decides, whatever the HTTP status; without one it is the status's turn.
            if status > 201 && body["responseCode"].is_null() && body["data"]["responseCode"].is_null() {
                continue;
            }
            let template = ResponseTemplate::new(status).set_body_json(&body);
            assert_eq!(outcome_of(dialect, step, template).await, want, "{status} {body}");
        }
    }
}

/// Codes nobody has documented are failures, and said so in the log. (Wire 3a)
#[tokio::test]
async fn undocumented_codes_fail_and_are_logged() {
    for (step, status, body, want) in [
        (
            LOGIN,
            200,
            json!({ "status": "successful", "responseCode": 103, "data": {} }),
            "failed Unsupported",
        ),
        (
            LOGIN,
            200,
            json!({ "status": "failed", "responseCode": 100 }),
            "failed Refused",
        ),
        (
            CODE,
            400,
            json!({ "status": "failed", "responseCode": 104 }),
            "failed WrongCode",
        ),
        (
            LOGIN,
            503,
            json!({ "status": "failed", "responseCode": 503 }),
            "unknown",
        ),
        (LOGIN, 200, json!({ "responseCode": 1e300 }), "unknown"),
        (LOGIN, 200, json!({ "responseCode": "ninety-nine" }), "unknown"),
        (LOGIN, 200, json!({ "responseCode": [99] }), "unknown"),
    ] {
        let logs = Logs::capture();
        let server = answering(ResponseTemplate::new(status).set_body_json(&body)).await;
        let outcome = submit(&mono_with(&server.uri(), V2, |_| {}), step).await;
        assert_eq!(described(&outcome), want, "{body}");
        let logged = logs.text().contains("not documented");
        assert_eq!(logged, body["responseCode"].is_i64(), "{body}");
        logs.hold_none_of(SECRETS);
    }
}

/// Replies without a code: what is an explicit no, and what only looks like one. (Wire 6, P1, P2, P8)
#[tokio::test]
async fn without_a_code_little_is_final() {
    let failed = json!({ "status": "failed", "message": "no", "data": null });
    let dead = json!({ "status": "failed", "message": "Session has expired" });
    let number = |status: u16| json!({ "status": status, "message": "x" });
    for (step, status, body, want) in [
        (LOGIN, 200, Some(&failed), "failed Refused"),
        (LOGIN, 400, Some(&failed), "failed Refused"),
        (CODE, 400, Some(&failed), "failed WrongCode"),
        (CHOOSE, 400, Some(&failed), "failed SessionExpired"),
        (LOGIN, 422, Some(&failed), "failed Refused"),
        (LOGIN, 400, Some(&json!({ "message": ["a", "b"] })), "failed Refused"),
        (LOGIN, 400, Some(&dead), "failed SessionExpired"),
        (LOGIN, 401, Some(&dead), "failed SessionExpired"),
        (LOGIN, 200, Some(&dead), "failed SessionExpired"),
        (LOGIN, 404, Some(&failed), "failed SessionExpired"),
        (LOGIN, 404, None, "failed SessionExpired"),
        (LOGIN, 401, Some(&failed), "failed Misconfigured"),
        (LOGIN, 401, None, "failed Misconfigured"),
        (LOGIN, 402, None, "failed Misconfigured"),
        (CODE, 403, Some(&failed), "failed Misconfigured"),
        (LOGIN, 200, Some(&number(400)), "failed Refused"),
        (LOGIN, 200, Some(&number(401)), "failed Misconfigured"),
        (LOGIN, 200, Some(&number(500)), "unknown"),
        (LOGIN, 200, Some(&number(200)), "unknown"),
        (LOGIN, 200, Some(&json!({ "status": "pending" })), "unknown"),
        (LOGIN, 200, Some(&json!({})), "unknown"),
        (LOGIN, 200, None, "unknown"),
        (LOGIN, 204, None, "unknown"),
        (LOGIN, 400, None, "unknown"),
        (LOGIN, 409, Some(&failed), "unknown"),
        (LOGIN, 408, Some(&failed), "unknown"),
        (LOGIN, 422, Some(&json!({})), "unknown"),
        (LOGIN, 500, Some(&failed), "unknown"),
        (LOGIN, 500, None, "unknown"),
        (LOGIN, 502, None, "unknown"),
        (CODE, 503, Some(&failed), "unknown"),
        (LOGIN, 504, None, "unknown"),
        (LOGIN, 307, None, "unknown"),
    ] {
        for dialect in [V1, V2] {
            let template = ResponseTemplate::new(status);
            let template = match body {
                Some(body) => template.set_body_json(body),
                None => template,
            };
            assert_eq!(outcome_of(dialect, step, template).await, want, "{status} {body:?}");
        }
    }
}

/// A rate limiter says that nothing was tried, and how long to stay away, whatever its page looks like. (P2)
#[tokio::test]
async fn a_rate_limit_is_busy() {
    for (retry, body, want) in [
        (None, "", "failed Busy"),
        (Some("30"), "", "failed Busy 30"),
        (Some("30"), "<html>slow down</html>", "failed Busy 30"),
        (Some("soon"), "{\"status\":\"failed\"}", "failed Busy"),
        (
            Some("5"),
            "{\"status\":\"failed\",\"responseCode\":400}",
            "failed Busy 5",
        ),
        (
            Some("5"),
            "{\"status\":\"failed\",\"responseCode\":429}",
            "failed Busy 5",
        ),
    ] {
        let template = ResponseTemplate::new(429).set_body_string(body);
        let template = match retry {
            Some(retry) => template.insert_header("retry-after", retry),
            None => template,
        };
        assert_eq!(outcome_of(V2, LOGIN, template).await, want, "{retry:?} {body}");
    }
}

/// Whatever is not Mono's JSON says neither yes nor no, with any status but a rate limiter's. (P6)
#[tokio::test]
async fn garbage_is_unknown() {
    let nested = |open: &str, close: &str| open.repeat(10_000) + &close.repeat(10_000);
    let large = format!(
        "{{\"responseCode\":99,\"data\":{{\"code\":\"{}\"}}}}",
        "x".repeat(10_000_000)
    );
    let garbage: Vec<(&str, Vec<u8>)> = vec![
        (
            "page",
            b"<!doctype html><html><body>502 Bad Gateway</body></html>".to_vec(),
        ),
        (
            "truncated",
            b"{\"status\":\"successful\",\"responseCode\":99,\"data\":{\"code\":\"co".to_vec(),
        ),
        (
            "tail",
            b"{\"responseCode\":99,\"data\":{\"code\":\"c\"}} trailing".to_vec(),
        ),
        (
            "two codes",
            b"{\"responseCode\":99,\"responseCode\":400,\"data\":{\"code\":\"c\"}}".to_vec(),
        ),
        (
            "two data",
            b"{\"responseCode\":99,\"data\":{\"code\":\"a\"},\"data\":{\"code\":\"b\"}}".to_vec(),
        ),
        (
            "huge number",
            format!("{{\"responseCode\":{}}}", "9".repeat(5_000)).into_bytes(),
        ),
        ("infinite number", b"{\"responseCode\":1e999}".to_vec()),
        (
            "fraction",
            b"{\"responseCode\":99.5,\"data\":{\"code\":\"c\"}}".to_vec(),
        ),
        ("NaN", b"{\"responseCode\":NaN}".to_vec()),
        (
            "wrong types",
            b"{\"status\":{},\"responseCode\":true,\"data\":7}".to_vec(),
        ),
        (
            "not UTF-8",
            b"{\"responseCode\":99,\"data\":{\"code\":\"\xff\xfe\"}}".to_vec(),
        ),
        (
            "half a pair",
            b"{\"responseCode\":99,\"data\":{\"code\":\"\\ud800\"}}".to_vec(),
        ),
        ("NUL", b"\0\0\0\0".to_vec()),
        ("array", b"[99]".to_vec()),
        ("word", b"\"99\"".to_vec()),
        ("number", b"99".to_vec()),
        ("null", b"null".to_vec()),
        ("arrays", nested("[", "]").into_bytes()),
        ("objects", nested("{\"data\":", "}").into_bytes()),
        ("deep data", format!("{{\"data\":{}}}", nested("[", "]")).into_bytes()),
        (
            "deep form",
            format!("{{\"responseCode\":102,\"data\":{{\"form\":{}}}}}", nested("[", "]")).into_bytes(),
        ),
        ("ten megabytes", large.into_bytes()),
    ];
    for (name, body) in garbage {
        for status in [200, 502] {
            let template = ResponseTemplate::new(status).set_body_bytes(body.clone());
            assert_eq!(outcome_of(V2, LOGIN, template).await, "unknown", "{name} {status}");
        }
    }
    // A page that says 401 or 404 is a proxy's, not Mono's.
    for status in [400, 401, 403, 404] {
        let template = ResponseTemplate::new(status).set_body_string("<html>");
        assert_eq!(outcome_of(V2, LOGIN, template).await, "unknown", "{status}");
    }
}

/// Reauthorisation: the code is exchanged or left alone, as the installation says.
#[tokio::test]
async fn a_reauthorisation_ends_as_set() {
    for (exchange, data, want) in [
        (true, json!({ "responseCode": 99, "code": "c" }), "done c"),
        (true, json!({ "responseCode": 99 }), "unknown"),
        (false, json!({ "responseCode": 99, "code": "c" }), "done "),
        (false, json!({ "responseCode": 99 }), "done "),
        (false, json!({ "responseCode": 400 }), "failed Refused"),
    ] {
        let server = answering(ok(&json!({ "status": "successful", "data": data }))).await;
        let mono = mono_with(&server.uri(), V2, |settings| settings.exchange_reauth_code = exchange);
        let outcome = submit_in(&mono, &session(SessionKind::Reauth, None), LOGIN).await;
        assert_eq!(described(&outcome), want, "{exchange} {data}");
    }
    let server = answering(ok(&json!({}))).await;
    let mono = mono_with(&server.uri(), V1, |_| {});
    let outcome = submit_in(&mono, &session(SessionKind::Reauth, None), LOGIN).await;
    assert_eq!(described(&outcome), "not sent");
    assert!(server.received_requests().await.unwrap().is_empty());
}

/// Processed, and the answer lost: unknown, and never sent again. Refused: provably not sent. (P3, P5)
#[tokio::test]
async fn a_lost_answer_is_unknown_and_a_refused_connection_is_not() {
    for act in [Act::Reset, Act::Close] {
        let logs = Logs::capture();
        let server = Wild::new(act).await;
        let mono = mono_with(&format!("http://127.0.0.1:{}", server.port()), V2, |_| {});
        let outcome = server.during(submit(&mono, LOGIN)).await;
        assert_eq!(described(&outcome), "unknown");
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
        logs.hold_none_of(SECRETS);
    }
    let closed = Wild::new(Act::Close).await.port();
    let mono = mono_with(&format!("http://127.0.0.1:{closed}"), V2, |_| {});
    assert_eq!(described(&submit(&mono, LOGIN).await), "not sent");
}

/// A session id that cannot be a header is not sent at all, rather than without it.
#[tokio::test]
async fn a_session_that_cannot_be_sent_is_not() {
    let server = answering(ok(&json!({}))).await;
    let mono = mono_with(&server.uri(), V2, |_| {});
    let mut odd = session(SessionKind::Link, None);
    odd.id = "a\r\nb".to_owned();
    assert_eq!(described(&submit_in(&mono, &odd, LOGIN).await), "not sent");
    assert!(server.received_requests().await.unwrap().is_empty());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(99_i64), Just(101), Just(102), Just(400), any::<i64>()].prop_map(Value::from),
        prop_oneof![Just("successful".to_owned()), Just("failed".to_owned()), ".{0,8}"].prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "status",
        "responseCode",
        "data",
        "code",
        "accounts",
        "userInput",
        "form",
        "title",
        "accountNumber",
        "message",
    ]);
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
        ]
    })
}

/// No JSON made of Mono's own words, however wrong, is a panic, a grant out of nothing, or a refusal that nobody uttered.
#[test]
fn no_reply_is_understood_for_more_than_it_says() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    });
    let replies = (any_json(), prop::sample::select(vec![200_u16, 400, 500]));
    runner
        .run(&replies, |(body, status)| {
            let text = body.to_string();
            let outcome = runtime.block_on(async {
                let server = answering(ResponseTemplate::new(status).set_body_string(&text)).await;
                submit(&mono_with(&server.uri(), V2, |_| {}), LOGIN).await
            });
            match outcome {
                Ok(NextStep::Done(_)) => prop_assert!(text.contains("\"code\"")),
                Ok(NextStep::Failed(_)) => {
                    prop_assert!(status == 400 || text.contains("status") || text.contains("responseCode"))
                }
                Ok(NextStep::Prompt(_) | NextStep::ChooseAccounts { .. }) => {
                    prop_assert!(text.contains("responseCode"))
                }
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(SubmitError::NotSent(_)) => prop_assert!(false, "it was sent"),
                Err(SubmitError::Unknown(_)) => {}
            }
            Ok(())
        })
        .unwrap();
}
