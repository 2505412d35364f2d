//! Events, as webhooks report them: `/v1/events`.

use super::api::Api;
use super::extractors::{Auth, ListQuery, OptionalJson, PathId, Query};
use super::responses::{ApiResponse, accepted, ok};
use super::route::{RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::EventId;
use crate::service::partners::events::{EventListQuery, EventView, EventWithDeliveries, Replay, Replayed};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Events":
        list_events => permitted(Object::Event, Action::Read),
        read_event => permitted(Object::Event, Action::Read),
        replay_event => permitted(Object::Event, Action::Update),
    )
}

/// List events
///
/// What your webhook endpoints were sent, or would have been.
#[utoipa::path(get, path = "/v1/events", params(ListQuery, EventListQuery),
    responses((status = 200, description = "A page of events, newest first.", body = List<EventView>)))]
async fn list_events(api: Api, Auth(context): Auth, Query(filter, page): Query<EventListQuery>) -> ApiResponse {
    ok(api.accounts.list_events(&context, filter, page).await?)
}

/// Get an event
#[utoipa::path(get, path = "/v1/events/{id}",
    params(("id" = EventId, Path, description = "The event: the `webhook-id` of its webhook.")),
    responses((status = 200, description = "The event with its deliveries.", body = EventWithDeliveries)))]
async fn read_event(api: Api, Auth(context): Auth, PathId(id): PathId<EventId>) -> ApiResponse {
    ok(api.accounts.get_event(&context, id).await?)
}

/// Replay an event
///
/// It is sent at once, with the same id. A delivery that is still pending is sent now.
#[utoipa::path(post, path = "/v1/events/{id}/replay", params(("id" = EventId, Path, description = "The event.")),
    request_body = Option<Replay>,
    responses(
        (status = 202, description = "The endpoints to which it is sent.", body = Replayed),
        (status = 409, description = "There is no endpoint to which it can be sent."),
    ))]
async fn replay_event(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<EventId>,
    OptionalJson(replay): OptionalJson<Replay>,
) -> ApiResponse {
    accepted(api.accounts.replay_event(&context, id, replay).await?)
}
