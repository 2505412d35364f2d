//! The API as an OpenAPI 3.1 document, made from the handlers.
//!
//! What a handler takes, and what it gives when all is well, stands above it. What the gate takes and answers is the same
//! for all routes of a kind: it is added here, from the table of routes, so that no handler has to say it again and none
//! can forget it.

mod common;

use serde_json::{Map, Value, json};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder};

use super::middleware::VERSIONS;
use super::problem::{PROBLEM_KINDS, ProblemDocument};
use super::routes::{AuthRequirement, ROUTE_GROUPS, Route, routes};
use crate::service::partners::schemas::{PRINTABLE_FORMAT, PRINTABLE_PATTERN};
use crate::service::partners::{FieldError, RequiredAccess};

/// What there is to know before the first request.
const INTRODUCTION: &str = include_str!("openapi/introduction.md");

/// The whole document.
pub fn document() -> Value {
    let info = InfoBuilder::new()
        .title("Kiungo partner API")
        .description(Some(INTRODUCTION.trim_end()))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .version(VERSIONS.last().copied().unwrap_or_default());
    let problem = ComponentsBuilder::new().schema_from::<ProblemDocument<'static>>();
    let problem = problem.schema_from::<FieldError>();
    let whole = OpenApiBuilder::new()
        .info(info)
        .components(Some(problem.build()))
        .build();
    let whole = ROUTE_GROUPS
        .iter()
        .fold(whole, |whole, area| whole.merge_from((area.document)()));
    // Texts, numbers, lists and maps by text have a form in JSON.
    let mut document = serde_json::to_value(whole).unwrap_or_default();
    for (kind, components) in common::components() {
        document["components"][kind] = components;
    }
    for route in routes() {
        let operation = &mut document["paths"][route.path][route.method.to_ascii_lowercase()];
        if let Some(operation) = operation.as_object_mut() {
            complete_operation(operation, route);
        }
    }
    document["tags"] = tags(&document);
    reference_list_items(&mut document["components"]["schemas"]);
    expand_formats(&mut document);
    document
}

/// The tags in the order of the route groups, which is the order of the reference.
fn tags(document: &Value) -> Value {
    let mut names: Vec<&Value> = Vec::new();
    for route in routes() {
        let name = &document["paths"][route.path][route.method.to_ascii_lowercase()]["tags"][0];
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}

/// Has lists name what they are of, which is written out in each otherwise.
fn reference_list_items(schemas: &mut Value) {
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if let Some(of) = name.strip_prefix("List_") {
            schema["properties"]["data"]["items"] = common::reference("schemas", of);
        }
    }
}

/// Adds what a route takes and answers by its kind.
fn complete_operation(operation: &mut Map<String, Value>, route: &Route) {
    let (scheme, may) = match route.auth {
        AuthRequirement::Open => (None, "anybody"),
        AuthRequirement::ClientCredentials => (None, "whoever has the partner's keys"),
        AuthRequirement::PublishableKey => (Some("publishableKey"), "whoever has the partner's publishable key"),
        AuthRequirement::Token(need) => (Some("token"), describe_access(need)),
    };
    let security = scheme.map_or(json!([]), |scheme| json!([{scheme: []}]));
    operation.insert("security".to_owned(), security);
    let may = match route.auth {
        AuthRequirement::Token(RequiredAccess::Permitted(object, action)) => {
            json!({"by": may, "object": object, "action": action})
        }
        _ => json!({"by": may}),
    };
    add_access(operation, &may);
    operation.insert("x-kiungo-may".to_owned(), may);
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
        let common = common::reference("responses", &common::response_name(status));
        responses.entry(status.to_string()).or_insert(common);
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

/// In words, who may call.
const fn describe_access(need: RequiredAccess) -> &'static str {
    match need {
        RequiredAccess::Partner => "the partner itself",
        RequiredAccess::User => "any user",
        RequiredAccess::Permitted(..) => "the partner itself, or a user whose role allows it",
    }
}

/// Headers that a route takes.
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

/// Statuses of the problems that a route can answer with, whatever it does.
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

/// Puts the pattern in the place of the format that stands for it.
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
