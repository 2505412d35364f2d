//! The partner itself: `/v1/partner`, `/v1/provider-credentials`, `/v1/audit`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::extractors::{Auth, Json, ListQuery, PageQuery};
use super::responses::{ApiResponse, no_content, ok};
use super::routes::{AuthRequirement, Route, RouteGroup};
use crate::core::access::{Action, Object};
use crate::service::partners::{
    AuditView, CredentialsView, List, NewCredentials, PartnerEdit, PartnerView, RequiredAccess,
};

const PARTNER: &str = "/v1/partner";
const CREDENTIALS: &str = "/v1/provider-credentials";
const OF_PROVIDER: &str = "/v1/provider-credentials/{provider}";
const AUDIT: &str = "/v1/audit";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(read, change, credentials, put_credentials, end_credentials, audit))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Partner";

const ROUTES: &[Route] = &[
    Route::new("GET", PARTNER, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("PATCH", PARTNER, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("GET", CREDENTIALS, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("PUT", OF_PROVIDER, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new("DELETE", OF_PROVIDER, AuthRequirement::Token(RequiredAccess::Partner)),
    Route::new(
        "GET",
        AUDIT,
        AuthRequirement::Token(RequiredAccess::Permitted(Object::Audit, Action::Read)),
    ),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/partner", web::get().to(read))
        .route("/partner", web::patch().to(change))
        .route("/provider-credentials", web::get().to(credentials))
        .route("/provider-credentials/{provider}", web::put().to(put_credentials))
        .route("/provider-credentials/{provider}", web::delete().to(end_credentials))
        .route("/audit", web::get().to(audit));
}

/// Reads the partner
#[utoipa::path(get, path = PARTNER, operation_id = "readPartner", tag = TAG,
    responses(
        (status = 200, description = "The partner.", body = PartnerView),
    ))]
async fn read(api: web::Data<PartnerApi>, Auth(asked): Auth) -> ApiResponse {
    Ok(ok(&api.profile.get_partner(&asked).await?))
}

/// Changes the partner
///
/// Counts for whoever is asked from then on; what people have agreed to stays as it was.
#[utoipa::path(patch, path = PARTNER, operation_id = "changePartner", tag = TAG,
    request_body = PartnerEdit,
    responses(
        (status = 200, description = "The partner as it is now.", body = PartnerView),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn change(api: web::Data<PartnerApi>, Auth(asked): Auth, Json(edit): Json<PartnerEdit>) -> ApiResponse {
    Ok(ok(&api.profile.update_partner(&asked, edit).await?))
}

/// Lists providers
///
/// With whether there are keys at each. The keys are never shown.
#[utoipa::path(get, path = CREDENTIALS, operation_id = "listProviderCredentials", tag = TAG,
    responses(
        (status = 200, description = "All providers, on one page.", body = List<CredentialsView>),
    ))]
async fn credentials(api: web::Data<PartnerApi>, Auth(asked): Auth) -> ApiResponse {
    Ok(ok(&api.profile.list_credentials(&asked).await?))
}

/// Keeps keys at a provider
///
/// They are tried out at the provider first, kept sealed, and take the place of those before.
#[utoipa::path(put, path = OF_PROVIDER, operation_id = "setProviderCredentials", tag = TAG,
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    request_body = NewCredentials,
    responses(
        (status = 200, description = "They are kept.", body = CredentialsView),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn put_credentials(
    api: web::Data<PartnerApi>,
    Auth(asked): Auth,
    provider: web::Path<String>,
    Json(new): Json<NewCredentials>,
) -> ApiResponse {
    Ok(ok(&api.profile.set_credentials(&asked, &provider, new).await?))
}

/// Forgets keys at a provider
#[utoipa::path(delete, path = OF_PROVIDER, operation_id = "deleteProviderCredentials", tag = TAG,
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    responses(
        (status = 204, description = "They are gone."),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn end_credentials(api: web::Data<PartnerApi>, Auth(asked): Auth, provider: web::Path<String>) -> ApiResponse {
    api.profile.delete_credentials(&asked, &provider).await?;
    Ok(no_content())
}

/// Lists what has happened
///
/// The audit trail: what was done, by whom, when.
#[utoipa::path(get, path = AUDIT, operation_id = "listAudit", tag = TAG,
    params(ListQuery),
    responses(
        (status = 200, description = "A page of the trail, newest first.", body = List<AuditView>),
    ))]
async fn audit(api: web::Data<PartnerApi>, Auth(asked): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    Ok(ok(&api.profile.list_audit_entries(&asked, page).await?))
}
