//! Events that partners can read and replay.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::account_api::AccountApi;
use super::context::RequestContext;
use super::error::ApiError;
use super::schemas::delivery_states;
use super::views::{ApiTime, List, view};
use crate::core::events::EventKind;
use crate::core::ids::{EndpointId, EventId};
use crate::core::page::{PageCursor, PageRequest, Paged};
use crate::records::{Delivery, DeliveryState, EventFilter, PartnerEvent};

/// Which events to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventListQuery {
    /// Only events of this kind.
    #[param(value_type = Option<EventKind>)]
    kind: Option<String>,
    /// Only events about the link, intent or connect session with this id.
    #[param(value_type = Option<Uuid>)]
    subject: Option<String>,
}

impl EventListQuery {
    fn filter(&self) -> Result<EventFilter, ApiError> {
        let kind = self.kind.as_deref().map(|kind| {
            let known = EventKind::ALL.map(EventKind::as_str).join(", ");
            EventKind::parse(kind).ok_or_else(|| ApiError::field("?kind", "unknown", format!("say one of {known}")))
        });
        let subject = self.subject.as_deref().map(|subject| {
            let id = Uuid::parse_str(subject).ok().filter(|_| subject.len() == 36);
            let detail = "say the id of a link, intent or connect session";
            id.ok_or_else(|| ApiError::field("?subject", "invalid", detail))
        });
        Ok(EventFilter {
            kind: kind.transpose()?,
            subject: subject.transpose()?.map(Uuid::into_bytes),
        })
    }
}

view! {
    /// An event, with the content of its webhook.
    #[schema(as = Event)]
    pub struct EventView(event: PartnerEvent) {
        /// Its id: the `webhook-id` of its webhook.
        id: EventId = event.id,
        /// What happened.
        r#type: EventKind = event.kind,
        /// When it happened.
        timestamp: ApiTime = ApiTime(event.at),
        /// Ids and states, and `sequence`: its number among the events of its subject, from 1.
        #[schema(value_type = Object)]
        data: Value = serde_json::from_str(&event.data).unwrap_or_default(),
    }
}

/// An event with its deliveries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventWithDeliveries {
    /// The event.
    #[serde(flatten)]
    pub event: EventView,
    /// One for each endpoint.
    pub deliveries: Vec<DeliveryView>,
}

view! {
    /// The delivery of an event to one endpoint.
    #[schema(as = Delivery)]
    pub struct DeliveryView(delivery: Delivery) {
        /// The endpoint.
        endpoint_id: EndpointId = delivery.endpoint,
        /// `pending`: being sent or retried; `delivered`; `failed`: not retried any more.
        #[schema(schema_with = delivery_states)]
        state: &'static str = match delivery.state {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        },
        /// The number of attempts since it was created or replayed.
        tries: u32 = delivery.tries,
        /// The HTTP status of the last response; null: there was none.
        #[schema(required)]
        status: Option<u16> = delivery.status,
        /// A stable word for why the last attempt failed; null: it did not.
        #[schema(required)]
        reason: Option<String> = delivery.reason,
        /// When it is attempted next; null: it has ended.
        #[schema(required)]
        due_at: Option<ApiTime> = delivery.due_at.map(ApiTime),
        /// When it was last attempted, created or replayed.
        updated_at: ApiTime = ApiTime(delivery.updated_at),
    }
}

/// Where to replay an event.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Only to this endpoint, whatever kinds it subscribes to; by default, to all enabled endpoints for this kind.
    pub endpoint_id: Option<EndpointId>,
}

/// Where an event is replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Replayed {
    /// The event.
    pub event_id: EventId,
    /// The endpoints to which it is sent.
    pub endpoint_ids: Vec<EndpointId>,
}

impl AccountApi {
    pub(crate) async fn list_events(
        &self,
        context: &RequestContext,
        query: EventListQuery,
        page: PageRequest,
    ) -> Result<List<EventView>, ApiError> {
        let filter = query.filter()?;
        let after = page.after.map(|last| (last.at, EventId::from_bytes(last.id)));
        let rows = self.records.events(&context.scope, &filter, after, page.limit + 1);
        let paged = Paged::from_rows(rows.await?, &page, |event| PageCursor {
            at: event.at,
            id: *event.id.as_bytes(),
        });
        Ok(paged.map(EventView::new).into())
    }

    pub(crate) async fn get_event(
        &self,
        context: &RequestContext,
        id: EventId,
    ) -> Result<EventWithDeliveries, ApiError> {
        let event = self.records.event(&context.scope, id).await?;
        let event = EventView::new(event.ok_or(ApiError::NotFound)?);
        let deliveries = self.records.deliveries(&context.scope, id).await?;
        Ok(EventWithDeliveries {
            event,
            deliveries: deliveries.into_iter().map(DeliveryView::new).collect(),
        })
    }

    pub(crate) async fn replay_event(
        &self,
        context: &RequestContext,
        id: EventId,
        replay: Replay,
    ) -> Result<Replayed, ApiError> {
        if self.records.event(&context.scope, id).await?.is_none() {
            return Err(ApiError::NotFound);
        }
        let audit = context.audit_entry("event.replayed", id, self.now());
        let endpoints = self
            .records
            .replay(&context.scope, id, replay.endpoint_id, &audit)
            .await?;
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
