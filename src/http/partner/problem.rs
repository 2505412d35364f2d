//! Problem documents (RFC 9457): everything that goes wrong, in one form.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::core::access::Refused;
use crate::service::partners::{ApiError, FieldError};

/// What a request that is not answered as asked is answered with.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    /// A header that belongs to it.
    header: Option<(actix_web::http::header::HeaderName, String)>,
}

/// As it is written.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    request_id: &'a str,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
        }))
    }

    fn with(mut self, name: actix_web::http::header::HeaderName, value: impl Into<String>) -> Self {
        self.0.header = Some((name, value.into()));
        self
    }

    /// The body is no JSON.
    pub(super) fn malformed() -> Self {
        let detail = "the body is not JSON";
        Self::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
    }

    /// The version asked for is not one of these.
    pub(super) fn unknown_version(known: &[&str]) -> Self {
        let detail = format!("there is no such version; there are: {}", known.join(", "));
        Self::new(StatusCode::BAD_REQUEST, "unknown_version", "Unknown version", detail)
    }

    /// The body is of another type than JSON.
    pub(super) fn media_type() -> Self {
        let detail = "say Content-Type: application/json";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            detail,
        )
    }

    /// The body is longer than `most` bytes.
    pub(super) fn too_long(most: usize) -> Self {
        let detail = format!("the body is longer than {most} bytes, or did not come in time");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "Body too long", detail)
    }

    /// There is something here, for other methods.
    pub(super) fn method(allowed: &[&str]) -> Self {
        let (status, title) = (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
        let allowed = allowed.join(", ");
        let problem = Self::new(status, "method_not_allowed", title, format!("say {allowed}"));
        problem.with(ALLOW, allowed)
    }

    /// What a status that nobody gave a reason for means.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => ApiError::NotFound.into(),
            status if status.is_client_error() => {
                Self::new(status, "malformed", "Malformed request", "the request cannot be read")
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something broke",
                "this is our fault; tell us the request's id",
            ),
        }
    }

    /// The answer.
    pub(super) fn answer(&self, request_id: &str) -> HttpResponse {
        let problem = &self.0;
        let document = Document {
            r#type: format!("https://kiungo.example/problems/{}", problem.code),
            title: problem.title,
            status: problem.status.as_u16(),
            detail: &problem.detail,
            code: problem.code,
            errors: &problem.errors,
            request_id,
        };
        let mut answer = HttpResponse::build(problem.status);
        answer.insert_header((CACHE_CONTROL, "no-store"));
        if let Some((name, value)) = &problem.header {
            answer.insert_header((name.clone(), value.as_str()));
        }
        // Texts and numbers have a form in JSON.
        let body = serde_json::to_string(&document).unwrap_or_default();
        answer
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(body)
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let detail = error.to_string();
        match error {
            ApiError::Unauthenticated => {
                let title = "Unauthenticated";
                let problem = Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", title, detail);
                problem.with(WWW_AUTHENTICATE, "Bearer")
            }
            ApiError::WrongEnvironment => {
                let title = "Wrong environment";
                let problem = Self::new(StatusCode::UNAUTHORIZED, "wrong_environment", title, detail);
                problem.with(WWW_AUTHENTICATE, "Bearer")
            }
            ApiError::Forbidden(Refused::Role) => {
                Self::new(StatusCode::FORBIDDEN, "role_does_not_allow", "Not allowed", detail)
            }
            ApiError::Forbidden(Refused::Entity) => {
                Self::new(StatusCode::FORBIDDEN, "entity_not_yours", "Not your entity", detail)
            }
            ApiError::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail),
            ApiError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail),
            ApiError::InProgress => {
                let title = "In progress";
                let problem = Self::new(StatusCode::CONFLICT, "idempotency_in_progress", title, detail);
                problem.with(RETRY_AFTER, "1")
            }
            ApiError::IdempotencyMismatch => {
                let (status, title) = (StatusCode::UNPROCESSABLE_ENTITY, "Another request");
                Self::new(status, "idempotency_mismatch", title, detail)
            }
            ApiError::Invalid(errors) => {
                let (status, title) = (StatusCode::UNPROCESSABLE_ENTITY, "Invalid request");
                let mut problem = Self::new(status, "invalid", title, detail);
                problem.0.errors = errors;
                problem
            }
            ApiError::TooMany { after } => {
                let seconds = after.as_millis().div_ceil(1_000).max(1);
                let (status, title) = (StatusCode::TOO_MANY_REQUESTS, "Too many requests");
                let problem = Self::new(status, "too_many_requests", title, detail);
                problem.with(RETRY_AFTER, seconds.to_string())
            }
            ApiError::Unavailable => {
                let (status, title) = (StatusCode::SERVICE_UNAVAILABLE, "Unavailable");
                Self::new(status, "unavailable", title, detail).with(RETRY_AFTER, "1")
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code)
    }
}

/// Handlers give it; the gate, which knows the request's id, writes it.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.0.status)
    }
}
