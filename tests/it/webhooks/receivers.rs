//! Receivers of all kinds at one server: what becomes of each, and that nobody waits for another. (W2)

use std::time::Duration;

use kiungo::core::ids::{EndpointId, EventId};
use kiungo::records::DeliveryState::{Delivered, Pending};
use kiungo::records::{Delivery, DeliveryState, EndpointState, Records};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::events::whole_partner;
use crate::support::eventually;
use crate::support::receiver::WebhookReceiver;
use crate::support::records::{partner, person};
use crate::support::sandbox::Sandbox;
use crate::support::tls::{Authority, TlsServer};

/// For how long an answer is waited for, instead of 30 s.
const PATIENCE_MILLIS: &str = "3000";
/// Less than that, as 29 s are.
const SLOW: Duration = Duration::from_millis(1_500);
/// More than that, as 31 s are.
const TOO_SLOW: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(40);
const EVENTS: usize = 5;

async fn delivery(db: &dyn Records, event: &str, endpoint: &str) -> Delivery {
    let (event, endpoint) = (EventId::parse(event).unwrap(), EndpointId::parse(endpoint).unwrap());
    let deliveries = db.deliveries(&whole_partner(partner(1).id), event).await.unwrap();
    deliveries.into_iter().find(|one| one.endpoint == endpoint).unwrap()
}

/// An endpoint, and what its first try comes to: state, status, reason.
type Ending<'a> = (String, DeliveryState, Option<u16>, Option<&'a str>);

async fn ends(db: &dyn Records, event: &str, (endpoint, state, status, reason): Ending<'_>) {
    eventually(LONG, async || delivery(db, event, &endpoint).await.tries > 0).await;
    let last = delivery(db, event, &endpoint).await;
    assert_eq!(
        (last.state, last.status, last.reason.as_deref()),
        (state, status, reason),
        "{last:?}"
    );
    if status == Some(429) {
        let wait = last.due_at.unwrap().since(last.updated_at);
        assert!(wait >= Duration::from_mins(10), "{wait:?}");
    }
}

/// One receiver is prompt, one slow, one too slow, one never reads, some point elsewhere, one wants no more, one wants a
/// pause, one has a bad certificate. The prompt one has everything before the others have even failed; each of the others
/// ends as it should, and nobody goes where a redirection points.
#[tokio::test(flavor = "multi_thread")]
async fn each_receiver_is_met_as_it_is() {
    let sandbox = Sandbox::with(&[("KIUNGO_SANDBOX__WEBHOOK_PATIENCE", PATIENCE_MILLIS)]).await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let make = async |url: &str| {
        let new = json!({"url": url});
        api.created(&token, None, "/v1/webhook-endpoints", &new).await
    };
    let never_reads = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = TlsServer::start(Authority::new().issue("localhost", 2100), rustls::ALL_VERSIONS);
    let prompt = WebhookReceiver::start(200).await;
    let elsewhere = WebhookReceiver::start(200).await;
    let location = format!("location: {}\r\n", elsewhere.url);
    let slow = WebhookReceiver::with(204, SLOW, "").await;
    let too_slow = WebhookReceiver::with(200, TOO_SLOW, "").await;
    let found = WebhookReceiver::with(302, Duration::ZERO, &location).await;
    let permanent = WebhookReceiver::with(308, Duration::ZERO, &location).await;
    let gone = WebhookReceiver::start(410).await;
    let busy = WebhookReceiver::with(429, Duration::ZERO, "retry-after: 600\r\n").await;
    let bad_tls = format!("https://localhost:{}/in", tls.port);
    make(&prompt.url).await;
    let never = make(&format!("http://{}/in", never_reads.local_addr().unwrap())).await;
    let expected = [
        (make(&slow.url).await, Delivered, Some(204), None),
        (make(&too_slow.url).await, Pending, None, Some("timeout")),
        (never.clone(), Pending, None, Some("timeout")),
        (make(&found.url).await, Pending, Some(302), Some("redirected")),
        (make(&permanent.url).await, Pending, Some(308), Some("redirected")),
        (make(&busy.url).await, Pending, Some(429), Some("status")),
        (make(&bad_tls).await, Pending, None, Some("tls_failed")),
    ];
    let disabled = make(&gone.url).await;
    let db = sandbox.records().await;
    for _ in 0..EVENTS {
        person(1, 1).links_now(&*db).await;
    }
    eventually(LONG, async || prompt.count() == EVENTS).await;
    let event = prompt.received().remove(0).id;
    assert_eq!(delivery(&*db, &event, &never).await.tries, 0, "somebody waited");

    for ending in expected {
        ends(&*db, &event, ending).await;
    }
    let disabled = EndpointId::parse(&disabled).unwrap();
    eventually(LONG, async || {
        let read = db
            .endpoint(&whole_partner(partner(1).id), disabled)
            .await
            .unwrap()
            .unwrap();
        (read.state, read.reason.as_deref()) == (EndpointState::Disabled, Some("gone"))
    })
    .await;
    // The first were on their way at once; nothing is sent after that.
    assert!((1..=EVENTS).contains(&gone.count()), "{}", gone.count());
    assert_eq!((elsewhere.count(), tls.requests()), (0, 0));
    sandbox.stop().await;
}
