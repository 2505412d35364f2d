//! A route of the partner API: one row for its handler, which says who may call it.
//!
//! Method and path are read from the handler's `#[utoipa::path]`, so the web server, the access check and the reference
//! cannot disagree. A handler's name in camel case is its `operationId`.

use actix_web::http::Method;
use utoipa::openapi::OpenApi;

use crate::core::access::{Action, Object};
use crate::service::partners::access::RequiredAccess;

/// How a request must authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRequirement {
    /// Not at all.
    Open,
    /// By the partner's id and secret key, which the handler checks.
    ClientCredentials,
    /// By a publishable key.
    PublishableKey,
    /// By a token with this access.
    Token(RequiredAccess),
}

/// A token of the partner itself.
pub(super) const PARTNER: AuthRequirement = AuthRequirement::Token(RequiredAccess::Partner);
/// A token of any user.
pub(super) const USER: AuthRequirement = AuthRequirement::Token(RequiredAccess::User);

/// A token of the partner, or of a user whose role permits this action.
pub(super) const fn permitted(object: Object, action: Action) -> AuthRequirement {
    AuthRequirement::Token(RequiredAccess::Permitted(object, action))
}

/// A route.
#[derive(Debug)]
pub struct Route {
    /// The HTTP method, in upper case.
    pub method: &'static str,
    /// The pattern of the path.
    pub path: String,
    /// How a request must authenticate.
    pub auth: AuthRequirement,
    handler: fn() -> actix_web::Route,
    document: fn() -> OpenApi,
}

impl Route {
    /// A row of [`routes!`]; `document` describes exactly one operation.
    pub(super) fn new(document: fn() -> OpenApi, auth: AuthRequirement, handler: fn() -> actix_web::Route) -> Self {
        let (path, item) = document().paths.paths.into_iter().next().unwrap_or_default();
        let operations = [
            ("GET", item.get),
            ("POST", item.post),
            ("PUT", item.put),
            ("PATCH", item.patch),
            ("DELETE", item.delete),
        ];
        let operation = operations.into_iter().find(|(_, operation)| operation.is_some());
        Self {
            method: operation.map_or("", |(method, _)| method),
            path,
            auth,
            handler,
            document,
        }
    }

    /// The handler for the web server.
    pub(super) fn handler(&self) -> actix_web::Route {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        (self.handler)().method(method)
    }

    /// What the reference says, by the handler's own attributes.
    pub(super) fn document(&self) -> OpenApi {
        (self.document)()
    }
}

/// Routes under one heading of the reference.
#[derive(Debug)]
pub(super) struct RouteGroup {
    /// The heading.
    pub(super) tag: &'static str,
    /// In the order in which paths are matched.
    pub(super) routes: Vec<Route>,
}

/// The routes of an area: `routes!("Heading": handler => requirement, …)`.
macro_rules! routes {
    ($tag:literal: $($handler:ident => $auth:expr),+ $(,)?) => {
        $crate::http::partner::route::RouteGroup {
            tag: $tag,
            routes: vec![$({
                #[derive(utoipa::OpenApi)]
                #[openapi(paths($handler))]
                struct Document;
                $crate::http::partner::route::Route::new(
                    <Document as utoipa::OpenApi>::openapi,
                    $auth,
                    || actix_web::web::to($handler),
                )
            }),+],
        }
    };
}

pub(super) use routes;
