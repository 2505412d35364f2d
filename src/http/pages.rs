//! Pages for people in browsers: `/go/{token}` from an SMS to the bank, and `/back/{provider}` from there.
//!
//! They are small, say nothing about anybody and load nothing. The first works without scripts. The second needs one where a
//! provider returns behind the URL's `#`, which only the browser sees: it sends that as a form. No address of these pages is
//! logged, stored by a cache or told to the next page, for it is what lets a person go on.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::body::{BodyLimits, BodySender, Unread};
use super::client_address::client_address;
use super::{HttpState, body, decodable, not_found_response, ussd};
use crate::core::messages::Locale;
use crate::core::secret::Secret;
use crate::providers::ProviderRequest;
use crate::service::callbacks::{OpenedPage, PersonPage};

/// More than any provider has a browser bring back.
const BODY: BodyLimits = BodyLimits {
    bytes: 256 * 1024,
    time: Duration::from_secs(10),
};

const STYLE: &str = "body{margin:0 auto;max-width:30rem;padding:2rem 1rem;font:1.1rem/1.5 sans-serif;color:#1b1b1f;\
                     background:#fff}h1{font-size:1.4rem}button{font:inherit;width:100%;padding:.9rem;border:0;\
                     border-radius:.5rem;background:#0b5d3b;color:#fff}";

/// Sends what stands behind the `#` as a form, if anything does, and takes it out of the browser's history first.
const FRAGMENT: &str = "if(location.hash.length>1){const brought=new URLSearchParams(location.hash.slice(1));\
                        history.replaceState(null,'',location.pathname);const form=document.createElement('form');\
                        form.method='post';for(const[name,value]of brought){const field=document.createElement('input');\
                        field.type='hidden';field.name=name;field.value=value;form.append(field)}\
                        document.body.append(form);HTMLFormElement.prototype.submit.call(form)}";

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| csp_hash(STYLE));
static FRAGMENT_HASH: LazyLock<String> = LazyLock::new(|| csp_hash(FRAGMENT));

fn csp_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Shows the page with the button. A browser may ask for it as often as it likes.
pub(super) async fn show(request: HttpRequest, parts: web::Data<HttpState>) -> HttpResponse {
    let (token, locale) = (token(&request), wanted_locale(&request));
    html(&parts.pages.show(&token, locale).await, None)
}

/// The button leads to the bank.
pub(super) async fn open(request: HttpRequest, payload: web::Payload, parts: web::Data<HttpState>) -> HttpResponse {
    body::drain(payload).await;
    let (token, locale) = (token(&request), wanted_locale(&request));
    let pages = parts.pages.clone();
    // A browser that goes away does not stop it halfway.
    let opening = async move { pages.open(&token, locale).await };
    match parts.turn_tasks.spawn_on(opening, &parts.runtime).await {
        Ok(OpenedPage::Redirect(url)) => private(StatusCode::SEE_OTHER)
            .insert_header((LOCATION, url.expose()))
            .finish(),
        Ok(OpenedPage::Page(page)) => html(&page, None),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Takes what a browser brings back, in the query or as a form; a page without either looks behind the `#`.
pub(super) async fn come_back(
    request: HttpRequest,
    payload: web::Payload,
    parts: web::Data<HttpState>,
) -> HttpResponse {
    let provider = request.match_info().get("provider").unwrap_or_default().to_owned();
    let locale = wanted_locale(&request);
    let Some(nothing_brought) = parts.pages.returned_empty(&provider, locale) else {
        body::drain(payload).await;
        return not_found_response();
    };
    let by = BodySender::Stranger(client_address(&request, &parts.proxies));
    let body = match body::read(&request, payload, BODY, by).await {
        Ok(body) => body,
        Err(Unread::TooLong | Unread::TooSlow) => return HttpResponse::BadRequest().finish(),
        Err(Unread::Busy) => return HttpResponse::ServiceUnavailable().finish(),
    };
    if let Err(why) = decodable::check(request.headers(), &body) {
        return decodable::refusal(why);
    }
    if request.query_string().is_empty() && body.is_empty() {
        return html(&nothing_brought, Some(FRAGMENT));
    }
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let query = Zeroizing::new(request.query_string().to_owned());
    let headers = ussd::headers(&request);
    let pages = parts.pages.clone();
    // A browser is closed as soon as it is back: what it brought is stored all the same.
    let taking = async move {
        let brought = ProviderRequest {
            method: &method,
            path: &path,
            tail: "",
            query: &query,
            headers: &headers,
            body: &body,
        };
        pages.returned(&provider, &brought, locale).await
    };
    match parts.turn_tasks.spawn_on(taking, &parts.runtime).await {
        Ok(page) => page.map_or_else(not_found_response, |page| html(&page, None)),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// What [`come_back`] says of itself, and takes nothing: what a browser brings back counts once, and programs ask for heads
/// before people come.
pub(super) async fn look_back(
    request: HttpRequest,
    payload: web::Payload,
    parts: web::Data<HttpState>,
) -> HttpResponse {
    body::drain(payload).await;
    let provider = request.match_info().get("provider").unwrap_or_default();
    let page = parts.pages.returned_empty(provider, wanted_locale(&request));
    page.map_or_else(not_found_response, |page| html(&page, Some(FRAGMENT)))
}

fn token(request: &HttpRequest) -> Secret {
    Secret::new(request.match_info().get("token").unwrap_or_default())
}

/// The first language that the browser asks for and we speak.
fn wanted_locale(request: &HttpRequest) -> Locale {
    let header = request.headers().get(ACCEPT_LANGUAGE);
    let wanted = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut tags = wanted.split(',').map(|part| {
        let tag = part.split(';').next().unwrap_or_default();
        tag.split('-').next().unwrap_or_default().trim()
    });
    tags.find_map(Locale::from_tag).unwrap_or_default()
}

/// A response that no cache keeps and no other page learns of.
fn private(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    response
}

fn html(page: &PersonPage, script: Option<&str>) -> HttpResponse {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
    private(status)
        .insert_header((CONTENT_SECURITY_POLICY, policy(page, script.is_some())))
        .content_type("text/html; charset=utf-8")
        .body(markup(page, script))
}

/// Nothing but these lines of style, and of script where there is one. A form leads to this server; where its answer leads on
/// to the bank, browsers hold that to the same rule.
fn policy(page: &PersonPage, script: bool) -> String {
    let script = if script {
        format!("script-src {}; ", *FRAGMENT_HASH)
    } else {
        String::new()
    };
    let form = match (page.button.is_some(), page.plain_http) {
        (true, true) => "'self' https: http:",
        (true, false) => "'self' https:",
        (false, _) => "'self'",
    };
    format!(
        "default-src 'none'; style-src {}; {script}form-action {form}; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH
    )
}

fn markup(page: &PersonPage, script: Option<&str>) -> String {
    let (title, text) = (escaped(&page.title), escaped(&page.text));
    let button = page.button.as_deref().map(|label| {
        let label = escaped(label);
        format!("<form method=\"post\"><button>{label}</button></form>")
    });
    let script = script.map(|script| format!("<script>{script}</script>"));
    format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n<p>{text}</p>{}</main>{}</body></html>\n",
        page.locale.tag(),
        button.unwrap_or_default(),
        script.unwrap_or_default()
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
