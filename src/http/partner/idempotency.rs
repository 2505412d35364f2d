//! Runs a request with an `Idempotency-Key` once, see [`crate::service::partners::idempotency`].

use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};

use super::api::PartnerApi;
use super::extractors::RawBody;
use super::problem::Problem;
use crate::service::partners::context::RequestContext;
use crate::service::partners::error::ApiError;
use crate::service::partners::idempotency::{IdempotencyLease, IdempotentRequest};

const KEY_HEADER: &str = "idempotency-key";
const ENTITY_HEADER: &str = "kiungo-entity-id";
/// Marks a response that was first given to an earlier request.
const REPLAYED_HEADER: &str = "idempotent-replayed";
/// No response to a creation is longer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Calls the handler, unless the same request has already been answered. Only `POST` takes a key.
pub(super) async fn run_once(
    api: &web::Data<PartnerApi>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let lease = match begin(api, &request).await {
        Ok(None) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Ok(Some(IdempotentRequest::New(lease))) => lease,
        Ok(Some(IdempotentRequest::Replay { status, body })) => {
            return Ok(request.into_response(replayed_response(status, body)));
        }
        // The middleware renders it.
        Err(problem) => return Ok(request.error_response(problem).map_into_boxed_body()),
    };
    if let Some(context) = request.extensions_mut().get_mut::<RequestContext>() {
        context.rng = lease.rng.clone();
    }
    let response = next.call(request).await?.map_into_boxed_body();
    finish(api, &lease, response).await
}

async fn begin(api: &web::Data<PartnerApi>, request: &ServiceRequest) -> Result<Option<IdempotentRequest>, Problem> {
    let Some(context) = request.extensions().get::<RequestContext>().cloned() else {
        return Ok(None);
    };
    let mut keys = request.headers().get_all(KEY_HEADER);
    let Some(key) = keys.next().filter(|_| request.method() == Method::POST) else {
        return Ok(None);
    };
    let one = key.to_str().ok().filter(|_| keys.next().is_none());
    let one = one.ok_or_else(|| ApiError::field("Idempotency-Key", "invalid", "say one key, in ASCII"))?;
    let body = request.extensions().get::<RawBody>().map(|body| body.0.clone());
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
    Ok(Some(api.accounts.begin(&context, one, &same).await?))
}

/// Stores a successful response, then returns it.
async fn finish(
    api: &web::Data<PartnerApi>,
    lease: &IdempotencyLease,
    response: ServiceResponse<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let status = response.status().as_u16();
    if !response.status().is_success() {
        api.accounts.finish(lease, status, &[]).await;
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let Ok(Ok(body)) = to_bytes_limited(body, MAX_ANSWER).await else {
        let broken = HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
        return Ok(ServiceResponse::new(request, broken));
    };
    api.accounts.finish(lease, status, &body).await;
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
}

/// A stored response.
fn replayed_response(status: u16, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.insert_header((REPLAYED_HEADER, "true"));
    if !body.is_empty() {
        response.insert_header((CONTENT_TYPE, "application/json"));
    }
    response.body(body)
}
