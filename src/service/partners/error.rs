//! Why a request is not answered as asked.

use std::time::Duration;

use crate::core::access::AccessDenied;
use crate::records::{RecordsError, WriteOutcome};

/// Why a request fails. The messages are for the partner's engineer; they never quote the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No token or key, or one that is not valid.
    #[error("there is no valid token or key with this request")]
    Unauthenticated,
    /// A live key in the sandbox, or the other way round.
    #[error("this key or token belongs to the other environment")]
    WrongEnvironment,
    #[error("{}", match .0 {
        AccessDenied::Role => "the role does not allow this",
        AccessDenied::Entity => "the entity is not one that this token may act for",
    })]
    Forbidden(AccessDenied),
    /// It does not exist, or belongs to somebody else.
    #[error("there is nothing here that this token may see")]
    NotFound,
    #[error("{0}")]
    Conflict(&'static str),
    /// Live keys at this provider, of a partner that has not stated that it is eligible.
    #[error(
        "a live key is taken once you have stated that you are eligible: PUT /v1/eligibility/{0} with registered, licence \
         (and licensed_partner), trading_six_months, agreement_signed_on and stated_by, then set the credentials"
    )]
    NotEligible(&'static str),
    /// The same request is in progress.
    #[error("a request with this idempotency key is in progress; repeat it later")]
    InProgress,
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error("something in the request is wrong")]
    Invalid(Vec<FieldError>),
    #[error("too many requests")]
    TooMany { after: Duration },
    /// The records cannot be reached.
    #[error("this cannot be answered now; repeat it later")]
    Unavailable,
}

/// What is wrong in a request, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the body; `?name` is a query parameter, a bare name a header.
    pub pointer: String,
    /// A stable word.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What to do about it.
    pub detail: String,
}

impl ApiError {
    pub fn field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        }])
    }
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        tracing::warn!(%error, "partner request failed");
        Self::Unavailable
    }
}

impl From<AccessDenied> for ApiError {
    fn from(refused: AccessDenied) -> Self {
        Self::Forbidden(refused)
    }
}

/// The result of a write; `role` points to the role in the request, where there is one.
pub(super) fn into_result<T>(outcome: WriteOutcome<T>, role: &str) -> Result<T, ApiError> {
    match outcome {
        WriteOutcome::Done(done) => Ok(done),
        WriteOutcome::NotFound => Err(ApiError::NotFound),
        WriteOutcome::NoEntity => Err(ApiError::Forbidden(AccessDenied::Entity)),
        WriteOutcome::NoRole => Err(unknown_role(role)),
        WriteOutcome::Taken => Err(ApiError::Conflict("another user of the entity has this login")),
        WriteOutcome::InUse => Err(ApiError::Conflict(
            "the role is still in use: take it from its users and entities first",
        )),
        WriteOutcome::BeyondOwn => Err(AccessDenied::Role.into()),
        WriteOutcome::LastAdministrator => Err(ApiError::Conflict(
            "nobody of the entity could put users and roles right any more: give somebody else these rights first",
        )),
        WriteOutcome::TooMany => Err(ApiError::Conflict(
            "there are as many of these as there may be: delete one first",
        )),
    }
}

fn unknown_role(pointer: &str) -> ApiError {
    ApiError::field(pointer, "unknown", "there is no such role for this entity")
}
