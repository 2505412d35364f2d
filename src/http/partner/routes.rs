//! Which routes there are, and who may call them.

use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use utoipa::openapi::OpenApi;

use super::{
    auth, entities, events, intents, links, profile, reference, roles, sessions, subscribers, users, webhook_endpoints,
};
use crate::service::partners::RequiredAccess;

/// How a request shows who it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRequirement {
    /// It need not.
    Open,
    /// By the partner's keys, in the body.
    ClientCredentials,
    /// By a publishable key.
    PublishableKey,
    /// By a token that meets this need.
    Token(RequiredAccess),
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The HTTP method, upper case.
    pub method: &'static str,
    /// The pattern of the path.
    pub path: &'static str,
    /// Who may call it.
    pub auth: AuthRequirement,
}

impl Route {
    pub(super) const fn new(method: &'static str, path: &'static str, auth: AuthRequirement) -> Self {
        Self { method, path, auth }
    }
}

/// Routes that belong together.
pub(super) struct RouteGroup {
    /// Who may call each.
    pub(super) routes: &'static [Route],
    /// What answers them.
    pub(super) configure: fn(&mut ServiceConfig),
    /// What they take and give.
    pub(super) document: fn() -> OpenApi,
}

/// Every area there is, in the order of the reference.
pub(super) const ROUTE_GROUPS: &[RouteGroup] = &[
    auth::AREA,
    profile::AREA,
    entities::AREA,
    roles::AREA,
    users::AREA,
    subscribers::AREA,
    intents::AREA,
    links::AREA,
    sessions::AREA,
    webhook_endpoints::AREA,
    events::AREA,
    reference::AREA,
];

/// Every route there is.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTE_GROUPS.iter().flat_map(|area| area.routes)
}

/// What a request asks for.
pub(super) enum RouteMatch {
    /// This route.
    Route(&'static Route),
    /// Something that is there for these methods only.
    OtherMethods(Vec<&'static str>),
    /// Nothing that is there.
    NotFound,
}

/// Looks a request up by the pattern that its path matched.
pub(super) fn find_route(method: &Method, pattern: Option<&str>) -> RouteMatch {
    let there: Vec<_> = routes().filter(|route| Some(route.path) == pattern).collect();
    if there.is_empty() {
        return RouteMatch::NotFound;
    }
    match there.iter().find(|route| route.method == method.as_str()) {
        Some(route) => RouteMatch::Route(route),
        None => RouteMatch::OtherMethods(there.iter().map(|route| route.method).collect()),
    }
}

/// The pattern as a text that lives as long as the program, if it is one of ours.
pub(in crate::http) fn static_pattern(matched: &str) -> Option<&'static str> {
    routes().map(|route| route.path).find(|path| *path == matched)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// No route stands there twice, with two opinions on who may call it.
    #[test]
    fn every_route_stands_there_once() {
        let mut seen = HashSet::new();
        for route in routes() {
            assert!(seen.insert((route.method, route.path)), "{route:?}");
            assert!(route.path.starts_with("/v1/"), "{route:?}");
        }
    }
}
