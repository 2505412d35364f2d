//! The kinds of problem. Their codes are stable: partners' programs compare them.

use actix_web::http::StatusCode;

#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: &'static str,
    /// What it means, and what to do about it; shown in the reference.
    pub advice: &'static str,
}

impl ProblemKind {
    const fn new(status: StatusCode, code: &'static str, title: &'static str, advice: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            advice,
        }
    }

    /// Where it is explained: on the reference page of the server itself.
    pub fn documentation_path(&self) -> String {
        format!("/v1/docs#problem-{}", self.code)
    }
}

/// All kinds, by status.
pub const PROBLEM_KINDS: [&ProblemKind; 18] = [
    &MALFORMED,
    &UNKNOWN_VERSION,
    &UNAUTHENTICATED,
    &WRONG_ENVIRONMENT,
    &ROLE,
    &ENTITY,
    &NOT_FOUND,
    &METHOD,
    &CONFLICT,
    &ELIGIBILITY,
    &IN_PROGRESS,
    &TOO_LONG,
    &MEDIA_TYPE,
    &INVALID,
    &MISMATCH,
    &TOO_MANY,
    &INTERNAL,
    &UNAVAILABLE,
];

pub(super) const MALFORMED: ProblemKind = ProblemKind::new(
    StatusCode::BAD_REQUEST,
    "malformed",
    "Malformed request",
    "The request cannot be read, or its body is not JSON. Correct it; repeating it unchanged does not help.",
);
pub(super) const UNKNOWN_VERSION: ProblemKind = ProblemKind::new(
    StatusCode::BAD_REQUEST,
    "unknown_version",
    "Unknown version",
    "There is no version with the date in `Kiungo-Version`. The detail lists the versions.",
);
pub(super) const UNAUTHENTICATED: ProblemKind = ProblemKind::new(
    StatusCode::UNAUTHORIZED,
    "unauthenticated",
    "Unauthenticated",
    "There is no token or key, or it is not valid: it has expired, was revoked, or is of another kind. Get a new token.",
);
pub(super) const WRONG_ENVIRONMENT: ProblemKind = ProblemKind::new(
    StatusCode::UNAUTHORIZED,
    "wrong_environment",
    "Wrong environment",
    "A live key or token was sent to a sandbox, or the other way round. Check its prefix and the address.",
);
pub(super) const ROLE: ProblemKind = ProblemKind::new(
    StatusCode::FORBIDDEN,
    "role_does_not_allow",
    "Not allowed",
    "The user's role does not allow this, or the route takes the other kind of token: a partner's or a user's.",
);
pub(super) const ENTITY: ProblemKind = ProblemKind::new(
    StatusCode::FORBIDDEN,
    "entity_not_yours",
    "Not your entity",
    "The entity in `Kiungo-Entity-Id` is not the partner's, or not the one the user works in.",
);
pub(super) const NOT_FOUND: ProblemKind = ProblemKind::new(
    StatusCode::NOT_FOUND,
    "not_found",
    "Not found",
    "There is nothing here that this token may see. Objects of others look like objects that do not exist.",
);
pub(super) const METHOD: ProblemKind = ProblemKind::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "Method not allowed",
    "The path exists for other methods; `Allow` lists them.",
);
pub(super) const CONFLICT: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "conflict",
    "Conflict",
    "The request conflicts with the current state. The detail says how.",
);
pub(super) const ELIGIBILITY: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "eligibility_required",
    "Eligibility required",
    "A live key was sent to a provider that wants its clients to be eligible, and you have not stated that you are. State it \
     with `PUT /v1/eligibility/{provider}`, then repeat the request.",
);
pub(super) const IN_PROGRESS: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "idempotency_in_progress",
    "In progress",
    "A request with this `Idempotency-Key` is in progress. Repeat it after `Retry-After`.",
);
pub(super) const TOO_LONG: ProblemKind = ProblemKind::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_long",
    "Body too long",
    "The body is longer than 64 KiB, or took longer than five seconds.",
);
pub(super) const MEDIA_TYPE: ProblemKind = ProblemKind::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "Unsupported media type",
    "A body is JSON, in UTF-8, and not compressed: send `Content-Type: application/json` and no `Content-Encoding`.",
);
pub(super) const INVALID: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid",
    "Invalid request",
    "Something in the request is wrong. `errors` lists all of it, each with a pointer to its place.",
);
pub(super) const MISMATCH: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency_mismatch",
    "Another request",
    "The `Idempotency-Key` was used for another request within 24 hours. Use a new key for each operation.",
);
pub(super) const TOO_MANY: ProblemKind = ProblemKind::new(
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_requests",
    "Too many requests",
    "There were too many requests. Repeat the request after `Retry-After` seconds.",
);
pub(super) const INTERNAL: ProblemKind = ProblemKind::new(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Something broke",
    "This is our fault. Report the request's id to the operator of the server.",
);
pub(super) const UNAVAILABLE: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "Unavailable",
    "A service we depend on does not answer. Repeat the request after `Retry-After`, with the same \
     `Idempotency-Key`.",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes are unique, and kinds are in the order of their statuses.
    #[test]
    fn every_code_is_one_kind() {
        for (index, kind) in PROBLEM_KINDS.iter().enumerate() {
            assert!(
                PROBLEM_KINDS[..index]
                    .iter()
                    .all(|other| other.code != kind.code && other.status <= kind.status),
                "{}",
                kind.code
            );
        }
    }
}
