//! Successful responses.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a handler ends with one of these, and handlers can fail"
)]

use actix_web::HttpResponse;
use serde::Serialize;

use super::problem::Problem;

/// What a handler returns.
pub(super) type ApiResponse = Result<HttpResponse, Problem>;

pub(super) fn ok(view: impl Serialize) -> ApiResponse {
    Ok(HttpResponse::Ok().json(view))
}

pub(super) fn created(view: impl Serialize) -> ApiResponse {
    Ok(HttpResponse::Created().json(view))
}

pub(super) fn accepted(view: impl Serialize) -> ApiResponse {
    Ok(HttpResponse::Accepted().json(view))
}

pub(super) fn no_content() -> ApiResponse {
    Ok(HttpResponse::NoContent().finish())
}
