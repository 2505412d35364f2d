//! Problem documents (RFC 9457): every error in one form.

mod kinds;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;

pub use self::kinds::{PROBLEM_KINDS, ProblemKind};
use crate::core::access::AccessDenied;
use crate::http::decodable::{self, Undecodable};
use crate::service::partners::error::{ApiError, FieldError};
use crate::service::partners::schemas::enum_schema;

/// An error response.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<ProblemDetails>);

#[derive(Clone, Debug)]
struct ProblemDetails {
    kind: &'static ProblemKind,
    /// The kind's own, except for an error of the web server that has its own status.
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    /// A header that the response carries.
    header: Option<(actix_web::http::header::HeaderName, String)>,
}

/// What went wrong (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemDocument<'a> {
    /// Where the kind of problem is explained, on this server.
    #[schema(format = "uri-reference")]
    r#type: String,
    /// The kind in words.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time. For people: its words may change.
    detail: &'a str,
    /// The kind as a stable word, for programs.
    #[schema(schema_with = problem_codes)]
    code: &'a str,
    /// Everything that is wrong in the request. Only with the code `invalid`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// Identifies the request in the server's log.
    #[schema(format = Uuid)]
    request_id: &'a str,
}

fn problem_codes() -> ObjectBuilder {
    enum_schema(
        "The kind as a stable word, for programs.",
        &PROBLEM_KINDS.map(|kind| kind.code),
    )
}

impl Problem {
    fn new(kind: &'static ProblemKind, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            kind,
            status: kind.status,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
        }))
    }

    fn with_header(mut self, name: actix_web::http::header::HeaderName, value: impl Into<String>) -> Self {
        self.0.header = Some((name, value.into()));
        self
    }

    pub(super) fn malformed() -> Self {
        Self::new(&kinds::MALFORMED, "the body is not JSON")
    }

    pub(super) fn unknown_version(known: &[&str]) -> Self {
        let detail = format!("there is no such version; there are: {}", known.join(", "));
        Self::new(&kinds::UNKNOWN_VERSION, detail)
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::new(&kinds::MEDIA_TYPE, "say Content-Type: application/json")
    }

    /// The body cannot be read as it came.
    pub(super) fn undecodable(why: Undecodable) -> Self {
        match why {
            Undecodable::Coding => Self::new(&kinds::MEDIA_TYPE, "send the body without a Content-Encoding")
                .with_header(ACCEPT_ENCODING, decodable::CODINGS),
            Undecodable::Charset => Self::new(&kinds::MEDIA_TYPE, "send the body in UTF-8"),
        }
    }

    /// The body is longer than `most` bytes, or slow.
    pub(super) fn body_too_long(most: usize) -> Self {
        let detail = format!("the body is longer than {most} bytes, or did not come in time");
        Self::new(&kinds::TOO_LONG, detail)
    }

    pub(super) fn method_not_allowed(allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ").replace("GET", "GET, HEAD");
        let problem = Self::new(&kinds::METHOD, format!("say {allowed}"));
        problem.with_header(ALLOW, allowed)
    }

    /// The problem of a response without a reason, such as one of the web server.
    pub(super) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => ApiError::NotFound.into(),
            status if status.is_client_error() => {
                let mut problem = Self::new(&kinds::MALFORMED, "the request cannot be read");
                problem.0.status = status;
                problem
            }
            _ => Self::new(&kinds::INTERNAL, "this is our fault; report the request's id"),
        }
    }

    pub(super) fn to_response(&self, request_id: &str) -> HttpResponse {
        let problem = &self.0;
        let document = ProblemDocument {
            r#type: problem.kind.documentation_path(),
            title: problem.kind.title,
            status: problem.status.as_u16(),
            detail: &problem.detail,
            code: problem.kind.code,
            errors: &problem.errors,
            request_id,
        };
        let mut response = HttpResponse::build(problem.status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some((name, value)) = &problem.header {
            response.insert_header((name.clone(), value.as_str()));
        }
        // Strings and numbers always have a form in JSON.
        let body = serde_json::to_string(&document).unwrap_or_default();
        response
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(body)
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let detail = error.to_string();
        match error {
            ApiError::Unauthenticated => {
                Self::new(&kinds::UNAUTHENTICATED, detail).with_header(WWW_AUTHENTICATE, "Bearer")
            }
            ApiError::WrongEnvironment => {
                Self::new(&kinds::WRONG_ENVIRONMENT, detail).with_header(WWW_AUTHENTICATE, "Bearer")
            }
            ApiError::Forbidden(AccessDenied::Role) => Self::new(&kinds::ROLE, detail),
            ApiError::Forbidden(AccessDenied::Entity) => Self::new(&kinds::ENTITY, detail),
            ApiError::NotFound => Self::new(&kinds::NOT_FOUND, detail),
            ApiError::Conflict(_) => Self::new(&kinds::CONFLICT, detail),
            ApiError::NotEligible(_) => Self::new(&kinds::ELIGIBILITY, detail),
            ApiError::InProgress => Self::new(&kinds::IN_PROGRESS, detail).with_header(RETRY_AFTER, "1"),
            ApiError::IdempotencyMismatch => Self::new(&kinds::MISMATCH, detail),
            ApiError::Invalid(errors) => {
                let mut problem = Self::new(&kinds::INVALID, detail);
                problem.0.errors = errors;
                problem
            }
            ApiError::TooMany { after } => {
                let seconds = after.as_millis().div_ceil(1_000).max(1);
                Self::new(&kinds::TOO_MANY, detail).with_header(RETRY_AFTER, seconds.to_string())
            }
            ApiError::Unavailable => Self::new(&kinds::UNAVAILABLE, detail).with_header(RETRY_AFTER, "1"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.code)
    }
}

/// Returned by handlers; rendered by the middleware, which knows the request's id.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.0.status)
    }
}
