//! Link intents: `/v1/link-intents`, and the public state of one.

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, PathId, PublishableKeyOwner, Query};
use super::responses::{ApiResponse, created, ok};
use super::route::{AuthRequirement, RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::IntentId;
use crate::service::partners::intents::create::NewIntent;
use crate::service::partners::intents::{IntentListQuery, IntentView, PublicIntent};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Link intents":
        list_link_intents => permitted(Object::LinkIntent, Action::Read),
        create_link_intent => permitted(Object::LinkIntent, Action::Create),
        read_link_intent => permitted(Object::LinkIntent, Action::Read),
        cancel_link_intent => permitted(Object::LinkIntent, Action::Update),
        read_public_link_intent => AuthRequirement::PublishableKey,
    )
}

/// List link intents
#[utoipa::path(get, path = "/v1/link-intents", params(IntentListQuery, ListQuery),
    responses((status = 200, description = "A page of link intents, newest first.", body = List<IntentView>)))]
async fn list_link_intents(api: Api, Auth(context): Auth, Query(filter, page): Query<IntentListQuery>) -> ApiResponse {
    ok(api.linking.list_intents(&context, filter, page).await?)
}

/// Create a link intent
///
/// Tell the person what to dial: `dial`. An intent for one number can be used from that number only.
#[utoipa::path(post, path = "/v1/link-intents", request_body = NewIntent,
    responses((status = 201, description = "The link intent.", body = IntentView)))]
async fn create_link_intent(api: Api, Auth(context): Auth, Json(new): Json<NewIntent>) -> ApiResponse {
    created(api.linking.create_intent(&context, new).await?)
}

/// Get a link intent
#[utoipa::path(get, path = "/v1/link-intents/{id}",
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses((status = 200, description = "The link intent.", body = IntentView)))]
async fn read_link_intent(api: Api, Auth(context): Auth, PathId(id): PathId<IntentId>) -> ApiResponse {
    ok(api.linking.get_intent(&context, id).await?)
}

/// Cancel a link intent
///
/// It can no longer be started. For a subscriber who has started it, nothing more is sent to the bank, and any access that
/// the bank still grants is given back.
#[utoipa::path(post, path = "/v1/link-intents/{id}/cancel",
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses(
        (status = 200, description = "The cancelled link intent.", body = IntentView),
        (status = 409, description = "The link intent has already ended."),
    ))]
async fn cancel_link_intent(api: Api, Auth(context): Auth, PathId(id): PathId<IntentId>) -> ApiResponse {
    ok(api.linking.cancel_intent(&context, id).await?)
}

/// Get a link intent's status
///
/// For an app or a page that has the intent's id and your publishable key.
#[utoipa::path(get, path = "/v1/public/link-intents/{id}",
    params(("id" = IntentId, Path, description = "The link intent.")),
    responses((status = 200, description = "The status.", body = PublicIntent)))]
async fn read_public_link_intent(api: Api, owner: PublishableKeyOwner, PathId(id): PathId<IntentId>) -> ApiResponse {
    ok(api.linking.get_public_intent(owner.0, id).await?)
}
