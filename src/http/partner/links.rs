//! Links: `/v1/links`.

use super::api::Api;
use super::extractors::{Auth, ListQuery, PathId, Query};
use super::responses::{ApiResponse, accepted, created, ok};
use super::route::{RouteGroup, permitted, routes};
use crate::core::access::{Action, Object};
use crate::core::ids::LinkId;
use crate::service::partners::intents::IntentView;
use crate::service::partners::links::{EndedLinkView, LinkListQuery, LinkView};
use crate::service::partners::views::List;

pub(super) fn routes() -> RouteGroup {
    routes!("Links":
        list_links => permitted(Object::Link, Action::Read),
        read_link => permitted(Object::Link, Action::Read),
        delete_link => permitted(Object::Link, Action::Delete),
        reauthorise_link => permitted(Object::Link, Action::Update),
    )
}

/// List links
#[utoipa::path(get, path = "/v1/links", params(LinkListQuery, ListQuery),
    responses((status = 200, description = "A page of links, newest first.", body = List<LinkView>)))]
async fn list_links(api: Api, Auth(context): Auth, Query(filter, page): Query<LinkListQuery>) -> ApiResponse {
    ok(api.linking.list_links(&context, filter, page).await?)
}

/// Get a link
#[utoipa::path(get, path = "/v1/links/{id}", params(("id" = LinkId, Path, description = "The link.")),
    responses((status = 200, description = "The link.", body = LinkView)))]
async fn read_link(api: Api, Auth(context): Auth, PathId(id): PathId<LinkId>) -> ApiResponse {
    ok(api.linking.get_link(&context, id).await?)
}

/// Delete a link
///
/// The link is out of use at once; the provider is told until it confirms. Repeating the request changes nothing.
#[utoipa::path(delete, path = "/v1/links/{id}", params(("id" = LinkId, Path, description = "The link.")),
    responses((status = 202, description = "The link is out of use.", body = EndedLinkView)))]
async fn delete_link(api: Api, Auth(context): Auth, PathId(id): PathId<LinkId>) -> ApiResponse {
    accepted(api.linking.delete_link(&context, id).await?)
}

/// Reauthorise a link
///
/// Asks the subscriber to log in again, within 7 days, on the terms on which the account was linked: it is a new consent, and
/// `until` counts from then on. The link intent is
/// for the subscriber of the link, who dials the plain code; it is completed when the link can be used again.
#[utoipa::path(post, path = "/v1/links/{id}/reauthorise", params(("id" = LinkId, Path, description = "The link.")),
    responses(
        (status = 201, description = "The link intent.", body = IntentView),
        (status = 409, description = "The link is out of use."),
    ))]
async fn reauthorise_link(api: Api, Auth(context): Auth, PathId(id): PathId<LinkId>) -> ApiResponse {
    created(api.linking.reauthorise_link(&context, id).await?)
}
