//! The table of all routes.

use std::sync::LazyLock;

use actix_web::http::Method;

use super::route::{Route, RouteGroup};
use super::{
    auth, entities, events, intents, links, metadata, profile, reference, roles, sessions, subscribers, users,
    webhook_endpoints,
};

/// All groups, in the order of the reference.
static GROUPS: LazyLock<[RouteGroup; 13]> = LazyLock::new(|| {
    [
        auth::routes(),
        metadata::routes(),
        profile::routes(),
        entities::routes(),
        roles::routes(),
        users::routes(),
        subscribers::routes(),
        intents::routes(),
        links::routes(),
        sessions::routes(),
        webhook_endpoints::routes(),
        events::routes(),
        reference::routes(),
    ]
});

/// All groups, in the order of the reference.
pub(super) fn route_groups() -> &'static [RouteGroup] {
    &*GROUPS
}

/// All routes.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    GROUPS.iter().flat_map(|group| &group.routes)
}

/// What a request matches.
pub(super) enum RouteMatch {
    Route(&'static Route),
    /// The path exists for these methods only.
    OtherMethods(Vec<&'static str>),
    NotFound,
}

/// Finds the route of a request by the pattern that its path matched.
pub(super) fn find_route(method: &Method, pattern: Option<&str>) -> RouteMatch {
    let routes: Vec<_> = routes().filter(|route| Some(route.path.as_str()) == pattern).collect();
    if routes.is_empty() {
        return RouteMatch::NotFound;
    }
    match routes.iter().find(|route| route.method == method.as_str()) {
        Some(route) => RouteMatch::Route(route),
        None => RouteMatch::OtherMethods(routes.iter().map(|route| route.method).collect()),
    }
}

/// The pattern as a static string, if it belongs to the partner API.
pub(in crate::http) fn static_pattern(matched: &str) -> Option<&'static str> {
    routes().map(|route| route.path.as_str()).find(|path| *path == matched)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// No route is listed twice with different requirements, and each has a method and a path.
    #[test]
    fn every_route_is_listed_once() {
        let mut seen = HashSet::new();
        for route in routes() {
            assert!(seen.insert((route.method, &route.path)), "{route:?}");
            assert!(!route.method.is_empty(), "{route:?}");
            let known = route.path.starts_with("/v1/") || route.path.starts_with("/.well-known/");
            assert!(known, "{route:?}");
        }
    }
}
