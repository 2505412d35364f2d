//! For whoever runs the server: `/health/live`, `/health/ready`, `/metrics`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{Parts, body};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

#[derive(Serialize)]
struct Ready {
    /// `ready` when every part is.
    status: &'static str,
    /// Each part with `ok`, or what is wrong with it.
    parts: BTreeMap<&'static str, String>,
}

/// The process answers. Says nothing of what it needs: restarting it would mend none of that.
pub(super) async fn live(payload: web::Payload) -> HttpResponse {
    body::drain(payload).await;
    HttpResponse::Ok().json(Live { status: "live" })
}

/// 200 when everything we need answers, 503 with what does not.
pub(super) async fn ready(payload: web::Payload, parts: web::Data<Parts>) -> HttpResponse {
    body::drain(payload).await;
    let found = parts.readiness.parts().await;
    let ready = found.iter().all(|(_, fault)| fault.is_none());
    let parts = found
        .into_iter()
        .map(|(part, fault)| (part, fault.unwrap_or_else(|| "ok".to_owned())))
        .collect();
    if ready {
        HttpResponse::Ok().json(Ready { status: "ready", parts })
    } else {
        let status = "not ready";
        HttpResponse::ServiceUnavailable().json(Ready { status, parts })
    }
}

/// Everything that is counted.
pub(super) async fn metrics(payload: web::Payload, parts: web::Data<Parts>) -> HttpResponse {
    body::drain(payload).await;
    match parts.metrics.encode() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
