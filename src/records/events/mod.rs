//! What partners are told: events, the endpoints they go to, and how far each has come.

use async_trait::async_trait;

use super::columns::{Bytes, Nullable, column, db_enum, unknown};
use super::{AuditEntry, Result, WriteOutcome};
use crate::core::access::TenantScope;
use crate::core::events::EventKind;
use crate::core::ids::{DeliveryId, EndpointId, EntityId, EventId, PartnerId, UserId, WebhookSecretId};
use crate::core::time::Timestamp;

/// Something that happened, as the partner is told it. Written in the transaction of the fact.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PartnerEvent {
    /// The webhook's id, on every try.
    pub id: EventId,
    /// Whom it is told.
    pub partner: PartnerId,
    /// In which entity it happened.
    pub entity: Option<EntityId>,
    /// The user whose intent it grew out of.
    pub created_by: Option<UserId>,
    pub kind: EventKind,
    /// The id of the link, intent or connect session it is about.
    #[sqlx(try_from = "Bytes<16>")]
    pub subject: [u8; 16],
    /// Which event about that subject, from 1.
    #[sqlx(rename = "seq", try_from = "i64")]
    pub sequence: u64,
    /// JSON: ids and states, nothing personal.
    pub data: String,
    #[sqlx(rename = "created_at")]
    pub at: Timestamp,
}

/// Which events; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub kind: Option<EventKind>,
    /// Only about this link, intent or connect session.
    pub subject: Option<[u8; 16]>,
}

/// From this moment to that one, the second not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Where a partner receives webhooks.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookEndpoint {
    pub id: EndpointId,
    pub partner: PartnerId,
    /// Only what happens in this entity; without one, all of the partner's.
    pub entity: Option<EntityId>,
    /// Checked when it was given.
    pub url: String,
    /// Which kinds of events; none: all.
    #[sqlx(try_from = "EventKinds")]
    pub kinds: Vec<EventKind>,
    /// Whether anything is sent.
    pub state: EndpointState,
    /// A stable word: why it was disabled.
    pub reason: Option<String>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Kinds of events as they stand in a row: with commas between.
pub(super) struct EventKinds(pub(super) Vec<EventKind>);

column!(
    EventKinds as String,
    |kinds| kinds.0.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(","),
    |words| {
        let words = words.split(',').filter(|word| !word.is_empty());
        let kinds = words.map(|word| EventKind::parse(word).ok_or_else(|| unknown("EventKind")));
        kinds.collect::<std::result::Result<_, _>>().map(EventKinds)
    }
);

impl From<EventKinds> for Vec<EventKind> {
    fn from(kinds: EventKinds) -> Self {
        kinds.0
    }
}

db_enum! {
    /// Whether an endpoint is sent anything.
    pub enum EndpointState {
        /// It is.
        Enabled = "enabled",
        /// It is not; it may be enabled again.
        Disabled = "disabled",
        /// It never will be, and is shown no more.
        Deleted = "deleted",
    }
}

/// What is to be changed of an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    pub url: Option<String>,
    pub kinds: Option<Vec<EventKind>>,
    /// Another state, with the stable word that says why.
    pub state: Option<(EndpointState, Option<&'static str>)>,
}

/// What webhooks of an endpoint are signed with.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WebhookSecret {
    /// Part of what its sealed form is bound to.
    pub id: WebhookSecretId,
    pub endpoint: EndpointId,
    pub partner: PartnerId,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub endpoint: EndpointId,
    pub state: DeliveryState,
    /// How often it was sent, since it was last asked for.
    #[sqlx(try_from = "i64")]
    pub tries: u32,
    /// The HTTP status of the last answer, if there was one.
    #[sqlx(try_from = "Nullable<i64>")]
    pub status: Option<u16>,
    /// A stable word: why the last try failed.
    pub reason: Option<String>,
    /// When it is sent next; `None` once it has ended.
    pub due_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was last tried.
    pub updated_at: Timestamp,
}

db_enum! {
    /// How far a delivery has come.
    pub enum DeliveryState {
        /// To be sent, or sent again.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// It was sent as often as it ever will be by itself.
        Failed = "failed",
    }
}

/// All that is needed to send a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingDelivery {
    pub delivery: Delivery,
    /// What is sent.
    pub event: PartnerEvent,
    /// Where to.
    pub endpoint: WebhookEndpoint,
    /// Whether the endpoint's maker may still read the event.
    pub allowed: bool,
    /// What to sign it with: one, or two while one replaces the other; the newest first.
    pub secrets: Vec<WebhookSecret>,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryResult {
    /// How far the delivery has come by it.
    pub state: DeliveryState,
    /// How often it was sent by now.
    pub tries: u32,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// A stable word: why it failed.
    pub reason: Option<&'static str>,
    /// When it is sent next, if it is.
    pub due_at: Option<Timestamp>,
}

/// Events and deliveries. Whatever takes a [`TenantScope`] neither sees nor touches what lies outside of it.
#[async_trait]
pub trait EventRecords: Send + Sync {
    /// An event.
    async fn event(&self, scope: &TenantScope, id: EventId) -> Result<Option<PartnerEvent>>;
    /// Events, newest first, at most `limit`; those that follow `after` if given: the moment and id of the last one of the
    /// page before.
    async fn events(
        &self,
        scope: &TenantScope,
        filter: &EventFilter,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>>;
    /// Events of a time range, oldest first, at most `limit`; those that follow `after` if given.
    async fn events_within(
        &self,
        scope: &TenantScope,
        range: TimeRange,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>>;
    /// How far an event has come, oldest first.
    async fn deliveries(&self, scope: &TenantScope, event: EventId) -> Result<Vec<Delivery>>;
    /// Has an event sent once more, at once, from the first try on: to this endpoint, or to all that are enabled and want
    /// it. What is still on its way is sent now instead of later. Answers with the endpoints; an endpoint that is not
    /// enabled, or is another entity's, is none of them. What is sent to nobody is not audited.
    async fn replay(
        &self,
        scope: &TenantScope,
        event: EventId,
        to: Option<EndpointId>,
        audit: &AuditEntry,
    ) -> Result<Vec<EndpointId>>;
    /// Writes one delivery for each enabled endpoint that wants the event, and the job of each. Doing it again adds nothing.
    /// Says how many there are by now.
    async fn publish(&self, event: EventId, at: Timestamp) -> Result<u64>;
    /// All that is needed to send a delivery now.
    async fn outgoing_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<OutgoingDelivery>>;
    /// Writes down what became of a try. What has ended meanwhile stays as it is.
    async fn record_delivery_result(&self, id: DeliveryId, result: &DeliveryResult, at: Timestamp) -> Result<()>;
}

/// Where partners receive webhooks, and what these are signed with.
#[async_trait]
pub trait EndpointRecords: Send + Sync {
    /// Writes an endpoint and the secret it begins with, unless the partner has `most` already. Under an id that is taken it
    /// changes nothing and gives what stands there, so a creation may safely be asked for again.
    async fn add_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        secret: &WebhookSecret,
        most: u32,
        audit: &AuditEntry,
    ) -> Result<WriteOutcome<WebhookEndpoint>>;
    /// An endpoint, unless it was deleted.
    async fn endpoint(&self, scope: &TenantScope, id: EndpointId) -> Result<Option<WebhookEndpoint>>;
    /// Endpoints, newest first, at most `limit`; those that follow `after` if given.
    async fn endpoints(
        &self,
        scope: &TenantScope,
        after: Option<(Timestamp, EndpointId)>,
        limit: u32,
    ) -> Result<Vec<WebhookEndpoint>>;
    /// Changes an endpoint; answers with what it is then, `None` when there is none.
    async fn change_endpoint(
        &self,
        scope: &TenantScope,
        id: EndpointId,
        change: &EndpointChange,
        audit: &AuditEntry,
    ) -> Result<Option<WebhookEndpoint>>;
    /// Replaces the secret of an endpoint. The one before is used beside it until `until`, and any still older one no more.
    /// A secret that is there already changes nothing, so this too may be asked for again. Answers until when the one before
    /// is used; `None` when there is no such endpoint.
    async fn rotate_secret(
        &self,
        scope: &TenantScope,
        secret: &WebhookSecret,
        until: Timestamp,
        audit: &AuditEntry,
    ) -> Result<Option<Timestamp>>;
    /// Stops sending to an endpoint, for a reason that is a stable word. With `silent_since`, only if it has taken nothing
    /// since then and was not changed either. Says whether it was stopped by this.
    async fn disable_endpoint(
        &self,
        id: EndpointId,
        reason: &'static str,
        silent_since: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool>;
}
