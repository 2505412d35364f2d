//! Callbacks of USSD gateways: `/ussd/{channel}/{secret}` and whatever is below.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::caller::caller;
use super::{Parts, body, missing};
use crate::gateways::{Reply, WireReply};
use crate::service::{Channel, OwnedRequest};

/// More than any gateway sends, cumulative texts included.
const BODY: usize = 64 * 1024;
/// A gateway sends its callback in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// For when the turn itself broke, which must not end in silence.
const BROKEN: &str = "Sorry, something went wrong. Please dial again.";

/// Any method: what a gateway's callback looks like is for its dialect to say.
pub(super) async fn callback(request: HttpRequest, payload: web::Payload, parts: web::Data<Parts>) -> HttpResponse {
    let segment = |name| request.match_info().get(name).unwrap_or_default();
    let caller = caller(&request, &parts.proxies);
    let admitted = parts.callbacks.admit(segment("channel"), segment("secret"), caller);
    let Some(channel) = admitted else {
        body::drain(payload).await;
        return missing();
    };
    let body = body::read(payload, BODY, BODY_TIMEOUT).await;
    let turn = answer(&parts, channel, owned(&request, body));
    wire(turn.await)
}

/// Runs the turn where neither the peer nor the end of this worker can stop it.
async fn answer(parts: &Parts, channel: Arc<Channel>, request: OwnedRequest) -> WireReply {
    let callbacks = Arc::clone(&parts.callbacks);
    let to_answer = Arc::clone(&channel);
    let turn = async move { callbacks.answer(to_answer, request).await };
    match parts.turns.spawn_on(turn, &parts.runtime).await {
        Ok(reply) => reply,
        Err(_) => channel.gateway.render(Some(&Reply::End(BROKEN.to_owned())), &[]),
    }
}

fn owned(request: &HttpRequest, body: Option<Zeroizing<Vec<u8>>>) -> OwnedRequest {
    // "", "ussd", channel, secret, tail: taken from the path as it came, still percent-encoded.
    let tail = request.uri().path().splitn(5, '/').nth(4).unwrap_or_default();
    OwnedRequest {
        method: request.method().as_str().to_owned(),
        tail: tail.to_owned(),
        query: Zeroizing::new(request.query_string().as_bytes().to_vec()),
        headers: headers(request),
        body,
    }
}

/// All headers, repeated ones included.
pub(super) fn headers(request: &HttpRequest) -> Vec<(String, Vec<u8>)> {
    let pairs = request.headers().iter();
    pairs
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect()
}

pub(super) fn wire(reply: WireReply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.content_type(reply.content_type);
    for header in reply.headers {
        response.append_header(header);
    }
    response.body(reply.body)
}
