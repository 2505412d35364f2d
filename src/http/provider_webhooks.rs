//! Webhooks of providers: `POST /hooks/{provider}`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{HttpState, body, not_found_response, ussd};
use crate::service::callbacks::ProviderWebhookOutcome;

const MAX_BODY_BYTES: usize = 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The status tells whether to retry: a provider retries after 503, and need not after any other.
pub(super) async fn receive(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    let Some(body) = body::read(payload, MAX_BODY_BYTES, BODY_TIMEOUT).await else {
        return HttpResponse::BadRequest().finish();
    };
    let provider = request.match_info().get("provider").unwrap_or_default();
    match parts.hooks.receive(provider, &ussd::headers(&request), &body).await {
        Some(ProviderWebhookOutcome::Accepted) => HttpResponse::Ok().finish(),
        Some(ProviderWebhookOutcome::Unauthentic) => HttpResponse::Unauthorized().finish(),
        Some(ProviderWebhookOutcome::Malformed) => HttpResponse::BadRequest().finish(),
        Some(ProviderWebhookOutcome::Unavailable) => HttpResponse::ServiceUnavailable().finish(),
        None => not_found_response(),
    }
}
