//! For operators: `/health/live`, `/health/ready`, `/metrics`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{HttpState, body};
use crate::service::callbacks::PartState;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Serialize)]
struct LiveResponse {
    status: &'static str,
}

#[derive(Serialize)]
struct ReadyResponse {
    /// `ready` or `not ready`.
    status: &'static str,
    /// `ok` for each part, or what is wrong with it.
    parts: BTreeMap<&'static str, String>,
}

/// 200 if the process answers. Does not check its dependencies: a restart would not repair them.
pub(super) async fn get_live(payload: web::Payload) -> HttpResponse {
    body::drain(payload).await;
    HttpResponse::Ok().json(LiveResponse { status: "live" })
}

/// 200 if all dependencies answer, 503 with those that do not.
pub(super) async fn get_ready(payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    let found = parts.readiness.checks().await;
    let ready = !found.iter().any(|(_, state)| matches!(state, PartState::Fault(_)));
    let text = |state| match state {
        PartState::Good => "ok".to_owned(),
        PartState::Note(text) | PartState::Fault(text) => text,
    };
    let parts = found.into_iter().map(|(part, state)| (part, text(state))).collect();
    if ready {
        HttpResponse::Ok().json(ReadyResponse { status: "ready", parts })
    } else {
        let status = "not ready";
        HttpResponse::ServiceUnavailable().json(ReadyResponse { status, parts })
    }
}

pub(super) async fn get_metrics(payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    match parts.metrics.encode() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
