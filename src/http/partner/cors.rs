//! Requests of scripts in pages (the Fetch standard's CORS protocol), on the routes for publishable keys only.
//!
//! The key is in the page, so any page may ask, without cookies: there are none. A browser asks first, with OPTIONS and
//! without the key; and it shows a script only answers that allow it, problems too.

use actix_web::HttpResponse;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, HeaderMap, HeaderValue,
};

use super::route::AuthRequirement;
use super::routes::routes;

/// All of these routes only read.
const METHODS: &str = "GET, HEAD";

/// Whether scripts in pages may ask what is at this pattern.
pub(super) fn is_for_pages(pattern: Option<&str>) -> bool {
    routes().any(|route| route.auth == AuthRequirement::PublishableKey && Some(route.path.as_str()) == pattern)
}

/// The answer to a browser that asks whether a script may ask.
pub(super) fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ALLOW, "GET, HEAD, OPTIONS"))
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization, kiungo-version"))
        .insert_header((ACCESS_CONTROL_MAX_AGE, "86400"))
        .finish()
}

/// Allows a browser to show an answer to the script.
pub(super) fn add_headers(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let shown = "kiungo-version, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(shown));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These routes are for pages, and only reading is: what a page may do, anybody may.
    #[test]
    fn pages_only_read() {
        let for_pages = routes().filter(|route| is_for_pages(Some(&route.path)));
        for route in for_pages {
            assert_eq!(
                (route.method, route.auth),
                ("GET", AuthRequirement::PublishableKey),
                "{route:?}"
            );
        }
        assert!(is_for_pages(Some("/v1/public/link-intents/{id}")));
        assert!(!is_for_pages(Some("/v1/link-intents/{id}")) && !is_for_pages(None));
    }
}
