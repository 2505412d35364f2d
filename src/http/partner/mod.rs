//! The partner API, all below `/v1`.
//!
//! Every request passes one gate (`gate`): it is given an id, its body is read, and it is looked up in the table of
//! routes, which says who may call each. What is not in the table is not there, and a route that says nothing of who may
//! call it cannot be written. Whatever goes wrong, on the way or in a handler, leaves as a problem document (RFC 9457).

mod auth;
mod entities;
mod events;
mod extractors;
mod idempotency;
mod intents;
mod links;
mod middleware;
mod openapi;
mod problem;
mod profile;
mod reference;
mod responses;
mod roles;
mod routes;
mod sessions;
mod subscribers;
mod users;
mod webhook_endpoints;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web;

pub use self::openapi::document;
pub use self::problem::{PROBLEM_KINDS, ProblemKind};
pub(super) use self::routes::static_pattern;
pub use self::routes::{AuthRequirement, Route, routes};
use crate::core::time::Rng;
use crate::service::partners::{
    Access, Entities, Events, Intents, Links, Profile, Repeats, Roles, Sessions, Subscribers, Users, WebhookEndpoints,
};

/// What answers partners.
#[derive(Clone)]
pub struct PartnerApi {
    /// Finds out who calls.
    pub access: Arc<dyn Access>,
    /// Knows requests that come twice.
    pub repeats: Arc<dyn Repeats>,
    /// The partner itself.
    pub profile: Arc<dyn Profile>,
    /// Roles.
    pub roles: Arc<dyn Roles>,
    /// Entities.
    pub entities: Arc<dyn Entities>,
    /// Users.
    pub users: Arc<dyn Users>,
    /// People.
    pub subscribers: Arc<dyn Subscribers>,
    /// Requests that somebody links.
    pub intents: Arc<dyn Intents>,
    /// What was linked.
    pub links: Arc<dyn Links>,
    /// Tries at linking.
    pub sessions: Arc<dyn Sessions>,
    /// Where webhooks go.
    pub endpoints: Arc<dyn WebhookEndpoints>,
    /// What webhooks tell.
    pub events: Arc<dyn Events>,
    /// For the ids of requests, and of what they make.
    pub entropy: Arc<dyn Rng>,
}

/// Adds the routes.
pub(super) fn configure(api: PartnerApi) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let api = web::Data::new(api);
        let scope = web::scope("/v1").app_data(api.clone());
        let scope = scope.configure(|config| {
            for area in routes::ROUTE_GROUPS {
                (area.configure)(config);
            }
        });
        config.service(scope.wrap(from_fn(move |request, next| {
            middleware::handle(api.clone(), request, next)
        })));
    }
}
