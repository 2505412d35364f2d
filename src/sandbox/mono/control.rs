//! The controls over HTTP, for those who are not in the same process: `/__stand-in/…`, loopback like all of it.
//!
//! | call | what it does |
//! |---|---|
//! | `GET /__stand-in/switches` | the switches as they stand |
//! | `POST /__stand-in/switches` | changes those named in the JSON body, keeps the others; `null` takes one institution's away |
//! | `GET /__stand-in/ledger` | what happened so far |
//! | `GET /__stand-in/guide` | what can be typed |
//! | `POST /__stand-in/webhook` | sends an event: `{"event", "account"}` and any field of [`WebhookOverrides`] |
//!
//! Changing calls want `content-type: application/json`, which no foreign web page can send unasked.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::answer::failed;
use super::routes::read;
use super::scenario;
use super::state::MonoState;
use super::switches::MonoSwitches;
use super::webhooks::WebhookOverrides;

/// Puts the control paths in place.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/__stand-in/switches", web::get().to(show))
        .route("/__stand-in/switches", web::post().to(change))
        .route("/__stand-in/ledger", web::get().to(ledger))
        .route("/__stand-in/guide", web::get().to(guide))
        .route("/__stand-in/webhook", web::post().to(webhook));
}

async fn show(state: web::Data<MonoState>) -> HttpResponse {
    HttpResponse::Ok().json(state.switches())
}

async fn ledger(state: web::Data<MonoState>) -> HttpResponse {
    HttpResponse::Ok().json(state.call_log())
}

async fn guide() -> HttpResponse {
    HttpResponse::Ok().json(super::guide())
}

async fn change(state: web::Data<MonoState>, req: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(Value::Object(changes)) = json_body(&req, payload).await else {
        return refused("a JSON object is wanted");
    };
    match state.change(changes) {
        Ok(()) => HttpResponse::Ok().json(state.switches()),
        Err(problem) => refused(&problem),
    }
}

async fn webhook(state: web::Data<MonoState>, req: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(Value::Object(mut fields)) = json_body(&req, payload).await else {
        return refused("a JSON object is wanted");
    };
    let mut take = |name| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (Some(event), account) = (take("event"), take("account").unwrap_or_default()) else {
        return refused("event is wanted");
    };
    match serde_json::from_value::<WebhookOverrides>(Value::Object(fields)) {
        Ok(choice) => {
            HttpResponse::Accepted().json(json!({ "event_id": state.send_webhook(&event, &account, choice) }))
        }
        Err(problem) => refused(&problem.to_string()),
    }
}

impl MonoState {
    /// Throws the switches that are named, by their JSON names, and keeps the others.
    ///
    /// # Errors
    /// When a name, a value or a word of the guide is not known; nothing is changed then.
    pub fn change(&self, changes: serde_json::Map<String, Value>) -> Result<(), String> {
        let mut inner = self.lock();
        let mut all = serde_json::to_value(&inner.switches).map_err(|problem| problem.to_string())?;
        if let Some(all) = all.as_object_mut() {
            for (name, change) in changes {
                match (all.get_mut(&name), change) {
                    (Some(Value::Object(old)), Value::Object(new)) => {
                        old.extend(new);
                        old.retain(|_, value| !value.is_null());
                    }
                    (_, new) => drop(all.insert(name, new)),
                }
            }
        }
        let switches: MonoSwitches = serde_json::from_value(all).map_err(|problem| problem.to_string())?;
        let mut words = switches.every_login.iter().chain(switches.by_institution.values());
        if let Some(word) = words.find(|word| scenario::find_scenario(word).is_none()) {
            return Err(format!("{word:?} is not in the guide"));
        }
        inner.switches = switches;
        Ok(())
    }
}

async fn json_body(req: &HttpRequest, payload: web::Payload) -> Option<Value> {
    let is_json = req.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_json = is_json.is_some_and(|value| value.starts_with("application/json"));
    let body = read(payload).await?;
    serde_json::from_slice(&body).ok().filter(|_| is_json)
}

fn refused(problem: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(failed(problem))
}
