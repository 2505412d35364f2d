//! Tokens: `POST /v1/auth/token`, `POST /v1/auth/revoke`.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::OpenApi;
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use super::PartnerApi;
use super::extractors::Json;
use super::responses::{ApiResponse, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::ids::{PartnerId, UserId};
use crate::core::secret::Secret;
use crate::http::HttpState;
use crate::http::client_address::client_address;
use crate::service::partners::schemas::{enum_schema, id_schema};
use crate::service::partners::{ApiError, ClientCredentials, IssuedToken, TokenSubject};

const TOKEN: &str = "/v1/auth/token";
const REVOKE: &str = "/v1/auth/revoke";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(token, revoke))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Tokens";

const ROUTES: &[Route] = &[
    Route::new("POST", TOKEN, AuthRequirement::ClientCredentials),
    Route::new("POST", REVOKE, AuthRequirement::ClientCredentials),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/auth/token", web::post().to(token))
        .route("/auth/revoke", web::post().to(revoke));
}

/// For whom a token is asked.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GrantType {
    /// The partner itself.
    ClientCredentials,
    /// One of its users.
    User,
}

/// A token is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    grant_type: GrantType,
    client_id: PartnerId,
    client_secret: Secret,
    user_id: Option<UserId>,
}

/// A user is named when the token is for one, and only then.
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

/// A token is to end.
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

/// Issues a token
///
/// For the partner itself (`client_credentials`), or for one of its users (`user`), who may then do what their role
/// allows. Sent with the partner's secret key, so it is for your servers only.
#[utoipa::path(post, path = TOKEN, operation_id = "issueToken", tag = TAG,
    request_body = TokenRequest,
    responses(
        (status = 200, description = "The token, shown once.", body = IssuedToken),
    ))]
async fn token(
    request: HttpRequest,
    api: web::Data<PartnerApi>,
    parts: web::Data<HttpState>,
    Json(ask): Json<TokenRequest>,
) -> ApiResponse {
    let grant = match (ask.grant_type, ask.user_id) {
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
    let (issued, allowance) = api
        .access
        .issue_token(&client, grant, client_address(&request, &parts.proxies))
        .await?;
    request.extensions_mut().insert(allowance);
    Ok(ok(&issued))
}

/// Revokes a token
///
/// From then on it opens nothing, on every server within a second. A token that is unknown has ended: that is no fault
/// (RFC 7009).
#[utoipa::path(post, path = REVOKE, operation_id = "revokeToken", tag = TAG,
    request_body = Revocation,
    responses(
        (status = 200, description = "It is over.", body = Object),
    ))]
async fn revoke(
    request: HttpRequest,
    api: web::Data<PartnerApi>,
    parts: web::Data<HttpState>,
    Json(ask): Json<Revocation>,
) -> ApiResponse {
    let client = ClientCredentials {
        id: ask.client_id,
        secret: ask.client_secret,
    };
    let allowance = api
        .access
        .revoke_token(&client, &ask.token, client_address(&request, &parts.proxies))
        .await?;
    request.extensions_mut().insert(allowance);
    Ok(HttpResponse::Ok().json(serde_json::json!({})))
}
