//! Webhook endpoints: `/v1/webhook-endpoints`.

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, OptionalJson, PageQuery, PathId};
use super::responses::{ApiResponse, created, no_content, ok};
use super::route::{AuthRequirement, RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::EndpointId;
use crate::service::partners::views::List;
use crate::service::partners::webhook_endpoints::{
    EndpointEdit, EndpointView, EndpointWithSecret, NewEndpoint, RotatedSecret, SecretRotation,
};

const fn may(action: Action) -> AuthRequirement {
    permitted(Object::WebhookEndpoint, action)
}

pub(super) fn routes() -> RouteGroup {
    routes!("Webhook endpoints":
        list_webhook_endpoints => may(Action::Read),
        create_webhook_endpoint => may(Action::Create),
        read_webhook_endpoint => may(Action::Read),
        change_webhook_endpoint => may(Action::Update),
        delete_webhook_endpoint => may(Action::Delete),
        rotate_webhook_secret => may(Action::Update),
    )
}

/// List webhook endpoints
#[utoipa::path(get, path = "/v1/webhook-endpoints", params(ListQuery),
    responses((status = 200, description = "A page of endpoints, newest first.", body = List<EndpointView>)))]
async fn list_webhook_endpoints(api: Api, Auth(context): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    ok(api.webhook_endpoints.list_endpoints(&context, page).await?)
}

/// Create a webhook endpoint
///
/// It receives the events of the entity in `Kiungo-Entity-Id`; without that header, all events. The secret is shown only in
/// this response.
#[utoipa::path(post, path = "/v1/webhook-endpoints", request_body = NewEndpoint,
    responses(
        (status = 201, description = "The endpoint with its secret.", body = EndpointWithSecret),
        (status = 409, description = "The maximum number of endpoints exists."),
    ))]
async fn create_webhook_endpoint(api: Api, Auth(context): Auth, Json(new): Json<NewEndpoint>) -> ApiResponse {
    created(api.webhook_endpoints.create_endpoint(&context, new).await?)
}

/// Get a webhook endpoint
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}",
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = EndpointView)))]
async fn read_webhook_endpoint(api: Api, Auth(context): Auth, PathId(id): PathId<EndpointId>) -> ApiResponse {
    ok(api.webhook_endpoints.get_endpoint(&context, id).await?)
}

/// Update a webhook endpoint
///
/// A disabled endpoint is enabled again by its `state`, no matter who disabled it.
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}",
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    request_body = EndpointEdit,
    responses((status = 200, description = "The updated endpoint.", body = EndpointView)))]
async fn change_webhook_endpoint(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<EndpointId>,
    Json(edit): Json<EndpointEdit>,
) -> ApiResponse {
    ok(api.webhook_endpoints.update_endpoint(&context, id, edit).await?)
}

/// Delete a webhook endpoint
///
/// Nothing more is sent to it.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}",
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    responses((status = 204, description = "The endpoint is deleted.")))]
async fn delete_webhook_endpoint(api: Api, Auth(context): Auth, PathId(id): PathId<EndpointId>) -> ApiResponse {
    api.webhook_endpoints.delete_endpoint(&context, id).await?;
    no_content()
}

/// Rotate a webhook secret
///
/// Webhooks are signed with both the old and the new secret until `previous_secret_until`.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/rotate-secret",
    params(("id" = EndpointId, Path, description = "The endpoint.")),
    request_body = Option<SecretRotation>,
    responses((status = 200, description = "The new secret, shown only here.", body = RotatedSecret)))]
async fn rotate_webhook_secret(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<EndpointId>,
    OptionalJson(rotation): OptionalJson<SecretRotation>,
) -> ApiResponse {
    ok(api.webhook_endpoints.rotate_secret(&context, id, rotation).await?)
}
