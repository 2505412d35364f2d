//! The document of the API, and the page that is made from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kiungo::http::partner::{PROBLEM_KINDS, document, routes};
use serde_json::Value;

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// Every operation of the document: its method, path and what is said of it.
fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, is)| (method.to_ascii_uppercase(), path.as_str(), is))
    })
}

/// What is documented is what there is: every route, and nothing else, each under a name of its own.
#[test]
fn every_route_is_documented_and_nothing_else() {
    let document = document();
    let documented: BTreeSet<_> = operations(&document)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let there: BTreeSet<_> = routes()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(documented, there);
    let names: BTreeSet<_> = operations(&document)
        .map(|(_, _, is)| is["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), there.len());
    for (method, path, is) in operations(&document) {
        assert!(
            is["summary"].is_string() && is["tags"][0].is_string(),
            "{method} {path}"
        );
        let answers = is["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
    }
}

/// Whatever the document refers to is in it.
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
    references(&document, &mut found);
    assert!(found.len() > 100, "only {} references", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// What changes in the document is seen by whoever reviews the change: each operation with what it takes and every answer
/// it can give.
#[test]
fn the_operations_are_these() {
    let document = document();
    let mut list = String::new();
    for (method, path, is) in operations(&document) {
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

/// The schemas that partners' programs are generated from change only with a review, too.
#[test]
fn the_schemas_are_these() {
    let schemas = serde_json::to_string_pretty(&document()["components"]["schemas"]).unwrap();
    insta::assert_snapshot!(schemas);
}

/// The document and the page are there for anybody, and agree; the page loads nothing, runs nothing, and explains every
/// problem where problem documents point to.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_explains_everything_by_itself() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let served = api.get("/v1/openapi.json").send().await.expect(200);
    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
    let page = api.get("/v1/docs").send().await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let Value::String(html) = page.expect(200) else {
        panic!("a page is a text");
    };
    for active in [
        "<script", "<link", "<img", "<iframe", "src=", "url(", "@import", "http://", "https://", " style=",
    ] {
        assert!(!html.contains(active), "{active}");
    }
    for (_, _, is) in operations(&served) {
        let name = is["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("id=\"op-{name}\"")), "{name}");
    }
    for link in html.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(html.contains(&format!("id=\"{target}\"")), "{target}");
    }
    let refused = api.get("/v1/nowhere").send().await;
    assert_eq!(refused.body["type"], "/v1/docs#problem-not_found");
    for kind in PROBLEM_KINDS {
        let (page, anchor) = (kind.documentation_path(), format!("id=\"problem-{}\"", kind.code));
        assert!(page.starts_with("/v1/docs#") && html.contains(&anchor), "{page}");
    }
    sandbox.stop().await;
}
