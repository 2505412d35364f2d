//! Mono's replies that say little more than their code.

use std::time::Duration;

use kiungo::core::secret::Secret;
use kiungo::providers::{Access, Provider, SessionKind, Submission};
use serde_json::{Value, json};

use super::mono::{answering, keys, mono_with, only_request, session};
use super::mono_replies::{CHOOSE, CODE, LOGIN, V1, V2, ok, outcome_of};

/// 101 and 102 may come with little more than the code, as the documentation has it. What is missing is filled in with the
/// documented defaults; what cannot be done by keypad is refused as that. Neither is ever unknown: nobody is kept waiting,
/// locked out or told that their bank is slow because of an answer that was given.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn answers_without_details_are_answers() {
    let choose = [
        (
            V1,
            json!([{ "accountNumber": "0009990001" }, { "accountNumber": "0009990002", "type": "CURRENT" }]),
            "choose 0=Account 0001 -,1=Current 0002 -",
        ),
        // A row that cannot be read does not move those behind it.
        (
            V1,
            json!(["junk", { "accountNumber": "0009990002" }]),
            "choose 1=Account 0002 -",
        ),
        (
            V1,
            json!([{ "index": 4, "accountNumber": "0009990001" }, { "accountNumber": "0009990002" }]),
            "choose 4=Account 0001 -",
        ),
        (
            V2,
            json!([{ "type": "SAVINGS_ACCOUNT" }, { "type": "CURRENT_ACCOUNT" }]),
            "choose #0=Savings  -,#1=Current  -",
        ),
        (
            V2,
            json!([{ "type": "SAVINGS" }, { "type": "SAVINGS" }]),
            "failed Unsupported",
        ),
        (
            V2,
            json!(["0009990001", "0009990002"]),
            "choose 0009990001=Account 0001 -,0009990002=Account 0002 -",
        ),
        (
            V2,
            json!([{ "accountNumber": "0009990001", "type": 7, "currency": {} }]),
            "choose 0009990001=7 0001 -",
        ),
        // What answers for two accounts links either of them; what stands there twice is one.
        (
            V1,
            json!([{ "index": 0, "accountNumber": "0009990001" }, { "index": 0, "accountNumber": "0009990002" },
                { "index": 1, "accountNumber": "0009990003" }, { "index": 1, "accountNumber": "0009990003" }]),
            "choose 1=Account 0003 -",
        ),
        (
            V1,
            json!([{ "index": 0, "accountNumber": "0009990001" }, { "index": "0", "accountNumber": "0119990001" }]),
            "failed Unsupported",
        ),
        (
            V1,
            json!([{ "index": 2, "accountNumber": "0009990001" }, { "index": 2.0, "type": "CURRENT" }, { "index": 3, "type": "CURRENT" }]),
            "choose 3=Current  -",
        ),
        (
            V2,
            json!([{ "accountNumber": "0009990001", "currency": "NGN" }, { "accountNumber": "0009990001", "currency": "USD" },
                { "accountNumber": "0009990002" }, { "accountNumber": "0009990002", "name": "ADA" }]),
            "choose 0009990002=Account 0002 -",
        ),
        (V1, json!(null), "failed Unsupported"),
        (V2, json!("which one"), "failed Unsupported"),
        (V2, json!({ "data": [], "accounts": [] }), "failed Unsupported"),
    ];
    for (dialect, data, want) in choose {
        for step in [LOGIN, CODE] {
            let body = json!({ "status": true, "responseCode": 101, "data": data });
            assert_eq!(outcome_of(dialect, step, ok(&body)).await, want, "{body}");
        }
    }
    let ask = [
        (json!({ "responseCode": 102 }), "ask otp:Text"),
        (
            json!({ "responseCode": 102, "data": null, "message": "OTP required" }),
            "ask otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": "What was your first pet?" }),
            "ask answer:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "title": "Security question" } }),
            "ask answer:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "userInput": { "title": "Answer with your token" } } }),
            "ask otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "userInput": { "form": [] } } }),
            "ask otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "userInput": null } }),
            "ask otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": { "name": "code9" } } }),
            "ask code9:Text",
        ),
        (
            json!({ "responseCode": 102, "data": [{ "hint": "First pet?" }] }),
            "ask answer:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "userInput": { "form": ["smsCode"] } } }),
            "ask smsCode:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "userInput": { "form": [{ "type": "elements.input" }] } } }),
            "ask otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": [{ "name": "pin" }, { "name": "otp" }] } }),
            "ask pin:Secret,otp:Text",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": [{ "hint": "a" }, { "name": "otp" }] } }),
            "failed Unsupported",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": [{ "name": "captcha" }] } }),
            "failed Unsupported",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": [{ "type": "elements.face" }] } }),
            "failed Unsupported",
        ),
        (
            json!({ "responseCode": 102, "data": { "form": [7] } }),
            "failed Unsupported",
        ),
    ];
    for (body, want) in ask {
        for dialect in [V1, V2] {
            assert_eq!(outcome_of(dialect, LOGIN, ok(&body)).await, want, "{body}");
        }
    }
}

/// What is answered by its position goes out as `account`, in both versions. (Wire 4b)
#[tokio::test]
async fn a_position_is_answered_as_one() {
    for (dialect, key, want) in [
        (V2, "#1", json!({ "account": 1 })),
        (V1, "1", json!({ "account": 1 })),
        (V2, "0009990001", json!({ "accountNumber": "0009990001" })),
    ] {
        let server = answering(ok(&json!({ "responseCode": 99, "data": { "code": "c" } }))).await;
        let answers = [(String::new(), Secret::new(key))];
        let submission = Submission {
            session: &session(SessionKind::Link, None),
            step: CHOOSE,
            form: None,
            answers: &answers,
            timeout: Duration::from_secs(5),
        };
        let mono = mono_with(&server.uri(), dialect, |_| {});
        mono.submit(Access::keys(&keys()), submission).await.unwrap();
        let sent: Value = only_request(&server).await.body_json().unwrap();
        assert_eq!(sent, want, "{key}");
    }
}
