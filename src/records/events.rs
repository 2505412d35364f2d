//! What partners are told: events, the endpoints they go to, and how far each has come.

use async_trait::async_trait;

use super::{AuditEntry, Result, WriteOutcome};
use crate::core::access::TenantScope;
use crate::core::events::EventKind;
use crate::core::ids::{DeliveryId, EndpointId, EntityId, EventId, PartnerId, UserId, WebhookSecretId};
use crate::core::time::Timestamp;

/// Something that happened, as the partner is told it. Written in the transaction of the fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerEvent {
    /// Its id; the webhook's id, on every try.
    pub id: EventId,
    /// Whom it is told.
    pub partner: PartnerId,
    /// In which entity it happened.
    pub entity: Option<EntityId>,
    /// The user whose intent it grew out of.
    pub created_by: Option<UserId>,
    /// What happened.
    pub kind: EventKind,
    /// The id of the link, intent or connect session it is about.
    pub subject: [u8; 16],
    /// Which event about that subject, from 1.
    pub sequence: u64,
    /// JSON: ids and states, nothing personal.
    pub data: String,
    /// When it happened.
    pub at: Timestamp,
}

/// Which events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only of this kind.
    pub kind: Option<EventKind>,
    /// Only about this link, intent or connect session.
    pub subject: Option<[u8; 16]>,
}

/// From this moment to that one, the second not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// Where a partner receives webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose.
    pub partner: PartnerId,
    /// Only what happens in this entity; without one, all of the partner's.
    pub entity: Option<EntityId>,
    /// The URL, checked when it was given.
    pub url: String,
    /// Which kinds of events; none: all.
    pub kinds: Vec<EventKind>,
    /// Whether anything is sent.
    pub state: EndpointState,
    /// A stable word: why it was disabled.
    pub reason: Option<String>,
    /// The user who made it, if a user did.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether an endpoint is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It is.
    Enabled,
    /// It is not; it may be enabled again.
    Disabled,
    /// It never will be, and is shown no more.
    Deleted,
}

/// What is to be changed of an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Another URL.
    pub url: Option<String>,
    /// Other kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// Another state, with the stable word that says why.
    pub state: Option<(EndpointState, Option<&'static str>)>,
}

/// What webhooks of an endpoint are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Its id; part of the place its sealed form is bound to.
    pub id: WebhookSecretId,
    /// Of which endpoint.
    pub endpoint: EndpointId,
    /// Whose.
    pub partner: PartnerId,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was drawn.
    pub created_at: Timestamp,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What.
    pub event: EventId,
    /// Where.
    pub endpoint: EndpointId,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was sent, since it was last asked for.
    pub tries: u32,
    /// The HTTP status of the last answer, if there was one.
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

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent, or sent again.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was sent as often as it ever will be by itself.
    Failed,
}

/// All that is needed to send a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// What is sent.
    pub event: PartnerEvent,
    /// Where to.
    pub endpoint: WebhookEndpoint,
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

/// Events, endpoints and deliveries. Whatever takes a [`Reach`] neither sees nor touches what lies outside of it.
#[async_trait]
pub trait EventRecords: Send + Sync {
    /// An event.
    async fn event(&self, reach: &TenantScope, id: EventId) -> Result<Option<PartnerEvent>>;
    /// Events, newest first, at most `limit`; those that follow `after` if given: the moment and id of the last one of the
    /// page before.
    async fn events(
        &self,
        reach: &TenantScope,
        filter: &EventFilter,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>>;
    /// Events of a span, oldest first, at most `limit`; those that follow `after` if given.
    async fn events_within(
        &self,
        reach: &TenantScope,
        span: TimeRange,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<PartnerEvent>>;
    /// How far an event has come, oldest first.
    async fn deliveries(&self, reach: &TenantScope, event: EventId) -> Result<Vec<Delivery>>;
    /// Has an event sent once more, at once, from the first try on: to this endpoint, or to all that are enabled and want
    /// it. What is still on its way is sent now instead of later. Answers with the endpoints; an endpoint that is not
    /// enabled, or is another entity's, is none of them. What is sent to nobody is no deed.
    async fn replay(
        &self,
        reach: &TenantScope,
        event: EventId,
        to: Option<EndpointId>,
        deed: &AuditEntry,
    ) -> Result<Vec<EndpointId>>;

    /// Writes an endpoint and the secret it begins with, unless the partner has `most` already. Under an id that is taken it
    /// changes nothing and gives what stands there, so a creation may safely be asked for again.
    async fn add_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        secret: &WebhookSecret,
        most: u32,
        deed: &AuditEntry,
    ) -> Result<WriteOutcome<WebhookEndpoint>>;
    /// An endpoint, unless it was deleted.
    async fn endpoint(&self, reach: &TenantScope, id: EndpointId) -> Result<Option<WebhookEndpoint>>;
    /// Endpoints, newest first, at most `limit`; those that follow `after` if given.
    async fn endpoints(
        &self,
        reach: &TenantScope,
        after: Option<(Timestamp, EndpointId)>,
        limit: u32,
    ) -> Result<Vec<WebhookEndpoint>>;
    /// Changes an endpoint; answers with what it is then, `None` when there is none.
    async fn change_endpoint(
        &self,
        reach: &TenantScope,
        id: EndpointId,
        change: &EndpointChange,
        deed: &AuditEntry,
    ) -> Result<Option<WebhookEndpoint>>;
    /// Replaces the secret of an endpoint. The one before is used beside it until `until`, and any still older one no more.
    /// A secret that is there already changes nothing, so this too may be asked for again. Answers until when the one before
    /// is used; `None` when there is no such endpoint.
    async fn rotate_secret(
        &self,
        reach: &TenantScope,
        secret: &WebhookSecret,
        until: Timestamp,
        deed: &AuditEntry,
    ) -> Result<Option<Timestamp>>;

    /// Writes one delivery for each enabled endpoint that wants the event, and the job of each. Doing it again adds nothing.
    /// Says how many there are by now.
    async fn publish(&self, event: EventId, at: Timestamp) -> Result<u64>;
    /// All that is needed to send a delivery now.
    async fn outgoing_delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<OutgoingDelivery>>;
    /// Writes down what became of a try. What has ended meanwhile stays as it is.
    async fn record_delivery_result(&self, id: DeliveryId, tried: &DeliveryResult, at: Timestamp) -> Result<()>;
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
