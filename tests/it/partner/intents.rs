//! Link intents.

use std::time::Duration;

use kiungo::config::sandbox::API_PUBLISHABLE_KEY;
use kiungo::core::dial_code::DialCode;
use kiungo::core::ids::{IntentId, PartnerId};
use serde_json::{Value, json};

use super::helpers::text;
use crate::support::api::Api;
use crate::support::events::events_about;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

const NUMBER: &str = "+2348030008811";
const ALL: &str = "/v1/link-intents";
/// A bank of the sandbox with two ways to log in.
const ACCESS: &str = "mono/6a5eed000000000000000001:p";

/// The code in a dial string.
fn code(dial: &str) -> Option<DialCode> {
    let segment = dial.strip_prefix("*384*96*")?.strip_suffix('#')?;
    DialCode::parse(segment)
}

/// The kinds of events about an intent.
async fn sms_sent(sandbox: &Sandbox, api: &Api, intent: &str) -> Vec<&'static str> {
    let (partner, id) = (PartnerId::parse(&api.id).unwrap(), IntentId::parse(intent).unwrap());
    let events = events_about(&*sandbox.records().await, partner, id.as_bytes()).await;
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// An intent is as requested, with the partner's settings as defaults.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_as_it_was_made() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let partner = api.get("/v1/partner").by(&token).send().await.expect(200);
    let plain = api.post(ALL, &json!({})).by(&token).send().await.expect(201);
    for (member, value) in [
        ("state", json!("open")),
        ("msisdn", Value::Null),
        ("purpose", partner["purpose"].clone()),
        ("data_scope", json!(["account"])),
        ("days", partner["data_days"].clone()),
        ("many", json!(false)),
        ("expected", json!([])),
        ("suggested", json!([])),
        ("links", json!(0)),
        ("entity_id", Value::Null),
        ("created_by", Value::Null),
    ] {
        assert_eq!(plain[member], value, "{member}");
    }
    assert!(code(text(&plain, "dial")).is_some(), "{plain}");
    assert!(plain.get("sms").is_none());

    let whole = json!({
        "purpose": "rent", "data_scope": ["identity", "balance", "identity"], "days": 7, "expires_in": 60,
        "reference": "customer 17", "msisdn": NUMBER, "locale": "ha",
        "expected": {"account_number": "0123456789", "holder_name": "Ada Obi"},
    });
    let first = api.post(ALL, &whole).by(&token).send().await.expect(201);
    for (member, value) in [
        ("dial", json!("*384*96#")),
        ("msisdn", json!("+234********11")),
        ("purpose", json!("rent")),
        ("data_scope", json!(["balance", "identity"])),
        ("days", json!(7)),
        ("reference", json!("customer 17")),
        ("locale", json!("ha")),
        ("expected", json!(["account_number", "holder_name"])),
    ] {
        assert_eq!(first[member], value, "{member}");
    }
    let path = format!("{ALL}/{}", text(&first, "id"));
    assert_eq!(api.get(&path).by(&token).send().await.expect(200), first);
    for (query, found) in [
        ("?reference=customer+17", 1),
        ("?state=open&limit=1", 1),
        ("?state=expired", 0),
        ("", 2),
    ] {
        let list = api.get(&format!("{ALL}{query}")).by(&token).send().await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
    }
    sandbox.stop().await;
}

/// A creation that was interrupted before its response was stored gives the same intent with the same code when repeated.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_has_the_same_code() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let made = async |key: &str| {
        let ask = api.post(ALL, &json!({"many": true})).by(&token);
        ask.header("idempotency-key", key).send().await.expect(201)
    };
    let first = made("k-1").await;
    assert!(code(text(&first, "dial")).is_some(), "{first}");
    // The state after a crash between the creation and the storing of its response.
    sandbox
        .execute("UPDATE idempotency SET status = NULL, sealed = NULL, lease_until = 0")
        .await;
    assert_eq!(made("k-1").await, first);
    let other = made("k-2").await;
    assert!(other["id"] != first["id"] && other["dial"] != first["dial"]);
    sandbox.stop().await;
}

/// All errors of a request are reported at once, each with its place and reason, and nothing is quoted.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_cannot_be_asked_for_is_refused() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    for (body, faults) in [
        (
            json!({"purpose": " ", "days": 0}),
            vec![("/purpose", "blank"), ("/days", "out_of_range")],
        ),
        (json!({"purpose": "x".repeat(41)}), vec![("/purpose", "too_long")]),
        (json!({"days": 731}), vec![("/days", "out_of_range")]),
        (json!({"expires_in": 59}), vec![("/expires_in", "out_of_range")]),
        (json!({"expires_in": 7_776_001}), vec![("/expires_in", "out_of_range")]),
        (json!({"data_scope": []}), vec![("/data_scope", "blank")]),
        (json!({"data_scope": ["Zq7"]}), vec![("/data_scope/0", "invalid")]),
        (json!({"msisdn": "0803Zq7"}), vec![("/msisdn", "invalid")]),
        (json!({"locale": "Zq7"}), vec![("/locale", "unknown")]),
        (json!({"institution": "Zq7"}), vec![("/institution", "unknown")]),
        (json!({"institution": "mono/Zq7"}), vec![("/institution", "unknown")]),
        (json!({"many": true, "msisdn": NUMBER}), vec![("/many", "unused")]),
        (
            json!({"many": true, "expected": {"holder_name": "Ada"}}),
            vec![("/many", "unused")],
        ),
        (json!({"sms": true}), vec![("/sms", "unused")]),
        (json!({"suggested": {}}), vec![("/suggested", "blank")]),
        (
            json!({"suggested": {"institution": "mono/Zq7"}}),
            vec![("/suggested/institution", "unknown")],
        ),
        (
            json!({"institution": ACCESS, "suggested": {"institution": ACCESS}}),
            vec![("/suggested/institution", "unused")],
        ),
        (
            json!({"suggested": {"institution": ACCESS, "auth_method": "Zq7"}}),
            vec![("/suggested/auth_method", "unknown")],
        ),
        (
            json!({"suggested": {"auth_method": "mobile_banking"}}),
            vec![("/suggested/auth_method", "unused")],
        ),
        (
            json!({"suggested": {"username": "ada"}}),
            vec![("/msisdn", "required"), ("/suggested/institution", "required")],
        ),
        (
            json!({"msisdn": NUMBER, "suggested": {"username": " ", "account_number": "Zq7"}}),
            vec![
                ("/suggested/username", "blank"),
                ("/suggested/account_number", "invalid"),
                ("/suggested/institution", "required"),
            ],
        ),
        (json!({"expected": {}}), vec![("/expected", "blank")]),
        (
            json!({"expected": {"account_number": "Zq7", "holder_name": ""}}),
            vec![
                ("/expected/account_number", "invalid"),
                ("/expected/holder_name", "blank"),
            ],
        ),
        (json!({"Zq7": 1}), vec![("/Zq7", "unknown")]),
    ] {
        let refused = api.post(ALL, &body).by(&token).send().await;
        refused.refused(422, "invalid");
        let wanted: Vec<_> = faults
            .iter()
            .map(|(at, why)| ((*at).to_owned(), (*why).to_owned()))
            .collect();
        assert_eq!(refused.faults(), wanted, "{body}");
        assert!(
            wanted[0].0 == "/Zq7" || !refused.body.to_string().contains("Zq7"),
            "{body}"
        );
    }
    for query in ["state=Zq7", "limit=0", "Zq7=1", "state=open&state=open"] {
        api.get(&format!("{ALL}?{query}"))
            .by(&token)
            .send()
            .await
            .refused(422, "invalid");
    }
    for known in [
        json!({"institution": ACCESS}),
        json!({"institution": ACCESS, "suggested": {"auth_method": "mobile_banking"}}),
        json!({"suggested": {"institution": ACCESS}}),
    ] {
        api.post(ALL, &known).by(&token).send().await.expect(201);
    }
    sandbox.stop().await;
}

/// An intent ends once, when it is cancelled or expires, with an event; its code ends with it. A publishable key shows the
/// state of its partner's intents, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_once() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let made = async |body: Value| {
        let made = api.post(ALL, &body).by(&token).send().await.expect(201);
        text(&made, "id").to_owned()
    };
    let (ended, expiring, standing) = (
        made(json!({})).await,
        made(json!({"expires_in": 60})).await,
        made(json!({"expires_in": 3600})).await,
    );
    let cancel = format!("{ALL}/{ended}/cancel");
    let cancelled = api.ask("POST", &cancel).by(&token).send().await.expect(200);
    assert_eq!(
        (&cancelled["state"], &cancelled["dial"]),
        (&json!("cancelled"), &Value::Null)
    );
    api.ask("POST", &cancel)
        .by(&token)
        .send()
        .await
        .refused(409, "conflict");
    let wind = json!({"forward_s": 61});
    let wound = api.client.post(format!("{}/phone/clock", api.base)).json(&wind).send();
    assert!(wound.await.unwrap().status().is_success());
    eventually(Duration::from_secs(20), async || {
        sms_sent(&sandbox, &api, &expiring).await == ["intent.expired"]
    })
    .await;
    api.ask("POST", &format!("{ALL}/{expiring}/cancel"))
        .by(&token)
        .send()
        .await
        .refused(409, "conflict");
    assert_eq!(sms_sent(&sandbox, &api, &ended).await, ["intent.cancelled"]);
    assert!(sms_sent(&sandbox, &api, &standing).await.is_empty());

    for (id, state) in [(&ended, "cancelled"), (&expiring, "expired"), (&standing, "open")] {
        let path = format!("/v1/public/link-intents/{id}");
        let seen = api.get(&path).by(API_PUBLISHABLE_KEY).send().await.expect(200);
        let members: Vec<_> = seen.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["expires_at", "id", "state"]);
        assert_eq!((text(&seen, "id"), text(&seen, "state")), (id.as_str(), state));
        api.get(&path).by(&token).send().await.refused(401, "unauthenticated");
        let read = api.get(&format!("{ALL}/{id}")).by(API_PUBLISHABLE_KEY).send().await;
        read.refused(401, "unauthenticated");
    }
    let other = sandbox.another(1).await;
    let foreign = other
        .post(ALL, &json!({}))
        .by(&other.token().await)
        .send()
        .await
        .expect(201);
    let foreign = api.get(&format!("/v1/public/link-intents/{}", text(&foreign, "id")));
    foreign.by(API_PUBLISHABLE_KEY).send().await.refused(404, "not_found");
    sandbox.stop().await;
}

/// A user creates, reads and cancels intents as their role permits, in their entity; those of others do not exist for them.
#[tokio::test(flavor = "multi_thread")]
async fn requests_are_their_makers() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__REQUESTS_PER_SECOND", "10000")]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let (lagos, kano) = (api.entity(&partner, "Lagos").await, api.entity(&partner, "Kano").await);
    let own = json!({"link_intent": {"create": "allowed", "read": "allowed_for_own", "update": "allowed_for_own"}});
    let all = json!({"link_intent": {"create": "allowed", "read": "allowed", "update": "allowed"}});
    let (own, all) = (api.role(&partner, &own).await, api.role(&partner, &all).await);
    let none = api.role(&partner, &json!({"link": {"read": "allowed"}})).await;
    let mut tokens = Vec::new();
    for (entity, role) in [(&lagos, &own), (&lagos, &all), (&kano, &all), (&kano, &none)] {
        let user = api
            .user(&partner, entity, &format!("user-{}", tokens.len()), Some(role))
            .await;
        tokens.push((api.token_of(&user).await, user));
    }
    let made = api.post(ALL, &json!({})).by(&tokens[1].0).send().await.expect(201);
    assert_eq!(
        (&made["entity_id"], &made["created_by"]),
        (&json!(lagos), &json!(tokens[1].1))
    );
    let obis = format!("{ALL}/{}", text(&made, "id"));
    let adas = api.post(ALL, &json!({})).by(&tokens[0].0).send().await.expect(201);
    let adas = format!("{ALL}/{}", text(&adas, "id"));
    let other = sandbox.another(1).await;
    let stranger = other.token().await;
    for (token, path, there) in [
        (&tokens[0].0, &adas, true),
        (&tokens[0].0, &obis, false),
        (&tokens[1].0, &adas, true),
        (&tokens[2].0, &adas, false),
        (&stranger, &adas, false),
        (&partner, &obis, true),
    ] {
        let read = api.get(path).by(token).send().await;
        let list = api.get(ALL).by(token).send().await.expect(200);
        let mut rows = list["data"].as_array().unwrap().iter();
        let listed = rows.any(|row| path.ends_with(text(row, "id")));
        assert_eq!((read.status, listed), (if there { 200 } else { 404 }, there), "{path}");
        if !there {
            let cancelled = api.ask("POST", &format!("{path}/cancel")).by(token).send().await;
            cancelled.refused(404, "not_found");
        }
    }
    let cancel = format!("{adas}/cancel");
    for (method, path) in [("GET", ALL), ("POST", ALL), ("GET", &adas), ("POST", &cancel)] {
        let ask = api.ask(method, path).json(&json!({}));
        ask.by(&tokens[3].0).send().await.refused(403, "role_does_not_allow");
    }
    let elsewhere = api.post(ALL, &json!({})).by(&tokens[0].0).within(&kano).send().await;
    elsewhere.refused(403, "entity_not_yours");
    api.ask("POST", &format!("{adas}/cancel"))
        .by(&tokens[0].0)
        .send()
        .await
        .expect(200);
    sandbox.stop().await;
}

/// An intent for a number is announced to it by SMS, once, in its language; a number that has opted out gets none, and the
/// response says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_told_by_text() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let inbox = async || {
        let url = format!("{}/phone/texts.json?msisdn={}", api.base, NUMBER.replace('+', "%2B"));
        api.client.get(url).send().await.unwrap().text().await.unwrap()
    };
    let body = json!({"msisdn": NUMBER, "sms": true, "locale": "fr"});
    for _ in 0..2 {
        let made = api
            .post(ALL, &body)
            .by(&token)
            .header("idempotency-key", "k-1")
            .send()
            .await
            .expect(201);
        assert_eq!(made["sms"], "queued");
        sandbox
            .execute("UPDATE idempotency SET status = NULL, sealed = NULL, lease_until = 0")
            .await;
    }
    let words = "vous demande de lier votre compte bancaire. Si vous les connaissez et le voulez, composez *384*96#";
    eventually(Duration::from_secs(20), async || inbox().await.contains(words)).await;
    assert_eq!(inbox().await.matches(words).count(), 1);
    let stop = json!({"msisdn": NUMBER, "text": "STOP"});
    let stopped = api
        .client
        .post(format!("{}/phone/texts", api.base))
        .json(&stop)
        .send()
        .await
        .unwrap();
    assert!(stopped.status().is_success(), "{stopped:?}");
    eventually(Duration::from_secs(20), async || {
        let made = api.post(ALL, &body).by(&token).send().await.expect(201);
        made["sms"] == "stopped"
    })
    .await;
    sandbox.stop().await;
}
