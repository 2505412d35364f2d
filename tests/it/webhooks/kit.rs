//! A partner with one endpoint, a post that does what it is told, and a clock that stands.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::SystemClock;
use kiungo::core::ids::DeliveryId;
use kiungo::core::seal::Keyring;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::core::webhook::{Pace, SigningSecret};
use kiungo::outbound::{Parcel, Post, Receipt, Undelivered};
use kiungo::records::{Deed, Delivery, Endpoint, LinkState};
use kiungo::service::jobs::Verdict;
use kiungo::service::webhooks::Webhooks;
use kiungo::store::memory::MemoryStore;

use crate::support::clock::StoodClock;
use crate::support::events::{endpoint, register, sealed, told_about, whole};
use crate::support::parts::{Around, keyring, shared};
use crate::support::records::{Backend, Fixture, deed, partner, person};

/// What an answer is: a status, or none.
pub type Answer = Result<Receipt, Undelivered>;

/// An answer of this status.
pub fn status(status: u16) -> Receipt {
    Receipt {
        status,
        retry_after: None,
    }
}

/// An answer that asks for a pause, in seconds.
pub fn asking(status: u16, seconds: u64) -> Receipt {
    Receipt {
        status,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// Answers as it is told, then with 500 for ever; keeps what was sent.
#[derive(Default)]
pub struct Scripted {
    pub answers: Mutex<VecDeque<Answer>>,
    pub sent: Mutex<Vec<Parcel>>,
}

#[async_trait]
impl Post for Scripted {
    async fn send(&self, parcel: Parcel) -> Answer {
        self.sent.lock().unwrap().push(parcel);
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(status(500)))
    }
}

/// The partner's side of one endpoint.
pub struct Kit {
    pub db: Fixture,
    pub clock: Arc<StoodClock>,
    pub post: Arc<Scripted>,
    pub keyring: Arc<Keyring>,
    pub webhooks: Webhooks,
    pub endpoint: Endpoint,
    pub secret: SigningSecret,
}

impl Kit {
    pub async fn new() -> Self {
        let db = Backend::Sqlite.fresh().await;
        let (clock, post) = (Arc::new(StoodClock::default()), Arc::new(Scripted::default()));
        let around = Around {
            clock: clock.clone(),
            ..Around::default()
        };
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let shared = shared(store, db.shared(), around).await;
        let keyring = Arc::new(keyring(&["k1"]));
        let endpoint = Endpoint {
            created_at: clock.now(),
            updated_at: clock.now(),
            ..endpoint(partner(1).id)
        };
        let secret = SigningSecret::from_bytes(&[7; 32]).unwrap();
        register(&*db, &endpoint, &sealed(&keyring, &endpoint, &secret)).await;
        Self {
            webhooks: Webhooks {
                records: db.shared(),
                keyring: keyring.clone(),
                post: post.clone(),
                pace: Pace::default(),
                runtime: shared.runtime,
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
        let event = told_about(&*self.db, link.partner, link.id.as_bytes())
            .await
            .pop()
            .unwrap();
        assert_eq!(self.webhooks.publish(event.id).await.unwrap(), Verdict::Done);
        let deliveries = self.db.deliveries(&whole(link.partner), event.id).await.unwrap();
        deliveries[0].id
    }

    /// Sends it with this answer; what comes of it.
    pub async fn sends(&self, id: DeliveryId, answer: Receipt) -> Verdict {
        self.meets(id, Ok(answer)).await
    }

    /// The same, where there may be no answer.
    pub async fn meets(&self, id: DeliveryId, answer: Answer) -> Verdict {
        self.post.answers.lock().unwrap().push_back(answer);
        self.webhooks.deliver(id).await.unwrap()
    }

    /// How far it has come.
    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.outgoing(id).await.delivery
    }

    /// The endpoint as it is now.
    pub async fn endpoint(&self) -> Endpoint {
        let reach = whole(self.endpoint.partner);
        self.db.endpoint(&reach, self.endpoint.id).await.unwrap().unwrap()
    }

    /// Something that is done by the partner now.
    pub fn deed(&self) -> Deed {
        Deed {
            at: self.now(),
            ..deed(1, 0)
        }
    }

    /// All that was sent.
    pub fn sent(&self) -> Vec<Parcel> {
        self.post.sent.lock().unwrap().clone()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn outgoing(&self, id: DeliveryId) -> kiungo::records::Outgoing {
        self.db.outgoing(id, self.now()).await.unwrap().unwrap()
    }
}
