//! An answer before it is turned into HTTP, and what a failure makes of it.

use std::future::pending;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::failures::BankFailure;
use crate::sandbox::stand_in::reset;

#[derive(Clone, Debug, PartialEq)]
pub enum StandInAnswer {
    Json(u16, Value),
    /// This HTTP status and no body.
    Empty(u16),
    /// 303 to this address.
    SeeOther(String),
    /// 429 with this body, and with `Retry-After` if there are seconds.
    Busy(Option<u64>, Value),
    /// 502 with a page for a browser.
    Html,
    /// 200 and JSON that is cut in its middle.
    Cut(String),
    Reset,
    Never,
}

impl StandInAnswer {
    /// The answer with this failure; a 429 has these seconds, and `failed` is the body of a failure with this message.
    pub(super) fn with_failure(
        self,
        trouble: Option<BankFailure>,
        retry_after: Option<u64>,
        failed: fn(&str) -> Value,
    ) -> Self {
        match (trouble, self) {
            (None | Some(BankFailure::Slow(_)), answer) => answer,
            (Some(BankFailure::Hang), _) => Self::Never,
            (Some(BankFailure::Reset), _) => Self::Reset,
            (Some(BankFailure::Busy), _) => Self::Busy(retry_after, failed("Too many requests")),
            (Some(BankFailure::Error), _) => Self::Json(500, failed("Something went wrong")),
            (Some(BankFailure::Unavailable), _) => Self::Empty(503),
            (Some(BankFailure::Html), _) => Self::Html,
            (Some(BankFailure::Garbage), answer) => {
                let whole = if let Self::Json(_, body) = answer {
                    body.to_string()
                } else {
                    "{}".to_owned()
                };
                Self::Cut(whole.chars().take(whole.chars().count() / 2).collect())
            }
        }
    }

    pub(super) async fn write(self, req: &HttpRequest) -> HttpResponse {
        let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Json(code, body) => HttpResponse::build(status(code)).json(body),
            Self::Empty(code) => HttpResponse::build(status(code)).finish(),
            Self::SeeOther(url) => HttpResponse::SeeOther().insert_header((header::LOCATION, url)).finish(),
            Self::Busy(seconds, body) => {
                let mut answer = HttpResponse::TooManyRequests();
                if let Some(seconds) = seconds {
                    answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
                }
                answer.json(body)
            }
            Self::Html => HttpResponse::BadGateway()
                .content_type("text/html")
                .body("<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"),
            Self::Cut(text) => HttpResponse::Ok().content_type("application/json").body(text),
            Self::Reset => reset(req),
            Self::Never => pending().await,
        }
    }
}
