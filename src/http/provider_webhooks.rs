//! Webhooks of providers: `POST /hooks/{provider}`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{HttpState, body, not_found_response, ussd};
use crate::providers::{ProviderReply, ProviderRequest};
use crate::service::callbacks::ProviderWebhookOutcome;

const MAX_BODY_BYTES: usize = 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The status tells whether to retry: a provider retries after 503, and need not after any other.
pub(super) async fn receive(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    let Some(body) = body::read(payload, MAX_BODY_BYTES, BODY_TIMEOUT).await else {
        return HttpResponse::BadRequest().finish();
    };
    let provider = request.match_info().get("provider").unwrap_or_default();
    let headers = ussd::headers(&request);
    let delivered = ProviderRequest {
        method: request.method().as_str(),
        path: request.path(),
        tail: "",
        query: request.query_string(),
        headers: &headers,
        body: &body,
    };
    match parts.hooks.receive(provider, &delivered).await {
        Some(ProviderWebhookOutcome::Accepted(reply)) => to_http_response(reply),
        Some(ProviderWebhookOutcome::Unauthentic) => HttpResponse::Unauthorized().finish(),
        Some(ProviderWebhookOutcome::Malformed) => HttpResponse::BadRequest().finish(),
        Some(ProviderWebhookOutcome::Unavailable) => HttpResponse::ServiceUnavailable().finish(),
        None => not_found_response(),
    }
}

fn to_http_response(reply: ProviderReply) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK));
    if let Some(content_type) = reply.content_type {
        response.content_type(content_type);
    }
    response.body(reply.body)
}
