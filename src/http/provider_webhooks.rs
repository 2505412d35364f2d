//! Webhooks of providers: `/hooks/{provider}[/{owner}[/{tail}]]`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

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
    let segment = |name| request.match_info().get(name).map(str::to_owned);
    let provider = segment("provider").unwrap_or_default();
    let owner = segment("owner");
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let query = Zeroizing::new(request.query_string().to_owned());
    let headers = ussd::headers(&request);
    let hooks = parts.hooks.clone();
    // What has arrived is processed, whether or not its sender waits for the answer.
    let processing = async move {
        let delivered = ProviderRequest {
            method: &method,
            path: &path,
            // "", "hooks", provider, owner, tail.
            tail: path.splitn(5, '/').nth(4).unwrap_or_default(),
            query: &query,
            headers: &headers,
            body: &body,
        };
        hooks.receive(&provider, owner.as_deref(), &delivered).await
    };
    match parts.turn_tasks.spawn_on(processing, &parts.runtime).await {
        Ok(Some(outcome)) => to_http_response(outcome),
        Ok(None) => not_found_response(),
        // It must be sent again.
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn to_http_response(outcome: ProviderWebhookOutcome) -> HttpResponse {
    match outcome {
        ProviderWebhookOutcome::Accepted(reply) => own_reply(reply),
        ProviderWebhookOutcome::Unauthentic => HttpResponse::Unauthorized().finish(),
        ProviderWebhookOutcome::Malformed => HttpResponse::BadRequest().finish(),
        ProviderWebhookOutcome::Unavailable => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// What its sender wants to hear.
fn own_reply(reply: ProviderReply) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK));
    if let Some(content_type) = reply.content_type {
        response.content_type(content_type);
    }
    response.body(reply.body)
}
