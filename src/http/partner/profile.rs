//! The partner itself: `/v1/partner`, `/v1/provider-credentials`, `/v1/audit`.

use actix_web::web;
use utoipa::OpenApi;

use super::PartnerApi;
use super::ask::{By, Json, Paging, Wanted};
use super::reply::{Answer, gone, ok};
use super::table::{Area, Entry, Route};
use crate::core::access::{Action, Object};
use crate::service::partners::{AuditView, CredentialsView, List, Need, NewCredentials, PartnerEdit, PartnerView};

const PARTNER: &str = "/v1/partner";
const CREDENTIALS: &str = "/v1/provider-credentials";
const OF_PROVIDER: &str = "/v1/provider-credentials/{provider}";
const AUDIT: &str = "/v1/audit";

pub(super) const AREA: Area = Area {
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
    Route::new("GET", PARTNER, Entry::Token(Need::Partner)),
    Route::new("PATCH", PARTNER, Entry::Token(Need::Partner)),
    Route::new("GET", CREDENTIALS, Entry::Token(Need::Partner)),
    Route::new("PUT", OF_PROVIDER, Entry::Token(Need::Partner)),
    Route::new("DELETE", OF_PROVIDER, Entry::Token(Need::Partner)),
    Route::new("GET", AUDIT, Entry::Token(Need::May(Object::Audit, Action::Read))),
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
async fn read(api: web::Data<PartnerApi>, By(asked): By) -> Answer {
    Ok(ok(&api.profile.partner(&asked).await?))
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
async fn change(api: web::Data<PartnerApi>, By(asked): By, Json(edit): Json<PartnerEdit>) -> Answer {
    Ok(ok(&api.profile.change_partner(&asked, edit).await?))
}

/// Lists providers
///
/// With whether there are keys at each. The keys are never shown.
#[utoipa::path(get, path = CREDENTIALS, operation_id = "listProviderCredentials", tag = TAG,
    responses(
        (status = 200, description = "All providers, on one page.", body = List<CredentialsView>),
    ))]
async fn credentials(api: web::Data<PartnerApi>, By(asked): By) -> Answer {
    Ok(ok(&api.profile.credentials(&asked).await?))
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
    By(asked): By,
    provider: web::Path<String>,
    Json(new): Json<NewCredentials>,
) -> Answer {
    Ok(ok(&api.profile.put_credentials(&asked, &provider, new).await?))
}

/// Forgets keys at a provider
#[utoipa::path(delete, path = OF_PROVIDER, operation_id = "deleteProviderCredentials", tag = TAG,
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    responses(
        (status = 204, description = "They are gone."),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn end_credentials(api: web::Data<PartnerApi>, By(asked): By, provider: web::Path<String>) -> Answer {
    api.profile.end_credentials(&asked, &provider).await?;
    Ok(gone())
}

/// Lists what has happened
///
/// The audit trail: what was done, by whom, when.
#[utoipa::path(get, path = AUDIT, operation_id = "listAudit", tag = TAG,
    params(Wanted),
    responses(
        (status = 200, description = "A page of the trail, newest first.", body = List<AuditView>),
    ))]
async fn audit(api: web::Data<PartnerApi>, By(asked): By, Paging(page): Paging) -> Answer {
    Ok(ok(&api.profile.audited(&asked, page).await?))
}
