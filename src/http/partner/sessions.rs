//! Tries at linking: `/v1/connect-sessions`.

use actix_web::web;
use serde::Deserialize;
use utoipa::OpenApi;

use super::PartnerApi;
use super::ask::{By, Chosen, id, page_of};
use super::links::intent;
use super::reply::{Answer, ok};
use super::table::{Area, Entry, Route};
use crate::core::access::{Action, Object};
use crate::core::ids::{ConnectSessionId, IntentId};
use crate::service::partners::{List, Need, SessionView};

const ALL: &str = "/v1/connect-sessions";
const ONE: &str = "/v1/connect-sessions/{id}";
const READ: Entry = Entry::Token(Need::May(Object::ConnectSession, Action::Read));

pub(super) const AREA: Area = Area {
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
struct Wanted {
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
    params(Wanted),
    responses(
        (status = 200, description = "A page of connect sessions, newest first.", body = List<SessionView>),
    ))]
async fn list(api: web::Data<PartnerApi>, By(asked): By, Chosen(wanted): Chosen<Wanted>) -> Answer {
    let page = page_of(wanted.limit.as_deref(), wanted.cursor.as_deref())?;
    let of = intent(wanted.intent_id.as_deref())?;
    Ok(ok(&api.sessions.sessions(&asked, of, page).await?))
}

/// Reads a connect session
#[utoipa::path(get, path = ONE, operation_id = "readConnectSession", tag = TAG,
    params(("id" = ConnectSessionId, Path, description = "The connect session.")),
    responses(
        (status = 200, description = "The connect session.", body = SessionView),
    ))]
async fn read(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let session = id(&path, ConnectSessionId::parse)?;
    Ok(ok(&api.sessions.session(&asked, session).await?))
}
