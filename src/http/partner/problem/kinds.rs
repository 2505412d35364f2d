//! The kinds of problem there are. Their codes are stable: partners' programs compare them.

use actix_web::http::StatusCode;

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The HTTP status it comes with.
    pub status: StatusCode,
    /// A stable word.
    pub code: &'static str,
    /// The same in words.
    pub title: &'static str,
    /// What it means, and what to do about it.
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

    /// Where it is explained: on the reference page of the server that says it.
    pub fn documentation_path(&self) -> String {
        format!("/v1/docs#problem-{}", self.code)
    }
}

/// Every kind there is, by status.
pub const PROBLEM_KINDS: [&ProblemKind; 17] = [
    &MALFORMED,
    &UNKNOWN_VERSION,
    &UNAUTHENTICATED,
    &WRONG_ENVIRONMENT,
    &ROLE,
    &ENTITY,
    &NOT_FOUND,
    &METHOD,
    &CONFLICT,
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
    "The request cannot be read, or its body is not JSON. Mend it; asking again changes nothing.",
);
pub(super) const UNKNOWN_VERSION: ProblemKind = ProblemKind::new(
    StatusCode::BAD_REQUEST,
    "unknown_version",
    "Unknown version",
    "There is no version with the date in `Kiungo-Version`. The detail says which there are.",
);
pub(super) const UNAUTHENTICATED: ProblemKind = ProblemKind::new(
    StatusCode::UNAUTHORIZED,
    "unauthenticated",
    "Unauthenticated",
    "There is no token or key, or one that opens nothing: it is over, was revoked, or is of another kind. Get a new token.",
);
pub(super) const WRONG_ENVIRONMENT: ProblemKind = ProblemKind::new(
    StatusCode::UNAUTHORIZED,
    "wrong_environment",
    "Wrong environment",
    "A live key or token was sent to a sandbox, or the other way round. Look at its prefix and at the address.",
);
pub(super) const ROLE: ProblemKind = ProblemKind::new(
    StatusCode::FORBIDDEN,
    "role_does_not_allow",
    "Not allowed",
    "The user's role does not allow this, or it takes the other kind of token: a partner's or a user's.",
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
    "There is nothing here that this token may see. What belongs to somebody else is not told from what does not exist.",
);
pub(super) const METHOD: ProblemKind = ProblemKind::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "Method not allowed",
    "The path is there for other methods; `Allow` lists them.",
);
pub(super) const CONFLICT: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "conflict",
    "Conflict",
    "It cannot be done as things stand. The detail says what stands in the way.",
);
pub(super) const IN_PROGRESS: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "idempotency_in_progress",
    "In progress",
    "A request with this `Idempotency-Key` is being worked on. Ask again after `Retry-After`.",
);
pub(super) const TOO_LONG: ProblemKind = ProblemKind::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_long",
    "Body too long",
    "The body is longer than 64 KiB, or did not come within five seconds.",
);
pub(super) const MEDIA_TYPE: ProblemKind = ProblemKind::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "Unsupported media type",
    "A body is JSON: say `Content-Type: application/json`.",
);
pub(super) const INVALID: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid",
    "Invalid request",
    "Something in the request is not right. `errors` has all of it, each with a pointer to where it stands.",
);
pub(super) const MISMATCH: ProblemKind = ProblemKind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency_mismatch",
    "Another request",
    "The `Idempotency-Key` was used for another request within 24 hours. Take a new key for each thing you want done.",
);
pub(super) const TOO_MANY: ProblemKind = ProblemKind::new(
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_requests",
    "Too many requests",
    "There were too many requests. Ask again after `Retry-After` seconds.",
);
pub(super) const INTERNAL: ProblemKind = ProblemKind::new(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Something broke",
    "This is our fault. Tell whoever runs the server the request's id.",
);
pub(super) const UNAVAILABLE: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "Unavailable",
    "Something we need does not answer now; nobody was let in. Ask again after `Retry-After`, with the same \
     `Idempotency-Key`.",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code stands for one kind, and they are in the order of their statuses.
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
