//! Mono's institutions, sessions and accounts, in every documented shape.

use std::time::Duration;

use kiungo::core::next_step::{FieldKind, Grant};
use kiungo::core::secret::Secret;
use kiungo::core::time::Timestamp;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{
    Access, AccountsQuery, EndTarget, Provider, ProviderAccount, ProviderError, ProviderKeys, SessionKind,
    SessionRequest, SessionResponse,
};
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::mono::{KEY, answering, bank, keys, linking, mono_with, ok};

/// The list is read in both shapes; invalid entries are dropped; one id with two types is two institutions; only a method's
/// own form counts. (Wire 1)
#[tokio::test]
async fn institutions_are_read_in_both_shapes() {
    let input = |name: &str, content: &str| json!({ "type": "elements.input", "name": name, "contentType": content });
    let login = json!({ "type": "internet_banking", "ui": { "title": "T", "form": [
        input("username", "string"), input("password", "password") ] } });
    let card = json!({ "type": "mobile_banking", "name": "By card", "_id": "m", "requires_reauth": false,
        "ui": { "form": [input("mPin", "password"), input("card", "password"), input("pin", "password")] } });
    let captcha = json!({ "type": "primus_plus", "ui": { "form": [
        { "type": "elements.captcha_input", "name": "captcha", "value": "data:image/png;base64,AA" } ] } });
    let list = json!([
        { "_id": "a1", "name": "Savanna", "type": "PERSONAL_BANKING", "country": "ng", "bank_code": null, "timeout": 35000,
          "auth_methods": [login, card, login, "junk", { "type": 7 }], "ui": { "form": [input("wrong", "string")] } },
        { "_id": "a1", "name": "Savanna", "type": "BUSINESS_BANKING", "bank_code": "035A", "auth_methods": [captcha] },
        { "_id": "a1", "name": "SAVANNA ", "type": "PERSONAL_BANKING" },
        { "_id": "a2", "name": "Gate", "type": "PAYMENT_GATEWAY", "timeout": -1, "country": "Nigeria", "auth_methods": null },
        { "_id": "a3" }, { "name": "No id" }, { "_id": "a4", "name": " " }, "junk", null, 7, [],
        { "_id": "a5", "name": { "en": "x" } },
    ]);
    for (dialect, body) in [
        (
            MonoApiVersion::V2,
            json!({ "status": "successful", "message": "m", "timestamp": "t", "data": list }),
        ),
        (MonoApiVersion::V1, list.clone()),
        (MonoApiVersion::V2, list.clone()),
    ] {
        let server = answering(ok(body)).await;
        let mono = mono_with(&server.uri(), dialect, |_| {});
        let read = mono.institutions(&keys()).await.unwrap();
        let ids: Vec<_> = read.iter().map(|it| (it.id.as_str(), it.business)).collect();
        assert_eq!(ids, [("a1:p", false), ("a1:b", true), ("a2:payment_gateway", false)]);
        let first = &read[0];
        assert_eq!(
            (first.provider_id.as_str(), first.country.as_deref()),
            ("a1", Some("NG"))
        );
        assert_eq!(first.timeout, Some(Duration::from_secs(35)));
        let methods: Vec<_> = first
            .methods
            .iter()
            .map(|it| (it.id.as_str(), it.name.as_str(), it.card_and_pin, it.form.fields.len()))
            .collect();
        assert_eq!(
            methods,
            [
                ("internet_banking", "Internet banking", false, 2),
                ("mobile_banking", "By card", true, 3)
            ]
        );
        assert_eq!(read[1].methods[0].form.fields[0].kind, FieldKind::Unsupported);
        assert_eq!((read[2].timeout, read[2].country.as_deref()), (None, None));
    }
}

/// One id and type under two names may be either bank, and a login would go to the one that Mono means: it is left out, and
/// nothing else is.
#[tokio::test]
async fn an_id_of_two_banks_is_no_choice() {
    let entry = |id: &str, name: &str, kind: &str| json!({ "_id": id, "name": name, "type": kind });
    let list = json!([
        entry("a1", "Savanna", "PERSONAL_BANKING"),
        entry("a2", "Baobab", "PERSONAL_BANKING"),
        entry("a1", "Harmattan", "PERSONAL_BANKING"),
        entry("a1", "Savanna", "PERSONAL_BANKING"),
        entry("a1", "Savanna", "BUSINESS_BANKING"),
        entry("a2", "baobab", "PERSONAL_BANKING"),
    ]);
    let server = answering(ok(list)).await;
    for dialect in [MonoApiVersion::V1, MonoApiVersion::V2] {
        let mono = mono_with(&server.uri(), dialect, |_| {});
        let read = mono.institutions(&keys()).await.unwrap();
        let ids: Vec<_> = read.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
        assert_eq!(ids, [("a2:p", "Baobab"), ("a1:b", "Savanna")]);
    }
}

/// Five thousand institutions with names of two hundred letters are read. (P13)
#[tokio::test]
async fn a_long_list_is_read() {
    let list: Vec<_> = (0..5_000)
        .map(|n| json!({ "_id": format!("{n:024}"), "name": "n".repeat(200), "type": "PERSONAL_BANKING" }))
        .collect();
    let server = answering(ok(json!({ "data": list }))).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
    assert_eq!(mono.institutions(&keys()).await.unwrap().len(), 5_000);
}

/// The session's id and form are found at every documented place; a reply without an id is not a session. (Wire 2)
#[tokio::test]
async fn sessions_are_read_in_every_shape() {
    let ui = json!({ "title": "T", "form": [{ "type": "elements.input", "name": "u", "contentType": "string" }] });
    let at = "2026-02-03T10:12:00.000Z";
    let rows = [
        (
            json!({ "status": "successful", "timestamp": at, "data": { "session": { "id": "s", "expiresAt": 1_770_114_120_000_i64,
                "institution": { "id": "a1" } }, "ui": ui } }),
            Some(("s", Some(1_770_114_120_000), true)),
        ),
        (
            json!({ "status": "successful", "timestamp": at, "data": { "session": { "id": "s", "expires_at": "1770114120000" } } }),
            Some(("s", Some(1_770_114_120_000), false)),
        ),
        // As in the published example, it expires years before the reply was written: that is judged when it arrives.
        (
            json!({ "timestamp": at, "data": { "session": { "id": "s", "expiresAt": 1_606_000_000_000_i64 }, "ui": ui } }),
            Some(("s", Some(1_606_000_000_000), true)),
        ),
        (
            json!({ "status": "successful", "id": "s", "app": "a", "institution": {}, "expiresAt": 5, "ui": ui }),
            Some(("s", Some(5), true)),
        ),
        (
            json!({ "status": 200, "id": "s", "ui": ui, "data": null }),
            Some(("s", None, true)),
        ),
        (json!({ "data": { "id": "s", "ui": ui } }), Some(("s", None, true))),
        (
            json!({ "data": { "session_id": "s", "id": "x" } }),
            Some(("s", None, false)),
        ),
        (
            json!({ "status": "successful", "data": { "session": { "id": "" } } }),
            None,
        ),
        (json!({ "status": "successful", "data": [] }), None),
        (json!({}), None),
    ];
    for (body, want) in rows {
        let server = answering(ok(body.clone())).await;
        let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
        let (keys, bank) = (keys(), bank());
        let opened = mono.open_session(Access::keys(&keys), linking(&bank, "m")).await;
        let opened = opened.map(|opened| opened.value);
        let seen = match &opened {
            Ok(SessionResponse::Session(session)) => Some((
                session.id.as_str(),
                session.expires_at.map(Timestamp::as_millis),
                session.form.is_some(),
            )),
            Err(ProviderError::Malformed(_)) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(seen, want, "{body}");
    }
}

/// A reauthorisation may be complete at once or need a login; its response code is nested. (Wire 8)
#[tokio::test]
async fn a_reauthorisation_is_done_or_goes_on() {
    let coded = json!({ "status": "successful", "data": { "responseCode": 99, "code": "code_9" } });
    let bare = json!({ "status": "successful", "data": { "responseCode": 99 } });
    let asks = json!({ "status": "successful", "data": { "responseCode": 102, "session": { "id": "s" } } });
    let rows = [
        (coded.clone(), true, Ok("done code_9")),
        (coded, false, Ok("done")),
        (bare.clone(), false, Ok("done")),
        (bare, true, Ok("done")),
        (asks, true, Ok("session s")),
        (json!({ "id": "s", "data": { "id": "account" } }), true, Ok("session s")),
        (
            json!({ "data": { "id": "account" } }),
            true,
            Err(ProviderError::Malformed("no session id")),
        ),
        (
            json!({ "data": { "responseCode": 400 } }),
            true,
            Err(ProviderError::Refused("the request")),
        ),
    ];
    for (body, exchange, want) in rows {
        let server = answering(ok(body.clone())).await;
        let mono = mono_with(&server.uri(), MonoApiVersion::V2, |settings| {
            settings.exchange_reauth_code = exchange;
        });
        let account = Secret::new("acc");
        let opening = SessionRequest::Reauth {
            account: &account,
            link: None,
        };
        let opened = mono.open_session(Access::keys(&keys()), opening).await;
        let seen = opened.map(|opened| match opened.value {
            SessionResponse::Next(..) => "next".to_owned(),
            SessionResponse::Done(None) => "done".to_owned(),
            SessionResponse::Done(Some(Grant(code))) => format!("done {}", code.expose()),
            SessionResponse::Session(session) => {
                assert_eq!(session.kind, SessionKind::Reauth);
                format!("session {}", session.id)
            }
        });
        assert_eq!(seen, want.map(str::to_owned), "{body}, {exchange}");
    }
}

/// A grant becomes an account id in either shape; an empty one (a reauthorisation not exchanged) makes no call. (Wire 5)
#[tokio::test]
async fn a_grant_becomes_an_account() {
    for (body, want) in [
        (json!({ "id": "acc" }), Some("acc")),
        (json!({ "status": "successful", "data": { "id": "acc" } }), Some("acc")),
        (json!({ "id": "other", "data": { "id": "acc" } }), Some("acc")),
        (json!({ "data": { "id": "" } }), None),
        (json!({ "data": { "id": 7 } }), None),
        (json!({ "status": "successful", "data": null }), None),
    ] {
        for dialect in [MonoApiVersion::V1, MonoApiVersion::V2] {
            let server = answering(ok(body.clone())).await;
            let mono = mono_with(&server.uri(), dialect, |_| {});
            let redeemed = mono.redeem(Access::keys(&keys()), &Grant(Secret::new("code_1"))).await;
            match (want, redeemed.map(|redeemed| redeemed.value.accounts)) {
                (Some(want), Ok(accounts)) => {
                    assert_eq!(accounts.len(), 1);
                    assert_eq!(accounts[0].id.expose(), want, "{body}");
                }
                (None, Err(ProviderError::Malformed(_))) => {}
                (_, other) => panic!("{body}: {other:?}"),
            }
        }
    }
    let server = MockServer::start().await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
    let redeemed = mono.redeem(Access::keys(&keys()), &Grant(Secret::new(""))).await;
    let accounts = redeemed.unwrap().value.accounts;
    assert!(accounts.is_empty() && server.received_requests().await.unwrap().is_empty());
}

fn described(account: &ProviderAccount) -> String {
    let details = account.details.as_ref().map(|it| {
        let holder = it.holder.as_ref().map_or("-", Secret::expose);
        let rest = [&it.kind, &it.currency, &it.institution].map(|text| text.as_deref().unwrap_or("-"));
        format!("{} {holder} {}", it.number.expose(), rest.join(" "))
    });
    format!("{} {:?} {details:?}", account.id.expose(), account.session_id)
}

/// One account is read in the spellings of both API versions; before its data is fetched it has no details. (Wire 8)
#[tokio::test]
async fn one_account_is_read() {
    let v2 = json!({ "status": "successful", "data": {
        "account": { "id": "acc", "name": "ADA", "currency": "NGN", "type": "SAVINGS", "account_number": "0009990001",
            "balance": 1_250_000, "bvn": "12345678901", "institution": { "name": "Savanna", "bank_code": "901" } },
        "customer": { "id": "c" }, "meta": { "data_status": "AVAILABLE", "session_id": "sess_1" } } });
    let v1 = json!({ "meta": { "data_status": "AVAILABLE" }, "account": { "_id": "acc", "name": "ADA", "currency": "NGN",
        "type": "SAVINGS", "accountNumber": "0009990001", "balance": 1, "institution": { "name": "Savanna" } } });
    let full = "0009990001 ADA SAVINGS NGN Savanna";
    for (dialect, body, want) in [
        (
            MonoApiVersion::V2,
            v2,
            Some(format!("acc Some(\"sess_1\") Some(\"{full}\")")),
        ),
        (MonoApiVersion::V1, v1, Some(format!("acc None Some(\"{full}\")"))),
        (
            MonoApiVersion::V2,
            json!({ "data": { "account": {}, "meta": {} } }),
            Some("asked None None".to_owned()),
        ),
        (
            MonoApiVersion::V2,
            json!({ "data": { "account": { "account_number": null, "accountNumber": "1" } } }),
            Some("asked None Some(\"1 - - - -\")".to_owned()),
        ),
        (
            MonoApiVersion::V2,
            json!({ "status": "successful", "data": null }),
            None,
        ),
    ] {
        let server = answering(ok(body.clone())).await;
        let mono = mono_with(&server.uri(), dialect, |_| {});
        let asked = Secret::new("asked");
        let read = mono.accounts(Access::keys(&keys()), AccountsQuery::One(&asked)).await;
        match (want, read.map(|read| read.value)) {
            (Some(want), Ok(accounts)) => {
                assert_eq!(accounts.iter().map(described).collect::<Vec<_>>(), [want], "{body}");
            }
            (None, Err(ProviderError::Malformed(_))) => {}
            (_, other) => panic!("{body}: {other:?}"),
        }
    }
}

/// The list of accounts is read in every possible shape; entries without an id are dropped. (Wire 8)
#[tokio::test]
async fn all_accounts_are_read() {
    let list = json!([
        { "id": "a", "account_number": "1", "meta": { "session_id": "s" } },
        { "_id": "b", "balance": 3 },
        { "name": "no id" }, null, "junk",
    ]);
    for body in [
        list.clone(),
        json!({ "status": "successful", "data": list }),
        json!({ "data": { "accounts": list, "paging": { "total": 2 } } }),
    ] {
        let server = answering(ok(body)).await;
        let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
        let read = mono.accounts(Access::keys(&keys()), AccountsQuery::All).await.unwrap();
        let read: Vec<_> = read.value.iter().map(described).collect();
        assert_eq!(read, ["a Some(\"s\") Some(\"1 - - - -\")", "b None None"]);
    }
}

/// That an account is not found is believed when it is not in the list either: a path that is gone, a proxy or an answer about
/// something else says the same, and a link would end whose access is open.
#[tokio::test]
async fn what_is_not_found_is_looked_for_in_the_list() {
    let listed = |ids: &[&str]| ok(json!({ "data": ids.iter().map(|id| json!({ "_id": id })).collect::<Vec<_>>() }));
    let not_found = || ResponseTemplate::new(404);
    let with = |body: Value| not_found().set_body_json(body);
    for (said, list, gone) in [
        (not_found(), listed(&["b"]), true),
        (
            with(json!({ "status": "failed", "message": "Account not found" })),
            listed(&[]),
            true,
        ),
        (
            with(json!({ "message": "Route POST not found" })),
            listed(&["a"]),
            false,
        ),
        (with(json!({})), listed(&["b", "a"]), false),
        (not_found(), not_found(), false),
        (not_found(), ResponseTemplate::new(500), false),
        (
            not_found().set_body_string("<html>Cannot POST</html>"),
            listed(&[]),
            false,
        ),
    ] {
        let server = MockServer::start().await;
        let all = Mock::given(path("/v2/accounts")).respond_with(list);
        all.mount(&server).await;
        Mock::given(any())
            .respond_with(said)
            .with_priority(9)
            .mount(&server)
            .await;
        let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
        let (keys, id) = (keys(), Secret::new("a"));
        let ended = mono.end(Access::keys(&keys), EndTarget::Account(&id)).await;
        let read = mono.accounts(Access::keys(&keys), AccountsQuery::One(&id)).await;
        for error in [ended.err(), read.err()] {
            let error = error.unwrap();
            assert_eq!(error == ProviderError::NotFound, gone, "{error}");
            assert!(gone || error.retryable(), "{error}");
        }
    }
}

/// An id that is not a path segment is not found, and never put into a path. (P9)
#[tokio::test]
async fn ids_that_climb_are_not_sent() {
    let server = answering(ok(json!({}))).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V2, |_| {});
    for id in ["", ".", ".."] {
        let id = Secret::new(id);
        let ended = mono.end(Access::keys(&keys()), EndTarget::Account(&id)).await;
        assert_eq!(ended, Err(ProviderError::NotFound));
        let read = mono.accounts(Access::keys(&keys()), AccountsQuery::One(&id)).await;
        assert_eq!(read.err(), Some(ProviderError::NotFound));
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

/// Only v1 requires an application id.
#[tokio::test]
async fn v1_wants_an_application_id() {
    let server = answering(ok(json!({}))).await;
    let mono = mono_with(&server.uri(), MonoApiVersion::V1, |_| {});
    let keys: ProviderKeys = [("secret_key", Secret::new(KEY))].into_iter().collect();
    assert!(matches!(
        mono.open_session(Access::keys(&keys), linking(&bank(), "m")).await,
        Err(ProviderError::Refused(_))
    ));
}
