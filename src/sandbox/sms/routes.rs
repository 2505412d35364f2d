//! The stand-in's API over HTTP, and its controls.
//!
//! | call | what it does |
//! |---|---|
//! | `POST /version1/messaging` | takes a text, as the original |
//! | `GET /__stand-in/switches` | the switches as they stand |
//! | `POST /__stand-in/switches` | throws all switches: those left out stand as at first |
//! | `GET /__stand-in/inbox?msisdn=` | the texts a number has got |
//! | `POST /__stand-in/texts` | sends a text: `{"msisdn", "text"}` |

use std::future::pending;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, rt, web};
use serde::Deserialize;
use serde_json::json;

use super::state::{SmsFailure, SmsState, SmsSwitches};

/// What a text is sent by.
#[derive(Deserialize)]
struct Send {
    username: String,
    to: String,
    message: String,
    #[serde(default)]
    from: String,
}

/// Whose inbox.
#[derive(Deserialize)]
pub(super) struct Whose {
    /// E.164 with `+`, percent-encoded.
    pub(super) msisdn: String,
}

/// A text from a person.
#[derive(Deserialize)]
pub(super) struct FromPhone {
    /// E.164 with `+`.
    pub(super) msisdn: String,
    pub(super) text: String,
}

/// Puts the paths in place.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/version1/messaging", web::post().to(take))
        .route("/__stand-in/switches", web::get().to(show))
        .route("/__stand-in/switches", web::post().to(change))
        .route("/__stand-in/inbox", web::get().to(inbox))
        .route("/__stand-in/texts", web::post().to(text));
}

async fn take(state: web::Data<SmsState>, request: HttpRequest, send: web::Form<Send>) -> HttpResponse {
    let key = request.headers().get("apikey").map(header::HeaderValue::as_bytes);
    if key != Some(state.settings.key.expose().as_bytes()) || send.username != state.settings.username {
        return HttpResponse::Unauthorized().body("The supplied authentication is invalid");
    }
    match state.next_failure() {
        Some(SmsFailure::Down) => return HttpResponse::ServiceUnavailable().finish(),
        Some(SmsFailure::Busy) => {
            return HttpResponse::TooManyRequests()
                .insert_header((header::RETRY_AFTER, "1"))
                .finish();
        }
        Some(SmsFailure::BlackListed) => return answer("UserInBlacklist", 406, &send.to, "None"),
        Some(SmsFailure::Slow(ms)) => rt::time::sleep(Duration::from_millis(ms)).await,
        Some(SmsFailure::Hang) => {
            state.accept(&send.to, &send.from, &send.message);
            return pending().await;
        }
        None => {}
    }
    let (id, held) = state.accept(&send.to, &send.from, &send.message);
    rt::time::sleep(held).await;
    answer("Success", 101, &send.to, &id)
}

fn answer(status: &str, code: u16, to: &str, id: &str) -> HttpResponse {
    let sent = u8::from(status == "Success");
    let cost = if sent == 1 { "NGN 2.2000" } else { "0" };
    let recipient = json!({ "statusCode": code, "number": to, "status": status, "cost": cost, "messageId": id });
    let message = format!("Sent to {sent}/1 Total Cost: {cost}");
    HttpResponse::Created().json(json!({ "SMSMessageData": { "Message": message, "Recipients": [recipient] } }))
}

async fn show(state: web::Data<SmsState>) -> HttpResponse {
    HttpResponse::Ok().json(state.switches())
}

async fn change(state: web::Data<SmsState>, switches: web::Json<SmsSwitches>) -> HttpResponse {
    state.set_switches(*switches);
    HttpResponse::Ok().json(state.switches())
}

/// The texts that a number has got, oldest first.
pub(super) async fn inbox(state: web::Data<SmsState>, whose: web::Query<Whose>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(state.inbox(&whose.msisdn))
}

/// Sends a text from a number. Wants `content-type: application/json`, which no foreign web page can send unasked.
pub(super) async fn text(state: web::Data<SmsState>, text: web::Json<FromPhone>) -> HttpResponse {
    let id = state.send_from(&text.msisdn, &text.text);
    HttpResponse::Accepted().json(json!({ "id": id }))
}
