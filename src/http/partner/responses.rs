//! Answers that are as asked.

use actix_web::HttpResponse;
use serde::Serialize;

use super::problem::Problem;

/// What a handler gives.
pub(super) type ApiResponse = Result<HttpResponse, Problem>;

/// Here it is.
pub(super) fn ok(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(view)
}

/// It was made.
pub(super) fn created(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(view)
}

/// It will be done.
pub(super) fn accepted(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Accepted().json(view)
}

/// It is gone.
pub(super) fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
