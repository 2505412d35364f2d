//! The API explained by itself: `/v1/openapi.json`, and the same document in a viewer, `/v1/docs`.
//!
//! The viewer is kept in this repository (`reference/viewer`), so the page needs no network. Its policy allows scripts and
//! connections of this origin only, and neither inline scripts nor `eval`. The page is served in production, too, because
//! partners' engineers look up there what an error means.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use super::openapi::OpenApiDocument;
use super::problem::PROBLEM_KINDS;
use super::route::{AuthRequirement, RouteGroup, routes};

const PAGE: &str = "/v1/docs";

pub(super) fn routes() -> RouteGroup {
    routes!("Reference":
        read_open_api => AuthRequirement::Open,
        read_docs => AuthRequirement::Open,
        read_docs_file => AuthRequirement::Open,
    )
}

/// A file of the page.
struct DocsFile {
    name: &'static str,
    content_type: &'static str,
    /// Every browser takes gzip.
    gzip: bool,
    body: &'static [u8],
}

static FILES: [DocsFile; 3] = [
    DocsFile {
        name: "viewer.js",
        content_type: "text/javascript; charset=utf-8",
        gzip: true,
        body: include_bytes!("reference/viewer/openapi-explorer.min.js.gz"),
    },
    DocsFile {
        name: "page.js",
        content_type: "text/javascript; charset=utf-8",
        gzip: false,
        body: include_bytes!("reference/page.js"),
    },
    DocsFile {
        name: "page.css",
        content_type: "text/css; charset=utf-8",
        gzip: false,
        body: include_bytes!("reference/page.css"),
    },
];

/// The viewer sets `style` attributes everywhere, and one style element with its theme, whose hash this is: it depends on
/// the viewer's version and on the colours in `page.html`.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; \
                      style-src-elem 'self' 'sha256-zf+uNJBueETP1htRYcI8vtcaUYGu1KTJEvj7I2Hq+BA='; \
                      style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page changes only with the program.
static HTML: LazyLock<String> = LazyLock::new(page);

/// A new program may say something new, so browsers ask again.
const REVALIDATED: &str = "no-cache";
/// The page asks for each file by the hash of its content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The page, with its files by their hash and with a row for each kind of problem.
fn page() -> String {
    let mut rows = String::new();
    for kind in PROBLEM_KINDS {
        let (code, status) = (kind.code, kind.status.as_u16());
        // Writing to a String cannot fail.
        let _ = write!(
            rows,
            "<tr id=\"problem-{code}\"><td>{status}<td><code>{code}</code><td>"
        );
        for (index, part) in kind.advice.split('`').enumerate() {
            let _ = if index % 2 == 0 {
                write!(rows, "{part}")
            } else {
                write!(rows, "<code>{part}</code>")
            };
        }
        rows.push('\n');
    }
    let page = include_str!("reference/page.html").replace("{problems}", &rows);
    FILES.iter().fold(page, |page, file| {
        let mut address = format!("{PAGE}/{}?", file.name);
        for byte in &Sha256::digest(file.body)[..8] {
            let _ = write!(address, "{byte:02x}");
        }
        page.replace(&format!("{{{}}}", file.name), &address)
    })
}

/// Get the OpenAPI document
#[utoipa::path(get, path = "/v1/openapi.json",
    responses((status = 200, description = "The API as an OpenAPI 3.1 document.", body = Object)))]
async fn read_open_api(document: web::Data<OpenApiDocument>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, REVALIDATED))
        .body(document.written.clone())
}

/// Get the reference page
#[utoipa::path(get, path = PAGE,
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
async fn read_docs() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, REVALIDATED))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(HTML.as_str())
}

/// Get a file of the reference page
#[utoipa::path(get, path = "/v1/docs/{file}",
    params(("file" = String, Path, description = "Its name, as the page asks for it.")),
    responses((status = 200, description = "The file.", body = String, content_type = "text/javascript")))]
async fn read_docs_file(name: web::Path<String>) -> HttpResponse {
    let Some(file) = FILES.iter().find(|file| file.name == name.as_str()) else {
        return HttpResponse::NotFound().finish();
    };
    let mut answer = HttpResponse::Ok();
    if file.gzip {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
    }
    answer
        .content_type(file.content_type)
        .insert_header((CACHE_CONTROL, FOREVER))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(file.body)
}
