//! The stand-in's API over HTTP. Besides the common controls there are:
//!
//! | call | what it does |
//! |---|---|
//! | `POST /version1/messaging` | accepts an SMS, as the original does |
//! | `GET /__stand-in/inbox?msisdn=` | the SMS that a number has received |
//! | `POST /__stand-in/texts` | sends an SMS from a number: `{"msisdn", "text"}` |

use std::future::pending;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, rt, web};
use serde::Deserialize;
use serde_json::json;

use super::state::{SmsFailure, SmsState};
use crate::sandbox::control;

#[derive(Deserialize)]
struct SendForm {
    username: String,
    to: String,
    message: String,
    #[serde(default)]
    from: String,
}

#[derive(Deserialize)]
pub(super) struct InboxQuery {
    /// E.164 with `+`, percent-encoded.
    pub(super) msisdn: String,
}

#[derive(Deserialize)]
pub(super) struct PhoneSms {
    /// E.164 with `+`.
    pub(super) msisdn: String,
    pub(super) text: String,
}

pub(super) fn configure(config: &mut web::ServiceConfig) {
    control::configure(config, SmsState::switches, SmsState::change);
    config
        .route("/version1/messaging", web::post().to(send))
        .route("/__stand-in/inbox", web::get().to(inbox))
        .route("/__stand-in/texts", web::post().to(send_sms));
}

async fn send(state: web::Data<SmsState>, request: HttpRequest, form: web::Form<SendForm>) -> HttpResponse {
    let key = request.headers().get("apikey").map(header::HeaderValue::as_bytes);
    if key != Some(state.settings.key.expose().as_bytes()) || form.username != state.settings.username {
        return HttpResponse::Unauthorized().body("The supplied authentication is invalid");
    }
    match state.next_failure() {
        Some(SmsFailure::Down) => return HttpResponse::ServiceUnavailable().finish(),
        Some(SmsFailure::Busy) => {
            return HttpResponse::TooManyRequests()
                .insert_header((header::RETRY_AFTER, "1"))
                .finish();
        }
        Some(SmsFailure::BlackListed) => return answer("UserInBlacklist", 406, &form.to, "None"),
        Some(SmsFailure::Slow(ms)) => rt::time::sleep(Duration::from_millis(ms)).await,
        Some(SmsFailure::Hang) => {
            state.accept(&form.to, &form.from, &form.message);
            return pending().await;
        }
        None => {}
    }
    let (id, held) = state.accept(&form.to, &form.from, &form.message);
    rt::time::sleep(held).await;
    answer("Success", 101, &form.to, &id)
}

fn answer(status: &str, code: u16, to: &str, id: &str) -> HttpResponse {
    let sent = u8::from(status == "Success");
    let cost = if sent == 1 { "NGN 2.2000" } else { "0" };
    let recipient = json!({ "statusCode": code, "number": to, "status": status, "cost": cost, "messageId": id });
    let message = format!("Sent to {sent}/1 Total Cost: {cost}");
    HttpResponse::Created().json(json!({ "SMSMessageData": { "Message": message, "Recipients": [recipient] } }))
}

/// The SMS that a number has received, oldest first.
pub(super) async fn inbox(state: web::Data<SmsState>, query: web::Query<InboxQuery>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(state.inbox(&query.msisdn))
}

/// Sends an SMS from a number. It needs `content-type: application/json`, which no foreign web page can send unasked.
pub(super) async fn send_sms(state: web::Data<SmsState>, sms: web::Json<PhoneSms>) -> HttpResponse {
    let id = state.send_from(&sms.msisdn, &sms.text);
    HttpResponse::Accepted().json(json!({ "id": id }))
}
