//! Users: `/v1/users`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, ListQuery, PageQuery, parse_id};
use super::responses::{ApiResponse, created, no_content, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::UserId;
use crate::service::partners::{List, NewUser, RequiredAccess, UserEdit, UserView};

const ALL: &str = "/v1/users";
const ONE: &str = "/v1/users/{id}";
const ME: &str = "/v1/users/me";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, create, me, read, change, end))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Users";

const ROUTES: &[Route] = &[
    Route::new(
        "GET",
        ALL,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::User, Action::Read)),
    ),
    Route::new(
        "POST",
        ALL,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::User, Action::Create)),
    ),
    Route::new("GET", ME, AuthRequirement::Token(RequiredAccess::User)),
    Route::new(
        "GET",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::User, Action::Read)),
    ),
    Route::new(
        "PATCH",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::User, Action::Update)),
    ),
    Route::new(
        "DELETE",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::User, Action::Delete)),
    ),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/users", web::get().to(list))
        .route("/users", web::post().to(create))
        .route("/users/me", web::get().to(me))
        .route("/users/{id}", web::get().to(read))
        .route("/users/{id}", web::patch().to(change))
        .route("/users/{id}", web::delete().to(end));
}

/// Lists users
#[utoipa::path(get, path = ALL, operation_id = "listUsers", tag = TAG,
    params(ListQuery),
    responses(
        (status = 200, description = "A page of users, newest first.", body = List<UserView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    Ok(ok(&api.users.list_users(&asked, page).await?))
}

/// Makes a user
///
/// In the entity in `Kiungo-Entity-Id`, which a partner's token must say.
#[utoipa::path(post, path = ALL, operation_id = "createUser", tag = TAG,
    request_body = NewUser,
    responses(
        (status = 201, description = "The user.", body = UserView),
        (status = 409, description = "Another user of the entity has this login."),
    ))]
async fn create(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(new): Json<NewUser>) -> ApiResponse {
    Ok(created(&api.users.create_user(&asked, new).await?))
}

/// Reads the user who asks
#[utoipa::path(get, path = ME, operation_id = "readMe", tag = TAG,
    responses(
        (status = 200, description = "The user.", body = UserView),
    ))]
async fn me(api: web::Data<PartnerApi>, Auth(asked): Auth) -> ApiResponse {
    Ok(ok(&api.users.get_current_user(&asked).await?))
}

/// Reads a user
#[utoipa::path(get, path = ONE, operation_id = "readUser", tag = TAG,
    params(("id" = UserId, Path, description = "The user.")),
    responses(
        (status = 200, description = "The user.", body = UserView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let user = parse_id(&path, UserId::parse)?;
    Ok(ok(&api.users.get_user(&asked, user).await?))
}

/// Changes a user
///
/// Members that are not there stay as they are.
#[utoipa::path(patch, path = ONE, operation_id = "changeUser", tag = TAG,
    params(("id" = UserId, Path, description = "The user.")),
    request_body = UserEdit,
    responses(
        (status = 200, description = "The user as they are now.", body = UserView),
        (status = 409, description = "Another user of the entity has this login."),
    ))]
async fn change(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    Json(edit): Json<UserEdit>,
) -> ApiResponse {
    let user = parse_id(&path, UserId::parse)?;
    Ok(ok(&api.users.update_user(&asked, user, edit).await?))
}

/// Deletes a user
///
/// Their tokens open nothing from then on, on every server within a second.
#[utoipa::path(delete, path = ONE, operation_id = "deleteUser", tag = TAG,
    params(("id" = UserId, Path, description = "The user.")),
    responses(
        (status = 204, description = "They are gone."),
    ))]
async fn end(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let user = parse_id(&path, UserId::parse)?;
    api.users.delete_user(&asked, user).await?;
    Ok(no_content())
}
