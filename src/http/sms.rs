//! Callbacks of SMS gateways: `/sms/{name}/{secret}`, and `…/reports` for delivery reports.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::body::{BodyLimits, BodySender, Unread};
use super::{HttpState, body, decodable, not_found_response, ussd};
use crate::gateways::sms::CallbackOutcome;
use crate::service::callbacks::IncomingRequest;

/// More than any gateway sends, including lists of reports; and in one piece.
const BODY: BodyLimits = BodyLimits {
    bytes: 256 * 1024,
    time: Duration::from_secs(5),
};

/// Handles the callback in a task that neither a disconnect nor the end of this worker stops: some gateways never retry.
pub(super) async fn receive(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    let segment = |name| request.match_info().get(name).unwrap_or_default();
    let Some(line) = parts.messages.admit(segment("name"), segment("secret")) else {
        body::drain(payload).await;
        return not_found_response();
    };
    let body = match body::read(&request, payload, BODY, BodySender::Authenticated).await {
        Ok(body) => Some(body),
        Err(Unread::TooLong) => None,
        // What it brings may be somebody's STOP, which a gateway never sends again once it was taken.
        Err(Unread::TooSlow | Unread::Busy) => {
            return ussd::to_http_response(line.gateway.render_answer(CallbackOutcome::Unavailable));
        }
    };
    if let Some(Err(why)) = body.as_deref().map(|body| decodable::check(request.headers(), body)) {
        return decodable::refusal(why);
    }
    // "", "sms", name, secret, tail; a slash at its end means nothing.
    let tail = request.uri().path().splitn(5, '/').nth(4).unwrap_or_default();
    let tail = tail.trim_end_matches('/');
    let request = IncomingRequest {
        method: request.method().as_str().to_owned(),
        tail: tail.to_owned(),
        query: request.query_string().as_bytes().to_vec().into(),
        headers: ussd::headers(&request),
        body,
    };
    let messages = Arc::clone(&parts.messages);
    let taking = async move { messages.receive(line, request).await };
    match parts.turn_tasks.spawn_on(taking, &parts.runtime).await {
        Ok(reply) => ussd::to_http_response(reply),
        // The gateway should retry.
        Err(_) => HttpResponse::build(StatusCode::INTERNAL_SERVER_ERROR).finish(),
    }
}

/// Says that the address is right, and does nothing.
pub(super) async fn look(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    let segment = |name| request.match_info().get(name).unwrap_or_default();
    match parts.messages.admit(segment("name"), segment("secret")) {
        Some(_) => HttpResponse::Ok().finish(),
        None => not_found_response(),
    }
}
