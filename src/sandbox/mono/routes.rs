//! The API over HTTP: which path is which call, reading, waiting, and writing answers (or none, or a reset).

use std::future::pending;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::{any::Any, io};

use actix_web::dev::Extensions;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::answer::MonoResponse;
use super::call_log::MonoVersion;
use super::state::{MonoRequest, MonoState};
use super::switches::{MonoCall, MonoFailure};

const ROUTES: &[(Method, &str, MonoCall, MonoVersion)] = &[
    (Method::GET, "/v3/institutions", MonoCall::Institutions, MonoVersion::V2),
    (Method::POST, "/v2/connect/session", MonoCall::Session, MonoVersion::V2),
    (Method::POST, "/v2/connect/login", MonoCall::Login, MonoVersion::V2),
    (Method::POST, "/v2/connect/commit", MonoCall::Commit, MonoVersion::V2),
    (Method::GET, "/v2/connect/sandbox", MonoCall::Sandbox, MonoVersion::V2),
    (
        Method::POST,
        "/v2/connect/reauth/session",
        MonoCall::ReauthSession,
        MonoVersion::V2,
    ),
    (
        Method::POST,
        "/v2/connect/reauth/login",
        MonoCall::ReauthLogin,
        MonoVersion::V2,
    ),
    (Method::POST, "/v2/accounts/auth", MonoCall::Exchange, MonoVersion::V2),
    (Method::GET, "/v2/accounts", MonoCall::Accounts, MonoVersion::V2),
    (Method::GET, "/v2/accounts/{id}", MonoCall::Account, MonoVersion::V2),
    (
        Method::POST,
        "/v2/accounts/{id}/unlink",
        MonoCall::Unlink,
        MonoVersion::V2,
    ),
    (Method::GET, "/v1/institutions", MonoCall::Institutions, MonoVersion::V1),
    (Method::POST, "/v1/connect/session", MonoCall::Session, MonoVersion::V1),
    (Method::POST, "/v1/connect/login", MonoCall::Login, MonoVersion::V1),
    (Method::POST, "/v1/connect/commit", MonoCall::Commit, MonoVersion::V1),
    (Method::POST, "/account/auth", MonoCall::Exchange, MonoVersion::V1),
    (Method::GET, "/accounts/{id}", MonoCall::Account, MonoVersion::V1),
    (Method::POST, "/accounts/{id}/unlink", MonoCall::Unlink, MonoVersion::V1),
    (
        Method::POST,
        "/accounts/{id}/reauthorise",
        MonoCall::ReauthToken,
        MonoVersion::V1,
    ),
];

/// The longest body that is read.
const BODY_LIMIT: usize = 64 * 1024;

/// Puts the API's paths in place.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    for (method, path, call, dialect) in ROUTES {
        let (call, dialect) = (*call, *dialect);
        let handler = move |state: web::Data<MonoState>, req: HttpRequest, payload: web::Payload| {
            serve(call, dialect, state.into_inner(), req, payload)
        };
        config.route(path, web::method(method.clone()).to(handler));
    }
}

/// A second handle of a connection's socket, so that it can be reset.
struct RawSocket(OwnedFd);

/// Keeps a handle of each new connection's socket.
pub(super) fn keep_socket(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<rt::net::TcpStream>()
        && let Ok(handle) = stream.as_fd().try_clone_to_owned()
    {
        extensions.insert(RawSocket(handle));
    }
}

async fn serve(
    call: MonoCall,
    dialect: MonoVersion,
    state: Arc<MonoState>,
    req: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let header = |name: &str| Some(req.headers().get(name)?.to_str().ok()?.to_owned());
    let mut request = MonoRequest {
        call,
        dialect,
        key: header("mono-sec-key"),
        session: header("x-session-id"),
        target: req.match_info().get("id").map(str::to_owned),
        query: url::form_urlencoded::parse(req.query_string().as_bytes())
            .into_owned()
            .collect(),
        body: Value::Null,
        no: None,
    };
    request.no = state.log_arrival(&request);
    let Some(body) = read(payload).await else {
        return HttpResponse::BadRequest().finish();
    };
    request.body = serde_json::from_slice(&body).unwrap_or_default();
    // On its own, so that what has begun is carried out even if the caller goes away: this handler is dropped then.
    let work = rt::spawn(perform(state, request));
    match work.await.unwrap_or(MonoResponse::Empty(500)) {
        MonoResponse::Never => pending().await,
        answer => write(&req, answer),
    }
}

pub(super) async fn read(mut payload: web::Payload) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > BODY_LIMIT {
            return None;
        }
    }
    Some(body)
}

async fn perform(state: Arc<MonoState>, request: MonoRequest) -> MonoResponse {
    let outlook = state.plan_call(&request);
    rt::time::sleep(outlook.latency).await;
    let owner = match outlook.owner {
        Ok(owner) => owner,
        Err(answer) => {
            state.log_rejection(request.no);
            return answer;
        }
    };
    if let Some(MonoFailure::Slow(ms)) = outlook.trouble {
        rt::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
    let answer = if outlook.processed {
        state.execute(owner, &request)
    } else {
        if outlook.trouble != Some(MonoFailure::Hang) {
            state.log_rejection(request.no);
        }
        MonoResponse::Empty(500)
    };
    answer.with_failure(outlook.trouble, outlook.retry_after)
}

fn write(req: &HttpRequest, answer: MonoResponse) -> HttpResponse {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        MonoResponse::Json(code, body) => HttpResponse::build(status(code)).json(body),
        MonoResponse::Empty(code) => HttpResponse::build(status(code)).finish(),
        MonoResponse::Busy(seconds) => {
            let mut answer = HttpResponse::TooManyRequests();
            if let Some(seconds) = seconds {
                answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            answer.json(super::answer::failed("Too many requests"))
        }
        MonoResponse::Html => HttpResponse::BadGateway()
            .content_type("text/html")
            .body("<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"),
        MonoResponse::Cut(text) => HttpResponse::Ok().content_type("application/json").body(text),
        MonoResponse::Reset | MonoResponse::Never => reset(req),
    }
}

/// Resets the connection: with no lingering, closing the socket sends RST, and a body that fails at once makes the
/// server close it before the head has left.
fn reset(req: &HttpRequest) -> HttpResponse {
    if let Some(RawSocket(handle)) = req.conn_data::<RawSocket>()
        && let Ok(handle) = handle.try_clone()
        && let Ok(stream) = rt::net::TcpStream::from_std(handle.into())
    {
        // Where this fails the connection is closed in the ordinary way, still without an answer.
        drop(stream.set_zero_linger());
    }
    HttpResponse::Ok().streaming(stream::once(async {
        Err::<web::Bytes, _>(io::Error::other("reset on purpose"))
    }))
}
