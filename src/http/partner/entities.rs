//! Entities: `/v1/entities`.

use actix_web::web;

use super::PartnerApi;
use super::ask::{By, Json, Paging, id};
use super::reply::{Answer, created, gone, ok};
use super::table::{Entry, Route};
use crate::core::ids::EntityId;
use crate::service::partners::{EntityEdit, Need, NewEntity};

const ALL: &str = "/v1/entities";
const ONE: &str = "/v1/entities/{id}";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", ALL, Entry::Token(Need::Partner)),
    Route::new("POST", ALL, Entry::Token(Need::Partner)),
    Route::new("GET", ONE, Entry::Token(Need::Partner)),
    Route::new("PATCH", ONE, Entry::Token(Need::Partner)),
    Route::new("DELETE", ONE, Entry::Token(Need::Partner)),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/entities", web::get().to(list))
        .route("/entities", web::post().to(create))
        .route("/entities/{id}", web::get().to(read))
        .route("/entities/{id}", web::patch().to(change))
        .route("/entities/{id}", web::delete().to(end));
}

async fn list(api: web::Data<PartnerApi>, By(asked): By, Paging(page): Paging) -> Answer {
    Ok(ok(&api.entities.entities(&asked, page).await?))
}

async fn create(api: web::Data<PartnerApi>, By(asked): By, Json(new): Json<NewEntity>) -> Answer {
    Ok(created(&api.entities.add_entity(&asked, new).await?))
}

async fn read(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let entity = id(&path, EntityId::parse)?;
    Ok(ok(&api.entities.entity(&asked, entity).await?))
}

async fn change(
    api: web::Data<PartnerApi>,
    By(asked): By,
    path: web::Path<String>,
    Json(edit): Json<EntityEdit>,
) -> Answer {
    let entity = id(&path, EntityId::parse)?;
    Ok(ok(&api.entities.change_entity(&asked, entity, edit).await?))
}

async fn end(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let entity = id(&path, EntityId::parse)?;
    api.entities.end_entity(&asked, entity).await?;
    Ok(gone())
}
