//! The API explained by itself: `/v1/openapi.json`, and the same as a page, `/v1/docs`.
//!
//! The page is one file: it needs no network, no script and no cookie, and its policy lets it load nothing at all. It is
//! served in production, too, for whoever integrates there looks up there what an error means.

mod html;
mod page;
mod schema;

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use utoipa::OpenApi;

use super::openapi::document;
use super::routes::{AuthRequirement, Route, RouteGroup};

const DOCUMENT: &str = "/v1/openapi.json";
const PAGE: &str = "/v1/docs";

pub(super) const AREA: RouteGroup = RouteGroup {
    routes: ROUTES,
    configure,
    document: Paths::openapi,
};

#[derive(OpenApi)]
#[openapi(paths(openapi, docs))]
struct Paths;

/// The area's name in the reference.
const TAG: &str = "Reference";

const ROUTES: &[Route] = &[
    Route::new("GET", DOCUMENT, AuthRequirement::Open),
    Route::new("GET", PAGE, AuthRequirement::Open),
];

fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/openapi.json", web::get().to(openapi))
        .route("/docs", web::get().to(docs));
}

/// A program is the same as long as it runs, and so are the document and the page.
static JSON: LazyLock<String> = LazyLock::new(|| document().to_string());
static HTML: LazyLock<String> = LazyLock::new(|| page::render(&document()));
/// The page may have its own style; everything else is refused by the browser.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(page::STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// A new program may say something new: whoever keeps the answer asks again.
const REVALIDATED: &str = "no-cache";

/// Gives this document
#[utoipa::path(get, path = DOCUMENT, operation_id = "readOpenApi", tag = TAG,
    responses(
        (status = 200, description = "The API as an OpenAPI 3.1 document.", body = Object),
    ))]
async fn openapi() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, REVALIDATED))
        .body(JSON.as_str())
}

/// Gives this document as a page to read
#[utoipa::path(get, path = PAGE, operation_id = "readDocs", tag = TAG,
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
    ))]
async fn docs() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, REVALIDATED))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(HTML.as_str())
}
