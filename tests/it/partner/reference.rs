//! The OpenAPI document, and the page that shows it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiungo::http::partner::{PROBLEM_KINDS, document, routes};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::api::Api;
use crate::support::browser::Browser;
use crate::support::sandbox::Sandbox;

/// Every operation of the document: its method, path and description.
fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, is)| (method.to_ascii_uppercase(), path.as_str(), is))
    })
}

/// Every route is documented, and nothing else, each under a unique operation id.
#[test]
fn every_route_is_documented_and_nothing_else() {
    let document = document();
    let documented: BTreeSet<_> = operations(document)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let there: BTreeSet<_> = routes()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(documented, there);
    let names: BTreeSet<_> = operations(document)
        .map(|(_, _, is)| is["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), there.len());
    for (method, path, is) in operations(document) {
        assert!(
            is["summary"].is_string() && is["tags"][0].is_string(),
            "{method} {path}"
        );
        let answers = is["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
    }
}

/// Every reference in the document leads somewhere.
#[test]
fn references_lead_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 100, "only {} references", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// A reviewer sees what changes in the document: each operation with its parameters and every status.
#[test]
fn the_operations_are_these() {
    let document = document();
    let mut list = String::new();
    for (method, path, is) in operations(document) {
        let answers: Vec<_> = is["responses"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let takes: Vec<_> = is["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| {
                let named = parameter["name"].as_str();
                named.unwrap_or_else(|| parameter["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
            })
            .collect();
        let may = &is["x-kiungo-may"];
        writeln!(list, "{method} {path} {}", is["operationId"].as_str().unwrap()).unwrap();
        writeln!(list, "  for {} {} {}", may["by"], may["object"], may["action"]).unwrap();
        writeln!(list, "  takes {}", takes.join(" ")).unwrap();
        writeln!(list, "  gives {}", answers.join(" ")).unwrap();
    }
    insta::assert_snapshot!(list);
}

/// A reviewer sees changes of the schemas, from which partners generate their clients.
#[test]
fn the_schemas_are_these() {
    let schemas = serde_json::to_string_pretty(&document()["components"]["schemas"]).unwrap();
    insta::assert_snapshot!(schemas);
}

/// The document and the page are there for anybody; the page runs nothing that does not come from this server, and has a
/// row for every problem where problem documents point to.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_explains_everything_by_itself() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let served = api.get("/v1/openapi.json").send().await.expect(200);
    assert_eq!(served, *document());
    assert_eq!(served["openapi"], "3.1.0");
    let page = api.get("/v1/docs").send().await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
    assert_eq!(policy.matches("unsafe").count(), 1, "style attributes only: {policy}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let Value::String(html) = page.expect(200) else {
        panic!("a page is a text");
    };
    for active in [
        "<img", "<iframe", "url(", "@import", "http://", "https://", " style=", "<style",
    ] {
        assert!(!html.contains(active), "{active}");
    }
    let files: Vec<_> = ["src=\"", "href=\"/"]
        .iter()
        .flat_map(|named| html.split(named).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .map(|path| format!("/{}", path.trim_start_matches('/')))
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for path in files {
        let file = api
            .client
            .get(format!("{}{path}", sandbox.origin))
            .send()
            .await
            .unwrap();
        assert_eq!(file.status(), 200, "{path}");
        let header = |name: &str| file.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let script = path.contains(".js?");
        let kind = if script { "text/javascript" } else { "text/css" };
        assert_eq!(header("content-type"), Some(format!("{kind}; charset=utf-8")), "{path}");
        assert_eq!(
            header("cache-control").unwrap(),
            "public, max-age=31536000, immutable",
            "{path}"
        );
        assert_eq!(header("x-content-type-options").unwrap(), "nosniff", "{path}");
        let packed = path.contains("viewer.js").then(|| "gzip".to_owned());
        assert_eq!(header("content-encoding"), packed, "{path}");
    }
    let refused = api.get("/v1/nowhere").send().await;
    assert_eq!(refused.body["type"], "/v1/docs#problem-not_found");
    for kind in PROBLEM_KINDS {
        let (page, anchor) = (kind.documentation_path(), format!("id=\"problem-{}\"", kind.code));
        assert!(page.starts_with("/v1/docs#") && html.contains(&anchor), "{page}");
    }
    sandbox.stop().await;
}

/// What a page must not do, noted before it can do it: break its own policy, or say that something went wrong.
const WATCH: &str = "window.faults = [];
    addEventListener('securitypolicyviolation', e => faults.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));
    addEventListener('error', e => faults.push(`error ${e.message}`));
    addEventListener('unhandledrejection', e => faults.push(`rejected ${e.reason}`));
    const said = console.error; console.error = (...all) => { faults.push(all.join(' ')); said(...all); };";

/// What the viewer shows, in its own tree, and how much of it is in the window.
const VIEWER: &str = "document.querySelector('openapi-explorer')?.shadowRoot";

/// The links to operations in its menu.
const LINK: &str = ".nav-bar-path[data-content-id*=\"-/\"]";

/// In a real browser the viewer shows every operation, finds one, and has a sample of its request; a problem's address leads
/// to its row. Nothing breaks the policy, and nothing is asked of anybody but this server.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_works_in_a_browser() {
    let sandbox = Sandbox::start().await;
    let page = Api::of_sandbox(&sandbox.origin).get("/v1/docs").send().await;
    let policy = page.header("content-security-policy").to_owned();
    let browser = Browser::open(1280, 900, false).await;
    browser.run_before_pages(WATCH).await;
    browser
        .window
        .goto(&format!("{}/v1/docs", sandbox.origin))
        .await
        .expect("the page");
    browser
        .wait_true(&format!("{VIEWER}?.querySelector('nav.nav-bar')"))
        .await;
    let theme = browser
        .evaluate(&format!("{VIEWER}.querySelector('style').textContent"))
        .await;
    let hash = STANDARD.encode(Sha256::digest(theme.as_str().unwrap()));
    assert!(
        policy.contains(&format!("'sha256-{hash}'")),
        "the viewer's theme is {hash}, not in {policy}"
    );
    browser.picture(&picture("overview.png")).await;

    every_operation_is_shown_and_found(&browser).await;
    a_problem_leads_to_its_row(&browser, &sandbox.origin).await;
    nothing_was_refused_or_asked_elsewhere(&browser, &sandbox.origin).await;
    browser.window.close().await.expect("closed");
    sandbox.stop().await;
}

async fn every_operation_is_shown_and_found(browser: &Browser) {
    let shown = browser
        .evaluate(&format!("{VIEWER}.querySelector('nav.nav-bar').textContent"))
        .await;
    let document = document();
    for (method, path, is) in operations(document) {
        let summary = is["summary"].as_str().unwrap();
        assert!(shown.as_str().unwrap().contains(summary), "{method} {path}: {summary}");
    }

    let links = format!("{VIEWER}.querySelectorAll('{LINK}').length");
    assert_eq!(browser.evaluate(&links).await, operations(document).count());
    browser
        .evaluate(&format!("{VIEWER}.querySelector('#nav-bar-search').focus()"))
        .await;
    let search = browser.window.active_element().await.expect("the search");
    search.send_keys("link-intents/{id}/cancel").await.expect("typed");
    browser.wait_true(&format!("{links} === 1")).await;
    browser
        .evaluate(&format!("{VIEWER}.querySelector('{LINK}').click()"))
        .await;
    let sample = format!(
        "[...{VIEWER}.querySelectorAll('api-request syntax-highlighter')]
            .some(code => (code.shadowRoot ?? code).textContent.includes('curl -X POST'))"
    );
    browser.wait_true(&sample).await;
    browser.picture(&picture("search.png")).await;
}

async fn a_problem_leads_to_its_row(browser: &Browser, origin: &str) {
    let problem = format!("{origin}/v1/docs#problem-not_found");
    browser.window.goto("about:blank").await.expect("a blank page");
    browser.window.goto(&problem).await.expect("the page");
    let row = "document.querySelector('tr.shown')?.getBoundingClientRect()";
    browser
        .wait_true(&format!(
            "{row}?.height > 0 && {row}.top > 0 && {row}.bottom < innerHeight"
        ))
        .await;
    assert_eq!(
        browser.evaluate("document.querySelector('tr.shown').id").await,
        "problem-not_found"
    );
    browser.picture(&picture("problem.png")).await;
}

async fn nothing_was_refused_or_asked_elsewhere(browser: &Browser, origin: &str) {
    assert_eq!(browser.evaluate("faults").await, serde_json::json!([]));
    let asked = browser
        .evaluate("performance.getEntriesByType('resource').map(e => e.name)")
        .await;
    let asked = asked.as_array().unwrap().clone();
    assert!(asked.len() >= 4, "{asked:?}");
    for address in asked {
        let address = address.as_str().unwrap().to_owned();
        assert!(address.starts_with(origin) || address.starts_with("data:"), "{address}");
    }
}

/// Where a picture of the page goes, to be looked at.
fn picture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reference").join(name)
}
