//! The meaning of Mono's replies to a submission: the raw reply in, the next step or the error out, in both API versions.

use std::time::Duration;

use kiungo::core::next_step::{FieldKind, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::mono::{Mono, MonoApiVersion};
use kiungo::providers::{Access, Provider, ProviderSession, SessionKind, Submission, SubmissionStep, SubmitError};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::mono::{KEY, answering, keys, mono_with, only_request, session};
use crate::support::logs::Logs;

pub const V1: MonoApiVersion = MonoApiVersion::V1;
pub const V2: MonoApiVersion = MonoApiVersion::V2;
pub const LOGIN: SubmissionStep = SubmissionStep::Login;
pub const CODE: SubmissionStep = SubmissionStep::Code;
pub const CHOOSE: SubmissionStep = SubmissionStep::Choose;
/// What no log may contain.
pub const SECRETS: &[&str] = &[
    KEY,
    "Zq7password",
    "sess_Zq7session",
    "code_Zq7grant",
    "0009990001",
    "1250000",
];

/// Submits one secret to this session.
pub async fn submit_in(mono: &Mono, session: &ProviderSession, step: SubmissionStep) -> Result<NextStep, SubmitError> {
    let name = if step == CHOOSE { "" } else { "password" };
    let answers = [(name.to_owned(), Secret::new("Zq7password"))];
    let submission = Submission {
        session,
        step,
        form: session.form.as_ref(),
        answers: &answers,
        timeout: Duration::from_secs(5),
    };
    let stepped = mono.submit(Access::keys(&keys()), submission).await;
    stepped.map(|stepped| stepped.value.step)
}

/// Submits one secret to a link's session.
pub async fn submit(mono: &Mono, step: SubmissionStep) -> Result<NextStep, SubmitError> {
    submit_in(mono, &session(SessionKind::Link, None), step).await
}

/// The outcome in one line, for tables.
pub fn described(outcome: &Result<NextStep, SubmitError>) -> String {
    match outcome {
        Ok(NextStep::Done(grant)) => format!("done {}", grant.0.expose()),
        Ok(NextStep::Prompt(form)) => {
            let fields = form.fields.iter().map(|field| match &field.kind {
                FieldKind::OneOf(_) => format!("{}:one of", field.name),
                kind => format!("{}:{kind:?}", field.name),
            });
            format!("ask {}", fields.collect::<Vec<_>>().join(","))
        }
        Ok(NextStep::ChooseAccounts { accounts, many, .. }) => {
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
pub async fn outcome_of(dialect: MonoApiVersion, step: SubmissionStep, template: ResponseTemplate) -> String {
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

pub fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// Checks that only the code decides, whatever the HTTP status; without a code the status decides.
async fn decided_by_code(rows: &[(MonoApiVersion, SubmissionStep, Value, &str)]) {
    for (dialect, step, body, want) in rows {
        for status in [200, 201, 400, 401, 500] {
            if status > 201 && body["responseCode"].is_null() && body["data"]["responseCode"].is_null() {
                continue;
            }
            let template = ResponseTemplate::new(status).set_body_json(body);
            assert_eq!(outcome_of(*dialect, *step, template).await, *want, "{status} {body}");
        }
    }
}

/// 99 returns a grant, wherever the code is; without a grant the outcome is unknown. (Wire 3, 4)
#[tokio::test]
async fn done_hands_out_a_grant() {
    let done = json!({ "status": "successful", "responseCode": 99, "data": { "code": "code_Zq7grant" } });
    decided_by_code(&[
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
    ])
    .await;
}

/// 101 lists accounts by the key that this API version answers with, masked and without balances. (Wire 3)
#[tokio::test]
async fn accounts_are_there_to_choose() {
    let rows = json!([
        { "accountNumber": "0009990001", "name": "Ada", "type": "SAVINGS_ACCOUNT", "currency": "NGN", "balance": 1_250_000, "index": 0 },
        { "accountNumber": "0009990002", "type": "CURRENT_ACCOUNT", "balance": 0, "index": "1" },
        "junk", {}, { "type": "X" },
    ]);
    let (by_number, by_index) = (
        "choose 0009990001=Savings 0001 NGN,0009990002=Current 0002 -",
        "choose 0=Savings 0001 NGN,1=Current 0002 -",
    );
    decided_by_code(&[
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
            "failed Unsupported",
        ),
    ])
    .await;
}

/// 102 asks a question; one that a keypad cannot answer is refused before it is asked. (Wire 3, 1d)
#[tokio::test]
async fn more_is_asked() {
    let otp = json!({ "title": "OTP", "form": [{ "type": "elements.input", "name": "otp", "contentType": "string" }] });
    // One odd detail takes nothing from the rest.
    let odd = json!({ "title": {}, "form": [{ "name": "otp", "hint": {}, "length": "6 digits", "maxLength": 6.0,
        "contentType": "string", "options": {} }] });
    let picture = json!({ "form": [{ "type": "elements.captcha_input", "name": "captcha", "contentType": "string" }] });
    decided_by_code(&[
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
            json!({ "responseCode": 102.0, "data": { "code": 7, "userInput": odd } }),
            "ask otp:Text",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": "", "data": { "responseCode": "102.0", "userInput": otp } }),
            "ask otp:Text",
        ),
        (
            V2,
            LOGIN,
            json!({ "responseCode": 102, "data": { "userInput": picture } }),
            "failed Unsupported",
        ),
    ])
    .await;
}

/// A byte order mark before a body is no part of it.
#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let body = [&b"\xEF\xBB\xBF"[..], br#"{"responseCode":99,"data":{"code":"c"}}"#].concat();
    let template = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    assert_eq!(outcome_of(V2, LOGIN, template).await, "done c");
}

/// 400 is a refusal, whose meaning depends on the step. (Wire 3a, 4a, P8)
#[tokio::test]
async fn a_no_is_read_by_its_step() {
    decided_by_code(&[
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
    ])
    .await;
}

/// Undocumented codes are failures, and are logged. (Wire 3a)
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

/// Reauthorisation: the code is exchanged or not, as configured; without one it is done all the same. In the first version it
/// is answered by commit from the first form on.
#[tokio::test]
async fn a_reauthorisation_ends_as_set() {
    for (exchange, data, want) in [
        (true, json!({ "responseCode": 99, "code": "c" }), "done c"),
        (true, json!({ "responseCode": 99 }), "done "),
        (false, json!({ "responseCode": 99, "code": "c" }), "done "),
        (false, json!({ "responseCode": 99 }), "done "),
        (false, json!({ "responseCode": 400 }), "failed Refused"),
    ] {
        let server = answering(ok(&json!({ "status": "successful", "data": data }))).await;
        let mono = mono_with(&server.uri(), V2, |settings| settings.exchange_reauth_code = exchange);
        let outcome = submit_in(&mono, &session(SessionKind::Reauth, None), LOGIN).await;
        assert_eq!(described(&outcome), want, "{exchange} {data}");
    }
    for (body, want) in [
        (json!({ "status": 200, "data": { "code": "c" } }), "done c"),
        (json!({}), "unknown"),
    ] {
        let server = answering(ok(&body)).await;
        let mono = mono_with(&server.uri(), V1, |_| {});
        let outcome = submit_in(&mono, &session(SessionKind::Reauth, None), LOGIN).await;
        assert_eq!(described(&outcome), want, "{body}");
        let paths: Vec<_> = server.received_requests().await.unwrap();
        let paths: Vec<_> = paths.iter().map(|request| request.url.path()).collect();
        assert_eq!(paths, ["/v1/connect/commit"]);
    }
}
