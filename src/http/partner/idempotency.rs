//! Has a request with an `Idempotency-Key` done once, see [`crate::service::partners::repeats`].

use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::PartnerApi;
use super::extractors::RawBody;
use super::problem::Problem;
use crate::service::partners::{ApiError, IdempotencyLease, IdempotentRequest, RequestContext};

const KEY_HEADER: &str = "idempotency-key";
const ENTITY_HEADER: &str = "kiungo-entity-id";
/// Said of an answer that was given before.
const REPLAYED_HEADER: &str = "idempotent-replayed";
/// No answer to a creation is longer.
const MAX_ANSWER: usize = 256 * 1024;

/// Calls the handler, unless the same request has been answered. Only requests that make something have a key.
pub(super) async fn run_once(
    api: &web::Data<PartnerApi>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let held = match begin(api, &request).await {
        Ok(None) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Ok(Some(IdempotentRequest::New(held))) => held,
        Ok(Some(IdempotentRequest::Replay { status, body })) => {
            return Ok(request.into_response(replayed_response(status, body)));
        }
        // The gate writes it.
        Err(problem) => return Ok(request.error_response(problem).map_into_boxed_body()),
    };
    if let Some(asked) = request.extensions_mut().get_mut::<RequestContext>() {
        asked.rng = held.rng.clone();
    }
    let response = next.call(request).await?.map_into_boxed_body();
    finish(api, &held, response).await
}

async fn begin(api: &web::Data<PartnerApi>, request: &ServiceRequest) -> Result<Option<IdempotentRequest>, Problem> {
    let Some(asked) = request.extensions().get::<RequestContext>().cloned() else {
        return Ok(None);
    };
    let mut keys = request.headers().get_all(KEY_HEADER);
    let Some(key) = keys.next().filter(|_| request.method() == Method::POST) else {
        return Ok(None);
    };
    let one = key.to_str().ok().filter(|_| keys.next().is_none());
    let one = one.ok_or_else(|| ApiError::field("Idempotency-Key", "invalid", "say one key, in ASCII"))?;
    let body = request.extensions().get::<RawBody>().map(|whole| whole.0.clone());
    let entity = request
        .headers()
        .get(ENTITY_HEADER)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let same = [
        request.method().as_str().as_bytes(),
        request.uri().path().as_bytes(),
        entity,
        body.as_deref().map_or(&[], Vec::as_slice),
    ];
    Ok(Some(api.repeats.begin(&asked, one, &same).await?))
}

/// Keeps an answer and gives it.
async fn finish(
    api: &web::Data<PartnerApi>,
    held: &IdempotencyLease,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let status = response.status().as_u16();
    if !response.status().is_success() {
        api.repeats.finish(held, status, &[]).await;
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let Ok(Ok(body)) = to_bytes_limited(body, MAX_ANSWER).await else {
        let broken = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
        return Ok(ServiceResponse::new(request, broken));
    };
    api.repeats.finish(held, status, &body).await;
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
}

/// An answer as it was given before.
fn replayed_response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    answer.insert_header((REPLAYED_HEADER, "true"));
    if !body.is_empty() {
        answer.insert_header((CONTENT_TYPE, "application/json"));
    }
    answer.body(body)
}
