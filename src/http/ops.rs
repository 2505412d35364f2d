//! For whoever runs the server: `/health/live`, `/health/ready`, `/metrics`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{HttpState, body};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Serialize)]
struct LiveResponse {
    status: &'static str,
}

#[derive(Serialize)]
struct ReadyResponse {
    /// `ready` when every part is.
    status: &'static str,
    /// Each part with `ok`, or what is wrong with it.
    parts: BTreeMap<&'static str, String>,
}

/// The process answers. Says nothing of what it needs: restarting it would mend none of that.
pub(super) async fn get_live(payload: web::Payload) -> HttpResponse {
    body::drain(payload).await;
    HttpResponse::Ok().json(LiveResponse { status: "live" })
}

/// 200 when everything we need answers, 503 with what does not.
pub(super) async fn get_ready(payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    let found = parts.readiness.checks().await;
    let ready = found.iter().all(|(_, fault)| fault.is_none());
    let parts = found
        .into_iter()
        .map(|(part, fault)| (part, fault.unwrap_or_else(|| "ok".to_owned())))
        .collect();
    if ready {
        HttpResponse::Ok().json(ReadyResponse { status: "ready", parts })
    } else {
        let status = "not ready";
        HttpResponse::ServiceUnavailable().json(ReadyResponse { status, parts })
    }
}

/// Everything that is counted.
pub(super) async fn get_metrics(payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    match parts.metrics.encode() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
