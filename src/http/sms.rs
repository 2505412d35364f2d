//! Callbacks of SMS gateways: `/sms/{name}/{secret}`, and `…/reports` for what became of texts.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Parts, body, missing, ussd};
use crate::service::OwnedRequest;

/// More than any gateway sends, lists of reports included.
const BODY: usize = 256 * 1024;
/// A gateway sends its call in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Takes a call where neither the peer nor the end of this worker can stop it: some gateways call once.
pub(super) async fn take(request: HttpRequest, payload: web::Payload, parts: web::Data<Parts>) -> HttpResponse {
    let segment = |name| request.match_info().get(name).unwrap_or_default();
    let Some(line) = parts.messages.admit(segment("name"), segment("secret")) else {
        body::drain(payload).await;
        return missing();
    };
    let body = body::read(payload, BODY, BODY_TIMEOUT).await;
    // "", "sms", name, secret, tail.
    let tail = request.uri().path().splitn(5, '/').nth(4).unwrap_or_default();
    let request = OwnedRequest {
        method: request.method().as_str().to_owned(),
        tail: tail.to_owned(),
        query: request.query_string().as_bytes().to_vec().into(),
        headers: ussd::headers(&request),
        body,
    };
    let messages = Arc::clone(&parts.messages);
    let taking = async move { messages.hear(line, request).await };
    match parts.turns.spawn_on(taking, &parts.runtime).await {
        Ok(reply) => ussd::wire(reply),
        // It is to come again.
        Err(_) => HttpResponse::build(StatusCode::INTERNAL_SERVER_ERROR).finish(),
    }
}
