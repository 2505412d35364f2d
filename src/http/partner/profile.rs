//! The partner itself: `/v1/partner`, `/v1/provider-credentials`, `/v1/audit`.

use actix_web::web;

use super::PartnerApi;
use super::ask::{By, Json, Paging};
use super::reply::{Answer, gone, ok};
use super::table::{Entry, Route};
use crate::core::access::{Action, Object};
use crate::service::partners::{Need, NewCredentials, PartnerEdit};

const PARTNER: &str = "/v1/partner";
const CREDENTIALS: &str = "/v1/provider-credentials";
const OF_PROVIDER: &str = "/v1/provider-credentials/{provider}";
const AUDIT: &str = "/v1/audit";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", PARTNER, Entry::Token(Need::Partner)),
    Route::new("PATCH", PARTNER, Entry::Token(Need::Partner)),
    Route::new("GET", CREDENTIALS, Entry::Token(Need::Partner)),
    Route::new("PUT", OF_PROVIDER, Entry::Token(Need::Partner)),
    Route::new("DELETE", OF_PROVIDER, Entry::Token(Need::Partner)),
    Route::new("GET", AUDIT, Entry::Token(Need::May(Object::Audit, Action::Read))),
];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/partner", web::get().to(read))
        .route("/partner", web::patch().to(change))
        .route("/provider-credentials", web::get().to(credentials))
        .route("/provider-credentials/{provider}", web::put().to(put_credentials))
        .route("/provider-credentials/{provider}", web::delete().to(end_credentials))
        .route("/audit", web::get().to(audit));
}

async fn read(api: web::Data<PartnerApi>, By(asked): By) -> Answer {
    Ok(ok(&api.profile.partner(&asked).await?))
}

async fn change(api: web::Data<PartnerApi>, By(asked): By, Json(edit): Json<PartnerEdit>) -> Answer {
    Ok(ok(&api.profile.change_partner(&asked, edit).await?))
}

async fn credentials(api: web::Data<PartnerApi>, By(asked): By) -> Answer {
    Ok(ok(&api.profile.credentials(&asked).await?))
}

async fn put_credentials(
    api: web::Data<PartnerApi>,
    By(asked): By,
    provider: web::Path<String>,
    Json(new): Json<NewCredentials>,
) -> Answer {
    Ok(ok(&api.profile.put_credentials(&asked, &provider, new).await?))
}

async fn end_credentials(api: web::Data<PartnerApi>, By(asked): By, provider: web::Path<String>) -> Answer {
    api.profile.end_credentials(&asked, &provider).await?;
    Ok(gone())
}

async fn audit(api: web::Data<PartnerApi>, By(asked): By, Paging(page): Paging) -> Answer {
    Ok(ok(&api.profile.audited(&asked, page).await?))
}
