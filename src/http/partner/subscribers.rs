//! People: `/v1/subscribers`, `/v1/erasures`. The number stands in the body, for a target is written down in many places.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::PartnerApi;
use super::ask::{By, Json, id};
use super::reply::{Answer, ok};
use super::table::{Area, Entry, Route};
use crate::core::ids::ErasureId;
use crate::service::partners::{ErasureView, Need, Whose};
use crate::service::people::export::Export;

const EXPORT: &str = "/v1/subscribers/export";
const ERASE: &str = "/v1/subscribers/erase";
const ERASURE: &str = "/v1/erasures/{id}";

pub(super) const AREA: Area = Area {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(export, erase, erasure))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Subscribers";

const ROUTES: &[Route] = &[
    Route::new("POST", EXPORT, Entry::Token(Need::Partner)),
    Route::new("POST", ERASE, Entry::Token(Need::Partner)),
    Route::new("GET", ERASURE, Entry::Token(Need::Partner)),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/subscribers/export", web::post().to(export))
        .route("/subscribers/erase", web::post().to(erase))
        .route("/erasures/{id}", web::get().to(erasure));
}

/// Tells what is held about a number
///
/// For the person, who has a right to it. It is written down in the audit trail that this was asked.
#[utoipa::path(post, path = EXPORT, operation_id = "exportSubscriber", tag = TAG,
    request_body = Whose,
    responses(
        (status = 200, description = "All that the partner holds about the number, which may be nothing.", body = Export),
    ))]
async fn export(api: web::Data<PartnerApi>, By(asked): By, Json(whose): Json<Whose>) -> Answer {
    Ok(ok(&api.subscribers.export(&asked, whose).await?))
}

/// Erases a person
///
/// Ends their links at the providers, blanks their rows, and removes what is live. Asked twice, it is one erasure.
#[utoipa::path(post, path = ERASE, operation_id = "eraseSubscriber", tag = TAG,
    request_body = Whose,
    responses(
        (status = 202, description = "It has begun.", body = ErasureView),
    ))]
async fn erase(api: web::Data<PartnerApi>, By(asked): By, Json(whose): Json<Whose>) -> Answer {
    let begun = api.subscribers.erase(&asked, whose).await?;
    Ok(HttpResponse::Accepted().json(begun))
}

/// Tells how far an erasure is
#[utoipa::path(get, path = ERASURE, operation_id = "readErasure", tag = TAG,
    params(("id" = ErasureId, Path, description = "The erasure.")),
    responses(
        (status = 200, description = "How far it is.", body = ErasureView),
    ))]
async fn erasure(api: web::Data<PartnerApi>, By(asked): By, path: web::Path<String>) -> Answer {
    let erasure = id(&path, ErasureId::parse)?;
    Ok(ok(&api.subscribers.erasure(&asked, erasure).await?))
}
