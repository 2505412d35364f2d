//! What was linked: `/v1/links`.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Query, parse_id, parse_page};
use super::responses::{ApiResponse, created, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::{IntentId, LinkId};
use crate::service::partners::schemas::link_states;
use crate::service::partners::{ApiError, EndedLinkView, IntentView, LinkListQuery, LinkView, List, RequiredAccess};

const ALL: &str = "/v1/links";
const ONE: &str = "/v1/links/{id}";
const RENEW: &str = "/v1/links/{id}/reauthorise";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, read, end, renew))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Links";

const fn may(action: Action) -> AuthRequirement {
    AuthRequirement::Token(RequiredAccess::Permitted(Object::Link, action))
}

const ROUTES: &[Route] = &[
    Route::new("GET", ALL, may(Action::Read)),
    Route::new("GET", ONE, may(Action::Read)),
    Route::new("DELETE", ONE, may(Action::Delete)),
    Route::new("POST", RENEW, may(Action::Update)),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/links", web::get().to(list))
        .route("/links/{id}", web::get().to(read))
        .route("/links/{id}", web::delete().to(end))
        .route("/links/{id}/reauthorise", web::post().to(renew));
}

/// Which of them are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LinkQuery {
    /// Only those that stand so.
    #[param(schema_with = link_states)]
    state: Option<String>,
    /// Only those that grew out of this link intent.
    #[param(value_type = Option<IntentId>)]
    intent_id: Option<String>,
    /// Only those whose link intent you call so.
    reference: Option<String>,
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Lists links
#[utoipa::path(get, path = ALL, operation_id = "listLinks", tag = TAG,
    params(LinkQuery),
    responses(
        (status = 200, description = "A page of links, newest first.", body = List<LinkView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, Query(wanted): Query<LinkQuery>) -> ApiResponse {
    let page = parse_page(wanted.limit.as_deref(), wanted.cursor.as_deref())?;
    let which = LinkListQuery {
        state: wanted.state,
        intent: parse_intent_filter(wanted.intent_id.as_deref())?,
        reference: wanted.reference,
    };
    Ok(ok(&api.links.list_links(&asked, which, page).await?))
}

/// Reads a link
#[utoipa::path(get, path = ONE, operation_id = "readLink", tag = TAG,
    params(("id" = LinkId, Path, description = "The link.")),
    responses(
        (status = 200, description = "The link.", body = LinkView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let link = parse_id(&path, LinkId::parse)?;
    Ok(ok(&api.links.get_link(&asked, link).await?))
}

/// Unlinks
///
/// The link is out of use at once, and its provider is told until it has taken it. Asked again, nothing more is done.
#[utoipa::path(delete, path = ONE, operation_id = "deleteLink", tag = TAG,
    params(("id" = LinkId, Path, description = "The link.")),
    responses(
        (status = 202, description = "It is out of use.", body = EndedLinkView),
    ))]
async fn end(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let link = parse_id(&path, LinkId::parse)?;
    let ended = api.links.delete_link(&asked, link).await?;
    Ok(HttpResponse::Accepted().json(ended))
}

/// Asks for a link to be logged in to again
///
/// On the terms on which it was linked, within 7 days. The link intent is for the link's own person, who dials the plain
/// code, and is completed when the link is in use again.
#[utoipa::path(post, path = RENEW, operation_id = "reauthoriseLink", tag = TAG,
    params(("id" = LinkId, Path, description = "The link.")),
    responses(
        (status = 201, description = "The link intent.", body = IntentView),
        (status = 409, description = "The link is out of use."),
    ))]
async fn renew(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let link = parse_id(&path, LinkId::parse)?;
    Ok(created(&api.links.reauthorise_link(&asked, link).await?))
}

/// The request that is named in the query, if one is.
pub(super) fn parse_intent_filter(named: Option<&str>) -> Result<Option<IntentId>, ApiError> {
    let parsed = named.map(IntentId::parse).transpose();
    parsed.map_err(|_| ApiError::field("?intent_id", "invalid", "say one request's id"))
}
