//! Events, read and replayed over the API.

use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::EventId;
use kiungo::core::time::Clock as _;
use kiungo::records::{DeliveryState, LinkState, Records};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::whole_partner;
use crate::support::eventually;
use crate::support::receiver::WebhookReceiver;
use crate::support::records::{partner, person};
use crate::support::sandbox::Sandbox;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Writes three events of one link of partner 1, and one of another link; the id of the first.
async fn write_event(db: &dyn Records) -> String {
    let link = person(1, 1).links_now(db).await;
    for state in [LinkState::ReauthRequired, LinkState::Active] {
        db.move_link(link.id, state, &[], SystemClock.now()).await.unwrap();
    }
    person(1, 2).links_now(db).await;
    link.id.to_string()
}

async fn list(api: &Api, token: &str, query: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/events?limit=2{query}{cursor}");
        let page = api.get(&path).by(token).send().await.expect(200);
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        let Value::String(next) = &page["next_cursor"] else {
            return found;
        };
        cursor = format!("&cursor={next}");
    }
}

/// Waits until an event is delivered to so many endpoints.
async fn delivered(db: &dyn Records, event: &str, count: usize) {
    let event = EventId::parse(event).unwrap();
    eventually(TIMEOUT, async || {
        let all = db.deliveries(&whole_partner(partner(1).id), event).await.unwrap();
        all.len() == count && all.iter().all(|one| one.state == DeliveryState::Delivered)
    })
    .await;
}

/// An event has the id and content of its webhook, and its deliveries; the list is filtered and paged; nobody else sees any
/// of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_what_its_webhook_was() {
    let sandbox = Sandbox::start().await;
    let (api, other) = (sandbox.another(1).await, Api::of_sandbox(&sandbox.origin));
    let (token, others) = (api.token().await, other.token().await);
    let receiver = WebhookReceiver::start(204).await;
    let endpoint = api
        .post("/v1/webhook-endpoints", &json!({"url": receiver.url}))
        .by(&token)
        .send()
        .await
        .expect(201);
    let db = sandbox.records().await;
    let link = write_event(&*db).await;
    eventually(TIMEOUT, async || receiver.count() == 4).await;
    let events = list(&api, &token, "").await;
    assert_eq!(events.len(), 4);
    for received in receiver.received() {
        assert!(received.verifies(endpoint["secret"].as_str().unwrap()));
        let event = events.iter().find(|event| event["id"] == received.id.as_str()).unwrap();
        let mut told = received.json();
        told["id"] = received.id.as_str().into();
        assert_eq!(*event, told);
        let path = format!("/v1/events/{}", received.id);
        delivered(&*db, &received.id, 1).await;
        let mut read = api.get(&path).by(&token).send().await.expect(200);
        let deliveries = read.as_object_mut().unwrap().remove("deliveries").unwrap();
        assert_eq!(read, told);
        let one = &deliveries[0];
        assert_eq!(one["endpoint_id"], endpoint["id"]);
        assert_eq!((&one["tries"], &one["status"]), (&json!(1), &json!(204)));
        assert_eq!((&one["reason"], &one["due_at"]), (&Value::Null, &Value::Null));
        api.get(&path).by(&others).send().await.refused(404, "not_found");
    }
    let of_link = list(&api, &token, &format!("&subject={link}")).await;
    let sequence: Vec<_> = of_link.iter().map(|event| event["data"]["sequence"].clone()).collect();
    assert_eq!(sequence, [3, 2, 1]);
    assert_eq!(list(&api, &token, "&kind=link.created").await.len(), 2);
    let both = format!("&kind=link.created&subject={link}");
    assert_eq!(list(&api, &token, &both).await.len(), 1);
    assert_eq!(list(&api, &others, "").await, [] as [Value; 0]);
    for (query, pointer, code) in [
        ("kind=link.made", "?kind", "unknown"),
        ("subject=x", "?subject", "invalid"),
        ("cursor=x", "?cursor", "unknown"),
        ("limit=0", "?limit", "out_of_range"),
        ("type=link.created", "?", "unknown"),
        ("kind=link.created&kind=link.created", "?", "unknown"),
    ] {
        let refused = api.get(&format!("/v1/events?{query}")).by(&token).send().await;
        refused.refused(422, "invalid");
        assert_eq!(refused.faults(), [(pointer.to_owned(), code.to_owned())], "{query}");
    }
    sandbox.stop().await;
}

/// An event is replayed to the requested endpoints, with the same id and body; if there is none, the request is refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_told_again() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let db = sandbox.records().await;
    person(1, 1).links_now(&*db).await;
    let event = list(&api, &token, "").await.remove(0);
    let path = format!("/v1/events/{}/replay", event["id"].as_str().unwrap());
    let nobody = api.ask("POST", &path).by(&token).send().await;
    nobody.refused(409, "conflict");
    let (all, removed) = (WebhookReceiver::start(200).await, WebhookReceiver::start(200).await);
    let make = async |url: &str, kinds: Value| {
        let new = json!({"url": url, "kinds": kinds});
        api.created(&token, None, "/v1/webhook-endpoints", &new).await
    };
    let (wants_all, wants_removed) = (
        make(&all.url, json!([])).await,
        make(&removed.url, json!(["link.removed"])).await,
    );
    let replay = async |body: Value| {
        let answer = api.post(&path, &body).by(&token).send().await.expect(202);
        assert_eq!(answer["event_id"], event["id"]);
        answer["endpoint_ids"].clone()
    };
    assert_eq!(replay(json!({})).await, json!([wants_all]));
    eventually(TIMEOUT, async || all.count() == 1).await;
    // A named endpoint gets it, whatever it subscribes to.
    assert_eq!(
        replay(json!({"endpoint_id": wants_removed})).await,
        json!([wants_removed])
    );
    eventually(TIMEOUT, async || removed.count() == 1).await;
    let event_id = event["id"].as_str().unwrap();
    delivered(&*db, event_id, 2).await;
    assert_eq!(replay(json!({"endpoint_id": wants_all})).await, json!([wants_all]));
    eventually(TIMEOUT, async || all.count() == 2).await;
    let sent = [all.received(), removed.received()].concat();
    assert!(
        sent.iter().all(|one| one.id == event_id && one.body == sent[0].body),
        "{sent:?}"
    );
    let trail = api.get("/v1/audit").by(&token).send().await.expect(200).to_string();
    assert_eq!(trail.matches("event.replayed").count(), 3, "{trail}");
    sandbox.stop().await;
}

/// A replay that is impossible or not permitted is refused with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_to_nobody_is_refused() {
    let sandbox = Sandbox::start().await;
    let (api, other) = (sandbox.another(1).await, Api::of_sandbox(&sandbox.origin));
    let (token, others) = (api.token().await, other.token().await);
    person(1, 1).links_now(&*sandbox.records().await).await;
    let event_id = list(&api, &token, "").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/events/{event_id}/replay");
    let new = json!({"url": "http://127.0.0.1:9/in"});
    let endpoint = api.created(&token, None, "/v1/webhook-endpoints", &new).await;
    api.patch(
        &format!("/v1/webhook-endpoints/{endpoint}"),
        &json!({"state": "disabled"}),
    )
    .by(&token)
    .send()
    .await
    .expect(200);
    for (body, by, status, code) in [
        (json!({}), &token, 409, "conflict"),
        (json!({"endpoint_id": endpoint}), &token, 409, "conflict"),
        (json!({"endpoint_id": event_id}), &token, 409, "conflict"),
        (json!({"endpoint_id": "x"}), &token, 422, "invalid"),
        (json!({}), &others, 404, "not_found"),
    ] {
        api.post(&path, &body).by(by).send().await.refused(status, code);
    }
    let entity = api.entity(&token, "Lagos").await;
    let reads = api.role(&token, &json!({"event": {"read": "allowed"}})).await;
    let user = api.user(&token, &entity, "ada", Some(&reads)).await;
    let user = api.token_of(&user).await;
    // An event of no entity does not belong to this one.
    assert_eq!(list(&api, &user, "").await, [] as [Value; 0]);
    api.ask("POST", &path)
        .by(&user)
        .send()
        .await
        .refused(403, "role_does_not_allow");
    sandbox.stop().await;
}

/// While a secret is being rotated, receivers with either one verify webhooks; without overlap the old one is no longer used.
/// Both are as shown. (W4)
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_either_secret_verifies() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let db = sandbox.records().await;
    let receiver = WebhookReceiver::start(200).await;
    let made = api
        .post("/v1/webhook-endpoints", &json!({"url": receiver.url}))
        .by(&token)
        .send()
        .await
        .expect(201);
    let path = format!("/v1/webhook-endpoints/{}/rotate-secret", made["id"].as_str().unwrap());
    let secret = |answer: &Value| answer["secret"].as_str().unwrap().to_owned();
    let rotate = async |body: Value| secret(&api.post(&path, &body).by(&token).send().await.expect(200));
    let comes = async |nth: usize| {
        person(1, 1).links_now(&*db).await;
        eventually(TIMEOUT, async || receiver.count() == nth).await;
        receiver.received().pop().unwrap()
    };
    let first = secret(&made);
    let one = comes(1).await;
    assert!(one.verifies(&first) && !one.signatures.contains(' '));
    let second = rotate(json!({})).await;
    let two = comes(2).await;
    assert!(two.verifies(&first) && two.verifies(&second));
    let third = rotate(json!({"overlap_seconds": 0})).await;
    let three = comes(3).await;
    assert!(three.verifies(&third) && !three.verifies(&second) && !three.verifies(&first));
    sandbox.stop().await;
}
