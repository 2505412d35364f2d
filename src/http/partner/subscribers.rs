//! People: `/v1/subscribers`, `/v1/erasures`. The number stands in the body, for a target is written down in many places.

use actix_web::{HttpResponse, web};

use super::PartnerApi;
use super::ask::{By, Json, id};
use super::reply::{Answer, ok};
use super::table::{Entry, Route};
use crate::core::ids::ErasureId;
use crate::service::partners::{Need, Whose};

pub(super) const ROUTES: &[Route] = &[
    Route::new("POST", "/v1/subscribers/export", Entry::Token(Need::Partner)),
    Route::new("POST", "/v1/subscribers/erase", Entry::Token(Need::Partner)),
    Route::new("GET", "/v1/erasures/{id}", Entry::Token(Need::Partner)),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/subscribers/export", web::post().to(export))
        .route("/subscribers/erase", web::post().to(erase))
        .route("/erasures/{id}", web::get().to(erasure));
}

async fn export(api: web::Data<PartnerApi>, By(asked): By, Json(whose): Json<Whose>) -> Answer {
    Ok(ok(&api.subscribers.export(&asked, whose).await?))
}

async fn erase(api: web::Data<PartnerApi>, By(asked): By, Json(whose): Json<Whose>) -> Answer {
    let begun = api.subscribers.erase(&asked, whose).await?;
    Ok(HttpResponse::Accepted().json(begun))
}

async fn erasure(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let erasure = id(&path, ErasureId::parse)?;
    Ok(ok(&api.subscribers.erasure(&asked, erasure).await?))
}
