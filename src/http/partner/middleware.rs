//! The middleware in front of every route: authenticates the request and sets the common response headers.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use tracing::Span;
use uuid::Builder;

use super::api::PartnerApi;
use super::extractors::{PublishableKeyOwner, RawBody};
use super::oauth::OAuthError;
use super::problem::Problem;
use super::route::AuthRequirement;
use super::routes::{RouteMatch, find_route};
use super::versions::{VERSION_HEADER, VERSIONS, latest_version, requested_version};
use super::{cors, idempotency};
use crate::core::access::Caller;
use crate::core::ids::EntityId;
use crate::core::time::Rng;
use crate::http::body::{self, BodyLimits, BodySender, Unread};
use crate::http::client_address::client_address;
use crate::http::{HttpState, decodable};
use crate::service::partners::access::RequiredAccess;
use crate::service::partners::budgets::{RateLimitStatus, Spender};
use crate::service::partners::context::RequestContext;
use crate::service::partners::error::ApiError;

/// Longer than any legitimate request; and a server sends it in one piece.
const BODY: BodyLimits = BodyLimits {
    bytes: 64 * 1024,
    time: Duration::from_secs(5),
};

const ENTITY_HEADER: &str = "kiungo-entity-id";

/// Authenticates the request, calls its handler, and sets the common response headers.
pub(super) async fn handle(
    api: web::Data<PartnerApi>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(api.rng.as_ref());
    Span::current().record("request_id", &id);
    let version = requested_version(request.headers());
    let from_pages = cors::is_for_pages(request.match_pattern().as_deref());
    let mut response = if from_pages && request.method() == Method::OPTIONS {
        if let Ok(payload) = request.extract::<web::Payload>().await {
            body::drain(payload).await;
        }
        request.into_response(cors::preflight())
    } else {
        match authenticate(&mut request, &api, version).await {
            Ok(()) => idempotency::run_once(&api, request, next).await?,
            Err(problem) => request.into_response(problem.to_response(&id)),
        }
    };
    if let Some(problem) = unrendered_problem(&response) {
        let request = response.request().clone();
        response = ServiceResponse::new(request, problem.to_response(&id));
    }
    let rate_limit = response.request().extensions().get::<RateLimitStatus>().copied();
    let headers = response.headers_mut();
    if from_pages {
        cors::add_headers(headers);
    }
    set_header(headers, "x-request-id", &id);
    set_header(headers, VERSION_HEADER, version.unwrap_or(latest_version()));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(status) = rate_limit {
        set_header(headers, "ratelimit-limit", &status.limit.to_string());
        set_header(headers, "ratelimit-remaining", &status.left.tokens.to_string());
        let reset = status.left.all.as_millis().div_ceil(1_000);
        set_header(headers, "ratelimit-reset", &reset.to_string());
    }
    Ok(response)
}

/// The problem of an error response that has no body of ours yet.
fn unrendered_problem(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let media_type = response.headers().get(CONTENT_TYPE);
    let problem = media_type.is_some_and(|media_type| media_type == "application/problem+json");
    if problem || response.response().extensions().contains::<OAuthError>() {
        return None;
    }
    let error = response.response().error().and_then(Error::as_error::<Problem>);
    Some(error.cloned().unwrap_or_else(|| Problem::from_status(status)))
}

/// All checks that precede a handler. The body is read once it is known who sends it, and on every other path drained, or
/// the connection would be closed.
async fn authenticate(
    request: &mut ServiceRequest,
    api: &web::Data<PartnerApi>,
    version: Option<&'static str>,
) -> Result<(), Problem> {
    let payload = request.extract::<web::Payload>().await;
    let payload = payload.map_err(|_| Problem::body_too_long(BODY.bytes))?;
    let by = match check_head(request, api, version).await {
        Ok(by) => by,
        Err(problem) => {
            body::drain(payload).await;
            return Err(problem);
        }
    };
    let body = body::read(request.request(), payload, BODY, by).await;
    let body = body.map_err(|why| match why {
        Unread::TooLong | Unread::TooSlow => Problem::body_too_long(BODY.bytes),
        Unread::Busy => ApiError::Unavailable.into(),
    })?;
    decodable::check(request.headers(), &body).map_err(Problem::undecodable)?;
    request.extensions_mut().insert(RawBody(body));
    Ok(())
}

/// Who sends a request, by its head.
async fn check_head(
    request: &ServiceRequest,
    api: &web::Data<PartnerApi>,
    version: Option<&'static str>,
) -> Result<BodySender, Problem> {
    let route = match find_route(request.method(), request.match_pattern().as_deref()) {
        RouteMatch::Route(route) => route,
        RouteMatch::OtherMethods(methods) => return Err(Problem::method_not_allowed(&methods)),
        RouteMatch::NotFound => return Err(ApiError::NotFound.into()),
    };
    if version.is_none() {
        return Err(Problem::unknown_version(VERSIONS));
    }
    let state = request.app_data::<web::Data<HttpState>>();
    let from = state.and_then(|state| client_address(request.request(), &state.proxies));
    match route.auth {
        AuthRequirement::Open | AuthRequirement::ClientCredentials => Ok(BodySender::Stranger(from)),
        AuthRequirement::PublishableKey => {
            let key = bearer_token(request.headers())?;
            let partner = api.accounts.authenticate_publishable_key(key).await?;
            count_request(request, api, Spender::Public(partner, from))?;
            request.extensions_mut().insert(PublishableKeyOwner(partner));
            // Anybody has that key.
            Ok(BodySender::Stranger(from))
        }
        AuthRequirement::Token(access) => {
            let token = bearer_token(request.headers())?;
            let caller = api.accounts.authenticate_token(token).await?;
            let partner = caller.partner();
            let by = match &caller {
                Caller::Partner(_) => Spender::Partner(partner),
                Caller::User { user, .. } => Spender::User(partner, *user),
            };
            count_request(request, api, by)?;
            let context = request_context(request, api, caller, access).await?;
            request.extensions_mut().insert(context);
            Ok(BodySender::Partner(partner))
        }
    }
}

async fn request_context(
    request: &ServiceRequest,
    api: &web::Data<PartnerApi>,
    caller: Caller,
    access: RequiredAccess,
) -> Result<RequestContext, Problem> {
    let entity = entity_header(request.headers())?;
    let scope = api.accounts.authorize(&caller, access, entity).await?;
    Ok(RequestContext {
        caller,
        scope,
        rng: Arc::clone(&api.rng),
    })
}

/// Counts a request against its sender's rate limit, and refuses it above the limit.
fn count_request(request: &ServiceRequest, api: &web::Data<PartnerApi>, by: Spender) -> Result<(), Problem> {
    let status = api.accounts.count_request(by);
    request.extensions_mut().insert(status);
    Ok(status.require().map(drop)?)
}

fn entity_header(headers: &HeaderMap) -> Result<Option<EntityId>, Problem> {
    let mut values = headers.get_all(ENTITY_HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| EntityId::parse(text).ok());
    let invalid = || ApiError::field("Kiungo-Entity-Id", "invalid", "say one entity's id").into();
    id.filter(|_| values.next().is_none()).map(Some).ok_or_else(invalid)
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(ApiError::Unauthenticated.into())
    }
}

/// The id by which a request is found in the log.
fn request_id(rng: &dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn set_header(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
