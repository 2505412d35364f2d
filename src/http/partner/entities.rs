//! Entities: `/v1/entities`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, ListQuery, PageQuery, parse_id};
use super::responses::{ApiResponse, created, no_content, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::ids::EntityId;
use crate::service::partners::{EntityEdit, EntityView, List, NewEntity, RequiredAccess};

const ALL: &str = "/v1/entities";
const ONE: &str = "/v1/entities/{id}";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(list, create, read, change, end))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Entities";

const ROUTES: &[Route] = &[
    Route::new("GET", ALL, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("POST", ALL, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("GET", ONE, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("PATCH", ONE, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("DELETE", ONE, AuthRequirement::Token(RequiredAccess::Partner)),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/entities", web::get().to(list))
        .route("/entities", web::post().to(create))
        .route("/entities/{id}", web::get().to(read))
        .route("/entities/{id}", web::patch().to(change))
        .route("/entities/{id}", web::delete().to(end));
}

/// Lists entities
#[utoipa::path(get, path = ALL, operation_id = "listEntities", tag = TAG,
    params(ListQuery),
    responses(
        (status = 200, description = "A page of entities, newest first.", body = List<EntityView>),
    ))]
async fn list(api: web::Data<PartnerApi>, Auth(asked): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    Ok(ok(&api.entities.list_entities(&asked, page).await?))
}

/// Makes an entity
///
/// A brand or a branch. Its users see what belongs to it, and nothing else.
#[utoipa::path(post, path = ALL, operation_id = "createEntity", tag = TAG,
    request_body = NewEntity,
    responses(
        (status = 201, description = "The entity.", body = EntityView),
    ))]
async fn create(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(new): Json<NewEntity>) -> ApiResponse {
    Ok(created(&api.entities.create_entity(&asked, new).await?))
}

/// Reads an entity
#[utoipa::path(get, path = ONE, operation_id = "readEntity", tag = TAG,
    params(("id" = EntityId, Path, description = "The entity.")),
    responses(
        (status = 200, description = "The entity.", body = EntityView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let entity = parse_id(&path, EntityId::parse)?;
    Ok(ok(&api.entities.get_entity(&asked, entity).await?))
}

/// Changes an entity
///
/// Members that are not there stay as they are.
#[utoipa::path(patch, path = ONE, operation_id = "changeEntity", tag = TAG,
    params(("id" = EntityId, Path, description = "The entity.")),
    request_body = EntityEdit,
    responses(
        (status = 200, description = "The entity as it is now.", body = EntityView),
    ))]
async fn change(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    path: web::Path<String>,
    Json(edit): Json<EntityEdit>,
) -> ApiResponse {
    let entity = parse_id(&path, EntityId::parse)?;
    Ok(ok(&api.entities.update_entity(&asked, entity, edit).await?))
}

/// Deletes an entity
///
/// With its users, whose tokens open nothing from then on.
#[utoipa::path(delete, path = ONE, operation_id = "deleteEntity", tag = TAG,
    params(("id" = EntityId, Path, description = "The entity.")),
    responses(
        (status = 204, description = "It is gone."),
    ))]
async fn end(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let entity = parse_id(&path, EntityId::parse)?;
    api.entities.delete_entity(&asked, entity).await?;
    Ok(no_content())
}
