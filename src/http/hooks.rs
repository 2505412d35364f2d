//! Webhooks of providers: `POST /hooks/{provider}`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Parts, body, missing, ussd};
use crate::service::HookOutcome;

const BODY: usize = 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The status says whether to send it again: a provider repeats after 503, and need not after anything else.
pub(super) async fn take(request: HttpRequest, payload: web::Payload, parts: web::Data<Parts>) -> HttpResponse {
    let Some(body) = body::read(payload, BODY, BODY_TIMEOUT).await else {
        return HttpResponse::BadRequest().finish();
    };
    let provider = request.match_info().get("provider").unwrap_or_default();
    match parts.hooks.take(provider, &ussd::headers(&request), &body).await {
        Some(HookOutcome::Taken) => HttpResponse::Ok().finish(),
        Some(HookOutcome::Unauthentic) => HttpResponse::Unauthorized().finish(),
        Some(HookOutcome::Garbled) => HttpResponse::BadRequest().finish(),
        Some(HookOutcome::Unavailable) => HttpResponse::ServiceUnavailable().finish(),
        None => missing(),
    }
}
