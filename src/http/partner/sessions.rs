//! Tries at linking: `/v1/connect-sessions`.

use actix_web::web;
use serde::Deserialize;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Query, parse_id, parse_page};
use super::links::parse_intent_filter;
use super::responses::{ApiResponse, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::{ConnectSessionId, IntentId};
use crate::service::partners::{List, RequiredAccess, SessionView};

const ALL: &str = "/v1/connect-sessions";
const ONE: &str = "/v1/connect-sessions/{id}";
const READ: AuthRequirement = AuthRequirement::Token(RequiredAccess::Permitted(Object::ConnectSession, Action::Read));

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, read))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Connect sessions";

const ROUTES: &[Route] = &[Route::new("GET", ALL, READ), Route::new("GET", ONE, READ)];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/connect-sessions", web::get().to(list))
        .route("/connect-sessions/{id}", web::get().to(read));
}

/// Which of them are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SessionQuery {
    /// Only those that answer this link intent.
    #[param(value_type = Option<IntentId>)]
    intent_id: Option<String>,
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Lists connect sessions
#[utoipa::path(get, path = ALL, operation_id = "listConnectSessions", tag = TAG,
    params(SessionQuery),
    responses(
        (status = 200, description = "A page of connect sessions, newest first.", body = List<SessionView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, Query(wanted): Query<SessionQuery>) -> ApiResponse {
    let page = parse_page(wanted.limit.as_deref(), wanted.cursor.as_deref())?;
    let of = parse_intent_filter(wanted.intent_id.as_deref())?;
    Ok(ok(&api.sessions.list_sessions(&asked, of, page).await?))
}

/// Reads a connect session
#[utoipa::path(get, path = ONE, operation_id = "readConnectSession", tag = TAG,
    params(("id" = ConnectSessionId, Path, description = "The connect session.")),
    responses(
        (status = 200, description = "The connect session.", body = SessionView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let session = parse_id(&path, ConnectSessionId::parse)?;
    Ok(ok(&api.sessions.get_session(&asked, session).await?))
}
