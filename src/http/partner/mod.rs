//! The partner API, all below `/v1`.
//!
//! Every request passes the same middleware: it gets an id, its body is read, and its route is looked up in the table,
//! which says who may call it. What is not in the table does not exist, and a route without an access requirement does
//! not compile. Every error, from the middleware or from a handler, leaves as a problem document (RFC 9457); only the token
//! endpoints answer forms with the errors of OAuth 2.0, as its client libraries expect.

mod api;
mod auth;
mod cors;
mod entities;
mod events;
mod extractors;
mod idempotency;
mod intents;
mod links;
mod metadata;
mod middleware;
mod oauth;
mod openapi;
mod problem;
mod profile;
mod reference;
mod responses;
mod roles;
mod route;
mod routes;
mod sessions;
mod subscribers;
mod users;
mod versions;
mod webhook_endpoints;

use std::sync::{Arc, LazyLock};

use actix_web::middleware::from_fn;
use actix_web::web;
use serde_json::Value;

pub use self::api::PartnerApi;
use self::openapi::OpenApiDocument;
pub use self::problem::{PROBLEM_KINDS, ProblemKind};
pub use self::route::{AuthRequirement, Route};
pub use self::routes::routes;
pub(super) use self::routes::static_pattern;

/// Where the routes are. What a client finds by the issuer's address alone is not below `/v1` (RFC 8615).
const PREFIXES: [&str; 2] = ["/v1", "/.well-known"];

static DOCUMENT: LazyLock<Arc<OpenApiDocument>> =
    LazyLock::new(|| Arc::new(OpenApiDocument::new(openapi::document(routes::route_groups()))));

/// The API as an OpenAPI document.
pub fn document() -> &'static Value {
    &DOCUMENT.value
}

/// Adds the routes.
pub(super) fn configure(api: PartnerApi) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let api = web::Data::new(api);
        for prefix in PREFIXES {
            let document = web::Data::from(Arc::clone(&DOCUMENT));
            let mut scope = web::scope(prefix).app_data(api.clone()).app_data(document);
            for route in routes() {
                if let Some(path) = route.path.strip_prefix(prefix) {
                    scope = scope.route(path, route.handler());
                }
            }
            let api = api.clone();
            config.service(scope.wrap(from_fn(move |request, next| {
                middleware::handle(api.clone(), request, next)
            })));
        }
    }
}
