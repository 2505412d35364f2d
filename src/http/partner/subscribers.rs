//! Subscribers' data: `/v1/subscribers`, `/v1/erasures`. The number is in the body, because request targets are logged in
//! many places.

use super::api::Api;
use super::extractors::{Auth, Json, PathId};
use super::responses::{ApiResponse, accepted, ok};
use super::route::{PARTNER, RouteGroup, routes};
use crate::core::ids::ErasureId;
use crate::service::data_subject::export::Export;
use crate::service::partners::subscribers::{ErasureView, SubscriberNumber};

pub(super) fn routes() -> RouteGroup {
    routes!("Subscribers":
        export_subscriber => PARTNER,
        erase_subscriber => PARTNER,
        read_erasure => PARTNER,
    )
}

/// Export a subscriber's data
///
/// For the person, who has a right to it. The export is recorded in the audit trail.
#[utoipa::path(post, path = "/v1/subscribers/export", request_body = SubscriberNumber,
    responses((status = 200, description = "All that the partner holds about the number, if anything.", body = Export)))]
async fn export_subscriber(api: Api, Auth(context): Auth, Json(number): Json<SubscriberNumber>) -> ApiResponse {
    ok(api.subscribers.export_subscriber(&context, number).await?)
}

/// Erase a subscriber
///
/// Ends the subscriber's links at the providers, blanks their rows, and removes live state. Repeating the request gives the
/// same erasure.
#[utoipa::path(post, path = "/v1/subscribers/erase", request_body = SubscriberNumber,
    responses((status = 202, description = "The erasure has begun.", body = ErasureView)))]
async fn erase_subscriber(api: Api, Auth(context): Auth, Json(number): Json<SubscriberNumber>) -> ApiResponse {
    accepted(api.subscribers.erase_subscriber(&context, number).await?)
}

/// Get an erasure's status
#[utoipa::path(get, path = "/v1/erasures/{id}", params(("id" = ErasureId, Path, description = "The erasure.")),
    responses((status = 200, description = "The status.", body = ErasureView)))]
async fn read_erasure(api: Api, Auth(context): Auth, PathId(id): PathId<ErasureId>) -> ApiResponse {
    ok(api.subscribers.get_erasure(&context, id).await?)
}
