//! What many operations share: headers, problem responses, security schemes.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::http::partner::problem::PROBLEM_KINDS;
use crate::http::partner::route::{AuthRequirement, Route};
use crate::http::partner::versions::VERSIONS;
use crate::providers::PROVIDERS;

/// A reference to a component.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// The component with the problems of this status.
fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// All shared components, by kind.
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
            "description": "The partner's publishable key, which may be part of an app or a page.",
        },
    })
}

fn parameters() -> Value {
    json!({
        "KiungoVersion": {
            "name": "Kiungo-Version", "in": "header", "required": false,
            "description": "The version of the response; by default the newest.",
            "schema": {"type": "string", "enum": VERSIONS},
        },
        "KiungoEntityId": {
            "name": "Kiungo-Entity-Id", "in": "header", "required": false,
            "description": "The entity that the request is about. By default all; for a user, their own.",
            "schema": {"type": "string", "format": "uuid"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Makes repeats within 24 hours safe: the request takes effect once. 1 to 255 visible ASCII \
                            characters, new for each operation.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        },
    })
}

fn headers() -> Value {
    let header = |description: &str, required: bool, schema: Value| json!({"description": description, "required": required, "schema": schema});
    let number = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    json!({
        "RequestId": header("Identifies the request in the server's log.", true,
            json!({"type": "string", "format": "uuid"})),
        "KiungoVersion": header("The version of the response.", true,
            json!({"type": "string", "enum": VERSIONS})),
        "RateLimitLimit": header("The maximum number of requests left.", false, number()),
        "RateLimitRemaining": header("The number of requests left.", false, number()),
        "RateLimitReset": header("Seconds until the maximum is left again.", false, number()),
        "RetryAfter": header("Seconds until the request can be repeated.", false, number()),
        "IdempotentReplayed": header("`true` if this response was first given to an earlier request.", false, text()),
        "WwwAuthenticate": header("How the request can be authenticated.", true, text()),
        "Allow": header("The methods that exist.", true, text()),
    })
}

/// References to headers, by header name and component name.
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

/// All problems of one status.
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

/// The problems of one status at one route. Where forms are taken, they get the errors of OAuth 2.0.
pub(super) fn problem_for(status: u16, route: &Route) -> Value {
    if route.auth == AuthRequirement::ClientCredentials && matches!(status, 400 | 401) {
        let mut response = problem_response(status);
        response["content"]["application/json"] = json!({"schema": reference("schemas", "OAuthError")});
        return response;
    }
    reference("responses", &response_name(status))
}

/// Adds to a response that a handler describes what every response has.
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

/// Names the keys of every provider that this build can be set up with.
pub(super) fn describe_provider_keys(schema: &mut Value) {
    let mut description =
        "The keys at a provider, by the names that it declares. All are replaced together.".to_owned();
    for provider in PROVIDERS {
        // Writing into a text does not fail.
        let _ = write!(description, "\n\nAt `{}`:\n", provider.name);
        for key in provider.keys {
            let needed = if key.required { "required" } else { "optional" };
            let _ = write!(description, "\n- `{}` ({needed}): {}", key.name, key.help);
        }
    }
    *schema = json!({
        "type": "object",
        "description": description,
        "additionalProperties": {"type": "string", "format": "password", "writeOnly": true},
    });
}
