//! Users: `/v1/users`.

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, PageQuery, PathId};
use super::responses::{ApiResponse, created, no_content, ok};
use super::route::{RouteGroup, USER, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::UserId;
use crate::service::partners::users::{NewUser, UserEdit, UserView};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Users":
        list_users => permitted(Object::User, Action::Read),
        create_user => permitted(Object::User, Action::Create),
        read_me => USER,
        read_user => permitted(Object::User, Action::Read),
        change_user => permitted(Object::User, Action::Update),
        delete_user => permitted(Object::User, Action::Delete),
    )
}

/// List users
#[utoipa::path(get, path = "/v1/users", params(ListQuery),
    responses((status = 200, description = "A page of users, newest first.", body = List<UserView>)))]
async fn list_users(api: Api, Auth(context): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    ok(api.accounts.list_users(&context, page).await?)
}

/// Create a user
///
/// In the entity in `Kiungo-Entity-Id`, which is required with a partner's token.
#[utoipa::path(post, path = "/v1/users", request_body = NewUser,
    responses(
        (status = 201, description = "The user.", body = UserView),
        (status = 409, description = "Another user of the entity has this login."),
    ))]
async fn create_user(api: Api, Auth(context): Auth, Json(new): Json<NewUser>) -> ApiResponse {
    created(api.accounts.create_user(&context, new).await?)
}

/// Get the current user
#[utoipa::path(get, path = "/v1/users/me",
    responses((status = 200, description = "The user.", body = UserView)))]
async fn read_me(api: Api, Auth(context): Auth) -> ApiResponse {
    ok(api.accounts.get_current_user(&context).await?)
}

/// Get a user
#[utoipa::path(get, path = "/v1/users/{id}", params(("id" = UserId, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = UserView)))]
async fn read_user(api: Api, Auth(context): Auth, PathId(id): PathId<UserId>) -> ApiResponse {
    ok(api.accounts.get_user(&context, id).await?)
}

/// Update a user
///
/// Members that are left out stay as they are.
#[utoipa::path(patch, path = "/v1/users/{id}", params(("id" = UserId, Path, description = "The user.")),
    request_body = UserEdit,
    responses(
        (status = 200, description = "The updated user.", body = UserView),
        (status = 409, description = "Another user of the entity has this login."),
    ))]
async fn change_user(
    api: Api,
    Auth(context): Auth,
    PathId(id): PathId<UserId>,
    Json(edit): Json<UserEdit>,
) -> ApiResponse {
    ok(api.accounts.update_user(&context, id, edit).await?)
}

/// Delete a user
///
/// Every server refuses their tokens within a second.
#[utoipa::path(delete, path = "/v1/users/{id}", params(("id" = UserId, Path, description = "The user.")),
    responses((status = 204, description = "The user is deleted.")))]
async fn delete_user(api: Api, Auth(context): Auth, PathId(id): PathId<UserId>) -> ApiResponse {
    api.accounts.delete_user(&context, id).await?;
    no_content()
}
