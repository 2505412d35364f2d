//! What partners are told, to be read and told again.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::schemas::delivery_states;
use super::{AccountApi, ApiError, ApiTime, List, RequestContext};
use crate::core::events::EventKind;
use crate::core::ids::{EndpointId, EventId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::records::{Delivery, DeliveryState, EventFilter, PartnerEvent};

/// Which events are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventListQuery {
    /// Only of this kind.
    pub kind: Option<EventKind>,
    /// Only about the link, intent or connect session with this id.
    pub subject: Option<[u8; 16]>,
    /// Which of them.
    pub page: PageRequest,
}

/// An event: its id, and what its webhook says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventView {
    /// Its id: `webhook-id` of its webhook.
    pub id: EventId,
    /// What happened.
    pub r#type: EventKind,
    /// When it happened.
    pub timestamp: ApiTime,
    /// Ids and states, and `sequence`: which event about its subject it is, from 1.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<PartnerEvent> for EventView {
    fn from(event: PartnerEvent) -> Self {
        Self {
            id: event.id,
            r#type: event.kind,
            timestamp: ApiTime(event.at),
            // It was written as JSON, by us.
            data: serde_json::from_str(&event.data).unwrap_or_default(),
        }
    }
}

/// An event, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventWithDeliveries {
    /// The event.
    #[serde(flatten)]
    pub event: EventView,
    /// One for each endpoint that it is for.
    pub deliveries: Vec<DeliveryView>,
}

/// How far an event has come on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// Which endpoint.
    pub endpoint_id: EndpointId,
    /// `pending`: it is sent, or sent again; `delivered`; `failed`: it is not sent again by itself.
    #[schema(schema_with = delivery_states)]
    pub state: &'static str,
    /// How often it was sent, since it was last asked for.
    pub tries: u32,
    /// The HTTP status of the last answer; null: there was none.
    #[schema(required)]
    pub status: Option<u16>,
    /// A stable word: why the last try failed; null: it did not.
    #[schema(required)]
    pub reason: Option<String>,
    /// When it is sent next; null: it has ended.
    #[schema(required)]
    pub due_at: Option<ApiTime>,
    /// When it was last tried, or asked for.
    pub updated_at: ApiTime,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            endpoint_id: delivery.endpoint,
            state: match delivery.state {
                DeliveryState::Pending => "pending",
                DeliveryState::Delivered => "delivered",
                DeliveryState::Failed => "failed",
            },
            tries: delivery.tries,
            status: delivery.status,
            reason: delivery.reason,
            due_at: delivery.due_at.map(ApiTime),
            updated_at: ApiTime(delivery.updated_at),
        }
    }
}

/// Who is to be told again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Only this endpoint, whatever kinds it wants; left out: all that are enabled and want events of this kind.
    pub endpoint_id: Option<EndpointId>,
}

/// Who is told again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Replayed {
    /// The event.
    pub event_id: EventId,
    /// The endpoints it is sent to once more.
    pub endpoint_ids: Vec<EndpointId>,
}

/// What partners are told.
#[async_trait]
pub trait Events: Send + Sync {
    /// A page of events, newest first.
    async fn list_events(&self, asked: &RequestContext, wanted: EventListQuery) -> Result<List<EventView>, ApiError>;
    /// One of them, with how far it has come.
    async fn get_event(&self, asked: &RequestContext, id: EventId) -> Result<EventWithDeliveries, ApiError>;
    /// Has one sent once more.
    async fn replay_event(&self, asked: &RequestContext, id: EventId, replay: Replay) -> Result<Replayed, ApiError>;
}

#[async_trait]
impl Events for AccountApi {
    async fn list_events(&self, asked: &RequestContext, wanted: EventListQuery) -> Result<List<EventView>, ApiError> {
        let EventListQuery { kind, subject, page } = wanted;
        let after = page.after.map(|last| (last.at, EventId::from_bytes(last.id)));
        let filter = EventFilter { kind, subject };
        let rows = self.records.events(&asked.reach, &filter, after, page.limit + 1);
        let paged = Paged::from_rows(rows.await?, &page, |event| PageCursor {
            at: event.at,
            id: *event.id.as_bytes(),
        });
        Ok(paged.map(EventView::from).into())
    }

    async fn get_event(&self, asked: &RequestContext, id: EventId) -> Result<EventWithDeliveries, ApiError> {
        let event = self.records.event(&asked.reach, id).await?;
        let event = event.ok_or(ApiError::NotFound)?.into();
        let deliveries = self.records.deliveries(&asked.reach, id).await?;
        Ok(EventWithDeliveries {
            event,
            deliveries: deliveries.into_iter().map(DeliveryView::from).collect(),
        })
    }

    async fn replay_event(&self, asked: &RequestContext, id: EventId, replay: Replay) -> Result<Replayed, ApiError> {
        if self.records.event(&asked.reach, id).await?.is_none() {
            return Err(ApiError::NotFound);
        }
        let deed = asked.audit_entry("event.replayed", id, self.now());
        let endpoints = self.records.replay(&asked.reach, id, replay.endpoint_id, &deed).await?;
        if endpoints.is_empty() {
            return Err(ApiError::Conflict(match replay.endpoint_id {
                Some(_) => "this endpoint is not enabled, or not for what happens in the event's entity",
                None => "no endpoint that is enabled wants this event",
            }));
        }
        Ok(Replayed {
            event_id: id,
            endpoint_ids: endpoints,
        })
    }
}
