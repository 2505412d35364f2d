//! Tokens: `POST /v1/auth/token`, `POST /v1/auth/revoke`, by JSON or by the forms of OAuth 2.0.

use std::net::IpAddr;

use actix_web::http::header::PRAGMA;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use super::api::{Api, PartnerApi};
use super::extractors::parse_json;
use super::oauth::{OAuthErrorCode, Rejection, client_credentials, form_fields, form_response, is_form, present};
use super::responses::{ApiResponse, ok};
use super::route::{AuthRequirement, RouteGroup, routes};
use crate::core::ids::{PartnerId, UserId};
use crate::core::secret::Secret;
use crate::http::HttpState;
use crate::http::client_address::client_address;
use crate::service::partners::access::{ClientCredentials, IssuedToken, TokenSubject};
use crate::service::partners::error::ApiError;
use crate::service::partners::schemas::{enum_schema, id_schema};

pub(super) const TOKEN: &str = "/v1/auth/token";
pub(super) const REVOKE: &str = "/v1/auth/revoke";

pub(super) fn routes() -> RouteGroup {
    routes!("Tokens":
        issue_token => AuthRequirement::ClientCredentials,
        revoke_token => AuthRequirement::ClientCredentials,
    )
}

/// For whom a token is issued.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GrantType {
    ClientCredentials,
    User,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    grant_type: GrantType,
    client_id: PartnerId,
    client_secret: Secret,
    user_id: Option<UserId>,
}

/// `user_id` is required for a user's token, and refused otherwise.
impl utoipa::PartialSchema for TokenRequest {
    fn schema() -> RefOr<Schema> {
        let request = |grant_type: &str, description: &str| {
            let secret = ObjectBuilder::new().schema_type(Type::String);
            let secret = secret
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
                .write_only(true);
            ObjectBuilder::new()
                .description(Some(description))
                .property("grant_type", enum_schema("For whom the token is.", &[grant_type]))
                .property("client_id", id_schema("The partner's id."))
                .property("client_secret", secret.description(Some("Its secret key.")))
                .required("grant_type")
                .required("client_id")
                .required("client_secret")
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        };
        let user = request("user", "A token of one of its users.")
            .property("user_id", id_schema("The user's id."))
            .required("user_id");
        OneOfBuilder::new()
            .item(request("client_credentials", "A token of the partner itself."))
            .item(user)
            .into()
    }
}

impl utoipa::ToSchema for TokenRequest {}

/// A request for a token as OAuth 2.0 sends it.
#[derive(Deserialize, utoipa::ToSchema)]
struct TokenForm {
    /// `client_credentials` for a token of the partner, `user` for one of a user.
    #[schema(value_type = String)]
    grant_type: Option<Secret>,
    /// The partner's id, unless it is in `Authorization: Basic`.
    #[schema(value_type = Option<String>)]
    client_id: Option<Secret>,
    /// The partner's secret key, unless it is in `Authorization: Basic`.
    #[schema(value_type = Option<String>, format = Password, write_only)]
    client_secret: Option<Secret>,
    /// The user, with the grant type `user`.
    #[schema(value_type = Option<String>)]
    user_id: Option<Secret>,
    /// There are no scopes: leave it out.
    #[schema(value_type = Option<String>)]
    scope: Option<Secret>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// The partner's id.
    client_id: PartnerId,
    /// Its secret key.
    #[schema(value_type = String, format = Password, write_only)]
    client_secret: Secret,
    /// The token.
    #[schema(value_type = String, format = Password, write_only)]
    token: Secret,
}

/// A request to revoke a token as RFC 7009 sends it.
#[derive(Deserialize, utoipa::ToSchema)]
struct RevocationForm {
    /// The partner's id, unless it is in `Authorization: Basic`.
    #[schema(value_type = Option<String>)]
    client_id: Option<Secret>,
    /// The partner's secret key, unless it is in `Authorization: Basic`.
    #[schema(value_type = Option<String>, format = Password, write_only)]
    client_secret: Option<Secret>,
    /// The token.
    #[schema(value_type = String, format = Password, write_only)]
    token: Option<Secret>,
}

/// Issue a token
///
/// For the partner itself (`client_credentials`), or for one of its users (`user`), who can then do what their role
/// permits. The request carries the partner's secret key, so it is for your servers only.
///
/// OAuth 2.0 client libraries send a form, with the credentials in it or as `Authorization: Basic`; errors of a form are
/// those of RFC 6749.
#[utoipa::path(post, path = TOKEN,
    request_body(content(
        (TokenRequest = "application/json"),
        (TokenForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, description = "The token, shown only here.", body = IssuedToken)))]
async fn issue_token(request: HttpRequest, api: Api, state: web::Data<HttpState>) -> ApiResponse {
    let from = client_address(&request, &state.proxies);
    if is_form(&request) {
        return form_response(issue_by_form(&request, &api, from).await);
    }
    let ask: TokenRequest = parse_json(&request)?;
    let subject = match (ask.grant_type, ask.user_id) {
        (GrantType::ClientCredentials, None) => TokenSubject::Partner,
        (GrantType::User, Some(user)) => TokenSubject::User(user),
        (GrantType::ClientCredentials, Some(_)) => {
            return Err(ApiError::field("/user_id", "unknown", "only with the grant type user").into());
        }
        (GrantType::User, None) => return Err(ApiError::field("/user_id", "required", "say which user").into()),
    };
    let client = ClientCredentials {
        id: ask.client_id,
        secret: ask.client_secret,
    };
    ok(issue(&request, &api, &client, subject, from).await?)
}

async fn issue_by_form(
    request: &HttpRequest,
    api: &PartnerApi,
    from: Option<IpAddr>,
) -> Result<HttpResponse, Rejection> {
    let form: TokenForm = form_fields(request)?;
    let client = client_credentials(request, form.client_id, form.client_secret)?;
    if present(form.scope).is_some() {
        return Err(Rejection::new(OAuthErrorCode::InvalidScope, "there are no scopes"));
    }
    let grant_type = present(form.grant_type);
    let subject = match grant_type.as_ref().map(Secret::expose) {
        Some("client_credentials") => TokenSubject::Partner,
        Some("user") => {
            let user = present(form.user_id).and_then(|id| UserId::parse(id.expose()).ok());
            let missing = || Rejection::new(OAuthErrorCode::InvalidRequest, "user_id must be a user's id");
            TokenSubject::User(user.ok_or_else(missing)?)
        }
        Some(_) => {
            let known = "there are: client_credentials, user";
            return Err(Rejection::new(OAuthErrorCode::UnsupportedGrantType, known));
        }
        None => return Err(Rejection::new(OAuthErrorCode::InvalidRequest, "grant_type is required")),
    };
    let issued = issue(request, api, &client, subject, from).await?;
    Ok(HttpResponse::Ok().insert_header((PRAGMA, "no-cache")).json(&issued))
}

async fn issue(
    request: &HttpRequest,
    api: &PartnerApi,
    client: &ClientCredentials,
    subject: TokenSubject,
    from: Option<IpAddr>,
) -> Result<IssuedToken, ApiError> {
    let (issued, rate_limit) = api.accounts.issue_token(client, subject, from).await?;
    request.extensions_mut().insert(rate_limit);
    Ok(issued)
}

/// Revoke a token
///
/// Every server refuses it within a second. Revoking an unknown token succeeds (RFC 7009).
///
/// OAuth 2.0 client libraries send a form, as to get a token.
#[utoipa::path(post, path = REVOKE,
    request_body(content(
        (Revocation = "application/json"),
        (RevocationForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, description = "The token is revoked.", body = Object)))]
async fn revoke_token(request: HttpRequest, api: Api, state: web::Data<HttpState>) -> ApiResponse {
    let from = client_address(&request, &state.proxies);
    if is_form(&request) {
        return form_response(revoke_by_form(&request, &api, from).await);
    }
    let ask: Revocation = parse_json(&request)?;
    let client = ClientCredentials {
        id: ask.client_id,
        secret: ask.client_secret,
    };
    Ok(revoke(&request, &api, &client, &ask.token, from).await?)
}

async fn revoke_by_form(
    request: &HttpRequest,
    api: &PartnerApi,
    from: Option<IpAddr>,
) -> Result<HttpResponse, Rejection> {
    let form: RevocationForm = form_fields(request)?;
    let client = client_credentials(request, form.client_id, form.client_secret)?;
    let missing = || Rejection::new(OAuthErrorCode::InvalidRequest, "token is required");
    let token = present(form.token).ok_or_else(missing)?;
    Ok(revoke(request, api, &client, &token, from).await?)
}

async fn revoke(
    request: &HttpRequest,
    api: &PartnerApi,
    client: &ClientCredentials,
    token: &Secret,
    from: Option<IpAddr>,
) -> Result<HttpResponse, ApiError> {
    let rate_limit = api.accounts.revoke_token(client, token, from).await?;
    request.extensions_mut().insert(rate_limit);
    Ok(HttpResponse::Ok().json(json!({})))
}
