//! The metadata of the authorization server (RFC 8414), by which OAuth 2.0 client libraries configure themselves.

use actix_web::http::header::HOST;
use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::api::{Api, PartnerApi};
use super::auth::{REVOKE, TOKEN};
use super::responses::{ApiResponse, ok};
use super::route::{AuthRequirement, RouteGroup, routes};
use crate::http::HttpState;

pub(super) fn routes() -> RouteGroup {
    routes!("Tokens":
        read_server_metadata => AuthRequirement::Open,
    )
}

/// How the partner is authenticated at both endpoints.
const AUTH_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

#[derive(Serialize, ToSchema)]
struct AuthorizationServer {
    /// The address of this server.
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    /// There is no authorization endpoint, so none.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 2],
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// The reference.
    service_documentation: String,
}

/// Get the authorization server metadata
///
/// As RFC 8414 describes it, for OAuth 2.0 client libraries.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server",
    responses((status = 200, description = "The metadata.", body = AuthorizationServer)))]
async fn read_server_metadata(request: HttpRequest, api: Api, state: web::Data<HttpState>) -> ApiResponse {
    let issuer = issuer(&request, &api, &state);
    ok(AuthorizationServer {
        token_endpoint: format!("{issuer}{TOKEN}"),
        revocation_endpoint: format!("{issuer}{REVOKE}"),
        response_types_supported: [],
        grant_types_supported: ["client_credentials", "user"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        service_documentation: format!("{issuer}/v1/docs"),
        issuer,
    })
}

/// The configured public URL; without it, the address that the request was sent to.
fn issuer(request: &HttpRequest, api: &PartnerApi, state: &HttpState) -> String {
    if let Some(url) = &api.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    if peer.is_some_and(|peer| state.proxies.contains(peer)) {
        // Anybody can send the headers that say how a proxy was called, so they are read only from our own.
        let info = request.connection_info();
        return format!("{}://{}", info.scheme(), info.host());
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}
