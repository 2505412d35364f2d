//! Tokens: `POST /v1/auth/token`, `POST /v1/auth/revoke`.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::PartnerApi;
use super::ask::Json;
use super::reply::{Answer, ok};
use super::table::{Entry, Route};
use crate::core::ids::{PartnerId, UserId};
use crate::core::secret::Secret;
use crate::service::partners::{ApiError, Client, Grant};

const TOKEN: &str = "/v1/auth/token";
const REVOKE: &str = "/v1/auth/revoke";

pub(super) const ROUTES: &[Route] = &[
    Route::new("POST", TOKEN, Entry::Keys),
    Route::new("POST", REVOKE, Entry::Keys),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
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

/// A token is to end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    client_id: PartnerId,
    client_secret: Secret,
    token: Secret,
}

async fn token(request: HttpRequest, api: web::Data<PartnerApi>, Json(ask): Json<TokenRequest>) -> Answer {
    let grant = match (ask.grant_type, ask.user_id) {
        (GrantType::ClientCredentials, None) => Grant::Partner,
        (GrantType::User, Some(user)) => Grant::User(user),
        (GrantType::ClientCredentials, Some(_)) => {
            return Err(ApiError::field("/user_id", "unknown", "only with the grant type user").into());
        }
        (GrantType::User, None) => return Err(ApiError::field("/user_id", "required", "say which user").into()),
    };
    let client = Client {
        id: ask.client_id,
        secret: ask.client_secret,
    };
    let (issued, allowance) = api.access.issue(&client, grant).await?;
    request.extensions_mut().insert(allowance);
    Ok(ok(&issued))
}

async fn revoke(request: HttpRequest, api: web::Data<PartnerApi>, Json(ask): Json<Revocation>) -> Answer {
    let client = Client {
        id: ask.client_id,
        secret: ask.client_secret,
    };
    let allowance = api.access.revoke(&client, &ask.token).await?;
    request.extensions_mut().insert(allowance);
    Ok(HttpResponse::Ok().json(serde_json::json!({})))
}
