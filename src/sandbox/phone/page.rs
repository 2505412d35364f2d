//! The routes of the browser phone.
//!
//! The page consists of a few files inside the binary, so it works without a network. Its content security policy allows it
//! to load only those files and to call only this server; there is no inline script or style that would need an exception.
//! Browsers revalidate the files by their hash, so a new build never runs with an old script; the two JSON answers are never
//! stored.

use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::SessionInspector;
use super::facts::PhoneFacts;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 9] = [
    Asset {
        path: "/phone",
        content_type: "text/html; charset=utf-8",
        body: include_str!("assets/phone.html"),
    },
    Asset {
        path: "/phone/icon.svg",
        content_type: "image/svg+xml",
        body: include_str!("assets/icon.svg"),
    },
    Asset {
        path: "/phone/phone.css",
        content_type: "text/css; charset=utf-8",
        body: include_str!("assets/phone.css"),
    },
    script("/phone/network.js", include_str!("assets/network.js")),
    script("/phone/handset.js", include_str!("assets/handset.js")),
    script("/phone/bench.js", include_str!("assets/bench.js")),
    script("/phone/inbox.js", include_str!("assets/inbox.js")),
    script("/phone/clock.js", include_str!("assets/clock.js")),
    script("/phone/phone.js", include_str!("assets/phone.js")),
];

const fn script(path: &'static str, body: &'static str) -> Asset {
    Asset {
        path,
        content_type: "text/javascript; charset=utf-8",
        body,
    }
}

struct Shared {
    facts: Arc<PhoneFacts>,
    view: Arc<dyn SessionInspector>,
}

#[derive(Deserialize)]
struct NumberQuery {
    /// E.164 with `+`, percent-encoded.
    msisdn: String,
}

/// Adds `/phone`, its files, `/phone/facts.json` and `/phone/session.json`.
pub fn configure(cfg: &mut ServiceConfig, facts: Arc<PhoneFacts>, view: Arc<dyn SessionInspector>) {
    let shared = Data::new(Shared { facts, view });
    for asset in &ASSETS {
        let etag = etag(asset.body);
        cfg.route(
            asset.path,
            web::get().to(move |request: HttpRequest| {
                let answer = file(asset, &etag, &request);
                async move { answer }
            }),
        );
    }
    cfg.service(
        web::resource("/phone/facts.json")
            .app_data(shared.clone())
            .get(|shared: Data<Shared>| async move { uncached().json(&*shared.facts) }),
    );
    cfg.service(web::resource("/phone/session.json").app_data(shared).get(session));
}

async fn session(shared: Data<Shared>, query: Query<NumberQuery>) -> HttpResponse {
    uncached().json(shared.view.describe(&query.msisdn).await)
}

fn etag(body: &str) -> String {
    let mut tag = String::from('"');
    for byte in &Sha256::digest(body)[..12] {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn file(asset: &'static Asset, etag: &str, request: &HttpRequest) -> HttpResponse {
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok());
    let unchanged = known.is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == etag));
    let mut answer = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    guard(&mut answer)
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ETAG, etag.to_owned()))
        .insert_header((header::CONTENT_TYPE, asset.content_type));
    if unchanged {
        answer.finish()
    } else {
        answer.body(asset.body)
    }
}

/// A response that must not be cached.
fn uncached() -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    guard(&mut answer).insert_header((header::CACHE_CONTROL, "no-store"));
    answer
}

fn guard(answer: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    answer
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
}
