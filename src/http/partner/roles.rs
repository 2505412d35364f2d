//! Roles: `/v1/roles`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, ListQuery, PageQuery, parse_id};
use super::responses::{ApiResponse, created, no_content, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::core::ids::RoleId;
use crate::service::partners::{List, NewRole, RequiredAccess, RoleEdit, RoleView};

const ALL: &str = "/v1/roles";
const ONE: &str = "/v1/roles/{id}";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, create, read, change, end))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Roles";

const ROUTES: &[Route] = &[
    Route::new(
        "GET",
        ALL,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Role, Action::Read)),
    ),
    Route::new(
        "POST",
        ALL,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Role, Action::Create)),
    ),
    Route::new(
        "GET",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Role, Action::Read)),
    ),
    Route::new(
        "PATCH",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Role, Action::Update)),
    ),
    Route::new(
        "DELETE",
        ONE,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Role, Action::Delete)),
    ),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/roles", web::get().to(list))
        .route("/roles", web::post().to(create))
        .route("/roles/{id}", web::get().to(read))
        .route("/roles/{id}", web::patch().to(change))
        .route("/roles/{id}", web::delete().to(end));
}

/// Lists roles
#[utoipa::path(get, path = ALL, operation_id = "listRoles", tag = TAG,
    params(ListQuery),
    responses(
        (status = 200, description = "A page of roles, newest first.", body = List<RoleView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    Ok(ok(&api.roles.list_roles(&asked, page).await?))
}

/// Makes a role
///
/// For users of the entity in `Kiungo-Entity-Id`; without one, for those of all. Nobody hands out more than they have.
#[utoipa::path(post, path = ALL, operation_id = "createRole", tag = TAG,
    request_body = NewRole,
    responses(
        (status = 201, description = "The role.", body = RoleView),
    ))]
async fn create(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(new): Json<NewRole>) -> ApiResponse {
    Ok(created(&api.roles.create_role(&asked, new).await?))
}

/// Reads a role
#[utoipa::path(get, path = ONE, operation_id = "readRole", tag = TAG,
    params(("id" = RoleId, Path, description = "The role.")),
    responses(
        (status = 200, description = "The role.", body = RoleView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let role = parse_id(&path, RoleId::parse)?;
    Ok(ok(&api.roles.get_role(&asked, role).await?))
}

/// Changes a role
///
/// Counts for all who have it, within a second.
#[utoipa::path(patch, path = ONE, operation_id = "changeRole", tag = TAG,
    params(("id" = RoleId, Path, description = "The role.")),
    request_body = RoleEdit,
    responses(
        (status = 200, description = "The role as it is now.", body = RoleView),
    ))]
async fn change(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    Json(edit): Json<RoleEdit>,
) -> ApiResponse {
    let role = parse_id(&path, RoleId::parse)?;
    Ok(ok(&api.roles.update_role(&asked, role, edit).await?))
}

/// Deletes a role
#[utoipa::path(delete, path = ONE, operation_id = "deleteRole", tag = TAG,
    params(("id" = RoleId, Path, description = "The role.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "The role is still in use."),
    ))]
async fn end(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let role = parse_id(&path, RoleId::parse)?;
    api.roles.delete_role(&asked, role).await?;
    Ok(no_content())
}
