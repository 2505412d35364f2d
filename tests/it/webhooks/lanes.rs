//! Each receiver by itself: who is dead or slow holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::LinkId;
use kiungo::core::webhook::SigningSecret;
use kiungo::records::{DeliveryState, JobType as _, LinkState, WebhookEndpoint};
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::store::memory::MemoryStore;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::app_fixture::{TestApp, assemble, keyring};
use crate::support::doubles::PlainGateway;
use crate::support::events::{endpoint, events_of, register, sealed, whole_partner};
use crate::support::eventually;
use crate::support::records::{at, job, partner, person};

/// Long enough for anything to happen, and shorter than a receiver is waited for.
const PATIENCE: Duration = Duration::from_secs(25);
/// Many more than are under way at once.
const EVENTS: usize = 60;

/// Adds an endpoint at this URL.
async fn endpoint_at(parts: &TestApp, url: String) -> WebhookEndpoint {
    let endpoint = WebhookEndpoint {
        url,
        ..endpoint(partner(1).id)
    };
    let secret = sealed(
        &keyring(&["k1"]),
        &endpoint,
        &SigningSecret::from_bytes(&[7; 32]).unwrap(),
    );
    register(&*parts.records, &endpoint, &secret).await;
    endpoint
}

/// One receiver never answers, one is down, one is well: the third gets everything at once, other work is done meanwhile,
/// and the first is held no more than a few connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_holds_up_nobody() {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let parts = assemble(store, PlainGateway { sink: None }).await;
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let down = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let well = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&well)
        .await;
    let hangs = endpoint_at(&parts, format!("http://{}/in", hanging.local_addr().unwrap())).await;
    endpoint_at(&parts, format!("http://{down}/in")).await;
    endpoint_at(&parts, format!("{}/in", well.uri())).await;
    let db = parts.deps.records.clone();
    for _ in 0..EVENTS {
        person(1, 1).linked(&*db, 1, LinkState::Active).await;
    }
    let stop = CancellationToken::new();
    let running = Handle::current().spawn(parts.jobs.clone().run(stop.clone()));
    eventually(PATIENCE, async || {
        well.received_requests().await.unwrap().len() == EVENTS
    })
    .await;

    // The queue for the one that hangs is as long as ever, and other work is not in it.
    let partner = partner(1).id;
    let other = ReadAccounts::of(LinkId::from_bytes([9; 16]));
    db.enqueue(&job(partner, other, "read:9", at(0))).await.unwrap();
    eventually(PATIENCE, async || parts.records.audit_count("job.given_up").await == 1).await;
    let mut connections = Vec::new();
    while let Ok(Ok((connection, _))) = tokio::time::timeout(Duration::from_millis(50), hanging.accept()).await {
        connections.push(connection);
    }
    assert!((1..=8).contains(&connections.len()), "{}", connections.len());
    for event in events_of(&*db, partner).await {
        let deliveries = db.deliveries(&whole_partner(partner), event.id).await.unwrap();
        let of_hanging = deliveries.iter().find(|delivery| delivery.endpoint == hangs.id);
        assert_eq!(of_hanging.map(|delivery| delivery.state), Some(DeliveryState::Pending));
    }
    stop.cancel();
    drop(connections);
    running.await.unwrap();
}
