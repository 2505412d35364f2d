//! Webhook endpoints.

use serde_json::{Value, json};

use crate::support::api::{Api, ApiAnswer};
use crate::support::sandbox::Sandbox;

const ALL: &str = "/v1/webhook-endpoints";

async fn create_endpoint(api: &Api, token: &str, url: &str) -> Value {
    let new = json!({"url": url});
    api.post(ALL, &new).by(token).send().await.expect(201)
}

fn endpoint_path(endpoint: &Value) -> String {
    format!("{ALL}/{}", endpoint["id"].as_str().unwrap())
}

/// The secret in a response.
#[track_caller]
fn secret(answer: &Value) -> String {
    let secret = answer["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    secret.to_owned()
}

/// An endpoint is as created and updated, until it is deleted; its secret is shown at its creation only.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_kept_until_it_is_deleted() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let new = json!({"url": "https://hooks.example.com/in", "kinds": ["link.removed", "link.created", "link.removed"]});
    let made = api.post(ALL, &new).by(&token).send().await.expect(201);
    let secret = secret(&made);
    assert_eq!(made["kinds"], json!(["link.created", "link.removed"]));
    for member in ["entity_id", "reason", "created_by"] {
        assert_eq!(made[member], Value::Null, "{member}");
    }
    let path = endpoint_path(&made);
    for (change, reason) in [
        (json!({"url": "https://hooks.example.com:8443/other"}), Value::Null),
        (json!({"kinds": []}), Value::Null),
        (json!({"state": "disabled"}), json!("by_request")),
        (json!({"kinds": ["connect_session.failed"]}), json!("by_request")),
        (json!({"state": "enabled"}), Value::Null),
        (json!({}), Value::Null),
    ] {
        let before = api.get(&path).by(&token).send().await.expect(200);
        let changed = api.patch(&path, &change).by(&token).send().await.expect(200);
        let read = api.get(&path).by(&token).send().await.expect(200);
        assert_eq!(read, changed);
        assert_eq!(read["reason"], reason, "{change}");
        for (member, value) in read.as_object().unwrap() {
            let wanted = change.get(member).unwrap_or(&before[member]);
            let moves = ["updated_at", "reason"].contains(&member.as_str());
            assert!(value == wanted || moves, "{change} {member}: {value}");
        }
        assert!(!read.to_string().contains(&secret));
    }
    let list = api.get(ALL).by(&token).send().await.expect(200);
    assert_eq!(
        (list["data"].as_array().unwrap().len(), &list["next_cursor"]),
        (1, &Value::Null)
    );
    assert!(!list.to_string().contains("whsec_"));
    api.delete(&path).by(&token).send().await.expect(204);
    for gone in [
        api.get(&path),
        api.delete(&path),
        api.patch(&path, &json!({"state": "enabled"})),
        api.ask("POST", &format!("{path}/rotate-secret")),
    ] {
        gone.by(&token).send().await.refused(404, "not_found");
    }
    sandbox.stop().await;
}

/// An invalid change is refused with place and reason; changes are in the audit trail, without secret and address.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_looked_at_and_noted() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let path = endpoint_path(&create_endpoint(&api, &token, "https://hooks.example.com/in").await);
    for (body, pointer, code) in [
        (json!({"state": "deleted"}), "/state", "invalid"),
        (json!({"kinds": ["link.made"]}), "/kinds/0", "invalid"),
        (json!({"url": "http://hooks.example.com/"}), "/url", "not_https"),
        (json!({"secret": "whsec_x"}), "/secret", "unknown"),
    ] {
        let refused = api.patch(&path, &body).by(&token).send().await;
        refused.refused(422, "invalid");
        assert_eq!(refused.faults(), [(pointer.to_owned(), code.to_owned())]);
    }
    let change = json!({"kinds": ["link.created"]});
    api.patch(&path, &change).by(&token).send().await.expect(200);
    api.delete(&path).by(&token).send().await.expect(204);
    let trail = api.get("/v1/audit?limit=100").by(&token).send().await.expect(200);
    let trail = trail.to_string();
    for kind in ["created", "changed", "deleted"] {
        assert!(trail.contains(&format!("webhook_endpoint.{kind}")), "{kind}");
    }
    assert!(
        !trail.contains("whsec_") && !trail.contains("hooks.example.com"),
        "{trail}"
    );
    sandbox.stop().await;
}

/// A rotation gives another secret, and says until when the previous one is used: a day, or as long as requested, up to a
/// week.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_with_notice() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let made = create_endpoint(&api, &token, "https://hooks.example.com/in").await;
    let path = format!("{}/rotate-secret", endpoint_path(&made));
    let mut secrets = vec![secret(&made)];
    let seconds = |text: &Value| {
        let at = chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap();
        at.timestamp_millis() / 1000
    };
    for (body, overlap) in [
        (None, 86_400),
        (Some(json!({})), 86_400),
        (Some(json!({"overlap_seconds": 0})), 0),
        (Some(json!({"overlap_seconds": 604_800})), 604_800),
    ] {
        let ask = match &body {
            Some(body) => api.post(&path, body),
            None => api.ask("POST", &path),
        };
        let rotated = ask.by(&token).send().await.expect(200);
        secrets.push(secret(&rotated));
        let read = api.get(&endpoint_path(&made)).by(&token).send().await.expect(200);
        let until = seconds(&rotated["previous_secret_until"]) - seconds(&read["updated_at"]);
        assert!((overlap - 1..=overlap + 1).contains(&until), "{body:?}: {until}");
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 5);
    for (wrong, code) in [
        (json!(604_801), "out_of_range"),
        (json!(-1), "invalid"),
        (json!("x"), "wrong_type"),
    ] {
        let body = json!({"overlap_seconds": wrong});
        let refused = api.post(&path, &body).by(&token).send().await;
        assert_eq!(refused.faults(), [("/overlap_seconds".to_owned(), code.to_owned())]);
    }
    sandbox.stop().await;
}

/// A URL that is not of a public host is refused with place and reason, at creation and at update. The sandbox also accepts
/// this machine's loopback, and nothing else internal. (W5)
#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_are_refused() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let path = endpoint_path(&create_endpoint(&api, &token, "http://127.0.0.1:9000/in").await);
    create_endpoint(&api, &token, "http://localhost:9000/in").await;
    create_endpoint(&api, &token, "https://hooks.example.com/in").await;
    for (url, code) in [
        ("", "not_a_url"),
        ("hooks.example.com", "not_a_url"),
        ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", "not_a_url"),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", "not_a_url"),
        ("http://hooks.example.com/in", "not_https"),
        ("http://169.254.169.254/latest/meta-data/", "not_https"),
        ("ftp://hooks.example.com/in", "not_https"),
        ("https://ada:word@hooks.example.com/in", "not_plain"),
        ("https://hooks.example.com@10.0.0.1/", "not_plain"),
        ("https://hooks.example.com/#in", "not_plain"),
        ("https://2130706433/", "host_not_public"),
        ("https://0177.0.0.1/", "host_not_public"),
        ("https://0x7f.0.0.1/", "host_not_public"),
        ("https://127.1/", "host_not_public"),
        ("https://localhost./", "host_not_public"),
        ("https://10.0.0.1/", "host_not_public"),
        ("https://8.8.8.8/", "host_not_public"),
        ("https://[::ffff:127.0.0.1]/", "host_not_public"),
        ("https://[::127.0.0.1]/", "host_not_public"),
        ("https://[64:ff9b::7f00:1]/", "host_not_public"),
        ("https://[64:ff9b:1::7f00:1]/", "host_not_public"),
        ("https://[2002:7f00:1::]/", "host_not_public"),
        ("https://[2001:0:7f00:1::]/", "host_not_public"),
        ("https://metadata.google.internal/", "host_not_public"),
        ("https://hooks.example.com:25/", "port_not_allowed"),
    ] {
        let body = json!({"url": url});
        for ask in [api.post(ALL, &body), api.patch(&path, &body)] {
            let refused: ApiAnswer = ask.by(&token).send().await;
            refused.refused(422, "invalid");
            assert_eq!(refused.faults(), [("/url".to_owned(), code.to_owned())], "{url}");
        }
    }
    sandbox.stop().await;
}

/// An endpoint belongs to the entity and user that created it: users see what their role permits, other entities and
/// partners nothing.
#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_their_owners() {
    let sandbox = Sandbox::start().await;
    let (api, other) = (Api::of_sandbox(&sandbox.origin), sandbox.another(1).await);
    let (token, others) = (api.token().await, other.token().await);
    let (lagos, abuja) = (api.entity(&token, "Lagos").await, api.entity(&token, "Abuja").await);
    let all = json!({"create": "allowed", "read": "allowed", "update": "allowed", "delete": "allowed"});
    let own = json!({"create": "allowed", "read": "allowed_for_own", "update": "allowed_for_own"});
    let [manager, clerk] = [(all, "allowed"), (own, "allowed_for_own")]
        .map(|(actions, read)| json!({"webhook_endpoint": actions, "event": {"read": read}}));
    let (manager, clerk) = (api.role(&token, &manager).await, api.role(&token, &clerk).await);
    let as_user = async |entity: &str, login: &str, role: &str| {
        let user = api.user(&token, entity, login, Some(role)).await;
        (api.token_of(&user).await, user)
    };
    let (boss, _) = as_user(&lagos, "boss", &manager).await;
    let (ada, ada_id) = as_user(&lagos, "ada", &clerk).await;
    let (elsewhere, _) = as_user(&abuja, "eve", &manager).await;
    let whole = create_endpoint(&api, &token, "https://hooks.example.com/whole").await;
    let bosss = create_endpoint(&api, &boss, "https://hooks.example.com/boss").await;
    let adas = create_endpoint(&api, &ada, "https://hooks.example.com/ada").await;
    assert_eq!(
        (&adas["entity_id"], &adas["created_by"]),
        (&json!(lagos), &json!(ada_id))
    );
    for (who, sees) in [
        (&token, vec![&adas, &bosss, &whole]),
        (&boss, vec![&adas, &bosss]),
        (&ada, vec![&adas]),
        (&elsewhere, vec![]),
        (&others, vec![]),
    ] {
        let list = api.get(ALL).by(who).send().await.expect(200);
        let mut found: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].clone())
            .collect();
        let mut wanted: Vec<_> = sees.iter().map(|row| row["id"].clone()).collect();
        found.sort_by_key(Value::to_string);
        wanted.sort_by_key(Value::to_string);
        assert_eq!(found, wanted);
        for endpoint in [&whole, &bosss, &adas] {
            let seen = sees.contains(&endpoint);
            let path = endpoint_path(endpoint);
            for (ask, status) in [
                (api.get(&path), 200),
                (api.patch(&path, &json!({})), 200),
                (api.ask("POST", &format!("{path}/rotate-secret")), 200),
            ] {
                let answer = ask.by(who).send().await;
                assert_eq!(answer.status, if seen { status } else { 404 }, "{}", answer.body);
            }
        }
    }
    let refused = api.delete(&endpoint_path(&adas)).by(&ada).send().await;
    refused.refused(403, "role_does_not_allow");
    sandbox.stop().await;
}

/// A repeated creation or rotation gets the same secret, also after a crash before the response was stored; and the number of
/// endpoints is limited.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_secret_for_the_same_request() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let token = api.token().await;
    let again = async |path: &str, key: &str, status: u16| {
        let ask = api.post(path, &json!({"url": "https://hooks.example.com/in"}));
        let ask = if path == ALL { ask } else { api.ask("POST", path) };
        ask.by(&token)
            .header("idempotency-key", key)
            .send()
            .await
            .expect(status)
    };
    // The state after a crash between the change and the storing of its response.
    let crash = "UPDATE idempotency SET status = NULL, sealed = NULL, lease_until = 0";
    let made = again(ALL, "k-1", 201).await;
    assert_eq!(again(ALL, "k-1", 201).await, made);
    sandbox.execute(crash).await;
    assert_eq!(again(ALL, "k-1", 201).await, made);
    let path = format!("{}/rotate-secret", endpoint_path(&made));
    let rotated = again(&path, "k-2", 200).await;
    sandbox.execute(crash).await;
    assert_eq!(again(&path, "k-2", 200).await, rotated);

    for n in 1..20 {
        create_endpoint(&api, &token, &format!("https://hooks.example.com/{n}")).await;
    }
    let full = json!({"url": "https://hooks.example.com/20"});
    api.post(ALL, &full).by(&token).send().await.refused(409, "conflict");
    api.delete(&endpoint_path(&made)).by(&token).send().await.expect(204);
    api.post(ALL, &full).by(&token).send().await.expect(201);
    sandbox.stop().await;
}
