//! A partner with one endpoint, a post that does what it is told, and a clock that stands.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::SystemClock;
use kiungo::core::ids::DeliveryId;
use kiungo::core::seal::Keyring;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::core::webhook::{SigningSecret, WebhookTiming};
use kiungo::http_client::webhook::{DeliveryError, DeliveryResponse, WebhookRequest, WebhookSender};
use kiungo::records::{AuditEntry, Delivery, LinkState, Publish, WebhookEndpoint};
use kiungo::service::job::{JobHandler, JobOutcome};
use kiungo::service::webhooks::deliveries::WebhookDeliveries;
use kiungo::store::memory::MemoryStore;

use crate::support::app_fixture::{AppOptions, keyring, shared};
use crate::support::clock::ManualClock;
use crate::support::events::{endpoint, events_about, register, sealed, whole_partner};
use crate::support::records::{Backend, Fixture, audit_entry, partner, person};

/// What an answer is: a status, or none.
pub type Answer = Result<DeliveryResponse, DeliveryError>;

/// An answer of this status.
pub fn status(status: u16) -> DeliveryResponse {
    DeliveryResponse {
        status,
        retry_after: None,
    }
}

/// An answer that asks for a pause, in seconds.
pub fn asking(status: u16, seconds: u64) -> DeliveryResponse {
    DeliveryResponse {
        status,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// Answers as it is told, then with 500 for ever; keeps what was sent.
#[derive(Default)]
pub struct Scripted {
    pub answers: Mutex<VecDeque<Answer>>,
    pub sent: Mutex<Vec<WebhookRequest>>,
}

#[async_trait]
impl WebhookSender for Scripted {
    async fn send(&self, webhook_request: WebhookRequest) -> Answer {
        self.sent.lock().unwrap().push(webhook_request);
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(status(500)))
    }
}

/// The partner's side of one endpoint.
pub struct Kit {
    pub db: Fixture,
    pub clock: Arc<ManualClock>,
    pub post: Arc<Scripted>,
    pub keyring: Arc<Keyring>,
    pub webhooks: WebhookDeliveries,
    pub endpoint: WebhookEndpoint,
    pub secret: SigningSecret,
}

impl Kit {
    pub async fn new() -> Self {
        let db = Backend::Sqlite.create().await;
        let (clock, post) = (Arc::new(ManualClock::default()), Arc::new(Scripted::default()));
        let around = AppOptions {
            clock: clock.clone(),
            ..AppOptions::default()
        };
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let shared = shared(store, db.shared(), around).await;
        let keyring = Arc::new(keyring(&["k1"]));
        let endpoint = WebhookEndpoint {
            created_at: clock.now(),
            updated_at: clock.now(),
            ..endpoint(partner(1).id)
        };
        let secret = SigningSecret::from_bytes(&[7; 32]).unwrap();
        register(&*db, &endpoint, &sealed(&keyring, &endpoint, &secret)).await;
        Self {
            webhooks: WebhookDeliveries {
                deps: shared.deps,
                sender: post.clone(),
                timing: WebhookTiming::default(),
            },
            db,
            clock,
            post,
            keyring,
            endpoint,
            secret,
        }
    }

    /// Something happens now, and is on its way.
    pub async fn happens(&self) -> DeliveryId {
        let link = person(1, 1).linked(&*self.db, 1, LinkState::Active).await;
        let now = self.clock.now();
        self.db
            .move_link(link.id, LinkState::ReauthRequired, &[], now)
            .await
            .unwrap();
        let event = events_about(&*self.db, link.partner, link.id.as_bytes())
            .await
            .pop()
            .unwrap();
        assert_eq!(
            JobHandler::<Publish>::run(&self.webhooks, event.id).await.unwrap(),
            JobOutcome::Done
        );
        let deliveries = self
            .db
            .deliveries(&whole_partner(link.partner), event.id)
            .await
            .unwrap();
        deliveries[0].id
    }

    /// Sends it with this answer; what comes of it.
    pub async fn sends(&self, id: DeliveryId, answer: DeliveryResponse) -> JobOutcome {
        self.meets(id, Ok(answer)).await
    }

    /// The same, where there may be no answer.
    pub async fn meets(&self, id: DeliveryId, answer: Answer) -> JobOutcome {
        self.post.answers.lock().unwrap().push_back(answer);
        self.webhooks.deliver(id).await.unwrap()
    }

    /// How far it has come.
    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.outgoing(id).await.delivery
    }

    /// The endpoint as it is now.
    pub async fn endpoint(&self) -> WebhookEndpoint {
        let reach = whole_partner(self.endpoint.partner);
        self.db.endpoint(&reach, self.endpoint.id).await.unwrap().unwrap()
    }

    /// Something that is done by the partner now.
    pub fn audit_entry(&self) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            ..audit_entry(1, 0)
        }
    }

    /// All that was sent.
    pub fn sent(&self) -> Vec<WebhookRequest> {
        self.post.sent.lock().unwrap().clone()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn outgoing(&self, id: DeliveryId) -> kiungo::records::OutgoingDelivery {
        self.db.outgoing_delivery(id, self.now()).await.unwrap().unwrap()
    }
}
