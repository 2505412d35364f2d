//! Webhooks of providers: `/hooks/{provider}[/{owner}[/{tail}]]`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::body::{BodyLimits, BodySender, Unread};
use super::client_address::client_address;
use super::{HttpState, body, decodable, not_found_response, ussd};
use crate::providers::{ProviderReply, ProviderRequest};
use crate::service::callbacks::{ProviderWebhookOutcome, WebhookAdmission, WebhookSender};

const BODY: BodyLimits = BodyLimits {
    bytes: 1024 * 1024,
    time: Duration::from_secs(10),
};

/// A webhook without its body, for as long as it is handled.
struct WebhookHead {
    provider: String,
    owner: Option<String>,
    method: String,
    path: String,
    query: Zeroizing<String>,
    headers: Vec<(String, Vec<u8>)>,
}

impl WebhookHead {
    fn new(request: &HttpRequest) -> Self {
        let segment = |name| request.match_info().get(name).map(str::to_owned);
        Self {
            provider: segment("provider").unwrap_or_default(),
            owner: segment("owner"),
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: Zeroizing::new(request.query_string().to_owned()),
            headers: ussd::headers(request),
        }
    }

    fn with<'a>(&'a self, body: &'a [u8]) -> ProviderRequest<'a> {
        ProviderRequest {
            method: &self.method,
            path: &self.path,
            // "", "hooks", provider, owner, tail.
            tail: self.path.splitn(5, '/').nth(4).unwrap_or_default(),
            query: &self.query,
            headers: &self.headers,
            body,
        }
    }
}

/// The status tells whether to retry: a provider retries after 503, and need not after any other. Where a secret in the
/// head tells who it is, the body of a stranger is not kept.
pub(super) async fn receive(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    let head = WebhookHead::new(&request);
    let admission = parts
        .hooks
        .admit(&head.provider, head.owner.as_deref(), &head.with(&[]))
        .await;
    let (by, to) = match admission {
        WebhookAdmission::Admitted { by, to } => (by, to),
        WebhookAdmission::Refused(outcome) => {
            body::drain(payload).await;
            return outcome.map_or_else(not_found_response, to_http_response);
        }
    };
    let by = match by {
        WebhookSender::Operators => BodySender::Authenticated,
        WebhookSender::Partners(partner) => BodySender::Partner(partner),
        WebhookSender::Unproven => BodySender::Stranger(client_address(&request, &parts.proxies)),
    };
    let body = match body::read(&request, payload, BODY, by).await {
        Ok(body) => body,
        Err(Unread::TooLong) => return HttpResponse::BadRequest().finish(),
        Err(Unread::TooSlow | Unread::Busy) => return HttpResponse::ServiceUnavailable().finish(),
    };
    if let Err(why) = decodable::check(request.headers(), &body) {
        return decodable::refusal(why);
    }
    // What has arrived is processed, whether or not its sender waits for the answer.
    let processing = async move { to.receive(&head.with(&body)).await };
    match parts.turn_tasks.spawn_on(processing, &parts.runtime).await {
        Ok(outcome) => to_http_response(outcome),
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
