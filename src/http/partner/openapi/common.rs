//! What many operations share: headers, answers that are problems, ways to show who calls.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{AuthRequirement, PROBLEM_KINDS, Route, VERSIONS};

/// A reference to a component.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// What the answer with this status is called among the components.
pub(super) fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// Everything shared, by the kind of component.
pub(super) fn components() -> [(&'static str, Value); 4] {
    let statuses: BTreeSet<u16> = PROBLEM_KINDS.iter().map(|kind| kind.status.as_u16()).collect();
    let problems = statuses
        .into_iter()
        .map(|status| (response_name(status), problem_response(status)));
    [
        ("securitySchemes", security_schemes()),
        ("parameters", parameters()),
        ("headers", headers()),
        ("responses", Value::Object(problems.collect())),
    ]
}

fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http", "scheme": "bearer", "bearerFormat": "kg_at_…",
            "description": "A token of the partner or of one of its users, from `POST /v1/auth/token`.",
        },
        "publishableKey": {
            "type": "http", "scheme": "bearer", "bearerFormat": "kg_pub_…",
            "description": "The partner's publishable key, which may stand in an app or a page.",
        },
    })
}

fn parameters() -> Value {
    json!({
        "KiungoVersion": {
            "name": "Kiungo-Version", "in": "header", "required": false,
            "description": "The version to answer in; without it, the newest.",
            "schema": {"type": "string", "enum": VERSIONS},
        },
        "KiungoEntityId": {
            "name": "Kiungo-Entity-Id", "in": "header", "required": false,
            "description": "The entity to keep to. A user's own entity is chosen without it.",
            "schema": {"type": "string", "format": "uuid"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Has the request done once, however often it is sent within 24 hours. 1 to 255 visible ASCII \
                            characters, new for each thing to be done.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        },
    })
}

fn headers() -> Value {
    let header = |description: &str, required: bool, schema: Value| json!({"description": description, "required": required, "schema": schema});
    let number = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    json!({
        "RequestId": header("By which the request is found in the server's log.", true,
            json!({"type": "string", "format": "uuid"})),
        "KiungoVersion": header("The version that was answered in.", true,
            json!({"type": "string", "enum": VERSIONS})),
        "RateLimitLimit": header("How many requests there can be left, at most.", false, number()),
        "RateLimitRemaining": header("How many requests are left.", false, number()),
        "RateLimitReset": header("In how many seconds all of them are there again.", false, number()),
        "RetryAfter": header("In how many seconds to ask again.", false, number()),
        "IdempotentReplayed": header("`true` when this was answered before.", false, text()),
        "WwwAuthenticate": header("How the request would be let in.", true, text()),
        "Allow": header("The methods there are.", true, text()),
    })
}

/// References to headers: as they are written, and as they are called among the components.
fn header_references(headers: &[(&str, &str)]) -> Value {
    let headers = headers
        .iter()
        .map(|(name, component)| ((*name).to_owned(), reference("headers", component)));
    Value::Object(headers.collect())
}

const COMMON_HEADERS: [(&str, &str); 2] = [("X-Request-Id", "RequestId"), ("Kiungo-Version", "KiungoVersion")];
const RATE_LIMIT_HEADERS: [(&str, &str); 3] = [
    ("RateLimit-Limit", "RateLimitLimit"),
    ("RateLimit-Remaining", "RateLimitRemaining"),
    ("RateLimit-Reset", "RateLimitReset"),
];

/// The answer with this status.
fn problem_response(status: u16) -> Value {
    let kinds = PROBLEM_KINDS.iter().filter(|kind| kind.status.as_u16() == status);
    let lines: Vec<_> = kinds.map(|kind| format!("`{}`: {}", kind.code, kind.advice)).collect();
    json!({
        "description": lines.join("\n\n"),
        "headers": problem_headers(status),
        "content": problem_content(),
    })
}

fn problem_headers(status: u16) -> Value {
    let mut all = COMMON_HEADERS.to_vec();
    match status {
        401 => all.push(("WWW-Authenticate", "WwwAuthenticate")),
        405 => all.push(("Allow", "Allow")),
        409 | 503 => all.push(("Retry-After", "RetryAfter")),
        429 => {
            all.push(("Retry-After", "RetryAfter"));
            all.extend(RATE_LIMIT_HEADERS);
        }
        _ => {}
    }
    header_references(&all)
}

fn problem_content() -> Value {
    json!({"application/problem+json": {"schema": reference("schemas", "Problem")}})
}

/// Adds to an answer that a handler names what every answer has.
pub(super) fn complete_response(response: &mut Value, status: &str, route: &Route) {
    if let Some(status) = status.parse().ok().filter(|status| *status >= 400) {
        response["headers"] = problem_headers(status);
        response["content"] = problem_content();
        return;
    }
    let mut all = COMMON_HEADERS.to_vec();
    if route.auth != AuthRequirement::Open {
        all.extend(RATE_LIMIT_HEADERS);
    }
    if matches!(route.auth, AuthRequirement::Token(_)) && route.method == "POST" {
        all.push(("Idempotent-Replayed", "IdempotentReplayed"));
    }
    response["headers"] = header_references(&all);
}
