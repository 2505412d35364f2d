//! Requests that somebody links: `/v1/link-intents`, and what anybody may see of one.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::Deserialize;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, Query, parse_id, parse_page};
use super::middleware::PublishableKeyOwner;
use super::problem::Problem;
use super::responses::{ApiResponse, created, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::IntentId;
use crate::service::partners::schemas::intent_states;
use crate::service::partners::{ApiError, IntentListQuery, IntentView, List, NewIntent, PublicIntent, RequiredAccess};

const ALL: &str = "/v1/link-intents";
const ONE: &str = "/v1/link-intents/{id}";
const CANCEL: &str = "/v1/link-intents/{id}/cancel";
const PUBLIC: &str = "/v1/public/link-intents/{id}";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, create, read, cancel, public))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Link intents";

const fn may(action: Action) -> AuthRequirement {
    AuthRequirement::Token(RequiredAccess::Permitted(Object::LinkIntent, action))
}

const ROUTES: &[Route] = &[
    Route::new("GET", ALL, may(Action::Read)),
    Route::new("POST", ALL, may(Action::Create)),
    Route::new("GET", ONE, may(Action::Read)),
    Route::new("POST", CANCEL, may(Action::Update)),
    Route::new("GET", PUBLIC, AuthRequirement::PublishableKey),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/link-intents", web::get().to(list))
        .route("/link-intents", web::post().to(create))
        .route("/link-intents/{id}", web::get().to(read))
        .route("/link-intents/{id}/cancel", web::post().to(cancel))
        .route("/public/link-intents/{id}", web::get().to(public));
}

/// Which of them are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct IntentQuery {
    /// Only those that stand so.
    #[param(schema_with = intent_states)]
    state: Option<String>,
    /// Only those that you call so.
    reference: Option<String>,
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Lists link intents
#[utoipa::path(get, path = ALL, operation_id = "listLinkIntents", tag = TAG,
    params(IntentQuery),
    responses(
        (status = 200, description = "A page of link intents, newest first.", body = List<IntentView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, Query(wanted): Query<IntentQuery>) -> ApiResponse {
    let page = parse_page(wanted.limit.as_deref(), wanted.cursor.as_deref())?;
    let which = IntentListQuery {
        state: wanted.state,
        reference: wanted.reference,
    };
    Ok(ok(&api.intents.list_intents(&asked, which, page).await?))
}

/// Asks for a link
///
/// Tell the person what to dial: `dial`. Of a request for one number nobody else can dial anything.
#[utoipa::path(post, path = ALL, operation_id = "createLinkIntent", tag = TAG,
    request_body = NewIntent,
    responses(
        (status = 201, description = "The link intent.", body = IntentView),
    ))]
async fn create(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(new): Json<NewIntent>) -> ApiResponse {
    Ok(created(&api.intents.create_intent(&asked, new).await?))
}

/// Reads a link intent
#[utoipa::path(get, path = ONE, operation_id = "readLinkIntent", tag = TAG,
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses(
        (status = 200, description = "The link intent.", body = IntentView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let intent = parse_id(&path, IntentId::parse)?;
    Ok(ok(&api.intents.get_intent(&asked, intent).await?))
}

/// Cancels a link intent
///
/// Nobody can begin it any more. Of somebody who is at it nothing more is sent to their bank, and what the bank grants all the
/// same is given back.
#[utoipa::path(post, path = CANCEL, operation_id = "cancelLinkIntent", tag = TAG,
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses(
        (status = 200, description = "The link intent as it is now.", body = IntentView),
        (status = 409, description = "It is over already."),
    ))]
async fn cancel(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let intent = parse_id(&path, IntentId::parse)?;
    Ok(ok(&api.intents.cancel_intent(&asked, intent).await?))
}

/// Tells where a link intent stands
///
/// For an app or a page, which knows its id and your publishable key.
#[utoipa::path(get, path = PUBLIC, operation_id = "readPublicLinkIntent", tag = TAG,
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses(
        (status = 200, description = "Where it stands.", body = PublicIntent),
    ))]
async fn public(api: web::Data<PartnerApi>, published: PublishableKeyOwner, path: web::Path<String>) -> ApiResponse {
    let intent = parse_id(&path, IntentId::parse)?;
    Ok(ok(&api.intents.get_public_intent(published.0, intent).await?))
}

impl FromRequest for PublishableKeyOwner {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let published = request.extensions().get::<Self>().copied();
        ready(published.ok_or_else(|| ApiError::Unauthenticated.into()))
    }
}
