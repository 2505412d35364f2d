//! Replies to a submission that Mono does not document, including those that are not JSON or never come.

use kiungo::core::next_step::NextStep;
use kiungo::providers::{SessionKind, SubmitError};
use proptest::prelude::*;
use serde_json::Value;
use wiremock::ResponseTemplate;

use super::mono::{answering, mono_with, session};
use super::mono_replies::{LOGIN, SECRETS, V2, described, outcome_of, submit, submit_in};
use crate::support::logs::Logs;
use crate::support::soak;
use crate::support::tcp::{RawTcpServer, TcpBehaviour};

/// Small replies that are not JSON.
const GARBAGE: &[(&str, &[u8])] = &[
    ("page", b"<!doctype html><html><body>502 Bad Gateway</body></html>"),
    (
        "truncated",
        br#"{"status":"successful","responseCode":99,"data":{"code":"co"#,
    ),
    ("tail", br#"{"responseCode":99,"data":{"code":"c"}} trailing"#),
    (
        "two codes",
        br#"{"responseCode":99,"responseCode":400,"data":{"code":"c"}}"#,
    ),
    (
        "two data",
        br#"{"responseCode":99,"data":{"code":"a"},"data":{"code":"b"}}"#,
    ),
    ("infinite number", br#"{"responseCode":1e999}"#),
    ("fraction", br#"{"responseCode":99.5,"data":{"code":"c"}}"#),
    ("NaN", br#"{"responseCode":NaN}"#),
    ("wrong types", br#"{"status":{},"responseCode":true,"data":7}"#),
    ("not UTF-8", b"{\"responseCode\":99,\"data\":{\"code\":\"\xff\xfe\"}}"),
    ("half a pair", br#"{"responseCode":99,"data":{"code":"\ud800"}}"#),
    ("NUL", b"\0\0\0\0"),
    ("array", b"[99]"),
    ("word", b"\"99\""),
    ("number", b"99"),
    ("null", b"null"),
    ("nothing", b""),
    ("blanks", b" \t\r\n"),
    ("UTF-16", b"{\0\"\0r\0\"\0:\09\09\0}\0"),
    ("single quotes", b"{'responseCode':99,'data':{'code':'c'}}"),
    ("no quotes", b"{responseCode:99,data:{code:\"c\"}}"),
    ("trailing comma", br#"{"responseCode":99,"data":{"code":"c"},}"#),
    ("two commas", br#"{"responseCode":99,,"data":{"code":"c"}}"#),
    ("no comma", br#"{"responseCode":99 "data":{"code":"c"}}"#),
    ("no colon", br#"{"responseCode" 99,"data":{"code":"c"}}"#),
    ("comment", br#"{"responseCode":99,/* yes */"data":{"code":"c"}}"#),
    ("leading zero", br#"{"responseCode":099,"data":{"code":"c"}}"#),
    ("plus sign", br#"{"responseCode":+99,"data":{"code":"c"}}"#),
    ("hexadecimal", br#"{"responseCode":0x63,"data":{"code":"c"}}"#),
    ("bare point", br#"{"responseCode":99.,"data":{"code":"c"}}"#),
    ("bare exponent", br#"{"responseCode":99e,"data":{"code":"c"}}"#),
    ("minus nothing", br#"{"responseCode":-,"data":{"code":"c"}}"#),
    ("Infinity", br#"{"responseCode":Infinity,"data":{"code":"c"}}"#),
    ("capital word", br#"{"responseCode":99,"data":True}"#),
    ("half a word", br#"{"responseCode":99,"data":tru}"#),
    ("bad escape", br#"{"responseCode":99,"data":{"code":"\x41"}}"#),
    ("half an escape", br#"{"responseCode":99,"data":{"code":"\u00"}}"#),
    (
        "pair the wrong way round",
        br#"{"responseCode":99,"data":{"code":"\udc00\ud800"}}"#,
    ),
    ("raw line break", b"{\"responseCode\":99,\"data\":{\"code\":\"a\nb\"}}"),
    ("raw NUL", b"{\"responseCode\":99,\"data\":{\"code\":\"a\0b\"}}"),
    ("overlong", b"{\"responseCode\":99,\"data\":{\"code\":\"\xc0\xaf\"}}"),
    (
        "half a character",
        b"{\"responseCode\":99,\"data\":{\"code\":\"\xe2\x82\"}}",
    ),
    ("closed by another", br#"{"responseCode":99,"data":{"code":"c"]}"#),
    ("closed twice", br#"{"responseCode":99,"data":{"code":"c"}}}"#),
    ("never closed", br#"{"responseCode":99,"data":{"code":"c"}"#),
    (
        "two answers",
        br#"{"responseCode":99,"data":{"code":"a"}}{"responseCode":400}"#,
    ),
    (
        "one a line",
        b"{\"responseCode\":99,\"data\":{\"code\":\"a\"}}\n{\"responseCode\":400}",
    ),
    ("a call back", br#"callback({"responseCode":99,"data":{"code":"c"}})"#),
    (
        "behind a guard",
        b")]}',\n{\"responseCode\":99,\"data\":{\"code\":\"c\"}}",
    ),
    ("XML", b"<?xml version=\"1.0\"?><responseCode>99</responseCode>"),
    ("a form", b"responseCode=99&data=c"),
    ("no member", b"{}"),
    (
        "text for a code",
        br#"{"responseCode":"ninety-nine","data":{"code":"c"}}"#,
    ),
    ("a list of codes", br#"{"responseCode":[99],"data":{"code":"c"}}"#),
    (
        "a code of another kind",
        br#"{"responseCode":99,"data":{"code":{"code":"c"}}}"#,
    ),
    ("a list for data", br#"{"responseCode":99,"data":[{"code":"c"}]}"#),
];

/// A successful reply, compressed with gzip.
const PACKED_YES: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x4a\x2d\x2e\xc8\xcf\x2b\x4e\x75\xce\x4f\x49\x55\xb2\xb2\xb4\xd4\x51\x4a\x49\x2c\x49\x54\xb2\xaa\x56\x4a\x06\x8b\x28\x25\x2b\xd5\xd6\x02\x00\x2a\xef\xe4\xe1\x27\x00\x00\x00";

/// All of them, and large and deeply nested ones.
fn garbage() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |open: &str, close: &str| open.repeat(10_000) + &close.repeat(10_000);
    let code = "x".repeat(10_000_000);
    let deep = [
        ("huge number", format!("{{\"responseCode\":{}}}", "9".repeat(5_000))),
        ("arrays", nested("[", "]")),
        ("objects", nested("{\"data\":", "}")),
        ("deep data", format!("{{\"data\":{}}}", nested("[", "]"))),
        (
            "deep form",
            format!("{{\"responseCode\":102,\"data\":{{\"form\":{}}}}}", nested("[", "]")),
        ),
        (
            "ten megabytes",
            format!("{{\"responseCode\":99,\"data\":{{\"code\":\"{code}\"}}}}"),
        ),
    ];
    let small = GARBAGE.iter().map(|(name, body)| (*name, body.to_vec()));
    small
        .chain(deep.map(|(name, body)| (name, body.into_bytes())))
        .collect()
}

/// A reply that is not Mono's JSON is unknown, with any status except a rate limiter's. Where only the form of a 102 is
/// garbage, something was asked all the same: it is asked by the documented default, as an `otp`. (P6)
#[tokio::test]
async fn garbage_is_unknown() {
    for (name, body) in garbage() {
        for status in [200, 502] {
            let template = ResponseTemplate::new(status).set_body_bytes(body.clone());
            let want = if name == "deep form" { "ask otp:Text" } else { "unknown" };
            assert_eq!(outcome_of(V2, LOGIN, template).await, want, "{name} {status}");
        }
    }
    // A page with status 401 or 404 is a proxy's, not Mono's.
    for status in [400, 401, 403, 404] {
        let template = ResponseTemplate::new(status).set_body_string("<html>");
        assert_eq!(outcome_of(V2, LOGIN, template).await, "unknown", "{status}");
    }
}

/// Compressed replies are not decompressed, so that a few kilobytes never become gigabytes: not even a success is read. (P6)
#[tokio::test]
async fn nothing_is_unpacked() {
    for encoding in ["gzip", "deflate", "br"] {
        let template = ResponseTemplate::new(200)
            .insert_header("content-encoding", encoding)
            .set_body_bytes(PACKED_YES);
        assert_eq!(outcome_of(V2, LOGIN, template).await, "unknown", "{encoding}");
    }
}

/// Processed, but the response was lost: unknown, and never sent again. Connection refused: provably not sent. (P3, P5)
#[tokio::test]
async fn a_lost_answer_is_unknown_and_a_refused_connection_is_not() {
    for act in [TcpBehaviour::Reset, TcpBehaviour::Close] {
        let logs = Logs::capture();
        let server = RawTcpServer::new(act).await;
        let mono = mono_with(&format!("http://127.0.0.1:{}", server.port()), V2, |_| {});
        let outcome = server.during(submit(&mono, LOGIN)).await;
        assert_eq!(described(&outcome), "unknown");
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
        logs.hold_none_of(SECRETS);
    }
    let closed = RawTcpServer::new(TcpBehaviour::Close).await.port();
    let mono = mono_with(&format!("http://127.0.0.1:{closed}"), V2, |_| {});
    assert_eq!(described(&submit(&mono, LOGIN).await), "not sent");
}

/// A session id that cannot be a header is not sent at all, rather than without it.
#[tokio::test]
async fn a_session_that_cannot_be_sent_is_not() {
    let server = answering(ResponseTemplate::new(200)).await;
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

/// No JSON made of Mono's own words, however wrong, causes a panic, an invented grant or an invented refusal.
#[test]
fn no_reply_is_understood_for_more_than_it_says() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(soak::number(64, 1_000))
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
                    prop_assert!(status == 400 || text.contains("status") || text.contains("responseCode"));
                }
                Ok(NextStep::Prompt(_) | NextStep::ChooseAccounts { .. }) => {
                    prop_assert!(text.contains("responseCode"));
                }
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(SubmitError::NotSent(_)) => prop_assert!(false, "it was sent"),
                Err(SubmitError::Unknown(_)) => {}
            }
            Ok(())
        })
        .unwrap();
}
