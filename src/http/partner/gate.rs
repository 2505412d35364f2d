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
use super::ask::Whole;
use super::problem::Problem;
use super::repeats;
use super::table::{Entry, Found, look_up};
use crate::core::access::Caller;
use crate::core::ids::{EntityId, PartnerId};
use crate::core::time::Entropy;
use crate::http::body;
use crate::service::partners::{Allowance, ApiError, Asked};

/// Longer than anything there is to say.
const BODY: usize = 64 * 1024;
/// A server sends its request in one piece.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The versions there are, the newest last.
pub(super) const VERSIONS: &[&str] = &["2026-11-01"];
const VERSION: &str = "kiungo-version";
const ENTITY: &str = "kiungo-entity-id";

/// Whose publishable key a request came with.
#[derive(Clone, Copy)]
pub(super) struct Published(pub(super) PartnerId);

/// Lets a request in or not, and gives every answer what it must carry.
pub(super) async fn gate(
    api: web::Data<PartnerApi>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(api.entropy.as_ref());
    Span::current().record("request_id", &id);
    let version = version(request.headers());
    let mut response = match admit(&mut request, &api, version).await {
        Ok(()) => repeats::once(&api, request, next).await?,
        Err(problem) => request.into_response(problem.answer(&id)),
    };
    if let Some(problem) = unwritten(&response) {
        let request = response.request().clone();
        response = ServiceResponse::new(request, problem.answer(&id));
    }
    let allowance = response.request().extensions().get::<Allowance>().copied();
    let headers = response.headers_mut();
    set(headers, "x-request-id", &id);
    set(headers, VERSION, version.unwrap_or(newest()));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(allowance) = allowance {
        set(headers, "ratelimit-limit", &allowance.limit.to_string());
        set(headers, "ratelimit-remaining", &allowance.left.tokens.to_string());
        let reset = allowance.left.all.as_millis().div_ceil(1_000);
        set(headers, "ratelimit-reset", &reset.to_string());
    }
    Ok(response)
}

/// The problem of an answer that is none of ours yet.
fn unwritten(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let kind = response.headers().get(actix_web::http::header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == "application/problem+json") {
        return None;
    }
    let said = response.response().error().and_then(Error::as_error::<Problem>);
    Some(said.cloned().unwrap_or_else(|| Problem::of_status(status)))
}

/// Everything that is asked before a handler is.
async fn admit(
    request: &mut ServiceRequest,
    api: &web::Data<PartnerApi>,
    version: Option<&'static str>,
) -> Result<(), Problem> {
    let payload = request.extract::<web::Payload>().await;
    let whole = match payload {
        Ok(payload) => body::read(payload, BODY, BODY_TIMEOUT).await,
        Err(_) => None,
    };
    let route = match look_up(request.method(), request.match_pattern().as_deref()) {
        Found::Route(route) => route,
        Found::Methods(methods) => return Err(Problem::method(&methods)),
        Found::Nothing => return Err(ApiError::NotFound.into()),
    };
    let whole = whole.ok_or_else(|| Problem::too_long(BODY))?;
    if version.is_none() {
        return Err(Problem::unknown_version(VERSIONS));
    }
    match route.entry {
        Entry::Open | Entry::Keys => {}
        Entry::Publishable => {
            let partner = api.access.publishable(bearer(request.headers())?).await?;
            count(request, api, partner)?;
            request.extensions_mut().insert(Published(partner));
        }
        Entry::Token(need) => {
            let caller = api.access.bearer(bearer(request.headers())?).await?;
            count(request, api, caller.partner())?;
            let asked = asked(request, api, caller, need).await?;
            request.extensions_mut().insert(asked);
        }
    }
    request.extensions_mut().insert(Whole(whole));
    Ok(())
}

/// Who asks, and for which rows.
async fn asked(
    request: &ServiceRequest,
    api: &web::Data<PartnerApi>,
    caller: Caller,
    need: crate::service::partners::Need,
) -> Result<Asked, Problem> {
    let entity = entity(request.headers())?;
    let reach = api.access.reach(&caller, need, entity).await?;
    Ok(Asked {
        caller,
        reach,
        fresh: Arc::clone(&api.entropy),
    })
}

/// Counts a request, and ends it where there were too many.
fn count(request: &ServiceRequest, api: &web::Data<PartnerApi>, partner: PartnerId) -> Result<(), Problem> {
    let allowance = api.access.count(partner);
    request.extensions_mut().insert(allowance);
    if allowance.taken {
        return Ok(());
    }
    let after = allowance.left.next;
    Err(ApiError::TooMany { after }.into())
}

/// The entity that was chosen.
fn entity(headers: &HeaderMap) -> Result<Option<EntityId>, Problem> {
    let mut chosen = headers.get_all(ENTITY);
    let Some(value) = chosen.next() else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| EntityId::parse(text).ok());
    let wrong = || ApiError::field("Kiungo-Entity-Id", "invalid", "say one entity's id").into();
    id.filter(|_| chosen.next().is_none()).map(Some).ok_or_else(wrong)
}

/// What stands behind `Bearer`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(ApiError::Unauthenticated.into())
    }
}

/// The version to answer in; none: it is not known.
fn version(headers: &HeaderMap) -> Option<&'static str> {
    let Some(asked) = headers.get(VERSION) else {
        return Some(newest());
    };
    VERSIONS.iter().find(|known| asked == **known).copied()
}

fn newest() -> &'static str {
    VERSIONS.last().copied().unwrap_or_default()
}

/// By which a request is found in our log.
fn request_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
