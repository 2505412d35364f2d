//! The API as an OpenAPI 3.1 document, made from the handlers.
//!
//! What a handler takes and returns on success is described above it. What the middleware takes and answers is the same for
//! all routes with the same access requirement: it is added here, so that no handler has to repeat it and none can forget
//! it.

mod common;

use actix_web::web::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder};

use super::oauth::{OAuthError, OAuthErrorCode};
use super::problem::ProblemDocument;
use super::route::{AuthRequirement, Route, RouteGroup};
use super::versions::latest_version;
use crate::service::partners::access::RequiredAccess;
use crate::service::partners::error::FieldError;
use crate::service::partners::schemas::{PRINTABLE_FORMAT, PRINTABLE_PATTERN};

/// What to know before the first request.
const INTRODUCTION: &str = include_str!("openapi/introduction.md");

/// The document, made and written out once for all requests.
pub(super) struct OpenApiDocument {
    pub(super) value: Value,
    pub(super) written: Bytes,
}

impl OpenApiDocument {
    pub(super) fn new(value: Value) -> Self {
        Self {
            written: Bytes::from(value.to_string()),
            value,
        }
    }
}

/// The complete document.
pub(super) fn document(groups: &[RouteGroup]) -> Value {
    let info = InfoBuilder::new()
        .title("Kiungo partner API")
        .description(Some(INTRODUCTION.trim_end()))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .version(latest_version());
    let errors = ComponentsBuilder::new()
        .schema_from::<ProblemDocument<'static>>()
        .schema_from::<FieldError>()
        .schema_from::<OAuthError>()
        .schema_from::<OAuthErrorCode>();
    let document = OpenApiBuilder::new()
        .info(info)
        .components(Some(errors.build()))
        .build();
    let routes = || {
        groups
            .iter()
            .flat_map(|group| group.routes.iter().map(|route| (group.tag, route)))
    };
    let document = routes().fold(document, |document, (_, route)| document.merge_from(route.document()));
    // Strings, numbers, lists and maps with string keys always have a form in JSON.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    for (kind, components) in common::components() {
        document["components"][kind] = components;
    }
    for (tag, route) in routes() {
        let operation = &mut document["paths"][&route.path][route.method.to_ascii_lowercase()];
        if let Some(operation) = operation.as_object_mut() {
            operation.insert("tags".to_owned(), json!([tag]));
            complete_operation(operation, route);
        }
    }
    document["tags"] = tags(groups);
    reference_list_items(&mut document["components"]["schemas"]);
    common::describe_provider_keys(&mut document["components"]["schemas"]["NewCredentials"]);
    expand_formats(&mut document);
    document
}

/// The headings, in the order of the groups, which is the order of the reference.
fn tags(groups: &[RouteGroup]) -> Value {
    let mut names: Vec<&str> = groups.iter().map(|group| group.tag).collect();
    names.dedup();
    names.into_iter().map(|name| json!({"name": name})).collect()
}

/// Makes lists refer to the schema of their items, which utoipa would repeat in each.
fn reference_list_items(schemas: &mut Value) {
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if let Some(item) = name.strip_prefix("List_") {
            schema["properties"]["data"]["items"] = common::reference("schemas", item);
        }
    }
}

/// Adds what follows from a route's access requirement, and the `operationId`.
fn complete_operation(operation: &mut Map<String, Value>, route: &Route) {
    let (scheme, by) = match route.auth {
        AuthRequirement::Open => (None, "anybody"),
        AuthRequirement::ClientCredentials => (None, "anybody who has the partner's keys"),
        AuthRequirement::PublishableKey => (Some("publishableKey"), "anybody who has the partner's publishable key"),
        AuthRequirement::Token(access) => (Some("token"), describe_access(access)),
    };
    let security = scheme.map_or(json!([]), |scheme| json!([{scheme: []}]));
    operation.insert("security".to_owned(), security);
    let may = match route.auth {
        AuthRequirement::Token(RequiredAccess::Permitted(object, action)) => {
            json!({"by": by, "object": object, "action": action})
        }
        _ => json!({"by": by}),
    };
    add_access(operation, &may);
    operation.insert("x-kiungo-may".to_owned(), may);
    let handler = operation.get("operationId").and_then(Value::as_str);
    let name = camel_case(handler.unwrap_or_default());
    operation.insert("operationId".to_owned(), name.into());
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.extend(header_parameters(route).map(|name| common::reference("parameters", name)));
    }
    let statuses = problem_statuses(operation, route);
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    for (status, response) in &mut *responses {
        common::complete_response(response, status, route);
    }
    for status in statuses {
        let problem = common::problem_for(status, route);
        responses.entry(status.to_string()).or_insert(problem);
    }
}

/// Ends the description with who may call, which viewers do not show otherwise.
fn add_access(operation: &mut Map<String, Value>, may: &Value) {
    let by = may["by"].as_str().unwrap_or_default();
    let access = match (may["object"].as_str(), may["action"].as_str()) {
        (Some(object), Some(action)) => format!("For {by}: `{object}: {action}`."),
        _ => format!("For {by}."),
    };
    let description = match operation.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description}\n\n{access}"),
        None => access,
    };
    operation.insert("description".to_owned(), description.into());
}

fn camel_case(handler: &str) -> String {
    let mut words = handler.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (initial, rest) = word.split_at(word.len().min(1));
        name.push_str(&initial.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

const fn describe_access(access: RequiredAccess) -> &'static str {
    match access {
        RequiredAccess::Partner => "the partner itself",
        RequiredAccess::User => "any user",
        RequiredAccess::Permitted(..) => "the partner itself, or a user whose role allows it",
    }
}

/// The headers that a route takes.
fn header_parameters(route: &Route) -> impl Iterator<Item = &'static str> {
    let token = matches!(route.auth, AuthRequirement::Token(_));
    [
        (true, "KiungoVersion"),
        (token, "KiungoEntityId"),
        (token && route.method == "POST", "IdempotencyKey"),
    ]
    .into_iter()
    .filter_map(|(taken, name)| taken.then_some(name))
}

/// The statuses of the problems that a route can answer with, whatever its handler does.
fn problem_statuses(operation: &Map<String, Value>, route: &Route) -> impl Iterator<Item = u16> + use<> {
    let open = route.auth == AuthRequirement::Open;
    let token = matches!(route.auth, AuthRequirement::Token(_));
    let body = operation.contains_key("requestBody");
    [
        (true, 400),
        (!open, 401),
        (token, 403),
        (route.path.contains('{'), 404),
        (token && route.method == "POST", 409),
        (true, 413),
        (body, 415),
        (token || body, 422),
        (!open, 429),
        (true, 500),
        (!open, 503),
    ]
    .into_iter()
    .filter_map(|(given, status)| given.then_some(status))
}

/// Replaces the format that stands for a pattern in the sources by the pattern.
fn expand_formats(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("format").is_some_and(|format| format == PRINTABLE_FORMAT) {
                members.remove("format");
                members.insert("pattern".to_owned(), PRINTABLE_PATTERN.into());
            }
            members.values_mut().for_each(expand_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(expand_formats),
        _ => {}
    }
}
