//! The gate in front of every route of the partner API.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use tracing::Span;
use uuid::Builder;

use super::PartnerApi;
use super::extractors::RawBody;
use super::idempotency;
use super::problem::Problem;
use super::routes::{AuthRequirement, RouteMatch, find_route};
use crate::core::access::Caller;
use crate::core::ids::{EntityId, PartnerId};
use crate::core::time::Rng;
use crate::http::body;
use crate::service::partners::{ApiError, RateLimitStatus, RequestContext};

/// Longer than anything there is to say.
const MAX_BODY: usize = 64 * 1024;
/// A server sends its request in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The versions there are, the newest last.
pub(super) const VERSIONS: &[&str] = &["2026-11-01"];
const VERSION_HEADER: &str = "kiungo-version";
const ENTITY_HEADER: &str = "kiungo-entity-id";

/// Whose publishable key a request came with.
#[derive(Clone, Copy)]
pub(super) struct PublishableKeyOwner(pub(super) PartnerId);

/// Lets a request in or not, and gives every answer what it must carry.
pub(super) async fn handle(
    api: web::Data<PartnerApi>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(api.entropy.as_ref());
    Span::current().record("request_id", &id);
    let version = requested_version(request.headers());
    let mut response = match authenticate(&mut request, &api, version).await {
        Ok(()) => idempotency::run_once(&api, request, next).await?,
        Err(problem) => request.into_response(problem.to_response(&id)),
    };
    if let Some(problem) = unrendered_problem(&response) {
        let request = response.request().clone();
        response = ServiceResponse::new(request, problem.to_response(&id));
    }
    let allowance = response.request().extensions().get::<RateLimitStatus>().copied();
    let headers = response.headers_mut();
    set_header(headers, "x-request-id", &id);
    set_header(headers, VERSION_HEADER, version.unwrap_or(latest_version()));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(allowance) = allowance {
        set_header(headers, "ratelimit-limit", &allowance.limit.to_string());
        set_header(headers, "ratelimit-remaining", &allowance.left.tokens.to_string());
        let reset = allowance.left.all.as_millis().div_ceil(1_000);
        set_header(headers, "ratelimit-reset", &reset.to_string());
    }
    Ok(response)
}

/// The problem of an answer that is none of ours yet.
fn unrendered_problem(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let kind = response.headers().get(actix_web::http::header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "application/problem+json") {
        return None;
    }
    let said = response.response().error().and_then(Error::as_error::<Problem>);
    Some(said.cloned().unwrap_or_else(|| Problem::from_status(status)))
}

/// Everything that is asked before a handler is.
async fn authenticate(
    request: &mut ServiceRequest,
    api: &web::Data<PartnerApi>,
    version: Option<&'static str>,
) -> Result<(), Problem> {
    let payload = request.extract::<web::Payload>().await;
    let whole = match payload {
        Ok(payload) => body::read(payload, MAX_BODY, BODY_TIMEOUT).await,
        Err(_) => None,
    };
    let route = match find_route(request.method(), request.match_pattern().as_deref()) {
        RouteMatch::Route(route) => route,
        RouteMatch::OtherMethods(methods) => return Err(Problem::method_not_allowed(&methods)),
        RouteMatch::NotFound => return Err(ApiError::NotFound.into()),
    };
    let whole = whole.ok_or_else(|| Problem::body_too_long(MAX_BODY))?;
    if version.is_none() {
        return Err(Problem::unknown_version(VERSIONS));
    }
    match route.auth {
        AuthRequirement::Open | AuthRequirement::ClientCredentials => {}
        AuthRequirement::PublishableKey => {
            let partner = api
                .access
                .authenticate_publishable_key(bearer_token(request.headers())?)
                .await?;
            count_request(request, api, partner)?;
            request.extensions_mut().insert(PublishableKeyOwner(partner));
        }
        AuthRequirement::Token(need) => {
            let caller = api.access.authenticate_token(bearer_token(request.headers())?).await?;
            count_request(request, api, caller.partner())?;
            let asked = request_context(request, api, caller, need).await?;
            request.extensions_mut().insert(asked);
        }
    }
    request.extensions_mut().insert(RawBody(whole));
    Ok(())
}

/// Who asks, and for which rows.
async fn request_context(
    request: &ServiceRequest,
    api: &web::Data<PartnerApi>,
    caller: Caller,
    need: crate::service::partners::RequiredAccess,
) -> Result<RequestContext, Problem> {
    let entity = entity_header(request.headers())?;
    let reach = api.access.authorize(&caller, need, entity).await?;
    Ok(RequestContext {
        caller,
        reach,
        rng: Arc::clone(&api.entropy),
    })
}

/// Counts a request, and ends it where there were too many.
fn count_request(request: &ServiceRequest, api: &web::Data<PartnerApi>, partner: PartnerId) -> Result<(), Problem> {
    let allowance = api.access.count_request(partner);
    request.extensions_mut().insert(allowance);
    if allowance.granted {
        return Ok(());
    }
    let after = allowance.left.next;
    Err(ApiError::TooMany { after }.into())
}

/// The entity that was chosen.
fn entity_header(headers: &HeaderMap) -> Result<Option<EntityId>, Problem> {
    let mut chosen = headers.get_all(ENTITY_HEADER);
    let Some(value) = chosen.next() else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| EntityId::parse(text).ok());
    let wrong = || ApiError::field("Kiungo-Entity-Id", "invalid", "say one entity's id").into();
    id.filter(|_| chosen.next().is_none()).map(Some).ok_or_else(wrong)
}

/// What stands behind `Bearer`.
fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(ApiError::Unauthenticated.into())
    }
}

/// The version to answer in; none: it is not known.
fn requested_version(headers: &HeaderMap) -> Option<&'static str> {
    let Some(asked) = headers.get(VERSION_HEADER) else {
        return Some(latest_version());
    };
    VERSIONS.iter().find(|known| asked == **known).copied()
}

fn latest_version() -> &'static str {
    VERSIONS.last().copied().unwrap_or_default()
}

/// By which a request is found in our log.
fn request_id(entropy: &dyn Rng) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn set_header(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
