//! Callbacks of USSD gateways: `/ussd/{channel}/{secret}` and everything below.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::body::{BodyLimits, BodySender};
use super::client_address::client_address;
use super::{HttpState, body, decodable, not_found_response};
use crate::gateways::{Echo, UssdReply, WireReply};
use crate::service::callbacks::{IncomingRequest, TURN_FAILED_TEXT};
use crate::service::channel::Channel;

/// More than any gateway sends, including cumulative texts; and in one piece.
const BODY: BodyLimits = BodyLimits {
    bytes: 64 * 1024,
    time: Duration::from_secs(2),
};

/// GET and POST, which the gateway's adapter tells apart; other methods get a screen of its dialect, and do nothing.
pub(super) async fn callback(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    let segment = |name| request.match_info().get(name).unwrap_or_default();
    let caller = client_address(&request, &parts.proxies);
    let admitted = parts.callbacks.admit(segment("channel"), segment("secret"), caller);
    let Some(channel) = admitted else {
        body::drain(payload).await;
        return not_found_response();
    };
    if !matches!(*request.method(), Method::GET | Method::POST) {
        body::drain(payload).await;
        let text = TURN_FAILED_TEXT;
        return to_http_response(channel.gateway.render(&UssdReply::End { text }, &Echo::default()));
    }
    let body = body::read(&request, payload, BODY, BodySender::Authenticated)
        .await
        .ok();
    let body = body.filter(|body| decodable::check(request.headers(), body).is_ok());
    let turn = run_turn(&parts, channel, owned_request(&request, body));
    turn.await.map_or_else(not_found_response, to_http_response)
}

/// Runs the turn in a task that neither a disconnect nor the end of this worker stops.
async fn run_turn(parts: &HttpState, channel: Arc<Channel>, request: IncomingRequest) -> Option<WireReply> {
    let callbacks = Arc::clone(&parts.callbacks);
    let to_answer = Arc::clone(&channel);
    let turn = async move { callbacks.answer(to_answer, request).await };
    let answered = parts.turn_tasks.spawn_on(turn, &parts.runtime).await;
    answered.unwrap_or_else(|_| {
        let text = TURN_FAILED_TEXT;
        Some(channel.gateway.render(&UssdReply::End { text }, &Echo::default()))
    })
}

fn owned_request(request: &HttpRequest, body: Option<Zeroizing<Vec<u8>>>) -> IncomingRequest {
    // "", "ussd", channel, secret, tail: taken from the path as it came, still percent-encoded.
    let tail = request.uri().path().splitn(5, '/').nth(4).unwrap_or_default();
    IncomingRequest {
        method: request.method().as_str().to_owned(),
        tail: tail.to_owned(),
        query: Zeroizing::new(request.query_string().as_bytes().to_vec()),
        headers: headers(request),
        body,
    }
}

/// All headers, including repeated ones.
pub(super) fn headers(request: &HttpRequest) -> Vec<(String, Vec<u8>)> {
    let pairs = request.headers().iter();
    pairs
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

pub(super) fn to_http_response(reply: WireReply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    for header in reply.headers {
        response.append_header(header);
    }
    response.body(reply.body)
}
