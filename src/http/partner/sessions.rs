//! Connect sessions: `/v1/connect-sessions`.

use super::api::Api;
use super::extractors::{Auth, ListQuery, PathId, Query};
use super::responses::{ApiResponse, ok};
use super::route::{RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::ConnectSessionId;
use crate::service::partners::sessions::{SessionListQuery, SessionView};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Connect sessions":
        list_connect_sessions => permitted(Object::ConnectSession, Action::Read),
        read_connect_session => permitted(Object::ConnectSession, Action::Read),
    )
}

/// List connect sessions
#[utoipa::path(get, path = "/v1/connect-sessions", params(SessionListQuery, ListQuery),
    responses((status = 200, description = "A page of connect sessions, newest first.", body = List<SessionView>)))]
async fn list_connect_sessions(
    api: Api,
    Auth(context): Auth,
    Query(filter, page): Query<SessionListQuery>,
) -> ApiResponse {
    ok(api.linking.list_sessions(&context, filter, page).await?)
}

/// Get a connect session
#[utoipa::path(get, path = "/v1/connect-sessions/{id}",
    params(("id" = ConnectSessionId, Path, description = "The connect session.")),
    responses((status = 200, description = "The connect session.", body = SessionView)))]
async fn read_connect_session(api: Api, Auth(context): Auth, PathId(id): PathId<ConnectSessionId>) -> ApiResponse {
    ok(api.linking.get_session(&context, id).await?)
}
