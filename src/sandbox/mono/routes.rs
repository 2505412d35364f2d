//! The API over HTTP: which path is which call, reading, waiting, and writing answers (or none, or a reset).
//!
//! Besides the common controls there are:
//!
//! | call | what it does |
//! |---|---|
//! | `GET /__stand-in/ledger` | the call log so far |
//! | `GET /__stand-in/guide` | the magic words |
//! | `POST /__stand-in/webhook` | sends an event: `{"event", "account"}` and any field of [`super::WebhookOverrides`] |

use std::future::pending;
use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use serde_json::{Value, json};

use crate::sandbox::control::{self, bad_request, json_object, read_body};
use crate::sandbox::stand_in::reset;

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

/// Puts the API's paths in place.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    for (method, path, call, dialect) in ROUTES {
        let (call, dialect) = (*call, *dialect);
        let handler = move |state: web::Data<MonoState>, req: HttpRequest, payload: web::Payload| {
            serve(call, dialect, state.into_inner(), req, payload)
        };
        config.route(path, web::method(method.clone()).to(handler));
    }
    control::configure(config, MonoState::switches, MonoState::change);
    config
        .route("/__stand-in/ledger", web::get().to(call_log))
        .route("/__stand-in/guide", web::get().to(guide))
        .route("/__stand-in/webhook", web::post().to(send_webhook));
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
    let Some(body) = read_body(payload).await else {
        return HttpResponse::BadRequest().finish();
    };
    request.body = serde_json::from_slice(&body).unwrap_or_default();
    // In a task of its own, so that it is carried out even if the caller disconnects, which drops this handler.
    let work = rt::spawn(perform(state, request));
    match work.await.unwrap_or(MonoResponse::Empty(500)) {
        MonoResponse::Never => pending().await,
        answer => write(&req, answer),
    }
}

async fn perform(state: Arc<MonoState>, request: MonoRequest) -> MonoResponse {
    let plan = state.plan_call(&request);
    rt::time::sleep(plan.latency).await;
    let owner = match plan.owner {
        Ok(owner) => owner,
        Err(answer) => {
            state.log_rejection(request.no);
            return answer;
        }
    };
    if let Some(MonoFailure::Slow(ms)) = plan.trouble {
        rt::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
    let answer = if plan.processed {
        state.execute(owner, &request)
    } else {
        if plan.trouble != Some(MonoFailure::Hang) {
            state.log_rejection(request.no);
        }
        MonoResponse::Empty(500)
    };
    answer.with_failure(plan.trouble, plan.retry_after)
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

async fn call_log(state: web::Data<MonoState>) -> HttpResponse {
    HttpResponse::Ok().json(state.call_log())
}

async fn guide() -> HttpResponse {
    HttpResponse::Ok().json(super::guide())
}

async fn send_webhook(state: web::Data<MonoState>, req: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(mut fields) = json_object(&req, payload).await else {
        return bad_request("a JSON object is wanted");
    };
    let mut take = |name| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (Some(event), account) = (take("event"), take("account").unwrap_or_default()) else {
        return bad_request("event is wanted");
    };
    match serde_json::from_value(Value::Object(fields)) {
        Ok(overrides) => {
            HttpResponse::Accepted().json(json!({ "event_id": state.send_webhook(&event, &account, overrides) }))
        }
        Err(problem) => bad_request(&problem.to_string()),
    }
}
