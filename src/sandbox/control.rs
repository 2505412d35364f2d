//! The controls of a stand-in over HTTP, for callers outside its process. Like everything in the sandbox they listen on
//! loopback only.
//!
//! | call | what it does |
//! |---|---|
//! | `GET /__stand-in/switches` | shows the switches |
//! | `POST /__stand-in/switches` | changes them by a JSON object and shows them; see each stand-in for what is left out |
//!
//! Calls that change something need `content-type: application/json`, which no foreign web page can send unasked.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Map, Value, json};

const BODY_LIMIT: usize = 64 * 1024;

/// Adds the routes; `change` changes nothing when a name or a value is not known, and says what is wrong.
pub(super) fn configure<S: Send + Sync + 'static, T: Serialize + 'static>(
    config: &mut web::ServiceConfig,
    switches: fn(&S) -> T,
    change: fn(&S, Map<String, Value>) -> Result<(), String>,
) {
    let show = move |state: web::Data<S>| async move { HttpResponse::Ok().json(switches(&state)) };
    let change = move |state: web::Data<S>, req: HttpRequest, payload: web::Payload| async move {
        let Some(changes) = json_object(&req, payload).await else {
            return bad_request("a JSON object is wanted");
        };
        match change(&state, changes) {
            Ok(()) => HttpResponse::Ok().json(switches(&state)),
            Err(problem) => bad_request(&problem),
        }
    };
    config
        .route("/__stand-in/switches", web::get().to(show))
        .route("/__stand-in/switches", web::post().to(change));
}

/// The whole body, unless it breaks off or is longer than [`BODY_LIMIT`].
pub(super) async fn read_body(mut payload: web::Payload) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > BODY_LIMIT {
            return None;
        }
    }
    Some(body)
}

/// The JSON object in the body, if it is sent as JSON.
pub(super) async fn json_object(req: &HttpRequest, payload: web::Payload) -> Option<Map<String, Value>> {
    let content_type = req.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|value| value.starts_with("application/json"));
    let body = read_body(payload).await?;
    serde_json::from_slice(&body).ok().filter(|_| is_json)
}

pub(super) fn bad_request(problem: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "status": "failed", "message": problem, "data": null }))
}
