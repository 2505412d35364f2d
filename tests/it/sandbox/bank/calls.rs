use kiungo::sandbox::bank::{BankFailure, BankStep, FailureRule, SubmitOutcome};
use reqwest::Client;
use serde_json::{Value, json};

use super::{PlainBank, PlainCall, open, start};
use crate::support::http::client;

/// What fails says whether it was done, in the answer's place and in the call log: this is what tests of the product compare
/// their belief with.
#[test]
fn troubles_are_carried_out_or_not() {
    for (user, trouble, linked, outcome) in [
        ("slow", None, 1, Some(SubmitOutcome::Granted)),
        ("reset", Some(BankFailure::Reset), 1, Some(SubmitOutcome::Granted)),
        ("html", Some(BankFailure::Html), 1, Some(SubmitOutcome::Granted)),
        ("garbage", Some(BankFailure::Garbage), 1, Some(SubmitOutcome::Granted)),
        ("hang", Some(BankFailure::Hang), 0, None),
        ("busy", Some(BankFailure::Busy), 0, Some(SubmitOutcome::TurnedAway)),
        ("error", Some(BankFailure::Error), 0, Some(SubmitOutcome::TurnedAway)),
        (
            "unavailable",
            Some(BankFailure::Unavailable),
            0,
            Some(SubmitOutcome::TurnedAway),
        ),
    ] {
        let bank = PlainBank::new();
        assert_eq!(bank.log_in(user).1.err(), trouble, "{user}");
        let log = bank.bank.call_log();
        assert_eq!(log.accounts.len(), linked, "{user}");
        assert_eq!(log.submits[0].outcome, outcome, "{user}");
        assert_eq!(log.submits[0].username.as_deref(), Some(user));
        assert!(
            log.submits[0].secret_sha256.is_some() && log.submits[0].whole_body,
            "{user}"
        );
    }
}

/// A rule affects its kind of call as often as it says, and may decide whether the call is carried out; an institution in
/// trouble fails by its id or its name.
#[test]
fn rules_and_institutions_fail() {
    let bank = PlainBank::new();
    let mut switches = bank.bank.switches();
    let rule = |processed| FailureRule {
        on: PlainCall::Login,
        trouble: BankFailure::Error,
        times: Some(1),
        processed,
    };
    switches.faults = vec![rule(None), rule(Some(true))];
    bank.bank.set_switches(switches.clone());
    let failed = |user: &str| bank.log_in(user).1.err();
    assert_eq!(failed("ada"), Some(BankFailure::Error));
    assert_eq!(bank.bank.call_log().accounts.len(), 0);
    assert_eq!(failed("ada"), Some(BankFailure::Error));
    assert_eq!(bank.bank.call_log().accounts.len(), 1, "carried out all the same");
    assert_eq!(failed("ada"), None);
    for (named, trouble) in [
        ("plain", Some(BankFailure::Busy)),
        ("Plain Bank", Some(BankFailure::Busy)),
        ("another", None),
    ] {
        switches.faults.clear();
        switches.troubles = [(named.to_owned(), BankFailure::Busy)].into();
        bank.bank.set_switches(switches.clone());
        assert_eq!(failed("ada"), trouble, "{named}");
    }
    let log = bank.bank.call_log();
    assert_eq!(log.calls.get(&PlainCall::Login), Some(&6));
    let numbers: Vec<u64> = log.submits.iter().map(|submit| submit.no).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6], "in the order of arrival");
}

/// A call that carries no secret is counted and can fail, but is no submission.
#[test]
fn other_calls_are_counted() {
    let bank = PlainBank::new();
    let Ok(BankStep::Granted { code, account }) = bank.log_in("ada").1 else {
        panic!("a code");
    };
    let redeem = || {
        let request = kiungo::sandbox::bank::CallRequest::new(PlainCall::Redeem, ());
        bank.bank.call(request, |bank, memory, _| bank.redeem(memory, 0, &code))
    };
    let mut switches = bank.bank.switches();
    switches.faults = vec![FailureRule {
        on: PlainCall::Redeem,
        trouble: BankFailure::Unavailable,
        times: Some(1),
        processed: None,
    }];
    bank.bank.set_switches(switches);
    assert_eq!(redeem(), Err(BankFailure::Unavailable));
    assert_eq!(redeem(), Ok(Ok(account)));
    let log = bank.bank.call_log();
    assert_eq!((log.calls.get(&PlainCall::Redeem), log.submits.len()), (Some(&2), 1));
    assert_eq!(log.grants[0].redeemed.len(), 1);
}

async fn log_in(client: &Client, url: &str, session: &str, user: &str) -> reqwest::Result<reqwest::Response> {
    let body = json!({ "user": user, "pin": "1234" });
    client.post(format!("{url}/login/{session}")).json(&body).send().await
}

/// A dialect over HTTP has every trouble of the bank, in its own words where there are words, and the common controls.
#[tokio::test]
async fn a_dialect_has_troubles_and_controls() {
    let (stand_in, client) = (start().expect("a free port"), client());
    let url = stand_in.url();
    for (user, status, says) in [
        ("ada", 200, "account"),
        ("error", 500, r#"{"error":"Something went wrong"}"#),
        ("busy", 429, r#"{"error":"Too many requests"}"#),
        ("unavailable", 503, ""),
        ("html", 502, "<!DOCTYPE html>"),
        ("down", 422, r#"{"error":"Refused(Down)"}"#),
    ] {
        let session = open(&stand_in.state, "keypad", "ada");
        let answer = log_in(&client, &url, &session, user).await.expect("an answer");
        let (got, wait) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        let text = answer.text().await.expect("a body");
        assert_eq!((got, wait), (status, status == 429), "{user}");
        assert!(text.contains(says), "{user}: {text}");
    }
    let session = open(&stand_in.state, "keypad", "ada");
    log_in(&client, &url, &session, "reset").await.expect_err("a reset");
    let read = async |path: &str| -> Value {
        let answer = client.get(format!("{url}{path}")).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    let ledger = read("/__stand-in/ledger").await;
    assert_eq!(ledger["calls"]["login"], 7);
    assert_eq!(ledger["accounts"].as_array().map(Vec::len), Some(3), "{ledger}");
    let guide = read("/__stand-in/guide").await;
    let path = |typed: &str| {
        let mut rows = guide.as_array().into_iter().flatten();
        let row = rows.find(|row| row["typed"] == typed);
        row.map(|row| row["path"].clone())
    };
    assert_eq!(path("otp"), Some(json!("question → linked")));
    assert_eq!(path("app"), Some(json!("approval → linked")));
    let switches = client
        .post(format!("{url}/__stand-in/switches"))
        .json(&json!({ "every_login": "app-no" }))
        .send();
    assert_eq!(switches.await.expect("an answer").status(), 200);
    assert_eq!(read("/__stand-in/switches").await["every_login"], "app-no");
}
