//! Roles: `/v1/roles`.

use actix_web::web;

use super::PartnerApi;
use super::ask::{By, Json, Paging, id};
use super::reply::{Answer, created, gone, ok};
use super::table::{Entry, Route};
use crate::core::access::{Action, Object};
use crate::core::ids::RoleId;
use crate::service::partners::{Need, NewRole, RoleEdit};

const ALL: &str = "/v1/roles";
const ONE: &str = "/v1/roles/{id}";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", ALL, Entry::Token(Need::May(Object::Role, Action::Read))),
    Route::new("POST", ALL, Entry::Token(Need::May(Object::Role, Action::Create))),
    Route::new("GET", ONE, Entry::Token(Need::May(Object::Role, Action::Read))),
    Route::new("PATCH", ONE, Entry::Token(Need::May(Object::Role, Action::Update))),
    Route::new("DELETE", ONE, Entry::Token(Need::May(Object::Role, Action::Delete))),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/roles", web::get().to(list))
        .route("/roles", web::post().to(create))
        .route("/roles/{id}", web::get().to(read))
        .route("/roles/{id}", web::patch().to(change))
        .route("/roles/{id}", web::delete().to(end));
}

async fn list(api: web::Data<PartnerApi>, By(asked): By, Paging(page): Paging) -> Answer {
    Ok(ok(&api.roles.roles(&asked, page).await?))
}

async fn create(api: web::Data<PartnerApi>, By(asked): By, Json(new): Json<NewRole>) -> Answer {
    Ok(created(&api.roles.add_role(&asked, new).await?))
}

async fn read(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let role = id(&path, RoleId::parse)?;
    Ok(ok(&api.roles.role(&asked, role).await?))
}

async fn change(
    api: web::Data<PartnerApi>,
    By(asked): By,
    path: web::Path<String>,
    Json(edit): Json<RoleEdit>,
) -> Answer {
    let role = id(&path, RoleId::parse)?;
    Ok(ok(&api.roles.change_role(&asked, role, edit).await?))
}

async fn end(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let role = id(&path, RoleId::parse)?;
    api.roles.end_role(&asked, role).await?;
    Ok(gone())
}
