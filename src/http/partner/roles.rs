//! Roles: `/v1/roles`.

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, PageQuery, PathId};
use super::responses::{ApiResponse, created, no_content, ok};
use super::route::{RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::RoleId;
use crate::service::partners::roles::{NewRole, RoleEdit, RoleView};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Roles":
        list_roles => permitted(Object::Role, Action::Read),
        create_role => permitted(Object::Role, Action::Create),
        read_role => permitted(Object::Role, Action::Read),
        change_role => permitted(Object::Role, Action::Update),
        delete_role => permitted(Object::Role, Action::Delete),
    )
}

/// List roles
#[utoipa::path(get, path = "/v1/roles", params(ListQuery),
    responses((status = 200, description = "A page of roles, newest first.", body = List<RoleView>)))]
async fn list_roles(api: Api, Auth(context): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    ok(api.accounts.list_roles(&context, page).await?)
}

/// Create a role
///
/// For users of the entity in `Kiungo-Entity-Id`; without that header, for users of all entities. Nobody can grant more
/// than they have.
#[utoipa::path(post, path = "/v1/roles", request_body = NewRole,
    responses((status = 201, description = "The role.", body = RoleView)))]
async fn create_role(api: Api, Auth(context): Auth, Json(new): Json<NewRole>) -> ApiResponse {
    created(api.accounts.create_role(&context, new).await?)
}

/// Get a role
#[utoipa::path(get, path = "/v1/roles/{id}", params(("id" = RoleId, Path, description = "The role.")),
    responses((status = 200, description = "The role.", body = RoleView)))]
async fn read_role(api: Api, Auth(context): Auth, PathId(id): PathId<RoleId>) -> ApiResponse {
    ok(api.accounts.get_role(&context, id).await?)
}

/// Update a role
///
/// Takes effect for everyone who has it within a second.
#[utoipa::path(patch, path = "/v1/roles/{id}", params(("id" = RoleId, Path, description = "The role.")),
    request_body = RoleEdit,
    responses((status = 200, description = "The updated role.", body = RoleView)))]
async fn change_role(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<RoleId>,
    Json(edit): Json<RoleEdit>,
) -> ApiResponse {
    ok(api.accounts.update_role(&context, id, edit).await?)
}

/// Delete a role
#[utoipa::path(delete, path = "/v1/roles/{id}", params(("id" = RoleId, Path, description = "The role.")),
    responses(
        (status = 204, description = "The role is deleted."),
        (status = 409, description = "The role is still in use."),
    ))]
async fn delete_role(api: Api, Auth(context): Auth, PathId(id): PathId<RoleId>) -> ApiResponse {
    api.accounts.delete_role(&context, id).await?;
    no_content()
}
