//! Entities: `/v1/entities`.

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, PageQuery, PathId};
use super::responses::{ApiResponse, created, no_content, ok};
use super::route::{PARTNER, RouteGroup, routes};
use crate::core::ids::EntityId;
use crate::service::partners::entities::{EntityEdit, EntityView, NewEntity};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Entities":
        list_entities => PARTNER,
        create_entity => PARTNER,
        read_entity => PARTNER,
        change_entity => PARTNER,
        delete_entity => PARTNER,
    )
}

/// List entities
#[utoipa::path(get, path = "/v1/entities", params(ListQuery),
    responses((status = 200, description = "A page of entities, newest first.", body = List<EntityView>)))]
async fn list_entities(api: Api, Auth(context): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    ok(api.accounts.list_entities(&context, page).await?)
}

/// Create an entity
///
/// A brand or a branch. Its users see what belongs to it, and nothing else.
#[utoipa::path(post, path = "/v1/entities", request_body = NewEntity,
    responses((status = 201, description = "The entity.", body = EntityView)))]
async fn create_entity(api: Api, Auth(context): Auth, Json(new): Json<NewEntity>) -> ApiResponse {
    created(api.accounts.create_entity(&context, new).await?)
}

/// Get an entity
#[utoipa::path(get, path = "/v1/entities/{id}", params(("id" = EntityId, Path, description = "The entity.")),
    responses((status = 200, description = "The entity.", body = EntityView)))]
async fn read_entity(api: Api, Auth(context): Auth, PathId(id): PathId<EntityId>) -> ApiResponse {
    ok(api.accounts.get_entity(&context, id).await?)
}

/// Update an entity
///
/// Members that are left out stay as they are.
#[utoipa::path(patch, path = "/v1/entities/{id}", params(("id" = EntityId, Path, description = "The entity.")),
    request_body = EntityEdit,
    responses((status = 200, description = "The updated entity.", body = EntityView)))]
async fn change_entity(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<EntityId>,
    Json(edit): Json<EntityEdit>,
) -> ApiResponse {
    ok(api.accounts.update_entity(&context, id, edit).await?)
}

/// Delete an entity
///
/// Its users are deleted with it, and their tokens no longer work.
#[utoipa::path(delete, path = "/v1/entities/{id}", params(("id" = EntityId, Path, description = "The entity.")),
    responses((status = 204, description = "The entity is deleted.")))]
async fn delete_entity(api: Api, Auth(context): Auth, PathId(id): PathId<EntityId>) -> ApiResponse {
    api.accounts.delete_entity(&context, id).await?;
    no_content()
}
