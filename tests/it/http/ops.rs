//! Provider webhooks, and the routes for operators.

use std::sync::atomic::Ordering;

#[cfg(feature = "sandbox")]
use crate::support::sandbox::Sandbox;
use crate::support::server::{path, start};
use crate::support::wire::{RawConnection, post, request};

/// The status tells a provider whether to retry a webhook.
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_answered_by_outcome() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let signed = |body: &str| {
        let length = body.len();
        format!(
            "POST /hooks/mono HTTP/1.1\r\nhost: t\r\nMono-Webhook-Secret: right\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    for (ask, want) in [
        (signed("{}"), 200),
        (signed("rubbish"), 400),
        (signed("later"), 503),
        (signed(&"1".repeat(1024 * 1024)), 200),
        (signed(&"1".repeat(1024 * 1024 + 1)), 400),
        (post("/hooks/mono", "{}"), 401),
        (post("/hooks/powens", "{}"), 404),
    ] {
        let answer = connection.ask(&ask).await;
        assert_eq!(answer.status(), want, "{}", &ask[..60]);
        if answer.header("connection") == Some("close") {
            connection = RawConnection::open(server.address).await;
        }
    }
}

/// Readiness names the part that fails, and tells what is worth knowing of one that works; liveness does not depend on it.
#[tokio::test(flavor = "multi_thread")]
async fn health_tells_which_part_fails() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let ready = connection.ask(request("GET", "/health/ready", "")).await;
    assert_eq!(
        (ready.status(), ready.body.as_str()),
        (200, r#"{"status":"ready","parts":{"records":"works","store":"ok"}}"#)
    );
    server.readiness.0.store(true, Ordering::Relaxed);
    let ready = connection.ask(request("GET", "/health/ready", "")).await;
    assert_eq!(
        (ready.status(), ready.body.as_str()),
        (
            503,
            r#"{"status":"not ready","parts":{"records":"works","store":"does not answer"}}"#
        )
    );
    let live = connection.ask(request("GET", "/health/live", "")).await;
    assert_eq!((live.status(), live.body.as_str()), (200, r#"{"status":"live"}"#));
}

/// Requests are counted by the pattern of their route, in the format that scrapers ask for.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_by_route() {
    let server = start(2);
    let mut connection = RawConnection::open(server.address).await;
    connection.ask(post(&path(""), "text=1")).await;
    connection.ask(post(&path("/more"), "text=1")).await;
    connection.ask(post("/nowhere/else", "")).await;
    let metrics = connection.ask(request("GET", "/metrics", "")).await;
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    for line in [
        r#"kiungo_requests_total{route="/ussd/{channel}/{secret}",status="200"} 1"#,
        r#"kiungo_requests_total{route="/ussd/{channel}/{secret}/{tail:.*}",status="200"} 1"#,
        r#"kiungo_requests_total{route="other",status="404"} 1"#,
    ] {
        assert!(
            metrics.body.lines().any(|found| found == line),
            "{line} not in\n{}",
            metrics.body
        );
    }
    assert!(metrics.body.ends_with("# EOF\n"));
}

/// The first page of a sandbox is its phone; a production server has none, as of any other path.
#[cfg(feature = "sandbox")]
#[tokio::test(flavor = "multi_thread")]
async fn the_root_of_a_sandbox_leads_to_the_phone() {
    let sandbox = Sandbox::start().await;
    let address = sandbox.origin.trim_start_matches("http://").parse().unwrap();
    let answer = RawConnection::open(address).await.ask(&request("GET", "/", "")).await;
    assert_eq!((answer.status(), answer.header("location")), (302, Some("/phone")));
    let answer = RawConnection::open(address).await.ask(&post("/", "")).await;
    assert_eq!(answer.status(), 404);
    let production = start(0);
    let mut connection = RawConnection::open(production.address).await;
    let (root, nowhere) = (
        connection.ask(&request("GET", "/", "")).await,
        connection.ask(&request("GET", "/nowhere", "")).await,
    );
    assert_eq!(root.status(), 404);
    assert_eq!(root, nowhere);
    sandbox.stop().await;
}
