//! The partner itself: `/v1/partner`, `/v1/provider-credentials`, `/v1/audit`.

use actix_web::web::Path;

use super::api::Api;
use super::extractors::{Auth, Json, ListQuery, PageQuery};
use super::responses::{ApiResponse, no_content, ok};
use super::route::{PARTNER, RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::eligibility::EligibilityStatement;
use crate::service::partners::eligibility::EligibilityView;
use crate::service::partners::profile::{AuditView, CredentialsView, NewCredentials, PartnerEdit, PartnerView};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Partner":
        read_partner => PARTNER,
        change_partner => PARTNER,
        list_provider_credentials => PARTNER,
        set_provider_credentials => PARTNER,
        delete_provider_credentials => PARTNER,
        get_eligibility => PARTNER,
        state_eligibility => PARTNER,
        list_audit => permitted(Object::Audit, Action::Read),
    )
}

/// Get the partner
#[utoipa::path(get, path = "/v1/partner",
    responses((status = 200, description = "The partner.", body = PartnerView)))]
async fn read_partner(api: Api, Auth(context): Auth) -> ApiResponse {
    ok(api.accounts.get_partner(&context).await?)
}

/// Update the partner
///
/// Applies to subscribers asked from then on; consents already given do not change.
#[utoipa::path(patch, path = "/v1/partner", request_body = PartnerEdit,
    responses(
        (status = 200, description = "The updated partner.", body = PartnerView),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn change_partner(api: Api, Auth(context): Auth, Json(edit): Json<PartnerEdit>) -> ApiResponse {
    ok(api.accounts.update_partner(&context, edit).await?)
}

/// List provider credentials
///
/// The providers with the names of their keys, and which of them are set. The keys are never shown.
#[utoipa::path(get, path = "/v1/provider-credentials",
    responses((status = 200, description = "All providers, on one page.", body = List<CredentialsView>)))]
async fn list_provider_credentials(api: Api, Auth(context): Auth) -> ApiResponse {
    ok(api.accounts.list_credentials(&context).await?)
}

/// Set provider credentials
///
/// A provider declares which keys it has: see the list of provider credentials. They are checked with the provider first,
/// stored sealed, and replace earlier ones. Live keys may need a statement of eligibility before.
#[utoipa::path(put, path = "/v1/provider-credentials/{provider}",
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    request_body = NewCredentials,
    responses(
        (status = 200, description = "The credentials are set.", body = CredentialsView),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there; or a live key \
            needs a statement of eligibility first."),
    ))]
async fn set_provider_credentials(
    api: Api,
    Auth(context): Auth,
    provider: Path<String>,
    Json(new): Json<NewCredentials>,
) -> ApiResponse {
    ok(api.accounts.set_credentials(&context, &provider, new).await?)
}

/// Delete provider credentials
#[utoipa::path(delete, path = "/v1/provider-credentials/{provider}",
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    responses(
        (status = 204, description = "The credentials are deleted."),
        (status = 409, description = "The partner is set up in the server's configuration, and changed there."),
    ))]
async fn delete_provider_credentials(api: Api, Auth(context): Auth, provider: Path<String>) -> ApiResponse {
    api.accounts.delete_credentials(&context, &provider).await?;
    no_content()
}

/// Get the statement of eligibility
///
/// The newest one for this provider, with who stated it and when; 404 without one.
#[utoipa::path(get, path = "/v1/eligibility/{provider}",
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    responses((status = 200, description = "The statement.", body = EligibilityView)))]
async fn get_eligibility(api: Api, Auth(context): Auth, provider: Path<String>) -> ApiResponse {
    ok(api.accounts.get_eligibility(&context, &provider).await?)
}

/// State eligibility
///
/// What you state of your business, once, before live keys at a provider are taken from you. It replaces an earlier statement,
/// and each is in the audit trail.
#[utoipa::path(put, path = "/v1/eligibility/{provider}",
    params(("provider" = String, Path, description = "The provider's name, such as `mono`.")),
    request_body = EligibilityStatement,
    responses(
        (status = 200, description = "The statement as it is kept.", body = EligibilityView),
        (status = 409, description = "The partner is set up in the server's configuration, and its statement is there."),
    ))]
async fn state_eligibility(
    api: Api,
    Auth(context): Auth,
    provider: Path<String>,
    Json(statement): Json<EligibilityStatement>,
) -> ApiResponse {
    ok(api.accounts.state_eligibility(&context, &provider, &statement).await?)
}

/// List audit entries
///
/// What was done, by whom, and when.
#[utoipa::path(get, path = "/v1/audit", params(ListQuery),
    responses((status = 200, description = "A page of audit entries, newest first.", body = List<AuditView>)))]
async fn list_audit(api: Api, Auth(context): Auth, PageQuery(page): PageQuery) -> ApiResponse {
    ok(api.accounts.list_audit_entries(&context, page).await?)
}
