//! What webhooks tell: `/v1/events`.

use actix_web::{HttpRequest, web};
use serde::Deserialize;
use utoipa::OpenApi;
use uuid::Uuid;

use super::PartnerApi;
use super::extractors::{Auth, OptionalJson, parse_id, parse_page};
use super::problem::Problem;
use super::responses::{ApiResponse, accepted, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::events::EventKind;
use crate::core::ids::EventId;
use crate::service::partners::{
    ApiError, EventListQuery, EventView, EventWithDeliveries, List, Replay, Replayed, RequiredAccess,
};

const ALL: &str = "/v1/events";
const ONE: &str = "/v1/events/{id}";
const AGAIN: &str = "/v1/events/{id}/replay";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, read, replay))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Events";

const fn may(action: Action) -> AuthRequirement {
    AuthRequirement::Token(RequiredAccess::Permitted(Object::Event, action))
}

const ROUTES: &[Route] = &[
    Route::new("GET", ALL, may(Action::Read)),
    Route::new("GET", ONE, may(Action::Read)),
    Route::new("POST", AGAIN, may(Action::Update)),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/events", web::get().to(list))
        .route("/events/{id}", web::get().to(read))
        .route("/events/{id}/replay", web::post().to(replay));
}

/// Lists events
///
/// What your webhook endpoints were told, or would have been.
#[utoipa::path(get, path = ALL, operation_id = "listEvents", tag = TAG,
    params(EventQuery),
    responses(
        (status = 200, description = "A page of events, newest first.", body = List<EventView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, request: HttpRequest) -> ApiResponse {
    let wanted = parse_event_query(request.query_string())?;
    Ok(ok(&api.events.list_events(&asked, wanted).await?))
}

/// Reads an event
#[utoipa::path(get, path = ONE, operation_id = "readEvent", tag = TAG,
    params(("id" = EventId, Path, description = "The event: `webhook-id` of its webhook.")),
    responses(
        (status = 200, description = "The event, with how far it has come.", body = EventWithDeliveries),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let event = parse_id(&path, EventId::parse)?;
    Ok(ok(&api.events.get_event(&asked, event).await?))
}

/// Sends an event once more
///
/// At once, with the id it had. What is still on its way is sent now.
#[utoipa::path(post, path = AGAIN, operation_id = "replayEvent", tag = TAG,
    params(("id" = EventId, Path, description = "The event.")),
    request_body = Option<Replay>,
    responses(
        (status = 202, description = "The endpoints that it is sent to.", body = Replayed),
        (status = 409, description = "There is no endpoint to send it to."),
    ))]
async fn replay(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    OptionalJson(to): OptionalJson<Replay>,
) -> ApiResponse {
    let event = parse_id(&path, EventId::parse)?;
    Ok(accepted(&api.events.replay_event(&asked, event, to).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// Only events of this kind.
    #[param(value_type = Option<EventKind>)]
    kind: Option<String>,
    /// Only events about the link, intent or connect session with this id.
    #[param(value_type = Option<Uuid>)]
    subject: Option<String>,
}

/// Which events a query asks for.
fn parse_event_query(query: &str) -> Result<EventListQuery, Problem> {
    let query = web::Query::<EventQuery>::from_query(query);
    let detail = "say kind, subject, limit and cursor, each once, or none of them";
    let query = query.map_err(|_| ApiError::field("?", "unknown", detail))?;
    let kind = query.kind.as_deref().map(|kind| {
        let known = EventKind::ALL.map(EventKind::as_str).join(", ");
        EventKind::parse(kind).ok_or_else(|| ApiError::field("?kind", "unknown", format!("say one of {known}")))
    });
    let subject = query.subject.as_deref().map(|subject| {
        let id = Uuid::parse_str(subject).ok().filter(|_| subject.len() == 36);
        let detail = "say the id of a link, intent or connect session";
        id.ok_or_else(|| ApiError::field("?subject", "invalid", detail))
    });
    Ok(EventListQuery {
        kind: kind.transpose()?,
        subject: subject.transpose()?.map(Uuid::into_bytes),
        page: parse_page(query.limit.as_deref(), query.cursor.as_deref())?,
    })
}
