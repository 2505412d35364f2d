//! People: `/v1/subscribers`, `/v1/erasures`. The number stands in the body, for a target is written down in many places.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, parse_id};
use super::responses::{ApiResponse, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::ids::ErasureId;
use crate::service::data_subject::export::Export;
use crate::service::partners::{ErasureView, RequiredAccess, SubscriberNumber};

const EXPORT: &str = "/v1/subscribers/export";
const ERASE: &str = "/v1/subscribers/erase";
const ERASURE: &str = "/v1/erasures/{id}";

pub(super) const AREA: RouteGroup = RouteGroup {
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
    Route::new("POST", EXPORT, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("POST", ERASE, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("GET", ERASURE, AuthRequirement::Token(RequiredAccess::Partner)),
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
    request_body = SubscriberNumber,
    responses(
        (status = 200, description = "All that the partner holds about the number, which may be nothing.", body = Export),
    ))]
async fn export(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(whose): Json<SubscriberNumber>) -> ApiResponse {
    Ok(ok(&api.subscribers.export_subscriber(&asked, whose).await?))
}

/// Erases a person
///
/// Ends their links at the providers, blanks their rows, and removes what is live. Asked twice, it is one erasure.
#[utoipa::path(post, path = ERASE, operation_id = "eraseSubscriber", tag = TAG,
    request_body = SubscriberNumber,
    responses(
        (status = 202, description = "It has begun.", body = ErasureView),
    ))]
async fn erase(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(whose): Json<SubscriberNumber>) -> ApiResponse {
    let begun = api.subscribers.erase_subscriber(&asked, whose).await?;
    Ok(HttpResponse::Accepted().json(begun))
}

/// Tells how far an erasure is
#[utoipa::path(get, path = ERASURE, operation_id = "readErasure", tag = TAG,
    params(("id" = ErasureId, Path, description = "The erasure.")),
    responses(
        (status = 200, description = "How far it is.", body = ErasureView),
    ))]
async fn erasure(api: web::Data<PartnerApi>, Auth(asked): Auth, path: web::Path<String>) -> ApiResponse {
    let erasure = parse_id(&path, ErasureId::parse)?;
    Ok(ok(&api.subscribers.get_erasure(&asked, erasure).await?))
}
