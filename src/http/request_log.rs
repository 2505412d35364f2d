//! Logs and counts requests by the pattern of their route, never by target, headers or body.

use std::sync::Arc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use super::partner;
use crate::service::metrics::Metrics;

pub(super) const USSD: &str = "/ussd/{channel}/{secret}";
pub(super) const USSD_TAIL: &str = "/ussd/{channel}/{secret}/{tail:.*}";
pub(super) const SMS: &str = "/sms/{name}/{secret}";
pub(super) const SMS_REPORTS: &str = "/sms/{name}/{secret}/reports";
pub(super) const HOOKS: &str = "/hooks/{provider}";
pub(super) const HOOKS_OF: &str = "/hooks/{provider}/{owner}";
pub(super) const HOOKS_TAIL: &str = "/hooks/{provider}/{owner}/{tail:.*}";
pub(super) const GO: &str = "/go/{token}";
pub(super) const BACK: &str = "/back/{provider}";
pub(super) const LIVE: &str = "/health/live";
pub(super) const READY: &str = "/health/ready";
pub(super) const METRICS: &str = "/metrics";
/// The label of all paths of the sandbox's phone page.
const PHONE: &str = "/phone";
const OTHER: &str = "other";

/// Every request runs inside a span of our own, which contains nothing that the client wrote.
pub(super) async fn log_request(
    metrics: Arc<Metrics>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let method = method_label(request.method());
    copy_head(&mut request);
    read_as_get(&mut request);
    let route = route_label(request.match_pattern().as_deref());
    let id = tracing::field::Empty;
    let span = info_span!("request", route, method, request_id = id);
    let answer = next.call(request).instrument(span.clone()).await;
    let status = match &answer {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    metrics.request(route, status);
    log_response(&span, route, status, started);
    answer
}

/// Copies the request's target and headers. The server pools the heads of old requests, and as it parses them they are
/// slices of the connection's buffer: what a person typed would stay in memory as long as any of them.
fn copy_head(request: &mut ServiceRequest) {
    if let Ok(uri) = request.uri().to_string().parse::<Uri>() {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    for (name, value) in std::mem::take(request.headers_mut()) {
        if let Ok(own) = HeaderValue::from_bytes(value.as_bytes()) {
            request.headers_mut().append(name, own);
        }
    }
}

/// HEAD is GET without the body, which the server leaves out by itself. Not where a GET does something: there HEAD has a
/// route of its own, or is for the gateway's adapter to judge.
fn read_as_get(request: &mut ServiceRequest) {
    let acts = ["/ussd/", "/sms/", "/back/"];
    // As the router reads it: `%73` is an s.
    let path = percent_decode_str(request.path()).decode_utf8_lossy();
    if request.method() == Method::HEAD && !acts.iter().any(|route| path.starts_with(route)) {
        request.head_mut().method = Method::GET;
    }
}

/// Probes come every few seconds, and an open phone page polls every second: successful ones are logged at debug level only.
fn log_response(span: &Span, route: &'static str, status: u16, started: Instant) {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match route {
        LIVE | READY | METRICS | PHONE if status < 400 => tracing::debug!(status, ms, "answered"),
        _ => tracing::info!(status, ms, "answered"),
    });
}

fn route_label(pattern: Option<&str>) -> &'static str {
    let known = [
        USSD,
        USSD_TAIL,
        SMS,
        SMS_REPORTS,
        HOOKS,
        HOOKS_OF,
        HOOKS_TAIL,
        GO,
        BACK,
        LIVE,
        READY,
        METRICS,
    ];
    let page = pattern.is_some_and(|pattern| pattern.starts_with(PHONE));
    let others = if page { PHONE } else { OTHER };
    let known = known.into_iter().find(|known| pattern == Some(known));
    known.or_else(|| partner::static_pattern(pattern?)).unwrap_or(others)
}

/// A method may be any word, so only known ones are logged.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::DELETE => "DELETE",
        _ => OTHER,
    }
}
