//! Where webhooks go: `/v1/webhook-endpoints`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, ListQuery, OptionalJson, PageQuery, parse_id};
use super::responses::{ApiResponse, created, no_content, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::EndpointId;
use crate::service::partners::{
    EndpointEdit, EndpointView, EndpointWithSecret, List, NewEndpoint, RequiredAccess, RotatedSecret, SecretRotation,
};

const ALL: &str = "/v1/webhook-endpoints";
const ONE: &str = "/v1/webhook-endpoints/{id}";
const SECRET: &str = "/v1/webhook-endpoints/{id}/rotate-secret";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, create, read, change, end, rotate))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Webhook endpoints";

const fn may(action: Action) -> AuthRequirement {
    AuthRequirement::Token(RequiredAccess::Permitted(Object::WebhookEndpoint, action))
}

const ROUTES: &[Route] = &[
    Route::new("GET", ALL, may(Action::Read)),
    Route::new("POST", ALL, may(Action::Create)),
    Route::new("GET", ONE, may(Action::Read)),
    Route::new("PATCH", ONE, may(Action::Update)),
    Route::new("DELETE", ONE, may(Action::Delete)),
    Route::new("POST", SECRET, may(Action::Update)),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/webhook-endpoints", web::get().to(list))
        .route("/webhook-endpoints", web::post().to(create))
        .route("/webhook-endpoints/{id}", web::get().to(read))
        .route("/webhook-endpoints/{id}", web::patch().to(change))
        .route("/webhook-endpoints/{id}", web::delete().to(end))
        .route("/webhook-endpoints/{id}/rotate-secret", web::post().to(rotate));
}

/// Lists webhook endpoints
#[utoipa::path(get, path = ALL, operation_id = "listWebhookEndpoints", tag = TAG,
    params(ListQuery),
    responses(
        (status = 200, description = "A page of endpoints, newest first.", body = List<EndpointView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    Ok(ok(&api.endpoints.list_endpoints(&asked, page).await?))
}

/// Makes a webhook endpoint
///
/// It is told what happens in the entity in `Kiungo-Entity-Id`; without one, all that happens. Its secret is shown this once.
#[utoipa::path(post, path = ALL, operation_id = "createWebhookEndpoint", tag = TAG,
    request_body = NewEndpoint,
    responses(
        (status = 201, description = "The endpoint, with its secret.", body = EndpointWithSecret),
        (status = 409, description = "There are as many as there may be."),
    ))]
async fn create(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(new): Json<NewEndpoint>) -> ApiResponse {
    Ok(created(&api.endpoints.create_endpoint(&asked, new).await?))
}

/// Reads a webhook endpoint
#[utoipa::path(get, path = ONE, operation_id = "readWebhookEndpoint", tag = TAG,
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    responses(
        (status = 200, description = "The endpoint.", body = EndpointView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let endpoint = parse_id(&path, EndpointId::parse)?;
    Ok(ok(&api.endpoints.get_endpoint(&asked, endpoint).await?))
}

/// Changes a webhook endpoint
///
/// One that was disabled, by whomever, is enabled again by its `state`.
#[utoipa::path(patch, path = ONE, operation_id = "changeWebhookEndpoint", tag = TAG,
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    request_body = EndpointEdit,
    responses(
        (status = 200, description = "The endpoint as it is now.", body = EndpointView),
    ))]
async fn change(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    Json(edit): Json<EndpointEdit>,
) -> ApiResponse {
    let endpoint = parse_id(&path, EndpointId::parse)?;
    Ok(ok(&api.endpoints.update_endpoint(&asked, endpoint, edit).await?))
}

/// Deletes a webhook endpoint
///
/// It is sent nothing more.
#[utoipa::path(delete, path = ONE, operation_id = "deleteWebhookEndpoint", tag = TAG,
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    responses(
        (status = 204, description = "It is gone."),
    ))]
async fn end(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let endpoint = parse_id(&path, EndpointId::parse)?;
    api.endpoints.delete_endpoint(&asked, endpoint).await?;
    Ok(no_content())
}

/// Replaces an endpoint's secret
///
/// The secret before goes on being used beside the new one until the moment that the answer tells.
#[utoipa::path(post, path = SECRET, operation_id = "rotateWebhookSecret", tag = TAG,
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    request_body = Option<SecretRotation>,
    responses(
        (status = 200, description = "The new secret, shown this once.", body = RotatedSecret),
    ))]
async fn rotate(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    OptionalJson(rotation): OptionalJson<SecretRotation>,
) -> ApiResponse {
    let endpoint = parse_id(&path, EndpointId::parse)?;
    Ok(ok(&api.endpoints.rotate_secret(&asked, endpoint, rotation).await?))
}
